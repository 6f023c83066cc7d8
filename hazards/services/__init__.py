"""What can be done to a hazard: verbs, one transaction each."""

from .clocks import recompute_due
from .given import EvidenceMissing, FieldsMissing, NotAllowed, StaleVersion, TooLateToReopen
from .overdue import mark_overdue
from .reporting import FilingRefused, draft_hazard, file_drafts, report_hazard
from .rezoning import leave_ended_cells, move_open_cases
from .steps import resume_ended, take_step

__all__ = [
    "EvidenceMissing",
    "FieldsMissing",
    "FilingRefused",
    "NotAllowed",
    "StaleVersion",
    "TooLateToReopen",
    "draft_hazard",
    "file_drafts",
    "leave_ended_cells",
    "mark_overdue",
    "move_open_cases",
    "recompute_due",
    "report_hazard",
    "resume_ended",
    "take_step",
]
