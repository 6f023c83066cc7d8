"""Rules of re-checks, draws that anybody can redo, and the re-checks that were drawn."""

from typing import Any, Self

import pghistory
import pgtrigger
from django.conf import settings
from django.contrib.gis.db import models
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from citysafety import areas
from citysafety.accounts.rights import area_q
from citysafety.accounts.roles import Role

from .lifecycle import RecheckState

CHECKERS = frozenset({Role.GRID_WORKER, Role.DISPATCHER})  # who verifies
READERS = frozenset({Role.DISPATCHER, Role.SUPERVISOR, Role.LEADER, Role.AUDITOR})  # of all in the own area
VIEWERS = CHECKERS | READERS


def today() -> Any:
    return timezone.localdate()


class Every(models.TextChoices):
    """How often a sample is drawn: of the cases closed in a week from Monday, or in a month."""

    WEEK = "week", _("each week")
    MONTH = "month", _("each month")


@pghistory.track(
    pghistory.InsertEvent(),
    pghistory.UpdateEvent(),
    pghistory.DeleteEvent(),
    model_name="RecheckRuleHistory",
    meta={
        "verbose_name": _("change of a rule of re-checks"),
        "verbose_name_plural": _("history of rules of re-checks"),
    },
)
class RecheckRule(models.Model):
    """Which closed cases are drawn from, and how many. Of the rules that fit a case the one that says most of it holds."""

    matter = models.ForeignKey(
        "grid.Matter", models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("matter")
    )
    matter_class = models.ForeignKey(
        "grid.MatterClass", models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("class of matters")
    )
    severity = models.CharField(
        _("severity"), max_length=8, choices=[("general", _("General")), ("major", _("Major"))], blank=True, default=""
    )
    area_code = models.CharField(_("area"), max_length=15, blank=True, default="")
    sampled = models.BooleanField(
        _("only what was left to sampling"),
        default=False,
        help_text=_("Cases handled on the spot that were closed without a verification on site."),
    )
    percent = models.PositiveSmallIntegerField(_("share (percent)"))
    at_least = models.PositiveSmallIntegerField(_("at least (cases)"), default=0)
    every = models.CharField(_("drawn"), max_length=5, choices=Every, default=Every.WEEK)
    days = models.PositiveSmallIntegerField(_("to be checked within (days)"), default=7)
    since = models.DateField(_("in force from"), default=today)
    basis = models.CharField(_("basis"), max_length=200, blank=True, default="")
    active = models.BooleanField(_("active"), default=True)

    class Meta:
        ordering = ["pk"]
        verbose_name = _("rule of re-checks")
        verbose_name_plural = _("rules of re-checks")
        constraints = [
            models.UniqueConstraint(
                name="recheck_rule_once",
                fields=["matter", "matter_class", "severity", "area_code", "sampled"],
                condition=Q(active=True),
                nulls_distinct=False,
            ),
            models.CheckConstraint(name="recheck_share_is_a_share", condition=Q(percent__lte=100)),
            models.CheckConstraint(name="recheck_draws_something", condition=Q(percent__gt=0) | Q(at_least__gt=0)),
            models.CheckConstraint(name="recheck_within_a_day", condition=Q(days__gt=0)),
            models.CheckConstraint(
                name="recheck_of_a_matter_or_class", condition=Q(matter__isnull=True) | Q(matter_class__isnull=True)
            ),
        ]

    def __str__(self) -> str:
        said = [
            self.matter.name
            if self.matter
            else self.matter_class.name
            if self.matter_class
            else gettext("all matters"),
            self.get_severity_display() if self.severity else "",
            self.area_code,
            gettext("left to sampling") if self.sampled else "",
        ]
        return " · ".join(part for part in said if part)

    def clean(self) -> None:
        """Refuse an area that is none."""
        try:
            self.area_code = areas.normal(self.area_code) if self.area_code else ""
        except areas.UnknownArea as error:
            words = gettext("“%(seen)s” is no code of an area; expected 4, 6, 9, 12 or 15 digits.")
            raise ValidationError({"area_code": words % {"seen": self.area_code}}) from error


