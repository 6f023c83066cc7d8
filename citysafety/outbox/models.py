"""Rows of the outbox: facts with their positions, the head of the row, and receipts of repeated requests."""

from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class OutboxEntry(models.Model):
    """One fact. Written with its change; the relay deals its position, without gaps, after commit."""

    id = models.BigAutoField(primary_key=True)
    topic = models.CharField(_("topic"), max_length=60)
    area_code = models.CharField(_("area"), max_length=15)
    extra_area = models.CharField(max_length=15, default="", db_default="")  # a dedicated cell that hears of it too
    kind = models.CharField(_("kind"), max_length=30)
    subject_id = models.CharField(_("subject"), max_length=64)
    live = models.JSONField(_("what screens are told"), encoder=DjangoJSONEncoder)
    payload = models.JSONField(_("what listeners are told"), encoder=DjangoJSONEncoder, default=dict)
    at = models.DateTimeField(_("happened"), db_default=Now())
    position = models.BigIntegerField(_("position"), null=True, unique=True)
    relayed_at = models.DateTimeField(_("relayed"), null=True)
    failed = models.BooleanField(_("a listener failed"), default=False)

    class Meta:
        verbose_name = _("fact")
        verbose_name_plural = _("facts")
        indexes = [
            models.Index("id", name="outbox_waiting", condition=Q(position=None)),
            models.Index("kind", "subject_id", name="outbox_subject"),
            models.Index("position", name="outbox_failed", condition=Q(failed=True)),
        ]

    def __str__(self) -> str:
        return f"{self.position or '–'} {self.topic} {self.subject_id}"

    def item(self) -> dict[str, Any]:
        """Return what screens are told of this fact: wall-safe, no personal data."""
        return {"position": self.position, **self.live, "at": self.at.isoformat()}


class Head(models.Model):
    """The one row that knows the last position dealt; locked by whoever deals, so pruning cannot bring one back."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    position = models.BigIntegerField(default=0)
    as_of = models.DateTimeField(db_default=Now())  # of that position, by the database clock
    beat_at = models.DateTimeField(null=True)  # the relay was alive then
    worked_at = models.DateTimeField(db_default=Now())  # beat and a worker last did periodic work; at first: not yet

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="head_is_one_row")]

    def __str__(self) -> str:
        return f"{self.position} as of {self.as_of}"


class Receipt(models.Model):
    """The answer that a request was given, kept under the id the client made, for its repeats."""

    id = models.UUIDField(primary_key=True)
    account_id = models.BigIntegerField()
    fingerprint = models.CharField(max_length=64)
    status = models.SmallIntegerField(default=0)
    answer = models.JSONField(encoder=DjangoJSONEncoder, default=dict)
    at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return str(self.id)
