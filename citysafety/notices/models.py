"""Notices to people, and what became of each delivery."""

import uuid
from datetime import datetime, timedelta
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

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
    """A way notices leave the house for one person, besides the inbox, which everyone has."""

    class Kind(models.TextChoices):
        EMAIL = "email", _("E-mail")
        WEBHOOK = "webhook", _("Webhook")

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notice_channels", verbose_name=_("user")
    )
    kind = models.CharField(_("kind"), max_length=8, choices=Kind)
    address = models.CharField(_("address"), max_length=300)
    enabled = models.BooleanField(_("in use"), default=True)
    created_at = models.DateTimeField(_("added"), auto_now_add=True)

    class Meta:
        ordering = ["id"]
        verbose_name = _("channel of notices")
        verbose_name_plural = _("channels of notices")
        constraints = [models.UniqueConstraint(fields=["user", "kind", "address"], name="channel_once_per_address")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.address}"


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
