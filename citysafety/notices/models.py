"""Notices to people, what became of each delivery, and the ladders by which they rise when nobody acts."""

import uuid
from datetime import datetime, timedelta
from typing import Any, Self

import pghistory
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from citysafety.accounts.models import Department

from .kinds import labels

LEASE = timedelta(seconds=150)  # longer than a task may live (CELERY_TASK_TIME_LIMIT): then its worker is dead
ATTEMPTS = 6


class NoticeQuerySet(models.QuerySet):
    def unread(self) -> Self:
        return self.filter(read_at=None)


class Notice(models.Model):
    """One piece of news for one person: topic and parameters, put into words in the reader's language."""

    recipient = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notices")
    topic = models.CharField(_("topic"), max_length=60)
    kind = models.CharField(_("kind of record"), max_length=20, blank=True, default="")
    subject_id = models.CharField(_("record"), max_length=64, blank=True, default="")
    params = models.JSONField(default=dict)
    level = models.PositiveSmallIntegerField(_("level"), null=True, blank=True)
    source_key = models.CharField(max_length=160, help_text=_("What it was written for; the same source writes once."))
    created_at = models.DateTimeField(_("written"))
    read_at = models.DateTimeField(_("read"), null=True, blank=True)
    signed_at = models.DateTimeField(_("signed for"), null=True, blank=True)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name = _("notice")
        verbose_name_plural = _("notices")
        constraints = [
            models.UniqueConstraint(fields=["source_key", "recipient"], name="notice_once_per_source_and_recipient"),
            models.CheckConstraint(
                condition=Q(level=None) | Q(level__range=(1, 4)), name="notice_level_is_one_of_four"
            ),
        ]
        indexes = [
            models.Index("recipient", F("id").desc(), name="notice_inbox"),
            models.Index("recipient", name="notice_unread", condition=Q(read_at=None)),
        ]

    def __str__(self) -> str:
        return f"{self.topic} #{self.pk}"


class Channel(models.Model):
    """A way notices leave the house besides the inbox: one person's, or the group robot of a department or an area."""

    class Kind(models.TextChoices):
        EMAIL = "email", _("E-mail")
        WEBHOOK = "webhook", _("Webhook")
        PUSH = "push", _("Push to a device")
        WECOM = "wecom", _("WeCom robot")
        DINGTALK = "dingtalk", _("DingTalk robot")
        SMS = "sms", _("Text message")

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="notice_channels",
        verbose_name=_("user"),
        null=True,
        blank=True,
    )
    department = models.ForeignKey(
        Department,
        on_delete=models.CASCADE,
        related_name="notice_channels",
        verbose_name=_("department"),
        null=True,
        blank=True,
        help_text=_("Of a group robot: it hears of the cases of this department alone."),
    )
    area_code = models.CharField(
        _("area"),
        max_length=15,
        blank=True,
        default="",
        help_text=_("Of a group robot: it hears of cases in this area."),
    )
    kind = models.CharField(_("kind"), max_length=8, choices=Kind)
    address = models.CharField(_("address"), max_length=500)
    keys = models.JSONField(default=dict, blank=True, editable=False)  # of a device; a robot's secret
    enabled = models.BooleanField(_("in use"), default=True)
    created_at = models.DateTimeField(_("added"), auto_now_add=True)

    class Meta:
        ordering = ["id"]
        verbose_name = _("channel of notices")
        verbose_name_plural = _("channels of notices")
        constraints = [
            models.UniqueConstraint(fields=["user", "kind", "address"], name="channel_once_per_address"),
            models.CheckConstraint(
                name="channel_of_a_person_or_a_group",
                condition=(Q(user__isnull=False) & Q(department=None, area_code=""))
                | (Q(user=None) & (Q(department__isnull=False) | ~Q(area_code=""))),
            ),
        ]
        indexes = [models.Index("area_code", "department", name="channel_robots", condition=Q(user=None))]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.shown}"

    @property
    def shown(self) -> str:
        """Return the address without what is a key in it: a device's and a robot's is one."""
        if self.kind in (self.Kind.PUSH, self.Kind.WECOM, self.Kind.DINGTALK):
            host = self.address.partition("://")[2].partition("/")[0]
            return f"{host} …{self.address[-6:]}"
        return self.address

    def clean(self) -> None:
        if bool(self.user_id) == bool(self.department_id or self.area_code):
            raise ValidationError(_("Give either a person, or the department or area of a group robot."))


class DeliveryQuerySet(models.QuerySet):
    def due(self, at: datetime) -> Self:
        """Waiting, not claimed by a worker that may still live, and not before its next try."""
        return self.filter(
            Q(claimed_at=None) | Q(claimed_at__lt=at - LEASE), sent_at=None, parked_at=None, next_try_at__lte=at
        )


