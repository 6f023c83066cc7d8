"""The catalogue of matters (事项): what a grid worker looks for, who clears it, how fast, on what evidence."""

from dataclasses import dataclass
from typing import Self

import pghistory
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from citysafety.accounts.models import Department
from citysafety.names import Named

from ..rules import initials

STAGES = ("accept", "rectify", "verify")


class Unit(models.TextChoices):
    """The clock units of the GB/T 30428 handbooks; what each counts is data of the calendar."""

    URGENT_HOURS = "urgent_hours", _("urgent working hours")
    WORK_HOURS = "work_hours", _("working hours")
    WORK_DAYS = "work_days", _("working days")


class Severity(models.TextChoices):
    """Order 16 of the State Administration of Work Safety, article 3."""

    GENERAL = "general", _("General hazard")
    MAJOR = "major", _("Major hazard")


@pghistory.track(
    model_name="MatterClassHistory",
    meta={"verbose_name": _("change of a class of matters"), "verbose_name_plural": _("history of classes of matters")},
)
class MatterClass(Named):
    """One of the seven classes of matters."""

    code = models.CharField(_("code"), max_length=4, unique=True)
    icon = models.CharField(_("icon"), max_length=20, blank=True, default="")

    class Meta:
        ordering = ["code"]
        verbose_name = _("class of matters")
        verbose_name_plural = _("classes of matters")


@dataclass(frozen=True, slots=True)
class EvidenceRule:
    """What must be shown: photos before and after, and how near the verifier must stand (None = anywhere)."""

    photos_before: int
    photos_after: int
    verify_within_m: int | None
    sample_recheck: bool


class MatterQuerySet(models.QuerySet):
    def active(self) -> Self:
        return self.filter(active=True)


@pghistory.track(
    model_name="MatterHistory",
    meta={"verbose_name": _("change of a matter"), "verbose_name_plural": _("history of matters")},
)
class Matter(Named):
    """One kind of hazard a worker may file. Everything here is data a department may change."""

    code = models.CharField(_("code"), max_length=8, unique=True)
    matter_class = models.ForeignKey(MatterClass, models.PROTECT, related_name="matters", verbose_name=_("class"))
    department = models.ForeignKey(
        Department, models.PROTECT, related_name="matters", verbose_name=_("home department")
    )
    severity = models.CharField(_("severity proposed"), max_length=7, choices=Severity, default=Severity.GENERAL)
    special = models.BooleanField(
        _("special"),
        default=False,
        help_text=_("Asks more evidence than the table of steps, or allows sampled re-check."),
    )
    accept_amount = models.PositiveSmallIntegerField(_("time to accept"))
    accept_unit = models.CharField(_("unit of the time to accept"), max_length=12, choices=Unit)
    rectify_amount = models.PositiveSmallIntegerField(_("time to rectify"))
    rectify_unit = models.CharField(_("unit of the time to rectify"), max_length=12, choices=Unit)
    verify_amount = models.PositiveSmallIntegerField(_("time to verify"))
    verify_unit = models.CharField(_("unit of the time to verify"), max_length=12, choices=Unit)
    total_amount = models.PositiveSmallIntegerField(_("time for the whole case"), null=True, blank=True)
    total_unit = models.CharField(
        _("unit of the time for the whole case"), max_length=12, choices=Unit, blank=True, default=""
    )
    photos_before = models.PositiveSmallIntegerField(_("photos before"), default=0)
    photos_after = models.PositiveSmallIntegerField(_("photos after"), default=1)
    verify_within_m = models.PositiveIntegerField(_("verified within (m)"), null=True, blank=True)
    near_m = models.PositiveSmallIntegerField(
        _("same within (m)"), default=50, help_text=_("An open case this near may be the same one.")
    )
    sample_recheck = models.BooleanField(_("re-check by sample"), default=False)
    standard_code = models.CharField(_("standard code"), max_length=20, blank=True, default="")
    basis = models.CharField(_("legal basis"), max_length=200, blank=True, default="")
    icon = models.CharField(_("icon"), max_length=20, blank=True, default="")
    pinyin = models.CharField(_("pinyin initials"), max_length=60, blank=True, default="", editable=False)
    active = models.BooleanField(_("active"), default=True)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    objects = MatterQuerySet.as_manager()

    class Meta:
        ordering = ["code"]
        verbose_name = _("matter")
        verbose_name_plural = _("matters")
        constraints = [
            models.CheckConstraint(
                name="matter_clocks_run",
                condition=Q(accept_amount__gt=0) & Q(rectify_amount__gt=0) & Q(verify_amount__gt=0),
            ),
            models.CheckConstraint(
                name="matter_units_known",
                condition=Q(accept_unit__in=Unit.values)
                & Q(rectify_unit__in=Unit.values)
                & Q(verify_unit__in=Unit.values),
            ),
            models.CheckConstraint(
                name="matter_total_is_whole",
                condition=Q(total_amount__isnull=True, total_unit="")
                | Q(total_amount__gt=0, total_unit__in=Unit.values),
            ),
        ]

    def save(self, *args: object, **kwargs: object) -> None:
        self.pinyin = initials(self.name_zh)
        super().save(*args, **kwargs)

    def clock(self, stage: str) -> tuple[int, str]:
        """Return (amount, unit) of a stage: accept, rectify or verify."""
        if stage not in STAGES:
            raise ValueError(f"{stage!r} is no stage of the clock")
        return getattr(self, f"{stage}_amount"), getattr(self, f"{stage}_unit")

    @property
    def evidence(self) -> EvidenceRule:
        return EvidenceRule(self.photos_before, self.photos_after, self.verify_within_m, self.sample_recheck)
