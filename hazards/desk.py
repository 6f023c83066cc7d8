"""What the desk pages of hazards show: work queues, due times in words, the sums of clocks, forms of steps."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, Q
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext_lazy

from citysafety import worktime
from citysafety.accounts.rights import may, sentence
from citysafety.accounts.roles import Role
from citysafety.accounts.selectors import office_choice
from citysafety.calendars.words import limit_words
from citysafety.evidence import services as evidence
from citysafety.names import chosen

from . import asked, clockface, ladders, selectors
from .lifecycle import LABELS, LIFECYCLE, OPEN, HazardState, HazardStep, PhotoRole, Stage, kept_from
from .models import ASKED, Hazard, inside
from .services.clocks import PAUSED, days_of, limit_of
from .services.steps import requirements, steps_open_to

S = HazardState
UNIT_WORDS = {
    "urgent_hours": ngettext_lazy("%(n)s urgent hour", "%(n)s urgent hours", "n"),
    "work_hours": ngettext_lazy("%(n)s working hour", "%(n)s working hours", "n"),
    "work_days": ngettext_lazy("%(n)s working day", "%(n)s working days", "n"),
}
ASKED_WORDS = {
    "department": gettext_lazy("department"),
    "reason": gettext_lazy("reason"),
    "words": gettext_lazy("words"),
    "location": gettext_lazy("place"),
    "photo:before": gettext_lazy("photo before"),
    "photo:after": gettext_lazy("photo after"),
    "amount": gettext_lazy("how much more"),
    "cause": gettext_lazy("cause"),
    "matter": gettext_lazy("matter"),
    "into": gettext_lazy("the case that stays"),
    "cell": gettext_lazy("cell"),
    "criterion": gettext_lazy("criterion"),
    "unit": gettext_lazy("responsible unit"),
    "person": gettext_lazy("person"),
    "measures": gettext_lazy("measures"),
    "funds": gettext_lazy("funds"),
    "finish_on": gettext_lazy("time limit"),
    "contingency": gettext_lazy("contingency plan"),
    "scope": gettext_lazy("what stands still"),
    "basis": gettext_lazy("legal basis"),
}
DAY_WORDS = {
    "worked": gettext_lazy("Working days: %(n)s"),
    "make-up": gettext_lazy("Make-up days: %(n)s"),
    "weekend": gettext_lazy("Weekend: %(n)s"),
    "holiday": gettext_lazy("Holidays: %(n)s"),
}
SIGNS = {
    S.REPORTED: ("open", "strong"),
    S.ACCEPTED: ("open", ""),
    S.DISPATCHED: ("half", ""),
    S.TAKEN: ("half", ""),
    S.RECTIFIED: ("clock", ""),
    S.VERIFIED: ("tick", ""),
    S.WRITTEN_OFF: ("tick", "ended"),
    S.REFUSED: ("no", "ended"),
    S.MERGED: ("half", "ended"),
}


# -- work queues ---------------------------------------------------------------------------------


@dataclass(slots=True)
class Queue:
    """One tab: what waits, as filters of the list, so that the list behind a number counts the same."""

    label: Any
    query: dict[str, str]
    condition: Q
    count: int = 0
    chosen: bool = False  # the list shows it
    is_open: bool = True  # what waits in it are open cases

    @property
    def address(self) -> str:
        return f"?{urlencode(self.query)}"


def _in_state(state: str, label: Any, **more: str) -> Queue:
    condition = Q(state=state)
    if code := more.get("department"):
        condition &= Q(department__code=code)
    return Queue(label, {"state": state, **more}, condition)


def _to_decide(user: Any) -> Queue:
    return Queue(_("To decide"), {"asked": "true", "area": user.area_code}, ASKED)


def _queues_of(user: Any) -> list[Queue]:
    """Return the tabs of a role."""
    open_now = Q(state__in=sorted(OPEN))
    match user.role:
        case Role.DISPATCHER:
            return [
                _in_state(S.REPORTED, _("To accept"), area=user.area_code),
                _in_state(S.ACCEPTED, _("To dispatch"), area=user.area_code),
                _in_state(S.RECTIFIED, _("To verify"), area=user.area_code),
                _in_state(S.VERIFIED, _("To write off"), area=user.area_code),
                _to_decide(user),
            ]
        case Role.DEPARTMENT_HANDLER if user.department_id:
            code = user.department.code
            return [
                _in_state(S.DISPATCHED, _("To take over"), department=code),
                _in_state(S.TAKEN, _("In work"), department=code),
            ]
        case Role.GRID_WORKER:
            return [
                _in_state(S.RECTIFIED, _("To verify"), area=user.area_code),
                Queue(_("Reported by me"), {"mine": "true", "open": "true"}, open_now & Q(reporter=user)),
            ]
    own = {
        Role.SUPERVISOR: [
            _to_decide(user),
            Queue(
                _("Contested"),
                {"contested": "true", "area": user.area_code},
                Q(contested_at__isnull=False),
                is_open=False,
            ),
        ],
        Role.LEADER: [
            Queue(_("Set by a leader"), {"pinned": "true", "open": "true"}, open_now & Q(pinned_at__isnull=False))
        ],
    }
    return [
        Queue(_("Overdue"), {"overdue": "true"}, Q(overdue=True)),
        Queue(_("Major open"), {"open": "true", "severity": "major"}, open_now & Q(severity="major")),
        Queue(_("Open"), {"open": "true"}, open_now),
        *own.get(user.role, []),
    ]


def queues(user: Any) -> list[Queue]:
    """Return the reader's tabs with their counts. Queries: 1, the department of a handler besides; one more for whose
    area is a cell, and for each tab of closed cases.
    """
    tabs = [tab for tab in _queues_of(user) if tab.query.get("area") != ""]
    if not tabs:
        return []
    places = {area: inside(area) for area in {tab.query["area"] for tab in tabs if "area" in tab.query}}
    conditions = {f"n{i}": tab.condition & places.get(tab.query.get("area"), Q()) for i, tab in enumerate(tabs)}
    seen = Hazard.objects.visible_to(user)
    of_open = {f"n{i}": Count("pk", filter=conditions[f"n{i}"]) for i, tab in enumerate(tabs) if tab.is_open}
    counts = seen.open().aggregate(**of_open)
    for i, tab in enumerate(tabs):
        tab.count = counts[f"n{i}"] if tab.is_open else seen.filter(conditions[f"n{i}"]).count()
    return tabs


# -- time in words -------------------------------------------------------------------------------


def span_words(seconds: float, unit: str) -> str:
    """Say a stretch of a unit's clock: days, hours, minutes; at most two of them. Working time says that it is."""
    days, hours, minutes = worktime.parts(seconds, unit)
    words = {"d": days, "h": hours, "m": minutes}
    if unit == "urgent_hours" and (days or hours):
        return (_("%(d)s d %(h)s h") if days else _("%(h)s h %(m)s min")) % words
    if days or hours:
        return (_("%(d)s work d %(h)s h") if days else _("%(h)s work h %(m)s min")) % words
    return _("%(n)s min") % {"n": minutes}