class Delivery(models.Model):
    """One notice on its way through one channel. ``id`` goes along, so that a receiver can tell a repeat."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    notice = models.ForeignKey(Notice, on_delete=models.CASCADE, related_name="deliveries", verbose_name=_("notice"))
    channel = models.ForeignKey(
        Channel, on_delete=models.CASCADE, related_name="deliveries", verbose_name=_("channel of notices")
    )
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    next_try_at = models.DateTimeField(_("next try"))
    claimed_at = models.DateTimeField(_("claimed"), null=True, blank=True)
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)
    delivered_at = models.DateTimeField(_("delivered"), null=True, blank=True)  # the receiver said that it has it
    opened_at = models.DateTimeField(_("opened"), null=True, blank=True)
    receipt_at = models.DateTimeField(_("signed for"), null=True, blank=True)
    parked_at = models.DateTimeField(_("parked"), null=True, blank=True)
    reason = models.CharField(_("why it failed"), max_length=300, blank=True, default="")

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        ordering = ["-next_try_at"]
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        constraints = [models.UniqueConstraint(fields=["notice", "channel"], name="delivery_once_per_channel")]
        indexes = [
            models.Index("next_try_at", name="delivery_waiting", condition=Q(sent_at=None, parked_at=None)),
        ]

    def __str__(self) -> str:
        return str(self.pk)


@pghistory.track(
    pghistory.InsertEvent(),
    pghistory.UpdateEvent(),
    pghistory.DeleteEvent(),
    model_name="LadderHistory",
    meta={"verbose_name": _("change of a ladder"), "verbose_name_plural": _("history of ladders")},
)
class Ladder(models.Model):
    """Who is told when the time of a case runs and nobody acts (逐级上报), for one kind of case, severity and clock."""

    kind = models.CharField(_("kind of record"), max_length=20)
    severity = models.CharField(_("severity"), max_length=16, blank=True, default="", help_text=_("Empty: any."))
    stage = models.CharField(
        _("clock"), max_length=16, blank=True, default="", help_text=_("Empty: any that has no ladder of its own.")
    )
    basis = models.CharField(_("legal basis"), max_length=200)
    active = models.BooleanField(_("active"), default=True)

    class Meta:
        ordering = ["kind", "severity", "stage"]
        verbose_name = _("escalation ladder")
        verbose_name_plural = _("escalation ladders")
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "severity", "stage"], name="one_ladder_in_force", condition=Q(active=True)
            )
        ]

    def __str__(self) -> str:
        return " · ".join(part for part in labels(self.kind, self.severity, self.stage) if part)


def _channels() -> list[str]:
    return [Channel.Kind.EMAIL.value, Channel.Kind.WEBHOOK.value, Channel.Kind.PUSH.value, Channel.Kind.SMS.value]


@pghistory.track(
    pghistory.InsertEvent(),
    pghistory.UpdateEvent(),
    pghistory.DeleteEvent(),
    model_name="RungHistory",
    meta={"verbose_name": _("change of a rung"), "verbose_name_plural": _("history of rungs")},
)
class Rung(models.Model):
    """One step of a ladder: after which share of the limit, or how far over it, who is told, and how often."""

    ladder = models.ForeignKey(
        Ladder, on_delete=models.CASCADE, related_name="rungs", verbose_name=_("escalation ladder")
    )
    order = models.PositiveSmallIntegerField(_("order"))
    percent = models.PositiveSmallIntegerField(
        _("after (percent of the limit)"),
        null=True,
        blank=True,
        validators=[MinValueValidator(50), MaxValueValidator(300)],
    )
    over_hours = models.PositiveSmallIntegerField(
        _("or over by (hours)"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("Hours of the clock's own unit; a working day has eight."),
    )
    target = models.CharField(_("whom to tell"), max_length=24)
    level = models.PositiveSmallIntegerField(
        _("level"), default=3, validators=[MinValueValidator(1), MaxValueValidator(4)]
    )
    channels = ArrayField(
        models.CharField(max_length=8),
        verbose_name=_("also by"),
        default=_channels,
        blank=True,
        help_text=_("Besides the inbox: those of these that each person uses."),
    )
    robots = models.BooleanField(_("also to group robots"), default=False)
    repeat_hours = models.PositiveSmallIntegerField(_("again every (hours)"), null=True, blank=True)
    repeat_most = models.PositiveSmallIntegerField(
        _("again at most (times)"), default=0, validators=[MaxValueValidator(20)]
    )

    class Meta:
        ordering = ["order"]
        verbose_name = _("rung")
        verbose_name_plural = _("rungs")
        constraints = [
            models.UniqueConstraint(
                fields=["ladder", "order"], name="rung_once_in_order", deferrable=models.Deferrable.DEFERRED
            ),
            models.CheckConstraint(
                name="rung_has_one_moment",
                condition=Q(percent__isnull=False, percent__range=(50, 300), over_hours=None)
                | Q(percent=None, over_hours__isnull=False, over_hours__gt=0),
            ),
            models.CheckConstraint(name="rung_level_is_one_of_four", condition=Q(level__range=(1, 4))),
            models.CheckConstraint(
                name="rung_repeats_after_some_time",
                condition=Q(repeat_hours=None, repeat_most=0)
                | Q(repeat_hours__isnull=False, repeat_hours__gt=0, repeat_most__range=(1, 20)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.order} · {self.percent} %" if self.percent else f"{self.order} · + {self.over_hours} h"

    def clean(self) -> None:
        errors: dict[str, Any] = {}
        if (self.percent is None) == (self.over_hours is None):
            errors["percent"] = _("Give either a share of the limit (50 to 300 percent) or the hours over it.")
        if bool(self.repeat_hours) != bool(self.repeat_most):
            errors["repeat_hours"] = _("A repeat needs both: every how many hours, and how many times at most.")
        if errors:
            raise ValidationError(errors)
