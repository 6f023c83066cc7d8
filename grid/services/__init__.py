"""The verbs of the grid."""

from .city import CityRefused, load_city
from .counting import count_changed
from .postings import CellTaken, WorkerHasLeft, end_posting, mark_postings, post_worker, set_worker_state
from .register import save_cell, save_premises

__all__ = [
    "CellTaken",
    "CityRefused",
    "WorkerHasLeft",
    "count_changed",
    "end_posting",
    "load_city",
    "mark_postings",
    "post_worker",
    "save_cell",
    "save_premises",
    "set_worker_state",
]
