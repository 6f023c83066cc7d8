"""What people are told about alarms: the words of each topic, and who is told."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from citysafety.accounts.models import Role, User
from citysafety.notices import topics
from hazards.notices import covering

from .models import READERS, Alarm

PAGE, STORM_PAGE = "/monitoring/alarms/%(subject_id)s/", "/monitoring/alarms/?storm=%(subject_id)s"
ALARM = _("%(number)s · %(device)s")
TOPICS = (
    ("alarm.raised", _("Alarm"), _("Alarm: %(rule)s"), ALARM, PAGE),
    ("alarm.worse", _("Graver alarm"), _("Graver: %(rule)s"), ALARM, PAGE),
    ("alarm.heard_again", _("Alarm heard again"), _("No longer kept quiet, and still open: %(rule)s"), ALARM, PAGE),
    ("alarm.assigned", _("Alarm assigned to us"), _("Assigned to us: %(rule)s"), ALARM, PAGE),
    (
        "alarm.escalated",
        _("Alarm not acknowledged"),
        _("Not acknowledged for %(minutes)s min: %(rule)s"),
        ALARM,
        PAGE,
    ),
    (
        "alarm.storm",
        _("Storm of alarms"),
        _("Many alarms at once in %(place)s"),
        _("They are told once; the list shows all of them."),
        STORM_PAGE,
    ),
)


def register() -> None:
    """Register the topics once the apps stand."""
    for key, label, title, body, path in TOPICS:
        topics.register(key, label=label, title=title, body=body, path=path)


def params_of(alarm: Alarm) -> dict[str, Any]:
    """Return what every topic says of an alarm. Queries: 0 with rule and device."""
    rule, device = alarm.rule, alarm.device
    return {
        "number": alarm.number,
        "rule": {"zh": rule.name_zh, "en": rule.name_en},
        "device": {"zh": device.name_zh, "en": device.name_en},
    }


def told(alarm: Alarm) -> list[User]:
    """Return who is told of an alarm: the rule's roles of its area, the handlers of the device's departments. Queries: 2."""
    roles = [role for role in alarm.rule.notify if role in READERS and role != Role.DEPARTMENT_HANDLER]
    people = covering(alarm.area_code, *roles) if roles else []
    return [*people, *handlers(_departments(alarm))]


def _departments(alarm: Alarm) -> set[int]:
    """Return the departments that answer for an alarm's device or share it, and the one it is assigned to. Queries: 1."""
    own = {alarm.department_id, alarm.assigned_to_id} - {None}
    return own | set(alarm.device.owners.values_list("pk", flat=True))


def handlers(departments: set[int]) -> list[User]:
    """Return the active handlers of some departments. Queries: 1, none for none."""
    if not departments:
        return []
    people = User.objects.filter(is_active=True, role=Role.DEPARTMENT_HANDLER, department__in=departments)
    return list(people.order_by("pk"))
