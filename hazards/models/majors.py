"""What only major hazards have: criteria, plans of rectification, stop-work orders, listed supervision. Data that cannot lie."""

import uuid
from typing import Any, Self

import pghistory
import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from citysafety.accounts.rights import area_q
from citysafety.names import Named
from grid.models import MatterClass

from ..listings.lifecycle import LIVE, ClockKind, ListingState

WATCHERS = ("supervisor", "leader", "auditor")


def _person(related: str = "+", **more: Any) -> models.ForeignKey:
    return models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name=related, **more)


@pghistory.track(
    pghistory.InsertEvent(),
    pghistory.UpdateEvent(),
    pghistory.DeleteEvent(),
    model_name="CriterionHistory",
    meta={"verbose_name": _("change of a criterion"), "verbose_name_plural": _("history of criteria")},
)
class Criterion(Named):
    """A published criterion by which a hazard is a major one (重大事故隐患判定标准)."""

    code = models.CharField(_("code"), max_length=24, unique=True)
    sector = models.CharField(_("sector"), max_length=60)
    basis = models.CharField(_("source and clause"), max_length=200)
    classes = ArrayField(
        models.CharField(max_length=8),
        verbose_name=_("classes of matters"),
        default=list,
        blank=True,
        help_text=_("Codes parted by commas; left empty it fits all."),
    )
    version = models.PositiveSmallIntegerField(_("version"), default=1)
    illustrative = models.BooleanField(
        _("illustrative"), default=True, help_text=_("The wording was not compared with the published text.")
    )
    active = models.BooleanField(_("active"), default=True)

    class Meta:
        ordering = ["code"]
        verbose_name = _("criterion of major hazards")
        verbose_name_plural = _("criteria of major hazards")

    def clean(self) -> None:
        """Refuse classes that no matter has."""
        known = list(MatterClass.objects.order_by("code").values_list("code", flat=True))
        if strange := sorted(set(self.classes or ()) - set(known)):
            words = gettext("“%(seen)s” is not one of %(known)s.")
            raise ValidationError({"classes": words % {"seen": ", ".join(strange), "known": ", ".join(known)}})

    @property
    def as_filed(self) -> str:
        """Return how a case names it: the code with its words, in the language of the office."""
        return f"{self.code} {self.name_zh}"[:200]


class Plan(models.Model):
    """One version of a plan of rectification with its five items (五落实): who, how, with what, until when, and what if."""

    hazard = models.ForeignKey("hazards.Hazard", on_delete=models.PROTECT, related_name="plans")
    version = models.PositiveSmallIntegerField()
    unit = models.CharField(_("responsible unit"), max_length=120)
    person = models.CharField(_("person responsible"), max_length=60)
    measures = models.TextField(_("measures"), max_length=2000)
    funds_yuan = models.DecimalField(_("funds (yuan)"), max_digits=14, decimal_places=2, null=True)  # none: none needed
    finish_on = models.DateField(_("to be finished on"))
    contingency = models.TextField(_("contingency plan"), max_length=2000)
    by = _person()
    at = models.DateTimeField()
    decided_by = _person(null=True)
    decided_at = models.DateTimeField(null=True)
    is_approved = models.BooleanField(null=True)
    decision = models.TextField(max_length=2000, blank=True, default="")

    class Meta:
        ordering = ["version"]
        constraints = [
            models.UniqueConstraint(name="plan_once_a_version", fields=["hazard", "version"]),
            models.UniqueConstraint(name="one_plan_waits", fields=["hazard"], condition=Q(decided_at__isnull=True)),
            models.CheckConstraint(
                name="plan_funds_not_negative", condition=Q(funds_yuan__isnull=True) | Q(funds_yuan__gt=0)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.hazard_id} {self.version}"


class StopWork(models.Model):
    """An order to stop work or business while a major hazard stands (停产停业), and its end."""

    hazard = models.ForeignKey("hazards.Hazard", on_delete=models.PROTECT, related_name="stops")
    since = models.DateTimeField()
    scope = models.TextField(_("what stands still"), max_length=500)
    basis = models.CharField(_("legal basis"), max_length=200)
    by = _person()
    at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    ended_by = _person(null=True)
    ended_why = models.TextField(max_length=2000, blank=True, default="")

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                name="stopped_once_at_a_time", fields=["hazard"], condition=Q(ended_at__isnull=True)
            )
        ]

    def __str__(self) -> str:
        return f"{self.hazard_id} {self.since:%F}"


class Level(models.TextChoices):
    """Which office lists a hazard."""

    COUNTY = "county", _("County level")
    CITY = "city", _("City level")


@pghistory.track(
    pghistory.InsertEvent(),
    pghistory.UpdateEvent(),
    pghistory.DeleteEvent(),
    model_name="ListingRuleHistory",
    meta={"verbose_name": _("change of a rule of listing"), "verbose_name_plural": _("history of rules of listing")},
)
class ListingRule(models.Model):
    """The clocks of listed supervision at one level, in working days but for the whole limit."""

    level = models.CharField(_("level"), max_length=6, unique=True, choices=Level)
    file_days = models.PositiveSmallIntegerField(
        _("filed with the city within (working days)"),
        null=True,
        blank=True,
        help_text=_("Empty: it need not be filed."),
    )
    publish_days = models.PositiveSmallIntegerField(_("published within (working days)"))
    most_days = models.PositiveSmallIntegerField(
        _("rectified within at most (days)"),
        help_text=_("Counted from the listing; of an extension from the limit it extends."),
    )
    ask_days = models.PositiveSmallIntegerField(_("extension asked so long before (working days)"))
    decide_days = models.PositiveSmallIntegerField(_("extension decided within (working days)"))
    clearing_days = models.PositiveSmallIntegerField(_("clearing published within (working days)"))
    basis = models.CharField(_("source"), max_length=200)
    active = models.BooleanField(_("active"), default=True)

    class Meta:
        ordering = ["level"]
        verbose_name = _("rule of listing")
        verbose_name_plural = _("rules of listing")
        constraints = [models.CheckConstraint(name="listing_lasts_some_days", condition=Q(most_days__gt=0))]

    def __str__(self) -> str:
        return self.get_level_display()


