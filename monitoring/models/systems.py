"""The systems that are joined into one, how far each is joined, and the fields of risk that they watch."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from citysafety.names import Named


class RiskField(Named):
    """A field of risk (风险领域) such as hazardous goods or gas pipelines; fields form a tree."""

    code = models.SlugField(_("code"), max_length=32, primary_key=True)
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="children", verbose_name=_("parent")
    )

    class Meta:
        ordering = ["code"]
        verbose_name = _("field of risk")
        verbose_name_plural = _("fields of risk")


class Connection(models.TextChoices):
    """How far a department's system is joined: the stations of the register."""

    SURVEYED = "surveyed", _("Surveyed")
    AGREED = "agreed", _("Agreed")
    CONNECTED = "connected", _("Connected")
    LIVE = "live", _("Live")


class System(Named):
    """A monitoring and early-warning system of the city: a row of the register of integrations.

    A system that is not connected has no device and no figure: it is here as what was surveyed.
    """

    code = models.SlugField(_("code"), max_length=32, primary_key=True)
    position = models.PositiveSmallIntegerField(_("order"), default=0)
    connection = models.CharField(_("connection"), max_length=9, choices=Connection, default=Connection.SURVEYED)
    departments = models.ManyToManyField(
        "accounts.Department", blank=True, related_name="systems", verbose_name=_("departments in charge")
    )
    operator = models.CharField(_("who runs it"), max_length=120, blank=True, default="")
    contract = models.TextField(_("what was agreed"), max_length=2000, blank=True, default="")
    silent_after_s = models.PositiveIntegerField(
        _("silent after (s)"), default=300, help_text=_("Without any message for so long it is shown as silent.")
    )
    keep_days = models.PositiveIntegerField(
        _("readings kept (days)"), default=365, help_text=_("Sums by hour and day stay longer.")
    )
    changed_at = models.DateTimeField(_("changed at"), null=True)

    class Meta:
        ordering = ["position", "code"]
        verbose_name = _("monitoring system")
        verbose_name_plural = _("monitoring systems")


class ConnectionStep(models.Model):
    """A station that a system reached, or fell back to. Rows are never changed or deleted."""

    system = models.ForeignKey(System, models.PROTECT, related_name="steps")
    source = models.CharField(max_length=9, choices=Connection)
    target = models.CharField(max_length=9, choices=Connection)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", db_index=False)
    at = models.DateTimeField()
    words = models.TextField(max_length=2000, blank=True, default="")

    class Meta:
        ordering = ["-at"]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.system_id} {self.target}"
