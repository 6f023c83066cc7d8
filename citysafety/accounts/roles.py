"""The roles of a city and their business in the admin: one table, deny by default."""

from functools import cache

from django.db import models
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    """What a person is in the city's safety work; one role each."""

    GRID_WORKER = "grid_worker", _("Grid worker")
    DEPARTMENT_HANDLER = "department_handler", _("Department handler")
    DISPATCHER = "dispatcher", _("Dispatcher")
    OPERATOR = "operator", _("Operator")
    SUPERVISOR = "supervisor", _("Supervisor")
    LEADER = "leader", _("Leader")
    AUDITOR = "auditor", _("Auditor")
    SECURITY_OFFICER = "security_officer", _("Security officer")
    ADMINISTRATOR = "administrator", _("Administrator")
    KIOSK = "kiosk", _("Wall screen")


# Those who sit at the command centre: they work the queue of an area, and see who of them is at which case.
CONSOLE = frozenset({Role.OPERATOR, Role.DISPATCHER, Role.SUPERVISOR})

LOOK = ("view",)
EDIT = ("view", "add", "change", "delete")
KEEP = ("view", "add", "change")  # rows that others point to and that history needs are retired, not deleted

MASTER_DATA = {
    "grid.division": KEEP,
    "grid.gridversion": LOOK,
    "grid.cell": KEEP,
    "grid.centre": KEEP,
    "grid.worker": KEEP,
    "grid.posting": KEEP,
    "grid.matterclass": KEEP,
    "grid.matter": KEEP,
    "grid.matterhistory": LOOK,
    "grid.matterclasshistory": LOOK,
    "grid.premiseskind": KEEP,
    "grid.componentclass": KEEP,
    "outbox.outboxentry": LOOK,
    "grid.premises": KEEP,
    "monitoring.riskfield": KEEP,
    "monitoring.system": ("view", "change"),
    "monitoring.devicekind": KEEP,
    "monitoring.quantity": KEEP,
    "monitoring.device": ("view", "change"),
    "accounts.department": KEEP,
    "calendars.day": EDIT,
    "calendars.dutyperiod": EDIT,
    "calendars.calendaryear": EDIT,
    "calendars.workinghours": EDIT,
    "calendars.hours": EDIT,
    "calendars.post": KEEP,
    "calendars.shift": LOOK,
    "calendars.swap": LOOK,
    "calendars.handover": LOOK,
    "django_celery_beat.periodictask": LOOK,
    "notices.channel": KEEP,
    "notices.ladder": KEEP,
    "notices.rung": EDIT,
    "notices.delivery": ("view", "change"),
    "evidence.photo": ("view", "change"),
    "evidence.trustrule": ("view", "change"),
    "documents.documentkind": KEEP,
    "documents.template": KEEP,
    "documents.number": LOOK,
    "projects.supervisionrule": ("view", "change"),
    "hazards.limitrule": ("view", "change"),
    "hazards.pausecause": KEEP,
    "hazards.indicator": KEEP,
    "hazards.evaluationrule": ("view", "change"),
    "hazards.detector": ("view", "change"),
    "hazards.criterion": KEEP,
    "hazards.listingrule": ("view", "change"),
    "hazards.recheckrule": KEEP,
    "hazards.recheckdraw": LOOK,
    "hazards.signingrule": EDIT,
    "hazards.publicrule": ("view", "change"),
    "hazards.checklist": KEEP,
    "hazards.checkedkind": EDIT,
    "hazards.checklistversion": EDIT,
    "hazards.item": EDIT,
    "hazards.riskrule": EDIT,
    "hazards.riskgrade": ("view", "change"),
    "monitoring.rule": KEEP,
    "monitoring.schedule": KEEP,
    "monitoring.fence": KEEP,
    "monitoring.alarmpolicy": ("view", "change"),
    "monitoring.maintenance": LOOK,
}

PEOPLE = {
    "accounts.user": KEEP,
    "accounts.accesstoken": ("view", "change"),
    "accounts.department": LOOK,
    "axes.accessattempt": ("view", "delete"),  # deleting one ends a lock-out
    "axes.accesslog": LOOK,
    "axes.accessfailurelog": LOOK,
}

AUDIT = ("accounts.exportrecord",)

ADMIN_TABLE: dict[str, dict[str, tuple[str, ...]]] = {
    Role.ADMINISTRATOR: MASTER_DATA,
    Role.SECURITY_OFFICER: PEOPLE,
    # The auditor reads what the other two may touch, every history, and who took lists out; and changes nothing.
    Role.AUDITOR: {name: LOOK for name in [*MASTER_DATA, *PEOPLE, *AUDIT]},
}
HISTORIES = ("history", "event")  # how the tables end that triggers fill


@cache
def role_may(role: str) -> frozenset[str]:
    """Return Django's names of what a role may do in the admin, such as ``grid.change_matter``."""
    return frozenset(
        f"{app}.{verb}_{model}"
        for name, verbs in ADMIN_TABLE.get(role, {}).items()
        for app, model in [name.split(".")]
        for verb in verbs
    )


def may_in_admin(role: str, perm: str) -> bool:
    """Test whether a role has a permission in the admin."""
    if perm in role_may(role):
        return True
    _app, _dot, codename = perm.partition(".")
    return role == Role.AUDITOR and codename.startswith("view_") and codename.endswith(HISTORIES)