class ListingQuerySet(models.QuerySet):
    """Words to ask listings with."""

    def live(self) -> Self:
        return self.filter(state__in=sorted(LIVE))

    def public(self) -> Self:
        """What was published and not withdrawn."""
        return self.filter(published_at__isnull=False).exclude(state=ListingState.WITHDRAWN)

    def visible_to(self, user: Any) -> Self:
        """Supervisors, leaders, auditors: those of their area; others of the area: what was listed; a unit: its own."""
        if user.role in WATCHERS:
            return self.filter(area_q(user))
        if user.role == "kiosk":
            return self.none()
        listed = self.filter(listed_at__isnull=False)
        if user.role == "department_handler":
            return listed.filter(department=user.department_id) if user.department_id else self.none()
        return listed.filter(area_q(user))


class Listing(models.Model):
    """One major hazard under listed supervision (挂牌督办). Its papers are numbered documents."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    hazard = models.ForeignKey("hazards.Hazard", on_delete=models.PROTECT, related_name="listings")
    document = models.OneToOneField("documents.Document", models.PROTECT, related_name="+")
    clearing = models.OneToOneField("documents.Document", models.PROTECT, null=True, related_name="+")
    department = models.ForeignKey("accounts.Department", models.PROTECT, related_name="listings")
    rule = models.ForeignKey(ListingRule, models.PROTECT, related_name="+")
    area_code = models.CharField(max_length=15)
    level = models.CharField(_("level"), max_length=6, choices=Level)
    state = models.CharField(_("state"), max_length=9, choices=ListingState, default=ListingState.PROPOSED)
    version = models.PositiveIntegerField(default=1)
    leader = models.CharField(_("responsible leader"), max_length=80)  # never public
    requirement_zh = models.TextField(_("requirement, public"), max_length=500)
    requirement_en = models.TextField(_("requirement, public, in English"), max_length=800, blank=True, default="")
    finish_by = models.DateField(_("to be rectified by"))
    proposed_by = _person()
    proposed_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    listed_at = models.DateTimeField(null=True)
    published_at = models.DateTimeField(null=True)
    extension_until = models.DateField(null=True)  # asked for, not decided
    cleared_at = models.DateTimeField(null=True)
    clearing_published_at = models.DateTimeField(null=True)
    missed = models.BooleanField(_("a limit was missed"), default=False)  # and what it asks is not done yet

    objects = ListingQuerySet.as_manager()

    class Meta:
        verbose_name = _("listing")
        verbose_name_plural = _("listings")
        indexes = [
            models.Index(
                fields=["area_code", "-proposed_at"],
                opclasses=["varchar_pattern_ops", "timestamptz_ops"],
                name="listing_area",
            ),
            models.Index("department", "state", name="listing_department"),
            models.Index(
                fields=["-published_at", "id"], name="listing_public", condition=Q(published_at__isnull=False)
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                name="one_live_listing_a_hazard", fields=["hazard"], condition=Q(state__in=sorted(LIVE))
            ),
        ]

    def __str__(self) -> str:
        return str(self.document)

    @property
    def first_signer_id(self) -> int:
        """Return who may not sign it: who proposed it, as the rule of two signatures asks."""
        return self.proposed_by_id


class ListingClock(models.Model):
    """One limit of a listing; ``due_reason`` says why it has no due time yet."""

    listing = models.ForeignKey(Listing, models.CASCADE, related_name="clocks")
    kind = models.CharField(max_length=8, choices=ClockKind)
    days = models.PositiveSmallIntegerField(null=True)  # working days; of the whole limit its day says when
    started_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True)
    due_reason = models.CharField(max_length=80, blank=True, default="")
    done_at = models.DateTimeField(null=True)
    missed_at = models.DateTimeField(null=True)  # as the sweep saw it

    class Meta:
        ordering = ["due_at", "pk"]
        indexes = [models.Index("due_at", name="listing_running", condition=Q(done_at=None, missed_at=None))]
        constraints = [models.UniqueConstraint(name="listing_clock_once", fields=["listing", "kind"])]

    def __str__(self) -> str:
        return f"{self.listing_id} {self.kind}"


class ListingStep(models.Model):
    """One row of a listing's history; rows are never changed or deleted."""

    id = models.UUIDField(primary_key=True, editable=False)
    listing = models.ForeignKey(Listing, models.PROTECT, related_name="steps")
    action = models.CharField(max_length=24)
    source = models.CharField(max_length=9, choices=ListingState, blank=True, default="")
    target = models.CharField(max_length=9, choices=ListingState)
    version = models.PositiveIntegerField()
    actor = _person(null=True)
    at = models.DateTimeField()
    words = models.TextField(max_length=2000, blank=True, default="")
    basis = models.CharField(max_length=160, blank=True, default="")

    class Meta:
        constraints = [models.UniqueConstraint(name="listing_step_once_a_version", fields=["listing", "version"])]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.listing_id} {self.version} {self.action}"
