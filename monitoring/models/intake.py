"""What came over the lines: the protocols, the bytes as they were received, and who nobody knows."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Protocol(models.TextChoices):
    """How a device is spoken with; names of protocols are not translated."""

    JT808 = "jt808", "JT/T 808"
    JT809 = "jt809", "JT/T 809"
    HJ212 = "hj212", "HJ 212"
    GB26875 = "gb26875", "GB/T 26875.3"
    AIS = "ais", "AIS"
    MQTT = "mqtt", "MQTT"
    MODBUS = "modbus", "Modbus"
    STA = "sta", "SensorThings"


class UnknownDevice(models.Model):
    """An address that speaks and that no device has: seen and counted, its readings are not taken."""

    protocol = models.CharField(_("protocol"), max_length=8, choices=Protocol)
    address = models.CharField(_("address"), max_length=64)
    count = models.PositiveBigIntegerField(_("messages"), default=0)
    first_at = models.DateTimeField(_("first seen"))
    last_at = models.DateTimeField(_("last seen"))
    sample = models.BinaryField(_("last message"), default=bytes)
    said = models.JSONField(_("what it says of itself"), default=dict, blank=True)
    ignored_at = models.DateTimeField(_("ignored since"), null=True, blank=True)

    class Meta:
        ordering = ["-last_at"]
        verbose_name = _("unknown device")
        verbose_name_plural = _("unknown devices")
        constraints = [models.UniqueConstraint(fields=["protocol", "address"], name="unknown_device_once")]

    def __str__(self) -> str:
        return f"{self.get_protocol_display()} {self.address}"


class RawMessage(models.Model):
    """Bytes as they were received, for as long as they are kept; those that could not be taken say why.

    The table is cut into days (`monitoring.partitions`); rows leave with their day.
    """

    id = models.BigAutoField(primary_key=True)
    received_at = models.DateTimeField(_("received at"))
    protocol = models.CharField(_("protocol"), max_length=8, choices=Protocol)
    address = models.CharField(_("address"), max_length=64, blank=True)
    peer = models.CharField(_("from"), max_length=64, blank=True)
    data = models.BinaryField(_("bytes"))
    reason = models.CharField(_("why it was not taken"), max_length=200, blank=True)
    replayed_at = models.DateTimeField(_("replayed at"), null=True)

    class Meta:
        managed = False
        db_table = "monitoring_rawmessage"
        verbose_name = _("message received")
        verbose_name_plural = _("messages received")

    def __str__(self) -> str:
        return f"{self.protocol} {self.address} {self.received_at:%Y-%m-%d %H:%M:%S}"


class GatewayProcess(models.Model):
    """A process of the device gateway and its figures since it began; written every few seconds."""

    name = models.CharField(_("process"), max_length=64, primary_key=True)  # host:pid
    started_at = models.DateTimeField(_("since"))
    at = models.DateTimeField(_("as of"))
    ports = models.JSONField(_("ports"), default=dict)
    figures = models.JSONField(_("figures"), default=dict)

    class Meta:
        db_table = "monitoring_gateway"
        verbose_name = _("process of the device gateway")
        verbose_name_plural = _("processes of the device gateway")

    def __str__(self) -> str:
        return self.name


DEAD = ~Q(reason="") & Q(replayed_at=None)
