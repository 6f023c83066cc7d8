"""Devices of the city, what they measure, and how they are just now."""

from typing import Any, Self

import pgtrigger
from django.conf import settings
from django.contrib.gis.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from citysafety.names import Named
from grid.models.places import prefix_index

from .intake import Protocol


class Quantity(Named):
    """What is measured, and its unit: ``a21028`` is hydrogen sulphide in mg/m³ (HJ 212-2017, table B.2)."""

    code = models.SlugField(_("code"), max_length=32, primary_key=True)
    unit = models.CharField(_("unit"), max_length=16, blank=True, default="")
    decimals = models.PositiveSmallIntegerField(_("decimals"), default=1)
    source = models.CharField(_("source"), max_length=200, blank=True, default="")

    class Meta:
        ordering = ["code"]
        verbose_name = _("quantity")
        verbose_name_plural = _("quantities")


class DeviceKind(Named):
    """A kind of device of one system: hazmat vehicles, fishing vessels, toxic gas stations."""

    code = models.SlugField(_("code"), max_length=32, primary_key=True)
    system = models.ForeignKey(
        "monitoring.System", models.PROTECT, related_name="kinds", verbose_name=_("monitoring system")
    )
    field = models.ForeignKey(
        "monitoring.RiskField", models.PROTECT, related_name="kinds", verbose_name=_("field of risk")
    )
    icon = models.CharField(_("icon"), max_length=32, blank=True, default="")
    moves = models.BooleanField(_("moves"), default=False)
    offline_after_s = models.PositiveIntegerField(_("offline after (s)"), default=300)

    class Meta:
        ordering = ["system", "code"]
        verbose_name = _("kind of device")
        verbose_name_plural = _("kinds of devices")


class DeviceQuerySet(models.QuerySet):
    def in_service(self) -> Self:
        return self.filter(state=Device.State.IN_SERVICE)

    def visible_to(self, user: Any) -> Self:
        """Those of one's area of duty; handlers: those that their department answers for."""
        if user.role == "department_handler":
            return self.filter(Q(department=user.department_id) | Q(owners=user.department_id)).distinct()
        return self.filter(area_code__startswith=user.area_code) if user.area_code else self.none()


class Device(Named):
    """A thing that reports: a terminal in a vehicle, a station, a fire panel. Known by protocol and address."""

    class State(models.TextChoices):
        IN_SERVICE = "in_service", _("In service")
        OUT_OF_SERVICE = "out", _("Out of service")  # reports are kept, alarms are not raised (ISA-18.2)
        RETIRED = "retired", _("Retired")

    code = models.CharField(_("number"), max_length=40, unique=True)
    kind = models.ForeignKey(DeviceKind, models.PROTECT, related_name="devices", verbose_name=_("kind"))
    protocol = models.CharField(_("protocol"), max_length=8, choices=Protocol)
    address = models.CharField(_("address"), max_length=64)
    options = models.JSONField(_("options of its protocol"), default=dict, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.IN_SERVICE)
    department = models.ForeignKey(
        "accounts.Department", models.PROTECT, null=True, blank=True, related_name="devices",
        verbose_name=_("department in charge"),
    )  # fmt: skip
    owners = models.ManyToManyField(
        "accounts.Department", blank=True, related_name="shared_devices", verbose_name=_("departments that share it")
    )
    premises = models.ForeignKey(
        "grid.Premises", models.PROTECT, null=True, blank=True, related_name="devices", verbose_name=_("premises")
    )
    company = models.CharField(_("company"), max_length=120, blank=True, default="")
    location = models.PointField(_("place"), srid=4326, null=True, blank=True)  # of what does not move; WGS 84
    cell = models.ForeignKey("grid.Cell", models.PROTECT, null=True, blank=True, related_name="devices")
    area_code = models.CharField(_("area"), max_length=15)  # of its place; of its home where it moves
    synthetic = models.BooleanField(_("illustrative"), default=False)
    registered_at = models.DateTimeField(_("registered at"))
    changed_at = models.DateTimeField(_("changed at"))

    objects = DeviceQuerySet.as_manager()

    class Meta:
        verbose_name = _("device")
        verbose_name_plural = _("devices")
        indexes = [prefix_index("area_code", "device_area")]
        constraints = [
            models.UniqueConstraint(
                fields=["protocol", "address"], name="device_address_once", condition=~Q(state="retired")
            )
        ]


class Datastream(models.Model):
    """One quantity of one device, by the channel under which the device sends it: ``a21028-Rtd``."""

    device = models.ForeignKey(Device, models.PROTECT, related_name="datastreams")
    quantity = models.ForeignKey(Quantity, models.PROTECT, related_name="datastreams", db_index=False)
    channel = models.CharField(_("channel"), max_length=48)
    label = models.CharField(_("name"), max_length=120, blank=True, default="")
    factor = models.FloatField(_("factor"), default=1.0)  # stored value = sent value × factor + offset
    offset = models.FloatField(_("offset"), default=0.0)

    class Meta:
        verbose_name = _("datastream")
        verbose_name_plural = _("datastreams")
        constraints = [models.UniqueConstraint(fields=["device", "channel"], name="datastream_channel_once")]

    def __str__(self) -> str:
        return self.label or self.channel


class DeviceStatus(models.Model):
    """How a device is just now; one row that is written at each message, apart from all that changes rarely."""

    device = models.OneToOneField(Device, models.CASCADE, primary_key=True, related_name="status")
    seen_at = models.DateTimeField(_("last message received at"))
    measured_at = models.DateTimeField(_("by its own clock"), null=True)
    clock_s = models.FloatField(_("its clock is ahead by (s)"), null=True)
    lon = models.FloatField(null=True)  # WGS 84
    lat = models.FloatField(null=True)
    speed_kmh = models.FloatField(null=True)
    course = models.SmallIntegerField(null=True)  # degrees from north, clockwise
    flags = models.BigIntegerField(default=0)  # status bits, as the protocol has them
    alarms = models.BigIntegerField(default=0)  # alarm bits, as the protocol has them
    more = models.JSONField(null=True)

    class Meta:
        indexes = [models.Index(fields=["seen_at"], name="device_seen")]

    def __str__(self) -> str:
        return f"{self.device_id} {self.seen_at}"


class DeviceStep(models.Model):
    """What somebody did with a device in the register. Rows are never changed or deleted."""

    class Action(models.TextChoices):
        REGISTERED = "register", _("Registered")
        CHANGED = "change", _("Changed")
        TAKEN_OUT = "take_out", _("Taken out of service")
        PUT_BACK = "put_back", _("Put back into service")
        RETIRED = "retire", _("Retired")

    device = models.ForeignKey(Device, models.PROTECT, related_name="steps", verbose_name=_("device"))
    action = models.CharField(_("action"), max_length=8, choices=Action)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", db_index=False)
    at = models.DateTimeField(_("time"))
    words = models.CharField(_("words"), max_length=500, blank=True, default="")
    changes = models.JSONField(_("changes"), default=dict, blank=True)  # field → [as it was, as it is]

    class Meta:
        ordering = ["-at", "-pk"]
        verbose_name = _("step of a device")
        verbose_name_plural = _("steps of devices")
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.device_id} {self.action}"
