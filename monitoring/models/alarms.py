"""Alarms and their steps; what keeps them quiet: shelving, maintenance, storms."""

from typing import Any, Self

import pgtrigger
from django.conf import settings
from django.contrib.gis.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from grid.models.places import prefix_index

from ..lifecycle import OPEN, STANDING, AlarmState


class Level(models.IntegerChoices):
    """Four levels, I the gravest; coloured red, orange, yellow and blue (《突发事件应对法》 art. 63)."""

    I = 1, _("Level I")  # noqa: E741  the law's numeral
    II = 2, _("Level II")
    III = 3, _("Level III")
    IV = 4, _("Level IV")


class AlarmPolicy(models.Model):
    """How the city deals with many alarms; one row."""

    storm_from = models.PositiveSmallIntegerField(
        _("a storm from (alarms)"), default=10, help_text=_("So many alarms of one cell are told as one.")
    )
    storm_within_s = models.PositiveIntegerField(_("within (s)"), default=600)
    most_per_10_min = models.PositiveSmallIntegerField(
        _("most alarms of a desk in 10 minutes"),
        default=10,
        help_text=_("More than a person can follow (EEMUA 191, 3rd edition)."),
    )

    class Meta:
        verbose_name = _("policy of alarms")
        verbose_name_plural = _("policy of alarms")
        constraints = [models.CheckConstraint(name="alarm_policy_one_row", condition=Q(pk=1))]

    def __str__(self) -> str:
        return str(self._meta.verbose_name)

    @classmethod
    def present(cls) -> "AlarmPolicy":
        """Return the policy in force. Queries: 1, 2 when it is made."""
        return cls.objects.get_or_create(pk=1)[0]


class Storm(models.Model):
    """Many alarms of one cell within minutes: told as one."""

    cell = models.ForeignKey("grid.Cell", models.PROTECT, null=True, related_name="+")
    area_code = models.CharField(max_length=15)
    began_at = models.DateTimeField()
    last_at = models.DateTimeField()
    count = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("storm of alarms")
        verbose_name_plural = _("storms of alarms")
        indexes = [models.Index(fields=["area_code", "-last_at"], name="storm_of_area")]

    def __str__(self) -> str:
        return f"{self.area_code} {self.began_at}"


class AlarmQuerySet(models.QuerySet):
    """Words to ask alarms with."""

    def open(self) -> Self:
        return self.filter(state__in=sorted(OPEN))

    def standing(self) -> Self:
        """Those whose condition holds."""
        return self.filter(state__in=sorted(STANDING))

    def counted(self) -> Self:
        """Open, and neither shelved nor in maintenance nor out of service: what the figures count."""
        return self.open().filter(quiet="")

    def visible_to(self, user: Any) -> Self:
        """Those of one's area; handlers: those that their department answers for or that are assigned to it."""
        if user.role == "department_handler":
            return self.filter(Q(department=user.department_id) | Q(assigned_to=user.department_id))
        return self.filter(area_code__startswith=user.area_code) if user.area_code else self.none()


