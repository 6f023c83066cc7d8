"""Time limits of a case: its clocks, those that ran out, what was asked of them or done to them, and the rules of that."""

import pghistory
import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from citysafety.names import Named
from grid.models import Unit

from ..lifecycle import Stage
from .cases import Hazard, Severity


class Clock(models.Model):
    """One time limit on one hazard: how much, since when, what was used up before. A case is due when its first one is."""

    hazard = models.ForeignKey(Hazard, on_delete=models.CASCADE, related_name="clocks", db_index=False)
    stage = models.CharField(max_length=7, choices=Stage)
    unit = models.CharField(max_length=12)
    amount = models.PositiveSmallIntegerField()
    started_at = models.DateTimeField()
    stopped_at = models.DateTimeField(null=True)
    consumed_s = models.PositiveIntegerField(default=0)  # of working time, before started_at
    due_at = models.DateTimeField(null=True)
    due_reason = models.CharField(max_length=80, blank=True, default="")
    marked_at = models.DateTimeField(null=True)  # overdue, as the sweep saw it
    ran = ArrayField(
        models.DateTimeField(), null=True
    )  # from, to, from, to … before started_at: what consumed_s sums up
    not_after = models.DateTimeField(null=True)  # the due time of a duplicate that was merged into the case

    class Meta:
        constraints = [models.UniqueConstraint(name="clock_once_a_stage", fields=["hazard", "stage"])]

    def __str__(self) -> str:
        return f"{self.hazard_id} {self.stage}"


class Mark(models.Model):
    """A clock that ran out, as the sweep saw it. A hazard may be marked once in each run of a stage."""

    hazard = models.ForeignKey(Hazard, on_delete=models.PROTECT, related_name="marks", db_index=False)
    stage = models.CharField(max_length=7, choices=Stage)
    version = models.PositiveIntegerField()  # of the hazard, so that any number of sweeps mark it once
    due_at = models.DateTimeField()
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index("at", "hazard", name="mark_of_day")]
        constraints = [
            models.UniqueConstraint(name="mark_once_a_version_and_stage", fields=["hazard", "stage", "version"])
        ]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.hazard_id} {self.stage} overdue"


class PauseCause(Named):
    """A lawful cause to let a clock stand: parked (挂账) what cannot be solved for now, deferred (缓办) what can later."""

    class Kind(models.TextChoices):
        PARKED = "parked", _("Parked")
        DEFERRED = "deferred", _("Deferred")

    code = models.CharField(_("code"), max_length=16, unique=True)
    kind = models.CharField(_("kind"), max_length=8, choices=Kind)
    most_days = models.PositiveSmallIntegerField(_("at most (days)"))
    by_supervisor = models.BooleanField(_("decided by a supervisor"), default=False)
    basis = models.CharField(_("legal basis"), max_length=200, blank=True, default="")
    position = models.PositiveSmallIntegerField(_("order"), default=0)
    active = models.BooleanField(_("active"), default=True)

    class Meta:
        ordering = ["position", "code"]
        verbose_name = _("cause of a pause")
        verbose_name_plural = _("causes of a pause")
        constraints = [models.CheckConstraint(name="pause_lasts_some_days", condition=Q(most_days__gt=0))]


@pghistory.track(
    pghistory.InsertEvent(),
    pghistory.UpdateEvent(),
    pghistory.DeleteEvent(),
    model_name="LimitRuleHistory",
    meta={"verbose_name": _("change of a rule of limits"), "verbose_name_plural": _("history of rules of limits")},
)
class LimitRule(models.Model):
    """How far the time limits of a severity may be changed: extensions, and what a leader sets."""

    severity = models.CharField(_("severity"), max_length=8, unique=True, choices=Severity)
    most_extensions = models.PositiveSmallIntegerField(_("extensions of a stage at most"))
    most_percent = models.PositiveSmallIntegerField(
        _("at most (percent)"), help_text=_("What one extension may add, of the limit that the matter sets.")
    )
    pin_amount = models.PositiveSmallIntegerField(_("limit set by a leader"))
    pin_unit = models.CharField(_("unit"), max_length=12, choices=Unit)
    pin_weight = models.PositiveSmallIntegerField(_("counts so many times"), default=2)
    basis = models.CharField(_("legal basis"), max_length=200)
    active = models.BooleanField(_("active"), default=True)

    class Meta:
        ordering = ["severity"]
        verbose_name = _("rule of limits")
        verbose_name_plural = _("rules of limits")
        constraints = [models.CheckConstraint(name="pin_gives_some_time", condition=Q(pin_amount__gt=0))]

    def __str__(self) -> str:
        return self.get_severity_display()


class ClockChange(models.Model):
    """What was asked of a clock or done to it, with the figures: the words and the order of things are in the steps."""

    class Kind(models.TextChoices):
        EXTENSION = "extension", _("Extension")
        PAUSE = "pause", _("Pause")
        PIN = "pin", _("Set by a leader")
        MATTER = "matter", _("Change of matter")

    hazard = models.ForeignKey(Hazard, on_delete=models.PROTECT, related_name="clock_changes", db_index=False)
    kind = models.CharField(max_length=9, choices=Kind)
    stage = models.CharField(max_length=7, choices=Stage)
    unit = models.CharField(max_length=12, choices=Unit, blank=True, default="")
    amount = models.PositiveSmallIntegerField(null=True)  # asked for
    granted = models.PositiveSmallIntegerField(null=True)
    cause = models.ForeignKey(PauseCause, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    until = models.DateTimeField(null=True)
    words = models.TextField(max_length=2000, blank=True, default="")
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    asked_at = models.DateTimeField()
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    decided_at = models.DateTimeField(null=True)  # none: not yet, or the work was done before anybody decided
    is_granted = models.BooleanField(null=True)
    ended_at = models.DateTimeField(
        null=True
    )  # of a pause or a leader's limit; of a request that nobody needs any more

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="one_open_request_of_a_kind",
                fields=["hazard", "kind"],
                condition=Q(decided_at__isnull=True, ended_at__isnull=True),
            )
        ]
        indexes = [
            models.Index("hazard", name="clock_change_hazard"),
            models.Index("decided_at", "hazard", name="pause_granted", condition=Q(kind="pause", is_granted=True)),
        ]

    def __str__(self) -> str:
        return f"{self.hazard_id} {self.kind}"
