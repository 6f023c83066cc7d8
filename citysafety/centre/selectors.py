"""What the console reads: the queue with its filters, and dispatches on their way. No person is in it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.core.cache import cache
from django.db.models import Case, Count, Exists, IntegerField, OuterRef, Q, QuerySet, Value, When
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from citysafety.outbox import selectors as outbox
from grid.models import Division
from hazards import desk
from hazards.lifecycle import HazardState
from hazards.models import ASKED, Hazard, Severity, Step
from projects.models import OverdueNotice

from .models import HeldDispatch

S = HazardState
TOWNSHIP = 9  # digits
RANK = Case(  # late first, then major; then the oldest
    When(overdue=True, severity=Severity.MAJOR, then=Value(0)),
    When(overdue=True, then=Value(1)),
    When(severity=Severity.MAJOR, then=Value(2)),
    default=Value(3),
    output_field=IntegerField(),
)
KEPT_S = 20  # words of due times grow old by minutes
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class UnknownMark(ValueError):
    """The mark of a page was not made by us."""


def _returned() -> Exists:
    """Return the condition that a unit sent the case back: its latest step says so."""
    return Exists(Step.objects.filter(hazard=OuterRef("pk"), version=OuterRef("version"), action="return"))


@dataclass(frozen=True, slots=True)
class Filter:
    """One chip of the queue: which hazards, and whether the notices belong to it."""

    key: str
    label: Any
    hazards: Q | None
    notices: bool = False


NEEDS = Q(state__in=[S.REPORTED, S.ACCEPTED], paused_at=None) | ASKED | Q(overdue=True) | Q(severity=Severity.MAJOR)
FILTERS = (
    Filter("all", gettext_lazy("All"), NEEDS, notices=True),
    Filter("accept", gettext_lazy("To accept"), Q(state=S.REPORTED)),
    Filter("dispatch", gettext_lazy("To dispatch"), Q(state=S.ACCEPTED)),
    Filter("returned", gettext_lazy("Returned"), Q(state=S.ACCEPTED) & Q(_returned())),
    Filter("decide", gettext_lazy("To decide"), ASKED),
    Filter("overdue", gettext_lazy("Overdue"), Q(overdue=True)),
    Filter("major", gettext_lazy("Major"), Q(severity=Severity.MAJOR)),
    Filter("notices", gettext_lazy("Unanswered notices"), None, notices=True),
)
BY_KEY = {one.key: one for one in FILTERS}


@dataclass(frozen=True, slots=True)
class Asked:
    """What part of the queue is asked for."""

    filter: Filter
    area: str
    matter: str = ""


def queue(user: Any, asked: Asked, *, at: datetime, after: str = "", most: int = 200) -> dict[str, Any]:
    """Return a page of the queue with the counts of all filters. Queries: 6, 4 where only notices are asked for,
    however many rows.

    The position was read before the rows: news after it may already be in them, none before it is missing.

    :raises UnknownMark: ``after`` is no mark of a page.
    """
    position = outbox.head().position
    counts = count_all(user, asked)
    mark = _mark(after) if after else None
    rows: list[tuple[tuple[int, datetime, str], Any]] = []
    if asked.filter.hazards is not None:
        chosen = _after(hazards(user, asked), mark, "received_at").order_by("rank", "received_at", "id")
        rows += [((row.rank, row.received_at, str(row.pk)), row) for row in chosen[: most + 1]]
    if asked.filter.notices:
        waiting = _after(notices(user, asked), mark, "issued_at").order_by("rank", "issued_at", "id")
        rows += [((row.rank, row.issued_at, str(row.pk)), row) for row in waiting[: most + 1]]
    rows.sort(key=lambda row: row[0])
    page = rows[:most]
    found = [row for _key, row in page]
    return {
        "position": position,
        "as_of": at.isoformat(),
        "filter": asked.filter.key,
        "area": asked.area,
        "counts": counts,
        "results": present(found, at),
        "next": _text(page[-1][0]) if len(rows) > most else None,
    }


def recent_queue(user: Any, asked: Asked, *, at: datetime, at_least: int, most: int) -> dict[str, Any]:
    """Return a first page that is no older than a position: a kept one if there is, so that consoles which ask after the
    same change cost one reading. Whoever may ask for an area sees all of it here, so what is kept is the same for all.
    """
    key = f"queue:{get_language()}:{asked.area}:{asked.filter.key}:{asked.matter}:{most}"
    kept: dict[str, Any] | None = cache.get(key)
    if kept is not None and kept["position"] >= at_least:
        return kept
    fresh = queue(user, asked, at=at, most=most)
    cache.set(key, fresh, KEPT_S)
    return fresh


def count_all(user: Any, asked: Asked) -> dict[str, int]:
    """Return how many rows each filter has, counted from the rows. Queries: 2."""
    by_hazard = {one.key: Count("pk", filter=one.hazards) for one in FILTERS if one.hazards is not None}
    counts: dict[str, int] = _open(user, asked).aggregate(**by_hazard)
    unanswered = notices(user, asked).count()
    return {one.key: counts.get(one.key, 0) + (unanswered if one.notices else 0) for one in FILTERS}


def count(user: Any, asked: Asked) -> int:
    """Return how many rows the filter asked for has. Queries: 1 or 2."""
    found = hazards(user, asked).count() if asked.filter.hazards is not None else 0
    return found + (notices(user, asked).count() if asked.filter.notices else 0)


def _open(user: Any, asked: Asked) -> QuerySet[Hazard]:
    rows = Hazard.objects.visible_to(user).within(asked.area).open()
    return rows.filter(matter__code=asked.matter) if asked.matter else rows


def hazards(user: Any, asked: Asked) -> QuerySet[Hazard]:
    """Return the hazards of the queue, with what a row shows."""
    rows = _open(user, asked).filter(asked.filter.hazards or Q(pk__in=[])).annotate(rank=RANK, returned=_returned())
    return rows.select_related("matter", "cell", "dedicated_cell", "department").shapeless()


def notices(user: Any, asked: Asked) -> QuerySet[OverdueNotice]:
    """Return the overdue notices that a unit did not answer in time; they are late, all of them."""
    rows = OverdueNotice.objects.visible_to(user).filter(unanswered=True, area_code__startswith=asked.area)
    rows = rows.filter(hazard__matter__code=asked.matter) if asked.matter else rows
    rank = Case(When(severity=Severity.MAJOR, then=Value(0)), default=Value(1), output_field=IntegerField())
    return rows.annotate(rank=rank).select_related(
        "hazard__matter", "hazard__cell", "hazard__dedicated_cell", "department", "document__kind"
    )


def _after(rows: QuerySet, mark: tuple[int, datetime, UUID] | None, column: str) -> QuerySet:
    if mark is None:
        return rows
    rank, moment, last = mark
    same = Q(**{"rank": rank, column: moment, "id__gt": last})
    return rows.filter(Q(rank__gt=rank) | Q(rank=rank, **{f"{column}__gt": moment}) | same)


def _text(key: tuple[int, datetime, str]) -> str:
    rank, moment, last = key
    return f"{rank}.{(moment - EPOCH) // timedelta(microseconds=1)}.{last}"


def _mark(text: str) -> tuple[int, datetime, UUID]:
    try:
        rank, micros, last = text.split(".")
        return int(rank), EPOCH + timedelta(microseconds=int(micros)), UUID(last)
    except (ValueError, OverflowError) as error:
        raise UnknownMark(text) from error


# -- rows ----------------------------------------------------------------------------------------


def present(rows: Iterable[Any], at: datetime) -> list[dict[str, Any]]:
    """Return rows of the queue as the console shows them. Queries: 1, for the names of townships."""
    rows = list(rows)
    codes = {row.area_code[:TOWNSHIP] for row in rows}
    towns = {one.code: one.name for one in Division.objects.filter(code__in=codes).only("code", "name_zh", "name_en")}
    return [_hazard(row, towns, at) if isinstance(row, Hazard) else _notice(row, towns, at) for row in rows]


def _place(hazard: Hazard, towns: dict[str, str]) -> str:
    cell = hazard.dedicated_cell or hazard.cell
    return " ".join(part for part in (towns.get(hazard.area_code[:TOWNSHIP], ""), cell.name if cell else "") if part)


def _hazard(hazard: Hazard, towns: dict[str, str], at: datetime) -> dict[str, Any]:
    due = desk.due_words(hazard, at)
    return {
        "kind": "hazard",
        "id": str(hazard.pk),
        "version": hazard.version,
        "number": hazard.number,
        "what": hazard.matter.name,
        "place": _place(hazard, towns) or _("in no cell"),
        "area": hazard.area_code,
        "state": hazard.state,
        "whose": _whose(hazard),
        "severity": hazard.severity,
        "overdue": hazard.overdue,
        "due": {"kind": due.kind, "words": due.words, "at": due.at.isoformat() if due.at else None},
        "since": hazard.received_at.isoformat(),
        "lon": round(hazard.location.x, 6),
        "lat": round(hazard.location.y, 6),
    }


def _whose(hazard: Hazard) -> str:
    """Say what a case waits for: a step of the command centre, or a unit."""
    match hazard.state:
        case S.REPORTED:
            return _("To accept")
        case S.ACCEPTED:
            return _("Returned") if getattr(hazard, "returned", False) else _("To dispatch")
        case S.DISPATCHED | S.TAKEN if hazard.department:
            return hazard.department.name
    return str(hazard.get_state_display())


def _notice(notice: OverdueNotice, towns: dict[str, str], at: datetime) -> dict[str, Any]:
    hazard = notice.hazard
    return {
        "kind": "supervision",
        "id": str(notice.pk),
        "version": notice.version,
        "number": notice.document.full_number or hazard.number,
        "what": hazard.matter.name,
        "place": _place(hazard, towns) or _("in no cell"),
        "area": notice.area_code,
        "state": notice.state,
        "whose": notice.department.name,
        "severity": notice.severity,
        "overdue": True,
        "due": {
            "kind": "late",
            "words": _("not answered"),
            "at": notice.reply_due_at.isoformat() if notice.reply_due_at else None,
        },
        "since": (notice.issued_at or notice.drafted_at).isoformat(),
        "lon": round(hazard.location.x, 6),
        "lat": round(hazard.location.y, 6),
    }


# -- dispatches on their way -----------------------------------------------------------------------

KEPT_ON_SCREEN = timedelta(hours=1)


def held_by(user: Any, at: datetime, batch: UUID | None = None) -> QuerySet[HeldDispatch]:
    """Return the dispatches that a person gave in the last hour, or of one batch. Queries: 1."""
    rows = HeldDispatch.objects.filter(actor=user, held_at__gt=at - KEPT_ON_SCREEN).select_related(
        "hazard", "department"
    )
    rows = rows.filter(batch=batch) if batch else rows
    return rows.order_by("held_at", "pk")
