"""Indicators with their formulas, what is too little to judge, detectors with their limits, and what they found."""

from typing import Any

import pghistory
import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from citysafety.names import Named

from .words import COUNT_KEYS, THRESHOLDS


def check_formula(terms: list[str]) -> None:
    """Refuse a term that is no count, with or without a minus. :raises ValidationError: what was seen and what is expected."""
    for term in terms:
        if term.removeprefix("-") not in COUNT_KEYS:
            words = _now("“%(seen)s” is no count; expected one of %(known)s, with a minus before what is taken away.")
            raise ValidationError(words % {"seen": term, "known": ", ".join(COUNT_KEYS)})


def tracked(name: str, one: Any, many: Any) -> Any:
    """Return what keeps every version of a rule, with who changed it."""
    return pghistory.track(
        pghistory.InsertEvent(),
        pghistory.UpdateEvent(),
        pghistory.DeleteEvent(),
        model_name=name,
        meta={"verbose_name": one, "verbose_name_plural": many},
    )


@tracked("IndicatorHistory", _("change of an indicator"), _("history of indicators"))
class Indicator(Named):
    """A share of two sums of counts, and what it brings to the score: all its weight at ``full_at``, nothing at ``none_at``."""

    code = models.SlugField(_("code"), max_length=32, unique=True)
    numerator = ArrayField(models.CharField(max_length=32), verbose_name=_("numerator"), validators=[check_formula])
    denominator = ArrayField(models.CharField(max_length=32), verbose_name=_("denominator"), validators=[check_formula])
    weight = models.PositiveSmallIntegerField(_("weight"), help_text=_("Points of the score; 0 only shows the share."))
    full_at = models.FloatField(_("all points at (share)"), help_text=_("Green from here on."))
    none_at = models.FloatField(_("no points at (share)"), help_text=_("Red from here on; between the two, yellow."))
    basis = models.CharField(_("basis"), max_length=200)
    position = models.PositiveSmallIntegerField(_("order"), default=0)
    active = models.BooleanField(_("active"), default=True)

    class Meta:
        ordering = ["position", "code"]
        verbose_name = _("indicator")
        verbose_name_plural = _("indicators")
        constraints = [
            models.CheckConstraint(name="indicator_can_be_judged", condition=~Q(full_at=models.F("none_at")))
        ]

    @property
    def is_more_better(self) -> bool:
        return self.full_at > self.none_at

    def points(self, share: float) -> float:
        """Return which part of the weight a share brings, 0 to 1."""
        return min(1.0, max(0.0, (share - self.none_at) / (self.full_at - self.none_at)))


@tracked("EvaluationRuleHistory", _("change of the rule of evaluation"), _("history of the rule of evaluation"))
class EvaluationRule(models.Model):
    """What is too little to judge: one row, changed by people."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    least = models.PositiveSmallIntegerField(
        _("least cases"),
        default=10,
        help_text=_("With fewer cases that should be closed nobody is ranked or coloured."),
    )
    basis = models.CharField(_("basis"), max_length=200, default="本市规则（示例）")

    class Meta:
        verbose_name = _("rule of evaluation")
        verbose_name_plural = _("rules of evaluation")
        constraints = [models.CheckConstraint(name="evaluation_rule_one_row", condition=Q(pk=1))]

    def __str__(self) -> str:
        return str(self._meta.verbose_name)

    @classmethod
    def present(cls) -> "EvaluationRule":
        """Return the rule in force; the first values where nobody has set any. Queries: 1."""
        return cls.objects.filter(pk=1).first() or cls()


@tracked("DetectorHistory", _("change of a detector"), _("history of detectors"))
class Detector(Named):
    """A pattern that gives reason to ask, with its limits."""

    code = models.SlugField(_("code"), max_length=24, unique=True)
    thresholds = models.JSONField(_("limits"))
    basis = models.CharField(_("basis"), max_length=200)
    position = models.PositiveSmallIntegerField(_("order"), default=0)
    active = models.BooleanField(_("active"), default=True)

    class Meta:
        ordering = ["position", "code"]
        verbose_name = _("detector")
        verbose_name_plural = _("detectors")

    def clean(self) -> None:
        """Refuse limits that the detector does not have, lacks, or that are no whole numbers above 0."""
        expected = THRESHOLDS.get(self.code)
        if expected is None:
            words = _now("“%(seen)s” is no detector; expected one of %(known)s.")
            raise ValidationError({"code": words % {"seen": self.code, "known": ", ".join(THRESHOLDS)}})
        given = self.thresholds if isinstance(self.thresholds, dict) else {}
        wrong = [name for name in expected if type(given.get(name)) is not int or not 0 < given[name] <= 1_000_000]
        if wrong or set(given) != set(expected):
            words = _now("“%(seen)s” was given; expected whole numbers above 0 for %(known)s.")
            raise ValidationError({"thresholds": words % {"seen": self.thresholds, "known": ", ".join(expected)}})


class FormerPlace(models.Model):
    """Where a case lay until a re-zoning moved it: the evaluation of days before keeps the old map."""

    hazard = models.ForeignKey("hazards.Hazard", models.PROTECT, related_name="former_places")
    area_code = models.CharField(max_length=15)
    dedicated_cell = models.ForeignKey("grid.Cell", models.PROTECT, null=True, related_name="+", db_index=False)
    until = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["until", "hazard"], name="former_place_until")]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.hazard_id} {self.area_code} until {self.until}"


class Finding(models.Model):
    """A reason to ask: who or what it is about, in which days, with the figures and some of the cases. It is no verdict."""

    class Subject(models.TextChoices):
        WORKER = "worker", _("Person")
        CELL = "cell", _("Cell")
        DEPARTMENT = "department", _("Department")

    detector = models.ForeignKey(Detector, models.PROTECT, related_name="findings", verbose_name=_("detector"))
    kind = models.CharField(_("about"), max_length=10, choices=Subject)
    subject = models.BigIntegerField()  # the key of a user, a cell or a department
    area_code = models.CharField(_("area"), max_length=15)
    week = models.DateField(_("week"))  # its Monday: a pattern is found once a week
    first = models.DateField(_("from"))
    last = models.DateField(_("to"))
    figures = models.JSONField(default=dict)
    cases = ArrayField(models.UUIDField(), default=list)
    found_at = models.DateTimeField(_("found at"))

    class Meta:
        verbose_name = _("doubt")
        verbose_name_plural = _("doubts")
        constraints = [
            models.UniqueConstraint(name="finding_once_a_week", fields=["detector", "kind", "subject", "week"])
        ]
        indexes = [
            models.Index(
                fields=["area_code", "-found_at"],
                opclasses=["varchar_pattern_ops", "timestamptz_ops"],
                name="finding_area",
            )
        ]
        triggers = [pgtrigger.Protect(name="kept", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.detector_id} {self.kind} {self.subject} {self.week}"


class SetAside(models.Model):
    """A supervisor has looked at a doubt and says why nothing follows from it. Never changed or deleted."""

    finding = models.OneToOneField(Finding, models.PROTECT, primary_key=True, related_name="set_aside")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False)
    at = models.DateTimeField()
    reason = models.TextField(max_length=2000)

    class Meta:
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.finding_id} set aside"
