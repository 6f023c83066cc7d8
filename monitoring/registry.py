"""What monitoring registers with the rooms below: figures with their lists, how to recount."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

from citysafety import areas
from citysafety.accounts import lists, rights
from citysafety.calendars import handovers
from citysafety.evidence import chain as chains
from citysafety.tallies.figures import COUNT, Figure, Recount, register_subject
from citysafety.tallies.figures import register as register_figure
from citysafety.workdays import CITY_TIME

from . import chain, ladders, notices
from .columns import COLUMNS, LIST
from .lifecycle import LIFECYCLE, AlarmState
from .models import Alarm, AlarmStep, Device
from .models.alarms import NOT_BY_AREA
from .standing import OPEN_BY_LEVEL, RAISED_TODAY, counts_now

ALARMS = _("alarms")
WORDS = {
    1: _("Open alarms of level I that are not kept quiet."),
    2: _("Open alarms of level II that are not kept quiet."),
    3: _("Open alarms of level III that are not kept quiet."),
    4: _("Open alarms of level IV that are not kept quiet."),
}
FIGURES = {key: (WORDS[level], f"open=true&quiet=false&level={level}") for level, key in OPEN_BY_LEVEL.items()}
FIGURES[RAISED_TODAY] = (_("Alarms raised today that were not kept quiet."), "raised=today&sounded=true")
A_CHUNK = 5000


def register() -> None:
    """Register everything once the apps stand."""
    for key, (definition, query) in FIGURES.items():
        register_figure(
            Figure(
                key=key,
                kind=COUNT,
                unit=ALARMS,
                definition=definition,
                list_path="/api/v1/alarms/",
                list_query=f"figure={key}",
                page=f"/monitoring/alarms/?{query}",
            )
        )
    register_subject("alarm", recount)
    lists.register(LIST, path=reverse_lazy("alarms"), columns=COLUMNS)
    notices.register()
    ladders.register()
    chains.register("alarm", chain.look)
    chains.join("alarm", "hazard", chain.about_hazards)
    handovers.register_case_numbers(r"\bBJ-\d{8}-\d{5,}\b", lambda number: f"/monitoring/alarms/?search={number}")
    rights.register_visibility(
        "alarm",
        explain,
        label=_("alarm"),
        find=find,
        steps=[step for step in LIFECYCLE.steps if step.roles],
        states=dict(AlarmState.choices),
    )


def find(given: str) -> Alarm | None:
    """Return the alarm of a number or id, None without one. Queries: 1."""
    try:
        return Alarm.objects.filter(pk=UUID(given)).first()
    except ValueError:
        return Alarm.objects.filter(number__iexact=given).first()


def explain(user: Any, alarm_id: str) -> list[tuple[str, bool, str]]:
    """Return every rule by which a person may see an alarm: the parts of ``AlarmQuerySet.visible_to``. Queries: 2."""
    alarm, own = Alarm.objects.get(pk=alarm_id), user.department_id
    by_area = user.role not in NOT_BY_AREA and areas.covers(user.area_code, alarm.area_code)
    handles = user.role == "department_handler" and own is not None
    answers, assigned = handles and alarm.department_id == own, handles and alarm.assigned_to_id == own
    shares = handles and Device.objects.filter(pk=alarm.device_id, owners=own).exists()
    return [
        ("area", by_area, str(_("The area of duty covers its place.") if by_area else _(
            "Its place lies outside the area of duty, or the role sees no alarms by area."))),
        ("department", answers, str(_("The own department answers for its device.") if answers else _(
            "Another department answers for its device, or the role sees no alarms by department."))),
        ("assigned", assigned, str(_("It is assigned to the own department.") if assigned else _(
            "It is not assigned to the own department."))),
        ("shared", shares, str(_("The own department shares its device.") if shares else _(
            "The own department does not share its device."))),
    ]  # fmt: skip


def recount() -> Iterator[Recount]:
    """Count every alarm afresh from its row and its first step; never from what is kept. Queries: 2."""
    first = AlarmStep.objects.filter(version=1).values_list("alarm", "at", "said__quiet")
    raised = {pk: (at, quiet) for pk, at, quiet in first}
    for alarm in Alarm.objects.order_by("pk").iterator(chunk_size=A_CHUNK):
        at, quiet = raised[alarm.pk]
        earned = {} if quiet else {at.astimezone(CITY_TIME).date(): {RAISED_TODAY}}
        yield Recount(
            subject_id=str(alarm.pk), area=alarm.area_code, extra_area="", category="", state=alarm.state,
            now=counts_now(alarm), today=earned, amounts={},
        )  # fmt: skip
