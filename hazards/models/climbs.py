"""Where the escalation ladders of cases stand, and which rungs were taken."""

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from grid.models import Unit

from ..lifecycle import Stage
from .cases import Hazard


class Climb(models.Model):
    """When the ladder of a case is looked at next, and for which rung. A hint: what holds is worked out under the case's lock."""

    hazard = models.OneToOneField(Hazard, on_delete=models.CASCADE, primary_key=True, related_name="climb")
    next_at = models.DateTimeField(null=True)
    order = models.PositiveSmallIntegerField(default=0)
    repeat = models.PositiveSmallIntegerField(default=0)
    target = models.CharField(max_length=24, blank=True, default="")

    class Meta:
        indexes = [models.Index("next_at", name="climb_next", condition=Q(next_at__isnull=False))]

    def __str__(self) -> str:
        return f"{self.hazard_id} {self.order}"


class Climbed(models.Model):
    """A rung that was taken, or passed over and why: once in each run of a clock, whatever the number of sweeps.

    A run of a clock is told by when it first began and by the limit it had: what is extended lawfully climbs anew.
    """

    class Outcome(models.TextChoices):
        TOLD = "told", _("Told")
        SKIPPED = "skipped", _("Passed over: a higher rung was due too")
        NOBODY = "nobody", _("Nobody to tell")

    hazard = models.ForeignKey(Hazard, on_delete=models.PROTECT, related_name="climbed", db_index=False)
    stage = models.CharField(max_length=7, choices=Stage)
    run = models.DateTimeField()
    unit = models.CharField(max_length=12, choices=Unit)
    amount = models.PositiveSmallIntegerField()
    order = models.PositiveSmallIntegerField()
    repeat = models.PositiveSmallIntegerField(default=0)
    reach_s = models.PositiveIntegerField()  # of the clock's unit
    percent = models.PositiveIntegerField()  # of the limit
    due_at = models.DateTimeField()
    at = models.DateTimeField()
    version = models.PositiveIntegerField()  # of the case
    target = models.CharField(max_length=24)
    level = models.PositiveSmallIntegerField()
    outcome = models.CharField(max_length=8, choices=Outcome)
    people = ArrayField(models.BigIntegerField(), default=list)
    nobody = models.CharField(max_length=12, blank=True, default="")  # why nobody was on duty where one asked first
    post_zh = models.CharField(max_length=120, blank=True, default="")  # where
    post_en = models.CharField(max_length=160, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="climbed_once_in_a_run",
                fields=["hazard", "stage", "run", "unit", "amount", "order", "repeat"],
            )
        ]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.hazard_id} {self.stage} {self.order}"


class Followed(models.Model):
    """The one row that knows up to which fact the ladders have followed the cases, and from which case on all are laid anew."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    position = models.BigIntegerField(default=0)
    laid_after = models.UUIDField(null=True)  # none: all are laid

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="followed_is_one_row")]

    def __str__(self) -> str:
        return str(self.position)