class Alarm(models.Model):
    """A condition that asks for somebody: what a rule saw on a device, from its raising to its end."""

    class Quiet(models.TextChoices):
        """Why an open alarm makes no noise."""

        SHELVED = "shelved", _("Shelved")
        MAINTENANCE = "maintenance", _("In maintenance")
        OUT_OF_SERVICE = "service", _("Out of service")

    class Verdict(models.TextChoices):
        REAL = "real", _("Real")
        FALSE = "false", _("False alarm")

    id = models.UUIDField(primary_key=True, editable=False)
    number = models.CharField(_("number"), max_length=24, unique=True)
    rule = models.ForeignKey("monitoring.Rule", models.PROTECT, related_name="alarms", verbose_name=_("rule"))
    device = models.ForeignKey("monitoring.Device", models.PROTECT, related_name="alarms", verbose_name=_("device"))
    datastream = models.ForeignKey(
        "monitoring.Datastream", models.PROTECT, null=True, related_name="alarms", db_index=False
    )
    fence = models.ForeignKey("monitoring.Fence", models.PROTECT, null=True, related_name="alarms", db_index=False)
    subject = models.CharField(max_length=64)  # of what the rule is about: one open alarm for each
    level = models.PositiveSmallIntegerField(_("level"), choices=Level)
    worst = models.PositiveSmallIntegerField(_("gravest level"), choices=Level)
    state = models.CharField(_("state"), max_length=5, choices=AlarmState, default=AlarmState.UNACKNOWLEDGED)
    version = models.PositiveIntegerField(_("version"), default=1)
    quiet = models.CharField(_("quiet"), max_length=11, choices=Quiet, blank=True, default="")
    verdict = models.CharField(_("verdict"), max_length=5, choices=Verdict, blank=True, default="")
    zone = models.PositiveSmallIntegerField(default=0)
    value = models.FloatField(_("value"), null=True)  # that raised it
    limit = models.FloatField(_("limit"), null=True)
    peak = models.FloatField(_("furthest value"), null=True)
    location = models.PointField(_("place"), srid=4326, null=True, spatial_index=False)
    cell = models.ForeignKey("grid.Cell", models.PROTECT, null=True, related_name="alarms", db_index=False)
    area_code = models.CharField(_("area"), max_length=15)
    department = models.ForeignKey(
        "accounts.Department", models.PROTECT, null=True, related_name="alarms", verbose_name=_("department in charge")
    )
    assigned_to = models.ForeignKey(
        "accounts.Department", models.PROTECT, null=True, related_name="+", verbose_name=_("assigned to")
    )
    measured_at = models.DateTimeField(_("measured at"))  # by the device's clock
    raised_at = models.DateTimeField(_("raised at"))  # ours
    returned_at = models.DateTimeField(_("returned at"), null=True)
    acknowledged_at = models.DateTimeField(_("acknowledged at"), null=True)
    over_at = models.DateTimeField(_("over at"), null=True)
    changed_at = models.DateTimeField(_("changed at"))
    times = models.PositiveIntegerField(_("times"), default=1)  # raised again while it was open
    flaps = models.PositiveSmallIntegerField(default=0)  # of the present window
    flaps_since = models.DateTimeField(null=True)
    flapping = models.BooleanField(_("flapping"), default=False)
    storm = models.ForeignKey(Storm, models.SET_NULL, null=True, related_name="alarms")
    hazard = models.ForeignKey("hazards.Hazard", models.PROTECT, null=True, related_name="alarms")
    period = models.ForeignKey("tallies.Period", models.PROTECT, null=True, related_name="+", db_index=False)

    objects = AlarmQuerySet.as_manager()

    class Meta:
        verbose_name = _("alarm")
        verbose_name_plural = _("alarms")
        indexes = [
            models.Index(
                fields=["area_code", "-raised_at"],
                opclasses=["varchar_pattern_ops", "timestamptz_ops"],
                name="alarm_area",
            ),
            models.Index(fields=["-raised_at", "id"], name="alarm_newest"),
            models.Index(fields=["level", "-raised_at"], name="alarm_open", condition=~Q(state=AlarmState.OVER)),
            models.Index(fields=["rule", "-raised_at"], name="alarm_of_rule"),
            models.Index(fields=["cell", "-raised_at"], name="alarm_of_cell"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["rule", "subject"], name="alarm_open_once", condition=~Q(state=AlarmState.OVER)
            ),
            models.CheckConstraint(
                name="alarm_over_when", condition=Q(state=AlarmState.OVER, over_at__isnull=False)
                | (~Q(state=AlarmState.OVER) & Q(over_at__isnull=True)),
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.number

    @property
    def is_open(self) -> bool:
        return self.state in OPEN


class AlarmStep(models.Model):
    """One row of an alarm's history. Rows are never changed or deleted."""

    id = models.UUIDField(primary_key=True, editable=False)
    alarm = models.ForeignKey(Alarm, models.PROTECT, related_name="steps", db_index=False)
    action = models.CharField(max_length=16)
    source = models.CharField(max_length=5, choices=AlarmState, blank=True, default="")
    target = models.CharField(max_length=5, choices=AlarmState)
    version = models.PositiveIntegerField()
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", db_index=False)
    at = models.DateTimeField()
    words = models.TextField(max_length=2000, blank=True, default="")
    said = models.JSONField(default=dict, blank=True)  # value, level, until: what the step brought

    class Meta:
        constraints = [models.UniqueConstraint(fields=["alarm", "version"], name="alarm_step_once_a_version")]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.alarm_id} {self.version} {self.action}"


class Shelving(models.Model):
    """A subject of a rule that is not to be heard until a moment, for a reason (ISA-18.2, 11.7)."""

    rule = models.ForeignKey("monitoring.Rule", models.CASCADE, related_name="shelvings")
    subject = models.CharField(max_length=64)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False)
    reason = models.CharField(_("reason"), max_length=500)
    began_at = models.DateTimeField(_("from"))
    until = models.DateTimeField(_("until"))
    ended_at = models.DateTimeField(_("ended at"), null=True)

    class Meta:
        verbose_name = _("shelving")
        verbose_name_plural = _("shelvings")
        constraints = [
            models.UniqueConstraint(
                fields=["rule", "subject"], name="shelving_in_force_once", condition=Q(ended_at__isnull=True)
            ),
            models.CheckConstraint(name="shelving_ends_after_it_began", condition=Q(until__gt=models.F("began_at"))),
        ]

    def __str__(self) -> str:
        return f"{self.rule_id} {self.subject} {self.until}"


class Maintenance(models.Model):
    """Work on the devices of an area, by kind or all, during which their alarms are kept quiet."""

    area_code = models.CharField(_("area"), max_length=15)
    kind = models.ForeignKey(
        "monitoring.DeviceKind",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("kind of device"),
    )
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False)
    reason = models.CharField(_("reason"), max_length=500)
    begins_at = models.DateTimeField(_("from"))
    ends_at = models.DateTimeField(_("until"))
    ended_at = models.DateTimeField(_("ended at"), null=True)

    class Meta:
        verbose_name = _("maintenance")
        verbose_name_plural = _("maintenance")
        indexes = [
            prefix_index("area_code", "maintenance_area"),
            models.Index(fields=["ends_at"], name="maintenance_ends"),
        ]
        constraints = [
            models.CheckConstraint(
                name="maintenance_ends_after_it_begins", condition=Q(ends_at__gt=models.F("begins_at"))
            )
        ]

    def __str__(self) -> str:
        return f"{self.area_code} {self.begins_at}"
