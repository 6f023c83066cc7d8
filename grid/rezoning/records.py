"""What a re-zoning was foretold to move when it was approved, and what it did move: kept as evidence, row by row."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from ..models import Rezoning, RezoningRecord
from .change import by_pair, drafted
from .preview import PREMISES, Row, kinds_of
from .slots import PREVIEWS

MOST_KEPT = 5000  # rows of one kind; the counts are of all
COMPONENTS = "component"


def foretell(rezoning: Rezoning, at: datetime) -> None:
    """Keep what the approver saw. Queries: those of the preview's kinds, and 1."""
    kinds = kinds_of(drafted(rezoning), most=MOST_KEPT)
    RezoningRecord.objects.bulk_create(
        RezoningRecord(
            rezoning=rezoning, moment=RezoningRecord.Moment.APPROVED, kind=kind.kind, at=at, moved=kind.moved,
            stays=kind.stays, pairs=kind.pairs, rows=[asdict(row) for row in kind.rows],
        )
        for kind in kinds
    )  # fmt: skip


def note_moved(rezoning: Rezoning, moment: str, kind: str, rows: Sequence[Row], at: datetime) -> None:
    """Keep what moved of one kind, also that nothing did. What moves in several goes has several rows. Queries: 1."""
    pairs = by_pair((row.old, row.new) for row in rows)
    RezoningRecord.objects.create(
        rezoning=rezoning, moment=moment, kind=kind, at=at, moved=len(rows), pairs=pairs,
        rows=[asdict(row) for row in rows[:MOST_KEPT]],
    )  # fmt: skip


def note_moved_by_version(*, rezoning: str, version: str, kind: str, rows: Sequence[Row], at: datetime) -> None:
    """Keep what rooms above moved when a grid version came: forward, or back again. Queries: 2, 0 for no rows or no re-zoning."""
    if not rows or not rezoning:
        return
    found = Rezoning.objects.select_related("rollback_version").get(number=rezoning)
    back = found.rollback_version is not None and str(found.rollback_version.number) == version
    moment = RezoningRecord.Moment.ROLLED_BACK if back else RezoningRecord.Moment.IN_FORCE
    note_moved(found, moment, kind, rows, at)


def label_of(kind: str) -> Any:
    """Return what things of a kind are called."""
    known = {PREMISES: _("Premises"), COMPONENTS: _("Components")}
    return known.get(kind) or PREVIEWS[kind].label


def records_of(rezoning: Rezoning) -> list[tuple[RezoningRecord, Any]]:
    """Return what is kept of a re-zoning, in the order it was written, each with what its kind is called. Queries: 1."""
    return [(row, label_of(row.kind)) for row in rezoning.records.order_by("at", "pk")]
