"""Alarms and their steps; what keeps them quiet: shelving, maintenance, storms."""

from datetime import datetime
from typing import Any, Self

import pgtrigger
from django.conf import settings
from django.contrib.gis.db import models
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MinValueValidator
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from citysafety import areas
from citysafety.accounts.rights import area_q
from grid.models.places import prefix_index

from ..lifecycle import OPEN, STANDING, UNSEEN, AlarmState
from .devices import Device

# Whose work alarms are: the pages are theirs. As data everybody sees those of the own area, handlers by department, wall
# screens none: a figure is a list to whoever reads it.
NOT_BY_AREA = ("department_handler", "kiosk")
READERS = frozenset({"operator", "dispatcher", "supervisor", "leader", "auditor", "department_handler"})


class Level(models.IntegerChoices):
    """Four levels, I the gravest; coloured red, orange, yellow and blue (《突发事件应对法》 art. 63)."""

    I = 1, _("Level I")  # noqa: E741  the law's numeral
    II = 2, _("Level II")
    III = 3, _("Level III")
    IV = 4, _("Level IV")


def _minutes(name: Any, default: int) -> models.PositiveSmallIntegerField:
    return models.PositiveSmallIntegerField(name, default=default, validators=[MinValueValidator(1)])


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
    shelve_most_h = models.PositiveSmallIntegerField(
        _("longest shelving (h)"), default=12, validators=[MinValueValidator(1)]
    )
    # Rungs of escalation ladders stand at shares of these.
    acknowledge_i_min = _minutes(_("acknowledged within, level I (min)"), 5)
    acknowledge_ii_min = _minutes(_("acknowledged within, level II (min)"), 10)
    acknowledge_iii_min = _minutes(_("acknowledged within, level III (min)"), 30)
    acknowledge_iv_min = _minutes(_("acknowledged within, level IV (min)"), 120)

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

    def acknowledge_within_s(self, level: int) -> int:
        """Return within how many seconds an alarm of a level is to be acknowledged."""
        return 60 * (
            self.acknowledge_i_min, self.acknowledge_ii_min, self.acknowledge_iii_min, self.acknowledge_iv_min,
        )[level - 1]  # fmt: skip


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

    def heard(self) -> Self:
        """Those that make noise: not kept quiet."""
        return self.filter(quiet="")

    def sounded(self) -> Self:
        """Those that were heard when they were raised, whatever became of them."""
        return self.exclude(pk__in=AlarmStep.objects.filter(version=1, said__has_key="quiet").values("alarm"))

    def waiting(self) -> Self:
        """Those that somebody is to acknowledge."""
        return self.heard().filter(state__in=sorted(UNSEEN))

    def visible_to(self, user: Any) -> Self:
        """Those of one's area; handlers: those of devices that their department answers for or shares, or assigned to it."""
        if user.role == "department_handler":
            own = user.department_id
            shared = Device.objects.filter(owners=own).values("pk")
            return self.filter(Q(department=own) | Q(assigned_to=own) | Q(device__in=shared)) if own else self.none()
        by_area = user.area_code and user.role not in NOT_BY_AREA
        return self.filter(area_code__startswith=user.area_code) if by_area else self.none()


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


class AlarmClimb(models.Model):
    """Since when an alarm waits to be acknowledged, and when its ladder is looked at next."""

    alarm = models.OneToOneField(Alarm, models.CASCADE, primary_key=True, related_name="climb")
    since = models.DateTimeField()
    next_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index("next_at", name="alarm_climb_next", condition=Q(next_at__isnull=False))]

    def __str__(self) -> str:
        return f"{self.alarm_id} {self.next_at}"


class AlarmClimbed(models.Model):
    """A rung that was taken because nobody acknowledged, or passed over: once in each wait. Rows are never changed or deleted."""

    class Outcome(models.TextChoices):
        TOLD = "told", _("Told")
        SKIPPED = "skipped", _("Passed over: a higher rung was due too")
        NOBODY = "nobody", _("Nobody to tell")

    alarm = models.ForeignKey(Alarm, models.PROTECT, related_name="climbed", db_index=False)
    since = models.DateTimeField()  # of the wait
    order = models.PositiveSmallIntegerField()
    repeat = models.PositiveSmallIntegerField(default=0)
    reach_s = models.PositiveIntegerField()
    at = models.DateTimeField()
    target = models.CharField(max_length=24)
    level = models.PositiveSmallIntegerField()
    outcome = models.CharField(max_length=8, choices=Outcome)
    people = ArrayField(models.BigIntegerField(), default=list)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["alarm", "since", "order", "repeat"], name="alarm_climbed_once_in_a_wait")
        ]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.alarm_id} {self.order}"


class ShelvingQuerySet(models.QuerySet):
    """Words to ask shelvings with."""

    def in_force(self, at: datetime) -> Self:
        return self.filter(ended_at=None, began_at__lte=at, until__gt=at)

    def visible_to(self, user: Any) -> Self:
        """Those that keep alarms quiet which one may see."""
        about = Alarm.objects.visible_to(user).filter(rule=OuterRef("rule"), subject=OuterRef("subject"))
        return self.filter(Exists(about))


class Shelving(models.Model):
    """A subject of a rule that is not to be heard until a moment, for a reason (ISA-18.2, 11.7)."""

    rule = models.ForeignKey("monitoring.Rule", models.CASCADE, related_name="shelvings")
    subject = models.CharField(max_length=64)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False)
    reason = models.CharField(_("reason"), max_length=500)
    began_at = models.DateTimeField(_("from"))
    until = models.DateTimeField(_("until"))
    ended_at = models.DateTimeField(_("ended at"), null=True)

    objects = ShelvingQuerySet.as_manager()

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


class MaintenanceQuerySet(models.QuerySet):
    """Words to ask maintenance with."""

    def in_force(self, at: datetime) -> Self:
        return self.filter(ended_at=None, begins_at__lte=at, ends_at__gt=at)

    def visible_to(self, user: Any) -> Self:
        """Works within one's area, and of the areas around it."""
        if user.role not in READERS or not user.area_code:
            return self.none()
        return self.filter(area_q(user) | Q(area_code__in=areas.lineage(user.area_code)))


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

    objects = MaintenanceQuerySet.as_manager()

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