def reason_words(reason: str) -> str:
    """Say why there is no due time."""
    if reason == PAUSED:
        return _("Paused")
    year = worktime.missing_year(reason)
    return _("The calendar of %(year)s is missing.") % {"year": year} if year else reason


@dataclass(frozen=True, slots=True)
class DueWords:
    """What a row says about its due time. ``kind``: late, soon (less than a quarter left), left, none."""

    kind: str
    words: str
    at: datetime | None = None


def due_words(hazard: Hazard, at: datetime) -> DueWords:
    """Say how much of the unit's own time is left, or by how much it is over. Queries: 0 where the matter is at hand."""
    if not hazard.due_stage:
        return DueWords("none", "")
    if hazard.due_at is None:
        until = f" {date_format(localtime(hazard.paused_until), 'm-d')}" if hazard.paused_until else ""
        return DueWords("none", f"{reason_words(hazard.due_reason)}{' →' if until else ''}{until}")
    unit, amount = limit_of(hazard, hazard.due_stage)
    late = hazard.due_at < at
    first, last = (hazard.due_at, at) if late else (at, hazard.due_at)
    seconds = worktime.consumed(first, last, unit, days_of(hazard, hazard.due_stage))
    if seconds is None:  # a year is missing between: the wall clock still says what passed
        seconds = (last - first).total_seconds()
    soon = seconds < worktime.limit_s(amount, unit) / 4
    kind = "late" if late else "soon" if soon else "left"
    return DueWords(kind, _over_or_left(seconds, unit, late=late), hazard.due_at)


