"""Reads for the public pages. No words of people, no person, no exact place is fetched for them, but what a code opens."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from citysafety import areas, worktime
from citysafety.calendars.services import calendar
from citysafety.coordinates import metres_between
from citysafety.evidence.models import Attachment
from citysafety.names import address
from grid.locate import cells_around, locate
from grid.models import Division, Matter

from ..lifecycle import ENDED, HazardState, PhotoRole
from ..models import Hazard, Step
from ..open311 import present
from ..open311 import selectors as open311
from ..selectors import MOST_COMPARED, MOST_NEAR, SAME_WITHIN
from . import codes
from .models import ACCOUNT, PublicReport, PublicRule

S = HazardState
PAGE_ROWS = 50
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# How the state of a case is said to somebody who does not work here.
PLAIN = {
    S.REPORTED: _("Received. The dispatch office is looking at it."),
    S.ACCEPTED: _("Taken up. It will be sent to the department that answers for it."),
    S.DISPATCHED: _("Sent to the department that answers for it."),
    S.TAKEN: _("Being handled."),
    S.RECTIFIED: _("Handled. Somebody else checks it now."),
    S.VERIFIED: _("Handled and checked. It will be closed soon."),
    S.WRITTEN_OFF: _("Solved and closed."),
    S.REFUSED: _("Not taken up."),
}
MILESTONES = ("received", "dispatched", "handled", "verified", "closed")
LABELS = {
    "received": pgettext_lazy("milestone", "Received"),
    "dispatched": pgettext_lazy("milestone", "Dispatched"),
    "handled": pgettext_lazy("milestone", "Handled"),
    "verified": pgettext_lazy("milestone", "Verified"),
    "closed": pgettext_lazy("milestone", "Closed"),
}
REACHED = {
    "report": "received", "dispatch": "dispatched", "rectify": "handled", "handle_on_spot": "handled",
    "verify": "verified", "write_off": "closed", "refuse": "closed",
}  # fmt: skip
# What undoes milestones, and from which on.
UNDOES = {
    "return": "dispatched", "fail": "handled", "reopen": "dispatched", "contest": "dispatched",
    "grant_reopening": "dispatched",
}  # fmt: skip
BESIDE = {
    "reopen": _("Reopened"),
    "contest": _("Taken up again, as the reporter asked"),
    "ask_reopening": _("The reporter said again that it is not solved"),
    "grant_reopening": _("Reopened by a supervisor"),
    "deny_reopening": _("A supervisor left it closed"),
    "fail": _("Checked and not found good enough; the work goes on"),
}
ANSWERS = ("refuse", "deny_reopening")  # their words are written for the reporter


def rule() -> PublicRule:
    """Return the rule in force, the first one's values while nobody has set any. Queries: 1."""
    return PublicRule.objects.first() or PublicRule()


def offered() -> QuerySet[Matter]:
    """Return the matters that are open to the public: the services of GeoReport. Queries: 1."""
    return open311.services()


# -- before a report -----------------------------------------------------------------------------


def place_words(lon: float, lat: float) -> str:
    """Name the divisions around a place, from the nearest to the widest; empty where it lies in no cell. Queries: 1."""
    around = [code for code in areas.lineage(locate(lon, lat).area_code) if len(code) < areas.LEVELS[-1]]
    found = {one.code: one.name for one in Division.objects.filter(code__in=around).only("code", "name_zh", "name_en")}
    return address([found[code] for code in sorted(around, key=len, reverse=True) if code in found])


@dataclass(frozen=True, slots=True)
class NearBy:
    """An open case that may be what somebody is about to report."""

    number: str
    name: str
    words: Any
    received_at: datetime
    metres: int  # to the next fifty, from where everybody may know it to be
    takes_voices: bool  # it was reported by the public, which may add to it


