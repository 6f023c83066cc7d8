"""Working days and hours, and who is on duty when: tables split by noun."""

from .days import CalendarYear, Day, Hours
from .duty import (
    RECEIPT_MINUTES,
    ROSTERED,
    WARN_HOURS,
    AnnouncedGap,
    Handover,
    HandoverReceipt,
    Leave,
    LeaveHistory,
    Post,
    PostHistory,
    Shift,
    ShiftHistory,
    Swap,
)

__all__ = [
    "RECEIPT_MINUTES",
    "ROSTERED",
    "WARN_HOURS",
    "AnnouncedGap",
    "CalendarYear",
    "Day",
    "Handover",
    "HandoverReceipt",
    "Hours",
    "Leave",
    "LeaveHistory",
    "Post",
    "PostHistory",
    "Shift",
    "ShiftHistory",
    "Swap",
]