def _over_or_left(seconds: float, unit: str, *, late: bool) -> str:
    if late and seconds < 60:  # due as the office closed: no working time has passed since
        return _("Overdue now")
    form = _("%(span)s overdue") if late else _("%(span)s left")
    return form % {"span": span_words(seconds, unit)}


def clock_rows(answer: dict[str, Any], at: datetime) -> list[dict[str, Any]]:
    """Turn the answer about the clocks into what the page shows of each: those that run first, the one due first before."""
    rows = [_clock_row(stage, at) for stage in answer["stages"]]
    return sorted(
        rows, key=lambda row: (not row["running"], row["due"].timestamp() if row["running"] and row["due"] else 0)
    )


def _clock_row(stage: dict[str, Any], at: datetime) -> dict[str, Any]:
    unit, sums = stage["unit"], stage["arithmetic"]
    limit = stage["limit_s"]
    started, stopped, due, marked = (
        datetime.fromisoformat(stage[name]) if stage[name] else None
        for name in ("started_at", "stopped_at", "due_at", "marked_at")
    )
    is_earlier = bool(sums and stage["not_after"] and due and due < datetime.fromisoformat(sums["due"]))
    used = stage["used_s"]
    late = bool(marked) or bool(due and stage["running"] and due < at)
    over = used - limit
    if stage["running"] and due:
        words = _over_or_left(abs(over), unit, late=over > 0 or (late and not over))
    else:
        words = reason_words(stage["reason"]) if not due else _("%(span)s used") % {"span": span_words(used, unit)}
    return {
        "label": Stage(stage["stage"]).label,
        "running": stage["running"],
        "late": late,
        "words": words,
        "percent": min(999, round(100 * used / limit)) if limit else 999,
        "limit": UNIT_WORDS[unit] % {"n": stage["amount"]},
        "started": started,
        "stopped": stopped,
        "due": due,
        "marked": marked,
        "face": clockface.draw(sums, at=stopped or at, is_running=stage["running"], due=due) if sums else None,
        **_sum_rows(sums, unit),
        **({"spelled": _("The limit of the report merged into it ends first.")} if is_earlier else {}),
    }


def _sum_rows(sums: dict[str, Any] | None, unit: str) -> dict[str, Any]:
    """Say which days count and which do not, and whose calendar says so."""
    if not sums:
        return {"counted": [], "not_counted": [], "used_before": "", "spelled": "", "sources": [], "provisional": False}
    named = {}
    for days in sums["named_days"]:
        named.setdefault(days["kind"], []).append(f"{chosen(days['name_zh'], days['name_en'])} {days['count']}")

    def said(kinds: tuple[str, ...]) -> list[str]:
        rows = [(kind, DAY_WORDS[kind] % {"n": sums["days"][kind]}) for kind in kinds if sums["days"].get(kind)]
        return [f"{words} ({', '.join(named[kind])})" if kind in named else words for kind, words in rows]

    round_the_clock = unit == "urgent_hours"
    return {
        "counted": [_("Runs round the clock")] if round_the_clock else said(("worked", "make-up")),
        "not_counted": [] if round_the_clock else said(("weekend", "holiday")),
        "used_before": span_words(sums["used_before_s"], unit) if sums["used_before_s"] else "",
        "spelled": _spelled(sums, unit),
        "sources": [f"{year['year']}: {_(year['source'] or year['status'])}" for year in sums["calendar"]],
        "provisional": sums["provisional"],
    }