def near(matter: Matter, lon: float, lat: float, *, at: datetime) -> list[NearBy]:
    """Return the open cases of the public's matters near a place, of one class, the likeliest first. Queries: 1.

    Distances are those to the place as it is published, so that moving the point about tells nobody where exactly a
    case lies.
    """
    reach = matter.near_m + METRES_ROUNDED
    cells = cells_around(lon, lat, reach)
    rows = Hazard.objects.open().filter(
        Q(cell__in=cells) if cells else Q(cell=None),
        matter__matter_class=matter.matter_class_id,
        matter__active=True,
        received_at__gte=at - SAME_WITHIN,
    )
    columns = ("number", "state", "received_at", "location", "co_reporters", "reporter__username", "matter_id",
               "matter__name_zh", "matter__name_en")  # fmt: skip
    rows = rows.select_related("matter", "reporter").only(*columns)
    found = [(_apart(row, lon, lat), row) for row in rows.order_by("-received_at")[:MOST_COMPARED]]
    found = sorted(
        ((metres, row) for metres, row in found if metres <= reach),
        key=lambda one: (one[1].matter_id != matter.pk, one[0]),
    )
    return [
        NearBy(row.number, row.matter.name, PLAIN[S(row.state)], row.received_at, -(-round(metres) // 50) * 50,
               row.reporter.username == ACCOUNT)
        for metres, row in found[:MOST_NEAR]
    ]  # fmt: skip


METRES_ROUNDED = 75  # what three decimals of a degree may be wrong by, at most


def _apart(row: Hazard, lon: float, lat: float) -> float:
    return metres_between((lon, lat), rounded(row.location))


def rounded(location: Any) -> tuple[float, float]:
    """Return where everybody may know a case to lie, longitude first."""
    return round(location.x, present.ROUGHLY), round(location.y, present.ROUGHLY)


# -- one case, by its code -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Closing:
    """How the public may answer that a case was closed."""

    at: datetime
    until: datetime
    own_left: bool  # it reopens at once; else a supervisor decides
    is_decided: bool  # a supervisor has said no


def closing_of(hazard: Hazard, public: int | None, steps: Sequence[Step] | None = None) -> Closing | None:
    """Return how a case was closed, None for one that is open or merged. Queries: 1, 2 without its steps."""
    if hazard.state not in (S.WRITTEN_OFF, S.REFUSED):
        return None
    steps = list(hazard.steps.order_by("version")) if steps is None else steps
    closed = [step for step in steps if step.action in ("write_off", "refuse")]
    if not closed:  # of imported history
        return None
    now = rule()
    own = sum(step.actor_id == public and step.action in ("reopen", "contest") for step in steps)
    return Closing(
        at=closed[-1].at,
        until=closed[-1].at + timedelta(days=now.contest_days),
        own_left=own < now.reopenings,
        is_decided=any(step.action == "deny_reopening" and step.version > closed[-1].version for step in steps),
    )


@dataclass(frozen=True, slots=True)
class Milestone:
    """A stop on the way of a case."""

    label: Any
    at: datetime | None
    is_passed: bool


@dataclass(slots=True)
class Followed:
    """A case as who has its code sees it."""

    report: PublicReport
    case: Hazard  # it itself, or the one that it goes on as
    due: worktime.Due
    milestones: list[Milestone]
    beside: list[tuple[datetime, Any]]
    answer: str  # what was written to the reporter last, where the case stands closed by it
    closing: Closing | None
    photos: list[Attachment]  # of the handling, where somebody has decided that they may be shown
    may_contest: bool = field(default=False)
    may_rate: bool = field(default=False)

    @property
    def words(self) -> Any:
        return PLAIN[S(self.case.state)]


def report_of(code: str) -> PublicReport | None:
    """Return the report that a code follows, None without one. Queries: 1."""
    rows = PublicReport.objects.select_related("hazard__matter", "hazard__merged_into__matter", "hazard__reporter")
    return rows.filter(digest=codes.digest(code)).first()


def followed(report: PublicReport, *, at: datetime) -> Followed:
    """Return what the code of a report opens. Queries: 1, 2 for a closed case, 1 where photos are shown; the calendar now and then."""
    case = report.hazard.merged_into or report.hazard
    steps = list(
        case.steps.order_by("version").only("hazard_id", "action", "target", "version", "at", "actor_id", "words")
    )
    is_open = case.state not in ENDED
    closing = closing_of(case, report.hazard.reporter_id, steps)
    seen = Followed(
        report=report,
        case=case,
        due=present.promise(case, case.matter, calendar()) if is_open else worktime.Due(None),
        milestones=milestones(steps),
        beside=[(step.at, BESIDE[step.action]) for step in steps if step.action in BESIDE],
        answer=next((step.words for step in reversed(steps) if step.action in ANSWERS and not is_open), ""),
        closing=closing,
        photos=shown_photos(case, steps),
    )
    if closing is not None:
        seen.may_contest = at <= closing.until and not closing.is_decided and case.contested_at is None
        is_new = report.satisfied_at is None or report.satisfied_at < closing.at
        seen.may_rate = case.state == S.WRITTEN_OFF and case.contested_at is None and is_new
    return seen


def shown_photos(case: Hazard, steps: Sequence[Step] | None = None) -> list[Attachment]:
    """Return the photos that served the last handling of a case, in their order; none unless they may be shown.

    What is sent later serves no step, so that nothing is shown that nobody has looked at. Queries: 0, 1 where they are
    shown, 2 without the steps.
    """
    if case.photos_shown_at is None:
        return []
    steps = list(case.steps.order_by("version").only("pk", "hazard_id", "action")) if steps is None else steps
    handled = [step.pk for step in steps if REACHED.get(step.action) == "handled"]
    rows = Attachment.objects.filter(
        kind="hazard", subject_id=str(case.pk), role=PhotoRole.AFTER, used_by__in=handled[-1:]
    )
    return list(rows.select_related("photo").order_by("at", "pk"))


def milestones(steps: Sequence[Step]) -> list[Milestone]:
    """Return the stops of a case with when each was reached, in its present run (pure)."""
    reached: dict[str, datetime] = {}
    for step in steps:
        if again := UNDOES.get(step.action):
            if step.action == "fail" and step.target == S.ACCEPTED:  # of work on the spot
                again = "dispatched"
            for name in MILESTONES[MILESTONES.index(again) :]:
                reached.pop(name, None)
        elif name := REACHED.get(step.action):
            reached[name] = step.at
    last = max((MILESTONES.index(name) for name in reached), default=-1)
    return [Milestone(LABELS[name], reached.get(name), n <= last) for n, name in enumerate(MILESTONES)]


# -- the list ------------------------------------------------------------------------------------


def cases_page(
    *, is_open: bool | None, matter: str, number: str, before: tuple[datetime, UUID] | None
) -> tuple[open311.Told, str]:
    """Return a page of public cases, the newest first, and the mark of the next page. Queries: as ``open311.told``.

    No offset, so that far pages cost what the first does.
    """
    rows = Hazard.objects.filter(matter__in=offered().values("pk"))
    if is_open is not None:
        ended = Q(state__in=sorted(ENDED))
        rows = rows.exclude(ended) if is_open else rows.filter(ended)
    if matter:
        rows = rows.filter(matter__code=matter)
    if number:
        rows = rows.filter(number=number)
    if before:
        received_at, last = before
        rows = rows.filter(received_at__lte=received_at)
        rows = rows.filter(Q(received_at__lt=received_at) | Q(received_at=received_at, id__gt=last))
    page = open311.told(rows.order_by("-received_at", "id")[: PAGE_ROWS + 1], AnonymousUser())
    if len(page.lines) <= PAGE_ROWS:
        return page, ""
    page.lines = page.lines[:PAGE_ROWS]
    return page, mark(page.lines[-1].received_at, page.lines[-1].pk)


def mark(received_at: datetime, pk: UUID) -> str:
    return f"{(received_at - EPOCH) // timedelta(microseconds=1)}.{pk}"


def marked(text: str) -> tuple[datetime, UUID]:
    """Return what a mark says. :raises ValueError: it is none."""
    micros, _dot, last = text.partition(".")
    try:
        return EPOCH + timedelta(microseconds=int(micros)), UUID(last)
    except OverflowError as error:
        raise ValueError(text) from error
