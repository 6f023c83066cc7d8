"""Checklists in versions, the plan of each premises, inspections with their results."""

from datetime import datetime, timedelta
from typing import Any, Self

import pghistory
import pgtrigger
from django.conf import settings
from django.contrib.gis.db import models
from django.contrib.postgres.fields import ArrayField
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from citysafety.accounts.roles import Role
from citysafety.names import Named

# Who inspects, and who else reads what was inspected in the own area; handlers read by department.
INSPECTORS = frozenset({Role.GRID_WORKER, Role.DISPATCHER})
READERS = INSPECTORS | {Role.SUPERVISOR, Role.LEADER, Role.AUDITOR}
VIEWERS = READERS | {Role.DEPARTMENT_HANDLER}


class Colour(models.IntegerChoices):
    """The four colours of risk (红橙黄蓝), the gravest first."""

    RED = 1, _("Red")
    ORANGE = 2, _("Orange")
    YELLOW = 3, _("Yellow")
    BLUE = 4, _("Blue")


class Outcome(models.TextChoices):
    """What an item, or a whole inspection, came to."""

    PASS = "pass", _("Pass")
    FAIL = "fail", _("Fail")
    NOT_APPLICABLE = "na", _("Not applicable")


class OffSite(models.TextChoices):
    """Why it is not shown that an inspector stood there."""

    NO_POSITION = "no_position", _("no position was told")
    FAR = "far", _("told from too far away")
    LATE = "late", _("sent too long after the visit")


# -- checklists ----------------------------------------------------------------------------------


@pghistory.track(
    pghistory.InsertEvent(),
    pghistory.UpdateEvent(),
    model_name="ChecklistHistory",
    meta={"verbose_name": _("change of a checklist"), "verbose_name_plural": _("history of checklists")},
)
class Checklist(Named):
    """What is looked at in some kinds of premises. What it asks stands in its versions."""

    code = models.SlugField(_("code"), max_length=20, unique=True)
    closing_department = models.ForeignKey(
        "accounts.Department",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("department that closes"),
        help_text=_("What fails goes to its office in the place; without one the matter decides."),
    )
    auto_dispatch = models.BooleanField(
        _("dispatched at once"),
        default=False,
        help_text=_(
            "What fails is accepted and dispatched with the inspection, in the name of a dispatcher who inspects, else by this rule alone."
        ),
    )
    reinspect_days = models.PositiveSmallIntegerField(_("re-inspection within (days)"), default=7)
    within_m = models.PositiveIntegerField(
        _("on site within (m)"), default=300, help_text=_("Of the premises, beyond what the position may be wrong by.")
    )
    offline_hours = models.PositiveSmallIntegerField(
        _("sent within (hours)"),
        default=72,
        help_text=_("For a phone without a net: an inspection after the visit, and its photos after the inspection."),
    )
    must_be_on_site = models.BooleanField(
        _("only on site"),
        default=False,
        help_text=_(
            "Else an inspection that is not on site is taken, marked so, and does not count as the planned one."
        ),
    )
    source = models.CharField(_("source"), max_length=200, blank=True, default="")
    synthetic = models.BooleanField(_("illustrative"), default=False)
    active = models.BooleanField(_("active"), default=True)

    class Meta:
        ordering = ["code"]
        verbose_name = _("checklist")
        verbose_name_plural = _("checklists")
        constraints = [
            models.CheckConstraint(name="reinspection_within_a_day", condition=Q(reinspect_days__gt=0)),
            models.CheckConstraint(name="on_site_within_some_metres", condition=Q(within_m__gt=0, offline_hours__gt=0)),
        ]


class CheckedKind(models.Model):
    """A kind of premises and the one checklist that it is inspected by."""

    kind = models.OneToOneField(
        "grid.PremisesKind", models.PROTECT, primary_key=True, related_name="+", verbose_name=_("kind of premises")
    )
    checklist = models.ForeignKey(Checklist, models.CASCADE, related_name="kinds", verbose_name=_("checklist"))

    class Meta:
        verbose_name = _("kind that is inspected")
        verbose_name_plural = _("kinds that are inspected")

    def __str__(self) -> str:
        return self.kind_id


