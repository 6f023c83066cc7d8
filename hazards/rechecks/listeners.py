"""What re-checks do when something happens to their cases."""

from uuid import UUID

from citysafety.outbox.models import OutboxEntry

from .services import lapse


def follow_reopening(entry: OutboxEntry) -> None:
    """Reopened: what was still to be checked again is open anyhow. Queries: 1."""
    lapse(UUID(str(entry.subject_id)), at=entry.at)
