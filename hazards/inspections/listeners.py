"""What inspections do when a hazard is closed or opened again."""

from citysafety.outbox.models import OutboxEntry

from ..models import Hazard
from .planning import follow_hazards


def follow_hazard(entry: OutboxEntry) -> None:
    """A hazard was closed or opened again: the inspections that found it follow. Queries: 2, and 11 where any did."""
    merged = Hazard.objects.filter(merged_into=entry.subject_id).values_list("pk", flat=True)
    follow_hazards([entry.subject_id, *map(str, merged)], at=entry.at)
