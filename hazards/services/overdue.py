"""Mark what is overdue: once, whatever the number of sweeps, and as a fact like any other change."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction

from citysafety.outbox.services import announce

from ..models import Clock, Hazard, Mark
from ..standing import record_standing
from .reporting import stepped

BATCH = 200


def mark_overdue(*, at: datetime) -> int:
    """Mark every hazard whose running clock has run out; return how many were marked here.

    Reads one indexed range. Two sweeps at once share the work: a row that one holds, the other passes over.
    """
    marked = 0
    while batch := _mark_batch(at):
        marked += batch
    return marked


@transaction.atomic
def _mark_batch(at: datetime) -> int:
    due = Hazard.objects.filter(overdue=False, due_at__lt=at).order_by("due_at")
    hazards = list(
        due.select_related("matter__matter_class", "dedicated_cell", "department").select_for_update(
            of=("self",), skip_locked=True
        )[:BATCH]
    )
    brought = _brought_alone(hazards, at)
    for hazard in hazards:
        hazard.overdue = hazard.late = True
        hazard.changed_at = at
        entry = announce(stepped(hazard, action="mark_overdue", actor_id=None), at=at)
        hazard.period = record_standing(hazard, entry, action="mark_overdue")
        hazard.save(update_fields=["overdue", "late", "changed_at", "period"])
        Clock.objects.filter(hazard=hazard, stopped_at=None, due_at__lt=at).update(marked_at=at)
        Mark.objects.create(
            hazard=hazard, stage=hazard.due_stage, version=hazard.version, due_at=hazard.due_at, at=at,
            merger_id=brought.get(hazard.pk),
        )  # fmt: skip
    return len(hazards)


def _brought_alone(hazards: Sequence[Hazard], at: datetime) -> dict[UUID, int]:
    """Return by case the merger whose limit ran out, where none of the case's own did. Queries: 1, none for none."""
    out = Clock.objects.filter(hazard__in=hazards, stopped_at=None, due_at__lt=at).order_by("-due_at", "-pk")
    first: dict[UUID, int] = {}
    late_itself = set()
    for hazard_id, merger_id in out.values_list("hazard", "merger"):
        if merger_id is None:
            late_itself.add(hazard_id)
        else:
            first[hazard_id] = merger_id
    return {key: merger for key, merger in first.items() if key not in late_itself}
