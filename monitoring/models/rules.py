"""Rules of alarms, the fences that they may be about, and when they hold; all of it data."""

import pghistory
from django.contrib.gis.db import models
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from citysafety.names import Named

from .. import rules, schedules


def check_windows(windows: object) -> None:
    """Refuse windows that no schedule can have. :raises ValidationError: what was seen and what was expected."""
    try:
        schedules.read(windows)  # type: ignore[arg-type]  # whatever was written is read or refused
    except schedules.WrongSchedule as error:
        raise ValidationError(str(error)) from error


class Schedule(Named):
    """When a rule holds: hours of school days, the closed season of fishing."""

    code = models.SlugField(_("code"), max_length=32, unique=True)
    windows = models.JSONField(_("windows"), default=list, validators=[check_windows])
    source = models.CharField(_("source"), max_length=200, blank=True, default="")

    class Meta:
        ordering = ["code"]
        verbose_name = _("schedule")
        verbose_name_plural = _("schedules")


class Fence(Named):
    """A place in regard to which devices are watched: an area, or a line with a width (a corridor)."""

    code = models.SlugField(_("code"), max_length=48, unique=True)
    shape = models.GeometryField(_("outline"), srid=4326)  # WGS 84: a (multi)polygon, or a (multi)line
    width_m = models.FloatField(_("width (m)"), null=True, blank=True)
    kmh = models.FloatField(_("speed limit (km/h)"), null=True, blank=True)
    group = models.SlugField(_("group"), max_length=32, blank=True, default="", db_index=True)
    area_code = models.CharField(_("area"), max_length=15)
    active = models.BooleanField(_("active"), default=True)
    source = models.CharField(_("source"), max_length=200, blank=True, default="")
    synthetic = models.BooleanField(_("illustrative"), default=False)

    class Meta:
        ordering = ["code"]
        verbose_name = _("fence")
        verbose_name_plural = _("fences")

    @property
    def is_line(self) -> bool:
        return self.shape.geom_type in ("LineString", "MultiLineString")

    def clean(self) -> None:
        if self.shape and self.is_line != (self.width_m is not None):
            raise ValidationError({"width_m": _("A line has a width, an area has none.")})
        if self.shape and not self.is_line and self.shape.geom_type not in ("Polygon", "MultiPolygon"):
            raise ValidationError({"shape": _("An area or a line is expected.")})


@pghistory.track(
    pghistory.InsertEvent(),
    pghistory.UpdateEvent(),
    pghistory.DeleteEvent(),
    model_name="AlarmRuleHistory",
    meta={"verbose_name": _("change of an alarm rule"), "verbose_name_plural": _("history of alarm rules")},
)
class Rule(Named):
    """What raises an alarm, on which devices, and what happens then."""

    class Kind(models.TextChoices):
        LIMIT = "limit", _("Limits")
        BITS = "bits", _("State bits")
        RATE = "rate", _("Rate of change")
        SILENCE = "silence", _("No data")
        FENCE = "fence", _("Geofence")
        PROCESS = "process", _("Step of a process")  # raised by the process itself: a trip, a port call

    code = models.SlugField(_("code"), max_length=48, unique=True)
    kind = models.CharField(_("kind"), max_length=8, choices=Kind)
    settings = models.JSONField(_("settings"), default=dict, blank=True)
    # On what: a kind of device (and of its channels those that begin so), or one device alone.
    device_kind = models.ForeignKey(
        "monitoring.DeviceKind", models.PROTECT, related_name="rules", verbose_name=_("kind of device")
    )
    device = models.ForeignKey(
        "monitoring.Device", models.CASCADE, null=True, blank=True, related_name="rules", verbose_name=_("device"),
        help_text=_("For one device only: it replaces the rule of the kind with the same quantity and kind of rule."),
    )  # fmt: skip
    quantity = models.ForeignKey(
        "monitoring.Quantity", models.PROTECT, null=True, blank=True, related_name="rules", verbose_name=_("quantity")
    )
    channel = models.CharField(_("channel begins with"), max_length=48, blank=True, default="")
    fences = models.SlugField(_("group of fences"), max_length=32, blank=True, default="")
    schedule = models.ForeignKey(
        Schedule, models.PROTECT, null=True, blank=True, related_name="rules", verbose_name=_("holds during")
    )
    on_delay_s = models.FloatField(_("on-delay (s)"), default=0)
    off_delay_s = models.FloatField(_("off-delay (s)"), default=0)
    latching = models.BooleanField(_("stays until reset"), default=False)
    doubtful_too = models.BooleanField(_("doubtful values too"), default=False)
    shake_most = models.PositiveSmallIntegerField(_("flapping from (times)"), default=5)
    shake_window_s = models.PositiveIntegerField(_("within (s)"), default=600)
    # What happens then.
    notify = models.JSONField(_("who is told"), default=list, blank=True)  # roles, of the area of the alarm
    matter = models.ForeignKey(
        "grid.Matter", models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("matter of a hazard")
    )
    files_hazard = models.BooleanField(_("files a hazard by itself"), default=False)
    advice_zh = models.CharField(_("what to do (Chinese)"), max_length=300, blank=True, default="")
    advice_en = models.CharField(_("what to do (English)"), max_length=400, blank=True, default="")
    source = models.CharField(_("source"), max_length=200, blank=True, default="")
    active = models.BooleanField(_("active"), default=True)

    class Meta:
        ordering = ["device_kind", "code"]
        verbose_name = _("alarm rule")
        verbose_name_plural = _("alarm rules")
        constraints = [
            models.CheckConstraint(
                name="rule_files_a_matter", condition=Q(files_hazard=False) | Q(matter__isnull=False)
            )
        ]

    def clean(self) -> None:
        if self.kind == self.Kind.PROCESS:
            return
        try:
            rules.read(self.kind, self.settings)
        except rules.WrongSettings as error:
            raise ValidationError({"settings": str(error)}) from error
        if self.kind == self.Kind.FENCE and not self.fences:
            raise ValidationError({"fences": _("A rule of fences names their group.")})
        if self.kind in (self.Kind.LIMIT, self.Kind.BITS, self.Kind.RATE) and not (self.quantity_id or self.channel):
            raise ValidationError({"quantity": _("A quantity or the beginning of channels is expected.")})
