"""The figures of the grid, the lists that make them, and how each subject is counted afresh."""

from collections.abc import Iterable, Iterator
from datetime import date

from django.db.models import CharField, Exists, OuterRef
from django.db.models.functions import Cast
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from citysafety.tallies.figures import COUNT, SUM, Figure, Recount, register_subject
from citysafety.tallies.figures import register as register_figure

from .models import Cell, Posting, Premises, Worker

ASSIGNED, CELLS, PREMISES, AREA = "workers.assigned", "cells.active", "premises.total", "premises.area_m2"
SUBJECT_OF = {ASSIGNED: "worker", CELLS: "cell", PREMISES: "premises", AREA: "premises"}


def register() -> None:
    """Register everything once the apps stand."""
    counts = (
        (ASSIGNED, _("people"), _("Grid workers on duty who answer for a cell today; on leave or ill not counted."),
         "/api/v1/workers/", "/grid/workers/?assigned=1"),
        (CELLS, _("cells"), _("Active cells: base, dedicated and sea."), "/api/v1/cells/", "/grid/?active=1"),
        (PREMISES, _("places"), _("Active premises in the register: nine-small, government-owned, schools."),
         "/api/v1/premises/", "/grid/premises/?active=true"),
    )  # fmt: skip
    for key, unit, definition, path, page in counts:
        register_figure(
            Figure(
                key=key,
                kind=COUNT,
                unit=unit,
                definition=definition,
                list_path=path,
                list_query=f"figure={key}",
                page=page,
            )
        )
    register_figure(
        Figure(
            key=AREA, kind=SUM, unit="m²", definition=_("Floor area of all active government-owned buildings."),
            field="floor_area_m2", list_path="/api/v1/premises/", list_query=f"figure={AREA}",
            page="/grid/premises/?kind=government&active=true",
        )
    )  # fmt: skip
    register_subject("worker", recount_workers)
    register_subject("cell", recount_cells)
    register_subject("premises", recount_premises)


BY_TEXT = Cast("pk", CharField())  # as reconcile reads the periods beside


def recount_workers(ids: Iterable[int] | None = None, on: date | None = None) -> Iterator[Recount]:
    """Count every worker afresh for a day, today without one. Queries: 1."""
    posted = Posting.objects.on(on or timezone.localdate()).filter(worker=OuterRef("pk"))
    rows = Worker.objects.annotate(posted=Exists(posted)).order_by(BY_TEXT)
    rows = rows if ids is None else rows.filter(pk__in=ids)
    for pk, area, state, is_posted in rows.values_list("pk", "area_code", "state", "posted").iterator(chunk_size=5000):
        assigned = is_posted and state == Worker.State.ON_DUTY
        yield Recount(str(pk), area, "", "", state, [ASSIGNED] if assigned else [], {}, {})


def recount_cells(ids: Iterable[int] | None = None) -> Iterator[Recount]:
    """Count every cell afresh. Queries: 1."""
    rows = Cell.objects.order_by(BY_TEXT) if ids is None else Cell.objects.filter(pk__in=ids).order_by(BY_TEXT)
    for pk, code, kind, active in rows.values_list("pk", "code", "kind", "active").iterator(chunk_size=5000):
        yield Recount(str(pk), code, "", kind, "active" if active else "withdrawn", [CELLS] if active else [], {}, {})


def recount_premises(ids: Iterable[int] | None = None) -> Iterator[Recount]:
    """Count every place of the register afresh. Queries: 1."""
    rows = Premises.objects.order_by(BY_TEXT) if ids is None else Premises.objects.filter(pk__in=ids).order_by(BY_TEXT)
    fields = ("pk", "area_code", "dedicated_cell__code", "kind_id", "active", "floor_area_m2")
    for pk, area, dedicated, kind, active, floor in rows.values_list(*fields).iterator(chunk_size=5000):
        owned = {AREA: floor} if active and kind == "government" and floor else {}
        state = "active" if active else "closed"
        yield Recount(str(pk), area, dedicated or "", kind, state, [PREMISES] if active else [], {}, owned)
