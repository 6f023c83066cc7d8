"""Overdue notices, their steps, and the rules by which they are drafted and pressed: data that cannot lie."""

import uuid
from typing import Any, Self

import pghistory
import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from citysafety.accounts.rights import area_q

from .lifecycle import AWAITS_REPLY, LIVE, NoticeState


class Unit(models.TextChoices):
    """The three units of time limits (GB/T 30428.8)."""

    URGENT_HOURS = "urgent_hours", _("urgent hours")
    WORK_HOURS = "work_hours", _("working hours")
    WORK_DAYS = "work_days", _("working days")


@pghistory.track(
    pghistory.InsertEvent(),
    pghistory.UpdateEvent(),
    pghistory.DeleteEvent(),
    model_name="SupervisionRuleHistory",
    meta={
        "verbose_name": _("change of a rule of supervision"),
        "verbose_name_plural": _("history of rules of supervision"),
    },
)
class SupervisionRule(models.Model):
    """When an overdue hazard is drafted a notice, how long the unit has to answer, and when its silence climbs."""

    severity = models.CharField(
        _("severity"), max_length=8, unique=True, choices=[("general", _("General")), ("major", _("Major"))]
    )
    over_amount = models.PositiveSmallIntegerField(_("drafted when over by"))
    over_unit = models.CharField(_("unit"), max_length=12, choices=Unit)
    reply_amount = models.PositiveSmallIntegerField(_("to be answered within"))
    reply_unit = models.CharField(_("unit"), max_length=12, choices=Unit)
    climb_amount = models.PositiveSmallIntegerField(_("reported to leaders when unanswered for"))
    climb_unit = models.CharField(_("unit"), max_length=12, choices=Unit)
    second_signature = models.BooleanField(_("needs a second signature"), default=False)
    basis = models.CharField(_("legal basis"), max_length=200)
    active = models.BooleanField(_("active"), default=True)

    class Meta:
        ordering = ["severity"]
        verbose_name = _("rule of supervision")
        verbose_name_plural = _("rules of supervision")

    def __str__(self) -> str:
        return self.get_severity_display()


class OverdueNoticeQuerySet(models.QuerySet):
    def live(self) -> Self:
        return self.filter(state__in=sorted(LIVE))

    def awaiting_reply(self) -> Self:
        return self.filter(state__in=sorted(AWAITS_REPLY))

    def visible_to(self, user: Any) -> Self:
        """Supervisors, leaders, auditors: those of their area; others of the area: what was issued; a unit: what was issued to it."""
        match user.role:
            case "supervisor" | "leader" | "auditor":
                return self.filter(area_q(user))
            case "department_handler" | "kiosk":
                own = self.filter(department=user.department_id, issued_at__isnull=False)
                return own if user.department_id else self.none()
        return self.filter(area_q(user), issued_at__isnull=False)


class OverdueNotice(models.Model):
    """One notice to one unit about one overdue hazard. Its paper is a numbered document."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    hazard = models.ForeignKey("hazards.Hazard", models.PROTECT, related_name="notices")
    document = models.OneToOneField("documents.Document", models.PROTECT, related_name="+")
    department = models.ForeignKey("accounts.Department", models.PROTECT, related_name="overdue_notices")
    area_code = models.CharField(max_length=15)
    severity = models.CharField(max_length=8)
    state = models.CharField(_("state"), max_length=9, choices=NoticeState, default=NoticeState.DRAFT)
    version = models.PositiveIntegerField(default=1)
    needs_second = models.BooleanField(default=False)
    rule = models.ForeignKey(SupervisionRule, models.PROTECT, null=True, related_name="+")
    over_s = models.PositiveIntegerField()  # working time over when it was drafted, in the unit of the clock
    over_unit = models.CharField(max_length=12, choices=Unit)
    drafted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )  # none: by rule
    first_signer = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    drafted_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    issued_at = models.DateTimeField(null=True)
    opened_at = models.DateTimeField(null=True)  # by the unit, the first time
    opened_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    reply_due_at = models.DateTimeField(null=True)
    reply_due_reason = models.CharField(max_length=80, blank=True, default="")
    unanswered = models.BooleanField(default=False)  # marked by the sweep once the time to answer has passed
    climbed = models.BooleanField(default=False)  # leaders were told
    period = models.ForeignKey("tallies.Period", models.PROTECT, null=True, related_name="+")

    objects = OverdueNoticeQuerySet.as_manager()

    class Meta:
        verbose_name = _("overdue notice")
        verbose_name_plural = _("overdue notices")
        indexes = [
            models.Index(
                fields=["area_code", "-drafted_at"],
                opclasses=["varchar_pattern_ops", "timestamptz_ops"],
                name="notice_area",
            ),
            models.Index("department", "state", name="notice_department"),
            models.Index("reply_due_at", name="notice_reply", condition=Q(state__in=sorted(AWAITS_REPLY))),
        ]
        constraints = [
            models.UniqueConstraint(
                name="one_live_notice_a_hazard", fields=["hazard"], condition=Q(state__in=sorted(LIVE))
            ),
        ]

    def __str__(self) -> str:
        return str(self.document)


class NoticeStep(models.Model):
    """One row of a notice's history; rows are never changed or deleted."""

    id = models.UUIDField(primary_key=True, editable=False)
    notice = models.ForeignKey(OverdueNotice, models.PROTECT, related_name="steps")
    action = models.CharField(max_length=24)
    source = models.CharField(max_length=9, choices=NoticeState, blank=True, default="")
    target = models.CharField(max_length=9, choices=NoticeState)
    version = models.PositiveIntegerField()
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()
    words = models.TextField(max_length=2000, blank=True, default="")
    basis = models.CharField(max_length=160, blank=True, default="")

    class Meta:
        constraints = [models.UniqueConstraint(name="notice_step_once_a_version", fields=["notice", "version"])]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.notice_id} {self.version} {self.action}"
