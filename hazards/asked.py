"""What the form of a step asks besides words, photos and place: fields with their choices, and what is known of them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from citysafety.accounts.roles import Role
from citysafety.calendars.words import limit_words
from citysafety.names import chosen
from grid.locate import locate

from .lifecycle import HazardStep
from .models import ClockChange, Hazard, PauseCause, Plan, Severity
from .selectors import criteria_for
from .services import limits
from .services.clocks import stage_clock

STOP_BASIS = "《中华人民共和国安全生产法》第六十五条"
OTHER_HINT = gettext_lazy("One of the catalogue by its code, or “other:” and the basis in at least 10 characters.")
NEAR_M = 300  # cells this near to a place are offered where its own may be wrong


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field. ``kind``: number, select, date, datetime, long (several lines), words, known (words, some offered), matter
    (looked up as it is typed), case (one of those near by, or another).
    """

    name: str
    label: str
    kind: str
    value: str = ""
    hint: Any = ""
    most: int | None = None
    choices: list[tuple[str, str]] | None = None
    is_optional: bool = False


def fields(step: HazardStep, hazard: Hazard, user: Any, at: datetime) -> list[Field]:
    """Return the fields of a step's form. Queries: those of what its action asks, at most 3; most ask none."""
    ask = FIELDS.get(step.action)
    return ask(hazard, user, at) if ask else []


def _extension(hazard: Hazard, user: Any, at: datetime) -> list[Field]:
    rule = limits.rule_of(hazard)
    left = limits.extensions_left(hazard, rule)
    if rule is None or not left:
        return [
            Field(name="amount", label=_("More time"), kind="number", hint=_("No extension is left for this stage."))
        ]
    most, unit = limits.most_more(hazard, rule), stage_clock(hazard).unit
    hint = _("At most %(most)s; extensions left for this stage: %(n)s.") % {"most": limit_words(most, unit), "n": left}
    return [Field(name="amount", label=_("More time"), kind="number", most=most, hint=hint)]


def _granting(hazard: Hazard, user: Any, at: datetime) -> list[Field]:
    change = limits.pending(hazard, ClockChange.Kind.EXTENSION)
    if change is None:
        return []
    words = {"asked": limit_words(change.amount, change.unit), "words": change.words}
    return [
        Field(
            name="amount", label=_("Granted"), kind="number", value=str(change.amount), most=change.amount,
            hint=_("Asked: %(asked)s. %(words)s") % words, is_optional=True,
        )
    ]  # fmt: skip


def _pausing(hazard: Hazard, user: Any, at: datetime) -> list[Field]:
    change = limits.pending(hazard, ClockChange.Kind.PAUSE) if hazard.pause_asked_at else None
    asked = change.cause.code if change and change.cause else ""
    causes = [  # what was asked for is decided as it was asked
        (cause.code, _cause_words(cause))
        for cause in ([change.cause] if change and change.cause else PauseCause.objects.filter(active=True))
        if asked or user.role in (Role.SUPERVISOR, Role.DEPARTMENT_HANDLER) or not cause.by_supervisor
    ]
    until = f"{localtime(change.until):%Y-%m-%dT%H:%M}" if change and change.until else ""
    hint = _("Asked: %(asked)s") % {"asked": change.words} if change else ""
    return [
        Field(name="cause", label=_("Cause"), kind="select", value=asked, choices=causes, hint=hint),
        Field(
            name="until", label=_("Until (ends by itself)"), kind="datetime", value=until, is_optional=True,
            hint=_("Left empty: as long as the cause allows."),
        ),
    ]  # fmt: skip


def _cause_words(cause: PauseCause) -> str:
    words = {
        "name": cause.name, "kind": cause.get_kind_display(), "n": cause.most_days, "times": cause.most_times,
        "all": cause.most_days_in_all,
    }  # fmt: skip
    told = _("%(name)s (%(kind)s, up to %(n)s days; in one case %(times)s times, %(all)s days in all)") % words
    return _("%(cause)s, decided by a supervisor") % {"cause": told} if cause.by_supervisor else told


