"""Reads of monitoring that span tables or feed a screen."""

from datetime import datetime
from typing import Any

from django.db.models import Count, Max, Q, QuerySet, UUIDField
from django.db.models.functions import Cast

from citysafety.tallies import selectors as tallies

from .models import Alarm, AlarmStep, Maintenance, Shelving, System

USUAL_DAYS = 365

RELATED = (
    "rule__matter", "device__kind__system", "datastream__quantity", "department", "assigned_to", "cell", "hazard",
)  # fmt: skip
NOT_SAID = (
    "cell__geometry", "cell__mercator", "cell__centre", "hazard__location", "hazard__party_users",
    "hazard__party_departments", "device__location", "device__options", "rule__settings",
)  # fmt: skip


def alarms_seen_by(user: Any) -> QuerySet[Alarm]:
    """Return the alarms a person may see, with what a row shows. Queries: 1, however many rows."""
    return named(Alarm.objects.visible_to(user))


def named(rows: QuerySet[Alarm]) -> QuerySet[Alarm]:
    """Return alarms with what they name."""
    return rows.select_related(*RELATED).defer(*NOT_SAID)


def history(alarm: Alarm) -> QuerySet[AlarmStep]:
    """Return the rows of an alarm's history, oldest first. Queries: 1."""
    return AlarmStep.objects.filter(alarm=alarm).select_related("actor").order_by("version")


def pinned(rows: QuerySet[Alarm], *, figure: str, area: str, at: int | None) -> QuerySet[Alarm]:
    """Keep the alarms that a figure counted at a position: its list."""
    members = tallies.members("alarm", figure, area, at)
    return rows.filter(pk__in=members.annotate(alarm_id=Cast("subject_id", UUIDField())).values("alarm_id"))


def open_counts(user: Any) -> dict[str, int]:
    """Count the open alarms that a person may see: heard by level, quiet, flapping. Queries: 1."""
    heard = Q(quiet="")
    levels = {f"n_level_{n}": Count("pk", filter=heard & Q(level=n)) for n in (1, 2, 3, 4)}
    return (
        Alarm.objects.visible_to(user)
        .open()
        .aggregate(
            n_heard=Count("pk", filter=heard),
            n_quiet=Count("pk", filter=~heard),
            n_unseen=Count("pk", filter=heard & Q(state__in=("unack", "rtnun"))),
            n_flapping=Count("pk", filter=heard & Q(flapping=True)),
            **levels,
        )
    )


def shelving_of(alarm: Alarm) -> Shelving | None:
    """Return the shelving in force of an alarm's rule and subject. Queries: 1."""
    rows = Shelving.objects.filter(rule=alarm.rule_id, subject=alarm.subject, ended_at=None)
    return rows.select_related("by").first()


def maintenance_of(alarm: Alarm, at: datetime) -> Maintenance | None:
    """Return works that keep an alarm quiet now. Queries: 1."""
    area, kind = alarm.device.area_code, alarm.device.kind_id
    rows = Maintenance.objects.in_force(at).filter(Q(kind=None) | Q(kind=kind)).select_related("by")
    return next((one for one in rows if area.startswith(one.area_code)), None)


def longest_kept() -> int:
    """Return for how many days readings stay, as the most patient system wants it. Queries: 1."""
    return System.objects.aggregate(most=Max("keep_days"))["most"] or USUAL_DAYS
