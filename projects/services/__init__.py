"""What is done in supervision: notices drafted by rule, steps taken, silence marked."""

from .drafting import NotOverdue, draft_due, draft_notice
from .silence import mark_unanswered
from .steps import NoticeInput, opened, take_step

__all__ = ["NotOverdue", "NoticeInput", "draft_due", "draft_notice", "mark_unanswered", "opened", "take_step"]