class ChecklistVersion(models.Model):
    """What a checklist asks from a day on. Once an inspection was made with it, neither it nor its items change."""

    checklist = models.ForeignKey(Checklist, models.PROTECT, related_name="versions", verbose_name=_("checklist"))
    number = models.PositiveSmallIntegerField(_("version"))
    in_force_from = models.DateField(_("in force from"))
    basis = models.CharField(_("basis"), max_length=200, blank=True, default="")
    frozen_at = models.DateTimeField(_("first used"), null=True, editable=False)

    class Meta:
        ordering = ["checklist", "-number"]
        verbose_name = _("version of a checklist")
        verbose_name_plural = _("versions of checklists")
        constraints = [models.UniqueConstraint(name="checklist_version_once", fields=["checklist", "number"])]
        triggers = [
            pgtrigger.Protect(
                name="frozen_once_used",
                operation=pgtrigger.Update | pgtrigger.Delete,
                condition=pgtrigger.Q(old__frozen_at__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return f"{self.checklist_id and self.checklist.name} v{self.number}"


class Item(Named):
    """One thing to look at. The same ``code`` in another version is the same thing in other words."""

    version = models.ForeignKey(ChecklistVersion, models.CASCADE, related_name="items", verbose_name=_("version"))
    code = models.SlugField(_("code"), max_length=12)
    position = models.PositiveSmallIntegerField(_("order"))
    clause = models.CharField(_("clause"), max_length=200, blank=True, default="")
    matter = models.ForeignKey(
        "grid.Matter", models.PROTECT, related_name="+", verbose_name=_("matter"), help_text=_("What it is filed as.")
    )
    severity = models.CharField(
        _("severity"), max_length=8, choices=[("general", _("General")), ("major", _("Major"))], default="general"
    )
    criterion = models.CharField(_("criterion of a major hazard"), max_length=200, blank=True, default="")
    asks_photo = models.BooleanField(_("photo when failed"), default=True)
    may_be_na = models.BooleanField(_("may be not applicable"), default=False)

    class Meta:
        ordering = ["version", "position"]
        verbose_name = _("item of a checklist")
        verbose_name_plural = _("items of checklists")
        constraints = [
            models.UniqueConstraint(name="item_code_once", fields=["version", "code"]),
            models.CheckConstraint(name="item_major_has_criterion", condition=Q(severity="general") | ~Q(criterion="")),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="frozen_with_its_version",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
                declare=[("of_version", "bigint")],
                func="""
                    of_version := CASE WHEN TG_OP = 'INSERT' THEN NEW.version_id ELSE OLD.version_id END;
                    IF EXISTS (SELECT 1 FROM hazards_checklistversion v
                               WHERE v.id = of_version AND v.frozen_at IS NOT NULL) THEN
                        RAISE EXCEPTION 'pgtrigger: items of a version that was used do not change';
                    END IF;
                    IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
                    RETURN NEW;
                """,
            )
        ]


# -- the plan by risk ----------------------------------------------------------------------------


@pghistory.track(
    pghistory.InsertEvent(),
    pghistory.UpdateEvent(),
    pghistory.DeleteEvent(),
    model_name="RiskRuleHistory",
    meta={"verbose_name": _("change of a rule of risk"), "verbose_name_plural": _("history of rules of risk")},
)
class RiskRule(Named):
    """Points that a premises gets for one thing that is known of it; of a factor the rule with the highest bound counts."""

    class Factor(models.TextChoices):
        KIND = "kind", _("kind of premises")
        SIZE = "size", _("size, in the kind's measure")
        PERCENT = "percent", _("size, in percent of the kind's limit")
        FAILED = "failed", _("items failed in the last year")
        OPEN = "open", _("open hazards found by inspection")

    factor = models.CharField(_("factor"), max_length=8, choices=Factor)
    kind = models.ForeignKey(
        "grid.PremisesKind", models.CASCADE, null=True, blank=True, related_name="+",
        verbose_name=_("only for the kind"),
    )  # fmt: skip
    at_least = models.PositiveIntegerField(_("from"), default=0)
    points = models.PositiveSmallIntegerField(_("points"))
    basis = models.CharField(_("basis"), max_length=200, blank=True, default="")
    active = models.BooleanField(_("active"), default=True)

    class Meta:
        ordering = ["factor", "kind", "at_least"]
        verbose_name = _("rule of risk")
        verbose_name_plural = _("rules of risk")
        constraints = [
            models.UniqueConstraint(name="risk_rule_once", fields=["factor", "kind", "at_least"], nulls_distinct=False),
            models.CheckConstraint(
                name="risk_of_a_kind_names_it", condition=~Q(factor__in=("kind", "size")) | Q(kind__isnull=False)
            ),
        ]


@pghistory.track(
    pghistory.UpdateEvent(),
    model_name="RiskGradeHistory",
    meta={"verbose_name": _("change of a grade of risk"), "verbose_name_plural": _("history of grades of risk")},
)
class RiskGrade(models.Model):
    """From how many points on a colour holds, and how often premises of it are inspected."""

    colour = models.PositiveSmallIntegerField(_("colour"), primary_key=True, choices=Colour)
    at_least = models.PositiveSmallIntegerField(_("from (points)"), unique=True)
    interval_days = models.PositiveSmallIntegerField(_("inspected every (days)"))
    basis = models.CharField(_("basis"), max_length=200, blank=True, default="")

    class Meta:
        ordering = ["colour"]
        verbose_name = _("grade of risk")
        verbose_name_plural = _("grades of risk")
        constraints = [models.CheckConstraint(name="grade_has_an_interval", condition=Q(interval_days__gt=0))]

    def __str__(self) -> str:
        return str(self.get_colour_display())


class PlanQuerySet(models.QuerySet):
    def visible_to(self, user: Any) -> Self:
        """Plans of the reader's area; handlers: of what their department closes. Everybody else sees none."""
        return self.filter(seen_by(user, "checklist__"))


class InspectionPlan(models.Model):
    """Where one premises stands: its grade with the reasons, its last inspection, the day of the next. Kept, not counted."""

    premises = models.OneToOneField(
        "grid.Premises", models.CASCADE, primary_key=True, related_name="+", verbose_name=_("premises")
    )
    checklist = models.ForeignKey(Checklist, models.CASCADE, related_name="+", db_index=False)
    area_code = models.CharField(_("area"), max_length=15)
    since = models.DateField()  # in the plan: without an inspection the interval runs from then
    score = models.PositiveSmallIntegerField(_("points"))
    colour = models.PositiveSmallIntegerField(_("risk"), choices=Colour)
    reasons = models.JSONField(default=list)  # [{"rule": pk, "value": n, "points": n}]
    last = models.ForeignKey("hazards.Inspection", models.PROTECT, null=True, related_name="+", db_index=False)
    due_on = models.DateField(_("next inspection"))
    reinspects = models.ForeignKey(
        "hazards.Inspection", models.PROTECT, null=True, related_name="+", db_index=False
    )  # what is due is a re-inspection of this one
    graded_at = models.DateTimeField()

    objects = PlanQuerySet.as_manager()

    class Meta:
        verbose_name = _("plan of inspections")
        verbose_name_plural = _("plans of inspections")
        indexes = [
            models.Index(fields=["due_on", "premises"], name="plan_due"),
            models.Index(
                fields=["area_code", "due_on"], opclasses=["varchar_pattern_ops", "date_ops"], name="plan_area_due"
            ),
            models.Index(fields=["colour", "due_on"], name="plan_colour_due"),
        ]

    def __str__(self) -> str:
        return f"{self.premises_id} {self.due_on}"


# -- inspections ---------------------------------------------------------------------------------


def seen_by(user: Any, checklist: str) -> Q:
    """Return the condition under which somebody reads rows that have an ``area_code`` and, by a path, a checklist."""
    nothing = Q(pk__in=[])
    if not user.area_code or user.role not in VIEWERS:
        return nothing
    here = Q(area_code__startswith=user.area_code)
    if user.role != Role.DEPARTMENT_HANDLER:
        return here
    if not user.department_id:
        return nothing
    own = {user.department_id, user.department.parent_id} - {None}
    return here & Q(**{f"{checklist}closing_department__in": own})


class InspectionQuerySet(models.QuerySet):
    def visible_to(self, user: Any) -> Self:
        """Those of the reader's area, the own, and for handlers those of what their department closes or was dispatched."""
        seen = seen_by(user, "version__checklist__")
        if user.role in INSPECTORS:
            seen |= Q(inspector=user)
        if user.role == Role.DEPARTMENT_HANDLER and user.department_id:
            theirs = Result.objects.filter(hazard__party_departments__contains=[user.department_id])
            seen |= Q(pk__in=theirs.values("inspection"))
        return self.filter(seen)

    def counted(self, at: datetime) -> Self:
        """Those that count as made: on site, and with the photos that are asked, or with time left to send them."""
        span = timedelta(hours=1) * F("version__checklist__offline_hours")
        return self.filter(Q(photos_missing=[]) | Q(received_at__gt=at - span), off_site="")

    def waiting(self) -> Self:
        """Failed, and neither re-inspected nor followed by another inspection."""
        return self.filter(result=Outcome.FAIL, settled_by=None)


class Inspection(models.Model):
    """One visit with a checklist; a re-inspection looks only at what failed before."""

    id = models.UUIDField(primary_key=True, editable=False)
    number = models.CharField(_("number"), max_length=24, unique=True)
    premises = models.ForeignKey("grid.Premises", models.PROTECT, related_name="+", verbose_name=_("premises"))
    area_code = models.CharField(_("area"), max_length=15)
    version = models.ForeignKey(ChecklistVersion, models.PROTECT, related_name="inspections", db_index=False)
    inspector = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("inspector")
    )
    of = models.ForeignKey(
        "self", models.PROTECT, null=True, related_name="reinspections", db_index=False
    )  # the one whose failed items were looked at again
    first = models.ForeignKey("self", models.PROTECT, related_name="rounds")  # of the same row of re-inspections
    round = models.PositiveSmallIntegerField(default=1)
    location = models.PointField(srid=4326, null=True, spatial_index=False)  # where the inspector stood, WGS 84
    accuracy_m = models.FloatField(null=True)
    distance_m = models.FloatField(null=True)  # from the premises, as it was told
    off_site = models.CharField(_("not on site"), max_length=12, choices=OffSite, blank=True, default="")
    photos_missing = ArrayField(
        models.CharField(max_length=12), default=list
    )  # items whose photo is asked and has not come
    inspected_at = models.DateTimeField(_("inspected"))  # the phone's claim
    received_at = models.DateTimeField(_("received"))
    words = models.TextField(max_length=2000, blank=True, default="")
    result = models.CharField(_("result"), max_length=4, choices=Outcome)
    passed = models.PositiveSmallIntegerField()
    failed = models.PositiveSmallIntegerField()
    not_applicable = models.PositiveSmallIntegerField()
    reinspect_on = models.DateField(_("re-inspection until"), null=True)  # once its hazards are closed
    settled_by = models.ForeignKey(
        "self", models.PROTECT, null=True, related_name="settles", db_index=False
    )  # the re-inspection, or the next whole inspection
    imported = models.BooleanField(default=False)

    objects = InspectionQuerySet.as_manager()

    class Meta:
        verbose_name = _("inspection")
        verbose_name_plural = _("inspections")
        indexes = [
            models.Index(fields=["-received_at", "id"], name="inspection_newest"),
            models.Index(
                fields=["area_code", "-received_at"],
                opclasses=["varchar_pattern_ops", "timestamptz_ops"],
                name="inspection_area",
            ),
            models.Index(
                fields=["premises"], name="inspection_waiting", condition=Q(result="fail", settled_by__isnull=True)
            ),
        ]
        constraints = [
            models.CheckConstraint(
                name="inspection_counts_its_result",
                condition=Q(result="fail", failed__gt=0) | Q(result="pass", failed=0),
            ),
            models.CheckConstraint(name="inspection_of_another", condition=Q(of__isnull=True) | ~Q(of=F("id"))),
            models.UniqueConstraint(name="reinspected_once", fields=["of"]),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def photos_until(self) -> datetime:
        """Until when photos of it are taken. Queries: none with its checklist."""
        return self.received_at + timedelta(hours=self.version.checklist.offline_hours)

    @property
    def is_reinspection(self) -> bool:
        return self.of_id is not None


class Result(models.Model):
    """What one item came to, and the hazard that a failed one became or was found to be. Rows are never changed."""

    inspection = models.ForeignKey(Inspection, models.PROTECT, related_name="results", db_index=False)
    item = models.ForeignKey(Item, models.PROTECT, related_name="+", db_index=False)
    result = models.CharField(max_length=4, choices=Outcome)
    words = models.TextField(max_length=1000, blank=True, default="")
    hazard = models.ForeignKey("hazards.Hazard", models.PROTECT, null=True, related_name="+")
    was_open = models.BooleanField(default=False)  # the hazard was there already

    class Meta:
        constraints = [
            models.UniqueConstraint(name="result_once_an_item", fields=["inspection", "item"]),
            models.CheckConstraint(
                name="failed_is_a_hazard",
                condition=Q(result="fail", hazard__isnull=False) | (~Q(result="fail") & Q(hazard__isnull=True)),
            ),
        ]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.inspection_id} {self.item_id} {self.result}"


ChecklistHistory, RiskRuleHistory, RiskGradeHistory = (
    model.pgh_event_model for model in (Checklist, RiskRule, RiskGrade)
)
