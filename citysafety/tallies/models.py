"""Periods of subjects and the tallies folded from them, both by position of the news."""

from datetime import date

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

OPEN = 2**62  # "until" of what still lasts
UNIT = "@"  # before the code of a department, in the place of a category
NO_DAY = date.min  # "day" of a figure of the moment; a real value, so that equality finds it by index


class Period(models.Model):
    """What one subject was, from one position to before another: its share in the figures.

    Written by the transaction of the change with ``since`` empty; the relay's fold
    sets ``since`` and the ``until`` of the period before when it deals the position.
    """

    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(_("kind"), max_length=30)
    subject_id = models.CharField(_("subject"), max_length=64)
    # The fact may be pruned after ninety days, the period stays: hence no constraint.
    entry = models.ForeignKey(
        "outbox.OutboxEntry", models.DO_NOTHING, null=True, db_constraint=False, db_index=False, related_name="+"
    )
    previous = models.ForeignKey("self", models.DO_NOTHING, null=True, db_index=False, related_name="+")
    since = models.BigIntegerField(null=True)
    until = models.BigIntegerField(default=OPEN, db_default=OPEN)
    day = models.DateField(_("day"))
    area = models.CharField(_("area"), max_length=15)
    extra_area = models.CharField(max_length=15, default="", db_default="")
    category = models.CharField(_("category"), max_length=60, default="", db_default="")
    unit = models.CharField(_("department"), max_length=32, default="", db_default="")
    state = models.CharField(_("state"), max_length=30, default="", db_default="")
    now = ArrayField(models.CharField(max_length=60), default=list, db_default=[])
    today = ArrayField(models.CharField(max_length=60), default=list, db_default=[])
    amounts = models.JSONField(default=dict, db_default={})

    class Meta:
        verbose_name = _("period")
        verbose_name_plural = _("periods")
        indexes = [
            models.Index("entry", name="period_waiting", condition=Q(since=None)),
            models.Index(
                fields=["kind", "subject_id", "since"],
                opclasses=["varchar_pattern_ops", "varchar_pattern_ops", "int8_ops"],  # compared as bytes
                name="period_subject",
            ),
            models.Index("since", name="period_since"),
            models.Index(
                fields=["kind", "area"],
                opclasses=["varchar_ops", "varchar_pattern_ops"],
                name="period_counting",
                condition=Q(until=OPEN) & ~Q(now=[]),
            ),
            models.Index(fields=["kind", "extra_area"], name="period_extra", condition=~Q(extra_area="")),
            models.Index(fields=["until"], name="period_ended", condition=Q(until__lt=OPEN)),
            models.Index(
                fields=["kind", "day", "area"],
                opclasses=["varchar_ops", "date_ops", "varchar_pattern_ops"],
                name="period_of_day",
                condition=~Q(today=[]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject_id} {self.state} [{self.since}, {self.until})"


class Tally(models.Model):
    """One figure of one area, category and day, valid from one position to before another. Zero is no row.

    ``category`` is a class of subjects, or ``@`` and the code of the department that answers; "" is all of them.
    """

    id = models.BigAutoField(primary_key=True)
    figure = models.CharField(max_length=60)
    area = models.CharField(max_length=15)
    category = models.CharField(max_length=60, default="", db_default="")
    day = models.DateField(default=NO_DAY)
    value = models.DecimalField(max_digits=24, decimal_places=4)
    since = models.BigIntegerField()
    until = models.BigIntegerField(default=OPEN, db_default=OPEN)

    class Meta:
        verbose_name = _("tally")
        verbose_name_plural = _("tallies")
        constraints = [
            models.UniqueConstraint(
                # In the order of trends: all that is kept of an area, day after day.
                fields=["area", "day", "category", "figure"],
                opclasses=["varchar_pattern_ops", "date_ops", "varchar_pattern_ops", "varchar_pattern_ops"],
                condition=Q(until=OPEN),
                name="tally_open",
            )
        ]
        indexes = [
            models.Index(
                fields=["figure", "category", "day", "area", "since"],
                opclasses=["varchar_pattern_ops", "varchar_pattern_ops", "date_ops", "varchar_pattern_ops", "int8_ops"],
                name="tally_version",
            ),
            models.Index("until", name="tally_closed", condition=Q(until__lt=OPEN)),
        ]

    def __str__(self) -> str:
        return f"{self.figure} {self.area} {self.category} {self.value}"


class Fold(models.Model):
    """A position up to which everything is folded, and when it was dealt; the oldest is the oldest readable."""

    position = models.BigIntegerField(primary_key=True)
    as_of = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.position} as of {self.as_of}"
