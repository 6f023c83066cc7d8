"""What hazards do when they hear news, their own and that of the grid and the calendar. Rows only, nothing is sent."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from citysafety.accounts.models import Role, User
from citysafety.calendars import services as calendars
from citysafety.notices.services import News, notify, notify_all
from citysafety.outbox.models import OutboxEntry
from citysafety.outbox.relay import at_once
from grid.models import Cell, shapes_of
from grid.rezoning.preview import Row
from grid.rezoning.records import note_moved_by_version
from grid.selectors import responsible_for

from . import notices
from .lifecycle import HazardState, Stage
from .listings import clocks as listing_clocks
from .models import ClockChange, Hazard, Mark, Severity, Step
from .public.models import ACCOUNT
from .services import move_open_cases, recompute_due

MAJOR_LEVEL, OVERDUE_LEVEL = 2, 3  # of the four levels of notices: II orange, III yellow
CELLS_NAMED = 3
ASKED = {"ask_extension": "hazard.extension_asked", "ask_pause": "hazard.pause_asked"}
DECIDED = {"deny_extension": "hazard.extension_denied", "deny_pause": "hazard.pause_denied", "pause": "hazard.paused"}
OF_MAJOR = {"approve_plan": "hazard.plan_approved", "return_plan": "hazard.plan_returned", "stop_work": "hazard.stopped",
            "resume_work": "hazard.work_resumed", "lower": "hazard.lowered"}  # fmt: skip
DUE_AT = {"grant_extension": "hazard.extension_granted", "resume": "hazard.resumed", "pin": "hazard.pinned"}


def _case(entry: OutboxEntry) -> Hazard:
    """Return the hazard of a fact with what its notices say. Queries: 1."""
    return _lean(Hazard.objects.all()).get(pk=entry.subject_id)


def _lean(rows: QuerySet, to: str = "") -> QuerySet:
    return rows.select_related(f"{to}matter", f"{to}cell").defer(*shapes_of(f"{to}cell"))


def _tell(entry: OutboxEntry, topic: str, people: Iterable[User], params: dict[str, Any], **more: Any) -> None:
    """Write a notice to everybody but the doer, once whatever the repeats. Queries: as ``notify``, 0 for nobody."""
    given = {"source_key": f"{topic}:{entry.pk}", "subject": ("hazard", entry.subject_id), **more}
    recipients = notices.without(people, entry.payload.get("actor_id"))
    notify(recipients=recipients, topic=topic, params=params, at=entry.at, **given)


def _tell_with_reason(entry: OutboxEntry, topic: str, people: Iterable[User]) -> None:
    """Tell of a step with the words that came with it. Queries: 1 and those of ``_tell``."""
    step = _lean(Step.objects.select_related("hazard"), "hazard__").get(pk=entry.payload["step"])
    _tell(entry, topic, people, {**notices.params_of(step.hazard), "reason": step.words})


def tell_of_major(entry: OutboxEntry) -> None:
    """A new major hazard: dispatchers, operators and leaders of the area. Queries: 8, 0 for a general one."""
    if entry.live["level"] != Severity.MAJOR:
        return
    people = notices.covering(entry.area_code, Role.DISPATCHER, Role.OPERATOR, Role.LEADER)
    _tell(entry, "hazard.major", people, notices.params_of(_case(entry)), level=MAJOR_LEVEL)


@at_once
def tell_of_dedicated(entries: Sequence[OutboxEntry]) -> None:
    """Cases in dedicated cells: who answers for one gets it first, who answers for the base cell around it hears of it.

    Queries: 0 where no case lies in one, else 7 or 8, however many.
    """
    facts = {entry.subject_id: entry for entry in entries if entry.extra_area}
    if not facts:
        return
    rows = Hazard.objects.select_related("dedicated_cell").defer(*shapes_of("dedicated_cell"))
    cases = list(_lean(rows).filter(pk__in=facts))
    cells = {cell.pk: cell for case in cases for cell in (case.dedicated_cell, case.cell) if cell}
    answering = responsible_for(cells.values(), timezone.localdate(entries[-1].at))
    told: dict[
        tuple[Hazard, int], str
    ] = {}  # the topic a person hears of a case by: the dedicated cell's before the other
    for case in cases:
        done_by = {case.reporter_id, facts[str(case.pk)].payload.get("actor_id")}
        for cell, topic in (
            (case.dedicated_cell_id, "hazard.in_dedicated_cell"),
            (case.cell_id, "hazard.in_your_cell"),
        ):
            user_id = answering[cell].user_id if cell else None
            if user_id and user_id not in done_by:
                told.setdefault((case, user_id), topic)
    people = {user_id for _case, user_id in told}
    active = set(User.objects.filter(is_active=True, pk__in=people).values_list("pk", flat=True))
    news = (
        _of_dedicated(case, facts[str(case.pk)], user_id, topic)
        for (case, user_id), topic in told.items()
        if user_id in active
    )
    notify_all(news, at=entries[-1].at)


def _of_dedicated(case: Hazard, entry: OutboxEntry, user_id: int, topic: str) -> News:
    named = {"zh": case.dedicated_cell.name_zh, "en": case.dedicated_cell.name_en}
    return News(
        recipients=[user_id], topic=topic, params={**notices.params_of(case), "cell": named}, at=entry.at,
        subject=("hazard", entry.subject_id), source_key=f"{topic}:{entry.pk}",
    )  # fmt: skip


def tell_department(entry: OutboxEntry) -> None:
    """Dispatched: the handlers of the department. Queries: 8."""
    hazard = _case(entry)
    due_at = hazard.due_at.isoformat() if hazard.due_at and hazard.due_stage == Stage.RECTIFY else ""
    people = notices.handlers(entry.payload["department_id"])
    _tell(entry, "hazard.dispatched", people, {**notices.params_of(hazard), "due_at": due_at})


def tell_of_return(entry: OutboxEntry) -> None:
    """Returned: who dispatched it, else the dispatchers nearest to the place. Queries: 8 or 9."""
    dispatched = Step.objects.filter(hazard=entry.subject_id, action="dispatch").order_by("-version").values("actor")
    people = list(User.objects.filter(is_active=True, role=Role.DISPATCHER, pk__in=dispatched[:1]))
    _tell_with_reason(entry, "hazard.returned", people or notices.nearest_dispatchers(entry.area_code))


def tell_of_refusal(entry: OutboxEntry) -> None:
    """Refused: the reporter, with the reason. Queries: 9."""
    _tell_with_reason(entry, "hazard.refused", _reporters(entry))


def tell_of_failure(entry: OutboxEntry) -> None:
    """Verification failed: the handlers of the department; the dispatchers after work on the spot. Queries: 8."""
    back_to_department = entry.live["state"] == HazardState.TAKEN
    department = entry.payload["department_id"]
    people = notices.handlers(department) if back_to_department else notices.nearest_dispatchers(entry.area_code)
    _tell_with_reason(entry, "hazard.failed", people)


def tell_verifiers(entry: OutboxEntry) -> None:
    """Rectified: who may verify. Queries: 8 or 9."""
    hazard = _case(entry)
    _tell(entry, "hazard.to_verify", notices.verifiers(hazard, timezone.localdate(entry.at)), notices.params_of(hazard))


def tell_of_write_off(entry: OutboxEntry) -> None:
    """Written off: the reporters. Queries: 9."""
    _tell(entry, "hazard.written_off", _reporters(entry), notices.params_of(_case(entry)))


def tell_of_reopening(entry: OutboxEntry) -> None:
    """Reopened: the dispatchers nearest to the place. Queries: 8."""
    _tell_with_reason(entry, "hazard.reopened", notices.nearest_dispatchers(entry.area_code))


def tell_of_contest(entry: OutboxEntry) -> None:
    """A refusal is contested: the dispatchers nearest to the place. Queries: 8."""
    _tell_with_reason(entry, "hazard.contested", notices.nearest_dispatchers(entry.area_code))


def tell_of_asked_reopening(entry: OutboxEntry) -> None:
    """The public asks again for reopening: the supervisors of the area. Queries: 8."""
    _tell_with_reason(entry, "hazard.reopening_asked", notices.covering(entry.area_code, Role.SUPERVISOR))


def tell_who_decides(entry: OutboxEntry) -> None:
    """More time or a pause is asked for: the dispatchers nearest to the place; of a pause the supervisors too. Queries: 8 or 9."""
    people = notices.nearest_dispatchers(entry.area_code)
    if entry.payload["action"] == "ask_pause":
        people += notices.covering(entry.area_code, Role.SUPERVISOR)
    _tell_with_reason(entry, ASKED[entry.payload["action"]], people)


def tell_of_decision(entry: OutboxEntry) -> None:
    """What was asked is decided: whose work it is, with the reason. Queries: 8 or 9."""
    _tell_with_reason(entry, DECIDED[entry.payload["action"]], _whose_work(entry))


def tell_who_asked(entry: OutboxEntry) -> None:
    """What was asked of the limits ended undecided: who asked, with what and why. Queries: 9."""
    asked = ClockChange.objects.filter(hazard=entry.subject_id, ended_at=entry.at, decided_at=None)
    people = User.objects.filter(is_active=True, pk__in=asked.values("asked_by"))
    _tell_with_reason(entry, "hazard.request_lapsed", people)


def tell_of_limit(entry: OutboxEntry) -> None:
    """A case is due at another time now: whose work it is. Queries: 8 or 9."""
    hazard = _case(entry)
    due_at = hazard.due_at.isoformat() if hazard.due_at else ""
    topic, people = DUE_AT[entry.payload["action"]], _whose_work(entry)
    _tell(entry, topic, people, {**notices.params_of(hazard), "due_at": due_at})


def tell_of_merge(entry: OutboxEntry) -> None:
    """Merged into another case, or a case of its own again: the reporter. Queries: 8 or 9."""
    hazard = _case(entry)
    original = Hazard.objects.filter(pk=hazard.merged_into_id).values_list("number", flat=True).first() or ""
    topic = "hazard.merged" if entry.payload["action"] == "merge" else "hazard.unmerged"
    people = User.objects.filter(is_active=True, pk=hazard.reporter_id).exclude(username=ACCOUNT)
    _tell(entry, topic, people, {**notices.params_of(hazard), "original": original})


def tell_of_remark(entry: OutboxEntry) -> None:
    """A reporter adds something: whose work the case is; of a duplicate the case it went into tells. Queries: 8 or 9."""
    if entry.live["state"] != HazardState.MERGED:
        _tell_with_reason(entry, "hazard.remarked", _whose_work(entry))


def tell_of_plan(entry: OutboxEntry) -> None:
    """A plan is laid before the supervisors of the area. Queries: 8."""
    people = notices.covering(entry.area_code, Role.SUPERVISOR)
    _tell(entry, "hazard.plan_asked", people, notices.params_of(_case(entry)), level=MAJOR_LEVEL)


def tell_of_major_step(entry: OutboxEntry) -> None:
    """A plan is decided, work is stopped or goes on, a case is lowered: whose work it is. Queries: 8 or 9."""
    _tell_with_reason(entry, OF_MAJOR[entry.payload["action"]], _whose_work(entry))


def _whose_work(entry: OutboxEntry) -> list[User]:
    """Return the handlers of the department that has the case; without one the dispatchers nearest to the place. Queries: 1."""
    department = entry.payload["department_id"]
    return notices.handlers(department) if department else notices.nearest_dispatchers(entry.area_code)


def tell_of_overdue(entry: OutboxEntry) -> None:
    """Marked overdue: whose work it is in that stage; the supervisors of the area once a case. Queries: 15 or 16."""
    marks = _lean(Mark.objects.select_related("hazard"), "hazard__").filter(hazard=entry.subject_id)
    mark = marks.filter(stage=entry.payload["stage"]).latest("at")
    hazard, state, topic = mark.hazard, entry.live["state"], "hazard.overdue"
    if state in (HazardState.DISPATCHED, HazardState.TAKEN):
        people = notices.handlers(entry.payload["department_id"])
    elif state == HazardState.RECTIFIED:
        people, topic = notices.verifiers(hazard, timezone.localdate(entry.at)), "hazard.overdue_to_verify"
    else:
        people = notices.nearest_dispatchers(entry.area_code)
    level = MAJOR_LEVEL if hazard.severity == Severity.MAJOR else OVERDUE_LEVEL
    params = {**notices.params_of(hazard), "due_at": mark.due_at.isoformat()}
    _tell(entry, topic, people, params, level=level)
    supervisors = notices.covering(entry.area_code, Role.SUPERVISOR)
    once = f"hazard.overdue_in_area:{hazard.pk}"
    _tell(entry, "hazard.overdue_in_area", supervisors, params, level=level, source_key=once)


def _reporters(entry: OutboxEntry) -> list[User]:
    """Return who reported the case, and whose reports were merged into it. Queries: 2."""
    others = Hazard.objects.filter(pk=entry.subject_id).values_list("co_reporters", flat=True).first() or []
    rows = User.objects.filter(is_active=True, pk__in=[entry.payload["reporter_id"], *others])
    return list(rows.exclude(username=ACCOUNT))  # the public looks at its own page


def hand_over(entry: OutboxEntry) -> None:
    """A worker is away or left: those who answer for the cells now hear of the open work there."""
    _hand_over(entry, dict(map(tuple, entry.payload["handovers"])))


def hand_over_posting(entry: OutboxEntry) -> None:
    """A worker no longer answers for a cell: who does now hears of the open work there."""
    if entry.live["state"] == "primary":
        _hand_over(entry, {entry.payload["cell"]: entry.payload["successor"]})


def _hand_over(entry: OutboxEntry, successors: dict[int, int | None]) -> None:
    """Tell each successor how much waits in the cells taken over; without one, the dispatchers of the place.

    What waits for a worker is what is to be verified in a cell, and what this worker began to put right on the spot
    there. Queries: 3, and 6 a successor; 7 a township without one.
    """
    cells = list(Cell.objects.filter(pk__in=successors).only("pk", "code", "name_zh", "name_en").order_by("code"))
    if not cells:
        return
    name = User.objects.only("name_zh", "name_en", "username").get(pk=entry.payload["user"])
    begun = Q(state=HazardState.REPORTED, claimed_on_spot=True, reporter=name.pk)
    waits = Hazard.objects.filter(Q(state=HazardState.RECTIFIED) | begun)
    here = Q(cell__in=successors) | Q(dedicated_cell__in=successors)
    waiting = list(waits.filter(here).values_list("cell_id", "dedicated_cell_id"))
    groups: dict[Any, list[Cell]] = defaultdict(list)
    for cell in cells:
        groups[successors[cell.pk] or cell.code[:9]].append(cell)
    for successor, theirs in groups.items():
        taken = {cell.pk for cell in theirs}
        params = {
            "name": {"zh": name.name_zh or name.username, "en": name.name_en or name.name_zh or name.username},
            "cells": {"zh": _named(theirs, "name_zh"), "en": _named(theirs, "name_en")},
            "count": sum(bool(taken & set(pair)) for pair in waiting),
            "area": successor,
        }
        alone = isinstance(successor, str)
        notify(
            recipients=notices.nearest_dispatchers(successor) if alone else [successor],
            topic="hazard.handover_to_centre" if alone else "hazard.handover",
            params=params,
            subject=(entry.kind, entry.subject_id),
            source_key=f"handover:{entry.pk}:{successor}",
            at=entry.at,
        )


def _named(cells: list[Cell], field: str) -> str:
    names = [getattr(cell, field) or cell.name_zh for cell in cells]
    return ", ".join(names[:CELLS_NAMED]) + (f" … ({len(names)})" if len(names) > CELLS_NAMED else "")


def follow_grid(entry: OutboxEntry) -> None:
    """Cells were drawn anew: open cases follow their ground, and who answers for a cell now hears how many came.

    Queries: 0 where no cell ended; else those of ``move_open_cases``, 3, and 4 a worker.
    """
    ended, begun = entry.payload.get("ended") or [], entry.payload.get("begun") or []
    if not ended and not begun:
        return
    moved: list[Row] = []
    came = move_open_cases(ended=ended, begun=begun, at=entry.at, moved=moved)
    note_moved_by_version(
        rezoning=entry.payload.get("rezoning") or "", version=entry.subject_id, kind="hazard", rows=moved, at=entry.at
    )
    cells = list(
        Cell.objects.filter(pk__in=came, active=True).only("pk", "code", "name_zh", "name_en").order_by("code")
    )
    answering = responsible_for(cells, timezone.localdate(entry.at)) if cells else {}
    for cell in cells:
        if user_id := answering[cell.pk].user_id:
            params = {"cell": {"zh": cell.name_zh, "en": cell.name_en}, "count": came[cell.pk], "code": cell.code}
            key = f"hazard.rezoned:{entry.pk}:{cell.pk}"
            notify(
                recipients=[user_id],
                topic="hazard.rezoned",
                params=params,
                subject=("cell", cell.code),
                source_key=key,
                at=entry.at,
            )


def follow_calendar(entry: OutboxEntry) -> None:
    """Working days were edited: due times of running clocks follow, also those that could not be computed before."""
    calendars.forget()  # this process may hold the calendar of two seconds ago
    recompute_due(at=entry.at)
    listing_clocks.recompute()


def tell_of_missing_calendar(at: datetime) -> int:
    """Tell those who can mend it that a year's working days are missing, once a day; return how many were told.

    Queries: 1 and those of ``notify``, 0 while nothing is missing.
    """
    year = calendars.missing_year(at)
    if year is None:
        return 0
    told = User.objects.filter(is_active=True, role__in=(Role.ADMINISTRATOR, Role.SECURITY_OFFICER))
    key = f"calendar.missing:{year}:{timezone.localdate(at)}"
    return notify(
        recipients=told, topic="calendar.missing", params={"year": year}, subject=("calendar", year), level=MAJOR_LEVEL,
        source_key=key, at=at,
    )  # fmt: skip
