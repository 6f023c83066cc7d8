"""Readings and fixes: days of rows as they were measured, the latest of each, and sums by minute, hour and day.

Three times stand beside each other: when it was measured (the device's clock), when it was received (ours), and
when it was stored. Readings and fixes are cut into days by when they were measured (`monitoring.partitions`); the
unique keys make a repeat one row.
"""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Quality(models.TextChoices):
    """Whether a value says what was measured; HJ 212-2017's flags and OPC UA's status come to these."""

    GOOD = "g", _("Good")
    DOUBTFUL = "d", _("Doubtful")  # over the range, calibrating, maintained, set by hand
    BAD = "b", _("Bad")  # a fault, or no connection behind the device


class Reading(models.Model):
    """One value of one datastream. Key: (datastream, measured_at, value)."""

    pk = models.CompositePrimaryKey("datastream_id", "measured_at", "value")
    datastream = models.ForeignKey("monitoring.Datastream", models.DO_NOTHING, related_name="readings")
    measured_at = models.DateTimeField(_("measured at"))
    value = models.FloatField(_("value"))
    quality = models.CharField(_("quality"), max_length=1, choices=Quality)
    late = models.BooleanField(_("late"), default=False)  # older than one that was taken before: it raised nothing
    received_at = models.DateTimeField(_("received at"))
    stored_at = models.DateTimeField(_("stored at"))

    class Meta:
        managed = False
        db_table = "monitoring_reading"
        verbose_name = _("reading")
        verbose_name_plural = _("readings")

    def __str__(self) -> str:
        return f"{self.datastream_id} {self.measured_at} {self.value}"


class Fix(models.Model):
    """One position of a device that moves. Key: (device, measured_at, digest of what it sent)."""

    pk = models.CompositePrimaryKey("device_id", "measured_at", "digest")
    device = models.ForeignKey("monitoring.Device", models.DO_NOTHING, related_name="fixes")
    measured_at = models.DateTimeField(_("measured at"))
    digest = models.BigIntegerField()
    lon = models.FloatField(null=True)  # WGS 84; none while it has no position
    lat = models.FloatField(null=True)
    speed_kmh = models.FloatField(_("speed (km/h)"), null=True)
    course = models.SmallIntegerField(_("course (°)"), null=True)
    flags = models.BigIntegerField(default=0)
    alarms = models.BigIntegerField(default=0)
    late = models.BooleanField(_("late"), default=False)
    received_at = models.DateTimeField(_("received at"))
    stored_at = models.DateTimeField(_("stored at"))

    class Meta:
        managed = False
        db_table = "monitoring_fix"
        verbose_name = _("position")
        verbose_name_plural = _("positions")

    def __str__(self) -> str:
        return f"{self.device_id} {self.measured_at}"


class Latest(models.Model):
    """The newest value of a datastream by the device's clock; late values do not touch it."""

    datastream = models.OneToOneField("monitoring.Datastream", models.CASCADE, primary_key=True, related_name="latest")
    measured_at = models.DateTimeField(_("measured at"))
    value = models.FloatField(_("value"))
    quality = models.CharField(_("quality"), max_length=1, choices=Quality)
    received_at = models.DateTimeField(_("received at"))

    def __str__(self) -> str:
        return f"{self.datastream_id} {self.value}"


class Rollup(models.Model):
    """What a datastream came to in a minute, an hour or a day of the city; made anew when late values arrive."""

    class Span(models.TextChoices):
        MINUTE = "m", _("Minute")
        HOUR = "h", _("Hour")
        DAY = "d", _("Day")

    pk = models.CompositePrimaryKey("datastream_id", "span", "begins_at")
    datastream = models.ForeignKey("monitoring.Datastream", models.CASCADE, related_name="rollups", db_index=False)
    span = models.CharField(max_length=1, choices=Span)
    begins_at = models.DateTimeField()
    count = models.PositiveIntegerField()  # of good and doubtful values
    least = models.FloatField()
    most = models.FloatField()
    total = models.FloatField()

    def __str__(self) -> str:
        return f"{self.datastream_id} {self.span} {self.begins_at}"


class RollupMark(models.Model):
    """Up to when stored readings are in the sums; one row."""

    stored_until = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(name="rollup_mark_one_row", condition=models.Q(pk=1))]

    def __str__(self) -> str:
        return f"{self.stored_until}"