def _pinning(hazard: Hazard, user: Any, at: datetime) -> list[Field]:
    rule = limits.rule_of(hazard)
    if rule is None:
        return []
    most = limit_words(rule.pin_amount, rule.pin_unit)
    return [
        Field(
            name="amount", label=_("Limit"), kind="number", value=str(rule.pin_amount), most=rule.pin_amount, is_optional=True,
            hint=_("At most %(most)s, from now on; the case counts %(n)s times.") % {"most": most, "n": rule.pin_weight},
        )
    ]  # fmt: skip


def _matters(hazard: Hazard, user: Any, at: datetime) -> list[Field]:
    hint = _("Now: %(code)s %(name)s") % {"code": hazard.matter.code, "name": hazard.matter.name}
    decide = _(
        "Asked where the catalogue holds the matter for major: major with its criterion, or general with the reason why."
    )
    return [
        Field(name="matter", label=_("Code of the matter"), kind="matter", hint=hint),
        Field(
            name="severity", label=_("Severity decided"), kind="select", choices=list(Severity.choices), hint=decide,
            is_optional=True,
        ),
        Field(name="criterion", label=_("Criterion"), kind="known", hint=OTHER_HINT, is_optional=True),
    ]  # fmt: skip


def _cells(hazard: Hazard, user: Any, at: datetime) -> list[Field]:
    place = locate(hazard.location.x, hazard.location.y, max(hazard.accuracy_m or 0, NEAR_M))
    here = hazard.cell.code if hazard.cell else ""
    cells = [(cell["code"], _named(cell)) for cell in place.candidates if cell["code"] != here]
    hint = _("The cells around the place, the nearest first.") if cells else _("No other cell lies near the place.")
    return [Field(name="cell", label=_("Cell"), kind="select", choices=cells, hint=hint)]


def _named(cell: dict[str, str]) -> str:
    return f"{chosen(cell['name_zh'], cell['name_en'])} {cell['code']}"


def _originals(hazard: Hazard, user: Any, at: datetime) -> list[Field]:
    hint = _("Open cases near by are offered; any other number may be typed.")
    return [Field(name="into", label=_("The case that stays"), kind="case", hint=hint)]


def _criteria(hazard: Hazard, user: Any, at: datetime) -> list[Field]:
    fitting = [(one.code, one.name) for one in criteria_for(hazard.matter.matter_class.code)]
    return [Field(name="criterion", label=_("Criterion"), kind="known", choices=fitting, hint=OTHER_HINT)]


def _planning(hazard: Hazard, user: Any, at: datetime) -> list[Field]:
    last = hazard.plans.order_by("-version").first() or Plan(unit=hazard.department.name if hazard.department else "")
    funds = "" if last.pk is None else _("none") if last.funds_yuan is None else f"{last.funds_yuan}"
    hint = _("In yuan; “none” where none are needed.")
    return [
        Field(name="unit", label=_("1 Responsibility: unit"), kind="words", value=last.unit),
        Field(name="person", label=_("1 Responsibility: person"), kind="words", value=last.person),
        Field(name="measures", label=_("2 Measures"), kind="long", value=last.measures),
        Field(name="funds", label=_("3 Funds"), kind="words", value=funds, hint=hint),
        Field(name="finish_on", label=_("4 Time limit"), kind="date", value=f"{last.finish_on or ''}"),
        Field(name="contingency", label=_("5 Contingency plan"), kind="long", value=last.contingency),
    ]


def _stopping(hazard: Hazard, user: Any, at: datetime) -> list[Field]:
    return [
        Field(name="scope", label=_("What stands still"), kind="words"),
        Field(name="basis", label=_("Legal basis"), kind="words", value=STOP_BASIS),
        Field(name="since", label=_("From"), kind="datetime", is_optional=True, hint=_("Left empty: from now on.")),
    ]


FIELDS: dict[str, Callable[[Hazard, Any, datetime], list[Field]]] = {
    "ask_extension": _extension,
    "grant_extension": _granting,
    "ask_pause": _pausing,
    "pause": _pausing,
    "pin": _pinning,
    "change_matter": _matters,
    "correct_cell": _cells,
    "merge": _originals,
    "raise": _criteria,
    "plan": _planning,
    "stop_work": _stopping,
}
