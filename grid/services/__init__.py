"""The verbs of the grid."""

from .city import CityRefused, load_city
from .components import NotImported, apply_import, may_import, try_import
from .counting import count_changed
from .postings import CellTaken, WorkerHasLeft, end_posting, mark_postings, post_worker, set_worker_state
from .register import save_cell, save_premises
from .rezoned import activate_due
from .rezoning import draft_rezoning
from .rezoning import take_step as take_rezoning_step

__all__ = [
    "CellTaken",
    "CityRefused",
    "NotImported",
    "WorkerHasLeft",
    "activate_due",
    "apply_import",
    "count_changed",
    "draft_rezoning",
    "end_posting",
    "load_city",
    "mark_postings",
    "may_import",
    "post_worker",
    "save_cell",
    "save_premises",
    "set_worker_state",
    "take_rezoning_step",
    "try_import",
]
