"""Keep the periods of workers, cells and premises in step with their rows."""

import json
from collections.abc import Iterable
from datetime import datetime
from functools import partial

from django.utils import timezone

from citysafety.bulk import array, copy_in
from citysafety.outbox.models import OutboxEntry
from citysafety.tallies.models import Period

from .. import figures

COLUMNS = (
    "kind", "subject_id", "entry_id", "previous_id", "day", "area", "extra_area", "category", "state", "now", "today", "amounts",
)  # fmt: skip


def count_changed(entry: OutboxEntry, *, kind: str, at: datetime, ids: Iterable[int] | None = None) -> int:
    """Open a new period, from a fact on, for every subject that counts differently than before; return how many.

    ``kind``: worker, cell or premises; ``ids`` limits it to subjects whose rows the caller has locked. Queries: 3.
    """
    day = timezone.localdate(at)
    recount = {
        "worker": partial(figures.recount_workers, on=day),
        "cell": figures.recount_cells,
        "premises": figures.recount_premises,
    }[kind]
    kept = Period.objects.filter(kind=kind)
    if ids is not None:
        ids = list(ids)
        kept = kept.filter(subject_id__in=[str(pk) for pk in ids])
    fields = ("subject_id", "pk", "area", "extra_area", "category", "state", "now", "amounts")
    known = {row[0]: row[1:] for row in kept.order_by("subject_id", "-pk").distinct("subject_id").values_list(*fields)}
    fresh = []
    for subject in recount(ids):
        now, amounts = list(subject.now), dict(subject.amounts)
        previous, *was = known.get(subject.subject_id, (None,))
        if was == [subject.area, subject.extra_area, subject.category, subject.state, now, amounts]:
            continue
        row = (
            kind, subject.subject_id, entry.pk, previous, day, subject.area, subject.extra_area, subject.category,
            subject.state, array(now), "{}", json.dumps(amounts),
        )  # fmt: skip
        fresh.append(row)
    if fresh:  # a city loads 19,000 of them, for which inserts would take a third of the whole time
        copy_in("tallies_period", COLUMNS, fresh)
    return len(fresh)