def _spelled(sums: dict[str, Any], unit: str) -> str:
    """Write the hours that count as a sum, where they are few; empty for longer limits and for days, which are counted."""
    if unit == "work_days":
        return ""
    start, passed = datetime.fromisoformat(sums["start"]), sums["used_before_s"]
    parts = [_("%(span)s used") % {"span": span_words(_whole(passed), unit)}] if passed else []
    for span in clockface.terms(sums):
        # Each is rounded with what came before it, so that the minutes that are shown add up.
        minutes = _whole(passed + span["counted_s"]) - _whole(passed)
        parts.append(f"{clockface.hours(span, start)} {span_words(minutes, unit)}")
        passed += span["counted_s"]
    if passed == sums["used_before_s"]:
        return ""
    limit = UNIT_WORDS[unit] % {"n": sums["amount"]}
    return f"{' + '.join(parts)} = {limit}"


def _whole(seconds: float) -> int:
    return 60 * round(seconds / 60)


def change_words(changes: list[dict[str, Any]]) -> list[str]:
    """Say what was asked of the limits of a case, what was decided and by whom, the oldest first."""
    return [_change_words(change) for change in changes]


def _change_words(change: dict[str, Any]) -> str:
    limit = limit_words(change["granted"] or change["asked"], change["unit"]) if change["asked"] else ""
    what = {
        "extension": _("Extension of %(limit)s"),
        "pause": _("Pause for “%(cause)s” until %(until)s"),
        "pin": _("Limit of %(limit)s set by a leader"),
        "matter": _("Filed under another matter, before: %(words)s"),
    }[change["kind"]] % {
        "limit": limit, "cause": change["cause"]["name"] if change["cause"] else "", "until": _day_words(change["until"]),
        "words": change["words"],
    }  # fmt: skip
    asked = _("asked by %(who)s on %(when)s") % {
        "who": change["asked_by"] or "–",
        "when": _day_words(change["asked_at"]),
    }
    words = {"who": change["decided_by"] or "–", "when": _day_words(change["decided_at"])}
    decided = {
        True: _("granted by %(who)s on %(when)s"),
        False: _("denied by %(who)s on %(when)s"),
        None: _("not decided") if change["ended_at"] else _("waits for a decision"),
    }[change["is_granted"]] % words
    ended = _("ended on %(when)s") % {"when": _day_words(change["ended_at"])} if change["ended_at"] else ""
    alone = change["kind"] in ("pin", "matter")
    said = [what, *([] if alone else [asked]), decided if not alone else words["who"] + " " + words["when"], ended]
    return " · ".join(part for part in said if part)


def _day_words(moment: str | None) -> str:
    return date_format(localtime(datetime.fromisoformat(moment)), "m-d H:i") if moment else ""


def bound(user: Any, hazard: Hazard, at: datetime) -> dict[str, Any]:
    """Return the cases that were merged into one, and for who may merge those near by that may be the same. Queries: 0 to 2."""
    duplicates = Hazard.objects.visible_to(user).filter(merged_into=hazard) if hazard.absorbs else Hazard.objects.none()
    may_merge = hazard.is_open and any(may(user, step, hazard).allowed for step in LIFECYCLE.steps_named("merge"))
    return {
        "duplicates": list(duplicates.order_by("received_at").only("pk", "number")),
        "near": selectors.near(hazard, user, at=at) if may_merge else [],
    }


# -- what can be done now ------------------------------------------------------------------------

# Steps that are rarely taken stand behind a word of their own, so that the one that is due is seen; what somebody asked
# for is due.
BESIDE = frozenset({step.action for step in LIFECYCLE.steps if step.is_aside} | {"merge"})
DECISIONS = frozenset(
    {"grant_extension", "deny_extension", "deny_pause", "resume", "approve_plan", "return_plan", "deny_reopening"}
)


def is_beside(step: HazardStep, hazard: Hazard) -> bool:
    """Test whether a step stands behind the others."""
    if step.action == "pause":
        return hazard.pause_asked_at is None
    if step.action == "plan":  # what a major hazard needs before anything else
        return hazard.plan_approved_at is not None
    return step.action in BESIDE - DECISIONS