class RecheckDraw(models.Model):
    """One draw: of what, by which number, how many. With its seed and its population anybody can redo it.

    The population holds the closings in the order of their ids; it is chosen from by ``drawing.chosen``.
    """

    rule = models.ForeignKey(RecheckRule, models.PROTECT, related_name="draws", verbose_name=_("rule"))
    first = models.DateField(_("from"))
    last = models.DateField(_("to"))
    at = models.DateTimeField(_("drawn at"))
    method = models.PositiveSmallIntegerField(_("method"), default=1)
    seed = models.CharField(_("random number"), max_length=64)  # 256 bits, drawn at that moment
    percent = models.PositiveSmallIntegerField()  # as the rule stood
    at_least = models.PositiveSmallIntegerField()
    days = models.PositiveSmallIntegerField()
    population = ArrayField(models.UUIDField())
    size = models.PositiveIntegerField(_("cases"))
    drawn = models.PositiveIntegerField(_("drawn"))

    class Meta:
        ordering = ["-first", "-pk"]
        verbose_name = _("draw of re-checks")
        verbose_name_plural = _("draws of re-checks")
        constraints = [models.UniqueConstraint(name="drawn_once_a_period", fields=["rule", "first", "last"])]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.rule} {self.first}..{self.last}"


class RecheckQuerySet(models.QuerySet):
    def visible_to(self, user: Any) -> Self:
        """The own ones; for readers those of their area."""
        if user.role not in VIEWERS:
            return self.none()
        own = Q(checker=user) | Q(done_by=user)
        return self.filter(own | area_q(user) if user.role in READERS else own)

    def due(self) -> Self:
        return self.filter(state=RecheckState.DUE)


class Recheck(models.Model):
    """A closed case that was drawn, to be looked at again on site."""

    id = models.UUIDField(primary_key=True, editable=False)
    draw = models.ForeignKey(RecheckDraw, models.PROTECT, related_name="rechecks", verbose_name=_("draw"))
    hazard = models.ForeignKey("hazards.Hazard", models.PROTECT, related_name="rechecks", verbose_name=_("case"))
    closing = models.OneToOneField("hazards.Step", models.PROTECT, related_name="+")  # never drawn twice
    area_code = models.CharField(_("area"), max_length=15)
    checker = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("checker")
    )
    state = models.CharField(_("state"), max_length=6, choices=RecheckState, default=RecheckState.DUE)
    version = models.PositiveIntegerField(default=1)
    due_on = models.DateField(_("due"))
    drawn_at = models.DateTimeField(_("drawn at"))
    done_at = models.DateTimeField(_("done at"), null=True)
    done_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    objects = RecheckQuerySet.as_manager()

    class Meta:
        verbose_name = _("re-check")
        verbose_name_plural = _("re-checks")
        indexes = [
            models.Index(fields=["due_on", "id"], name="recheck_due"),
            models.Index(
                fields=["area_code", "due_on"], opclasses=["varchar_pattern_ops", "date_ops"], name="recheck_area"
            ),
            models.Index(fields=["done_at", "hazard"], name="recheck_failed", condition=Q(state="fails")),
        ]
        constraints = [
            models.CheckConstraint(
                name="recheck_done_when",
                condition=Q(state__in=("due", "lapsed"), done_by__isnull=True)
                | Q(state__in=("holds", "fails"), done_by__isnull=False, done_at__isnull=False),
            ),
            models.CheckConstraint(name="recheck_by_its_checker", condition=Q(done_by__isnull=True) | Q(done_by=F("checker"))),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.hazard_id} {self.state}"

    @property
    def party_ids(self) -> set[int]:
        """Whoever reported the case or took a step in it."""
        return {*self.hazard.party_users, *(self.hazard.co_reporters or ()), self.hazard.reporter_id}

    def is_overdue(self, on: Any = None) -> bool:
        return self.state == RecheckState.DUE and self.due_on < (on or timezone.localdate())


class RecheckStep(models.Model):
    """One row of the history of a re-check. Rows are never changed or deleted."""

    id = models.UUIDField(primary_key=True, editable=False)
    recheck = models.ForeignKey(Recheck, models.PROTECT, related_name="steps", db_index=False)
    action = models.CharField(max_length=8)
    version = models.PositiveIntegerField()
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", db_index=False)
    checker = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", db_index=False)
    at = models.DateTimeField()
    words = models.TextField(max_length=2000, blank=True, default="")
    location = models.PointField(srid=4326, null=True, spatial_index=False)  # where the checker stood, WGS 84
    accuracy_m = models.FloatField(null=True)
    basis = models.CharField(max_length=160, blank=True, default="")

    class Meta:
        constraints = [models.UniqueConstraint(name="recheck_step_once_a_version", fields=["recheck", "version"])]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.recheck_id} {self.version} {self.action}"


RecheckRuleHistory = RecheckRule.pgh_event_model