ROAD = (S.REPORTED, S.ACCEPTED, S.DISPATCHED, S.TAKEN, S.RECTIFIED, S.VERIFIED, S.WRITTEN_OFF)


def step_forms(user: Any, hazard: Hazard, at: datetime) -> list[dict[str, Any]]:
    """Return a form for each step the reader may take now, those that move the case on first.

    Queries: 1 a photo role, 1 where a department is chosen, those of ``asked.fields``.
    """
    steps = sorted(steps_open_to(user, hazard, at), key=lambda step: is_beside(step, hazard))
    return [_step_form(step, hazard, user, at) for step in steps]


def _step_form(step: HazardStep, hazard: Hazard, user: Any, at: datetime) -> dict[str, Any]:
    photos = []
    for role, need in requirements(step, hazard).items():
        there = len(evidence.unused(kind="hazard", subject_id=str(hazard.pk), role=role, step_id=None))
        photos.append({"role": role, "label": PhotoRole(role).label, "need": max(0, need - there), "there": there})
    asks_department, asks_reason, asks_words = (name in step.requires for name in ("department", "reason", "words"))
    return {
        "action": step.action,
        "label": step.label,
        "is_beside": is_beside(step, hazard),
        "fields": asked.fields(step, hazard, user, at),
        "basis": _(step.basis),
        "asks": ", ".join(str(ASKED_WORDS[name]) for name in step.requires),
        "words_name": "reason" if asks_reason else "words",
        "words_label": _("Reason") if asks_reason else _("What was done") if asks_words else _("Words (if useful)"),
        "asks_words": asks_reason or asks_words,
        "asks_location": "location" in step.requires,
        "within_m": hazard.matter.verify_within_m if "location" in step.requires else None,
        "lon": f"{hazard.location.x:.6f}",
        "lat": f"{hazard.location.y:.6f}",
        "photos": photos,
        "offices": office_choice(user, hazard.area_code, hazard.matter.department_id) if asks_department else None,
    }


def barred(user: Any, hazard: Hazard) -> str:
    """Say in words when four eyes keep the reader from a step that the role otherwise has; empty when they do not."""
    rules = {may(user, step, hazard).rule for step in LIFECYCLE.steps_from(hazard.state)}
    return next((sentence(rule) for rule in sorted(rules) if rule.startswith("denied.four_eyes")), "")


def states_ahead(hazard: Hazard) -> list[str]:
    """Return the states that still lie between a hazard and its write-off, in words."""
    if hazard.state not in ROAD:
        return []
    return [str(state.label) for state in ROAD[ROAD.index(hazard.state) + 1 :]]


def who_is_next(hazard: Hazard) -> list[str]:
    """Say which steps lie ahead and whose they are, for readers who have none."""
    return [
        _("%(step)s: %(who)s") % {"step": step.label, "who": " / ".join(dict.fromkeys(_who(step)))}
        for step in LIFECYCLE.steps_from(hazard.state)
        if not is_beside(step, hazard) and not kept_from(step, hazard)
    ]


def _who(step: HazardStep) -> list[str]:
    roles = [alternative.partition(":")[0] for alternative in step.roles]
    return [_("the reporter") if role == "*" else str(Role(role).label) for role in roles]


def happened(steps: Any, marks: Any, photos: Any, climbed: Any = ()) -> list[dict[str, Any]]:
    """Return steps, overdue marks and rungs taken in the order of time, each step with the photos that served it."""
    served: dict[Any, list[Any]] = {}
    for photo in photos:
        served.setdefault(photo.used_by, []).append((photo, PhotoRole(photo.role).label))
    rows = [
        {
            "at": step.at,
            "step": step,
            "label": LABELS[step.action],
            "basis": _(step.basis) if step.basis else "",
            "to": step.department.name if step.action == "dispatch" and step.department else "",
            "photos": served.get(step.pk, []),
        }
        for step in steps
    ]
    rows += [{"at": mark.at, "mark": mark, "label": _("Overdue")} for mark in marks]
    rows += [{"at": row.at, "rung": row, "label": _("Escalated"), "words": ladders.rung_words(row)} for row in climbed]
    return sorted(rows, key=lambda row: row["at"])
