"""Hazards and their history: data that cannot lie, and words to ask it with."""

from datetime import datetime
from typing import Any, Self

import pghistory
import pgtrigger
from django.conf import settings
from django.contrib.gis.db import models
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from citysafety import areas
from grid.models import Cell, shapes_of

from ..lifecycle import ENDED, OPEN, REOPENINGS, HazardState, Stage


class Severity(models.TextChoices):
    """General or major (《安全生产事故隐患排查治理暂行规定》 art. 3)."""

    GENERAL = "general", _("General")
    MAJOR = "major", _("Major")


# More time or a pause is asked for and not decided.
ASKED = Q(extension_asked_at__isnull=False) | Q(pause_asked_at__isnull=False)
# Steps that evaluation counts by their time, besides those of the figures of the day.
WEIGHED = ("accept", "return", "fail", *REOPENINGS, "ask_extension", "grant_extension", "pause")
NOT_BY_AREA = ("department_handler", "kiosk")  # handlers see their department's cases, wall screens none


def inside(area: str) -> Q:
    """Return the condition that a hazard lies in an area, or in the dedicated cell of that code.

    Queries: 1 for a cell, whose kind tells which index gives its newest hazards; else none.
    """
    if len(area) < areas.LEVELS[-1]:
        return Q(area_code__startswith=area)
    dedicated = Cell.objects.filter(code=area, kind=Cell.Kind.DEDICATED).values_list("pk", flat=True).first()
    return Q(area_code=area) if dedicated is None else Q(dedicated_cell=dedicated)


class HazardQuerySet(models.QuerySet):
    """Words to ask hazards with."""

    def open(self) -> Self:
        return self.exclude(state__in=sorted(ENDED))  # in the words of the index of open hazards

    def overdue(self) -> Self:
        """Marked overdue, in figures and lists alike; a due time that has passed is marked within seconds."""
        return self.open().filter(overdue=True)

    def within(self, area: str) -> Self:
        """In an area, or in the dedicated cell of that code. Queries: 1 for a cell, else none until the rows are read."""
        return self.filter(inside(area))

    def shapeless(self) -> Self:
        """Leave the outlines of cells in the database."""
        return self.defer(*shapes_of("cell", "dedicated_cell"))

    def visible_to(self, user: Any) -> Self:
        """The reporter's own, those of one's area (handlers: only their department's), those one acted on.

        A wall screen sees no case: it shows what happens in an area, never to whom.
        """
        party = Q(party_users__contains=[user.pk])
        if user.department_id:
            party |= Q(party_departments__contains=[user.department_id])
        if user.area_code and user.role not in NOT_BY_AREA:
            party |= Q(area_code__startswith=user.area_code)
        return self.filter(party)


@pghistory.track(
    pghistory.InsertEvent(),
    pghistory.UpdateEvent(),
    model_name="HazardHistory",
    meta={"verbose_name": _("change of a hazard"), "verbose_name_plural": _("history of hazards")},
)
class Hazard(models.Model):
    """A hidden danger (隐患): a state that may lead to an accident."""

    id = models.UUIDField(primary_key=True, editable=False)
    number = models.CharField(_("number"), max_length=24)
    matter = models.ForeignKey(
        "grid.Matter", on_delete=models.PROTECT, related_name="hazards", verbose_name=_("matter"), db_index=False
    )
    severity = models.CharField(_("severity"), max_length=8, choices=Severity)
    criterion = models.CharField(_("criterion of a major hazard"), max_length=200, blank=True, default="")
    state = models.CharField(_("state"), max_length=12, choices=HazardState, default=HazardState.REPORTED)
    version = models.PositiveIntegerField(_("version"), default=1)
    description = models.TextField(_("description"), max_length=2000, blank=True)
    location = models.PointField(_("place"), srid=4326, spatial_index=False)  # WGS 84; found by cell, not by distance
    accuracy_m = models.FloatField(_("accuracy (m)"), null=True)
    cell = models.ForeignKey(
        "grid.Cell",
        on_delete=models.PROTECT,
        null=True,
        related_name="hazards",
        verbose_name=_("cell"),
        db_index=False,
    )
    dedicated_cell = models.ForeignKey(
        "grid.Cell",
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("dedicated cell"),
        db_index=False,
    )
    component = models.ForeignKey(
        "grid.Component", on_delete=models.PROTECT, null=True, related_name="hazards", verbose_name=_("component"),
        db_index=False,
    )  # fmt: skip
    area_code = models.CharField(_("area"), max_length=15)  # of the cell; of the city where there is none
    department = models.ForeignKey(
        "accounts.Department",
        on_delete=models.PROTECT,
        null=True,
        related_name="hazards",
        verbose_name=_("department"),
        db_index=False,
    )
    reporter = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="reported_hazards",
        verbose_name=_("reporter"),
        db_index=False,
    )
    rectified_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("rectified by"),
        db_index=False,
    )
    occurred_at = models.DateTimeField(_("found at"))  # the phone's claim
    received_at = models.DateTimeField(_("received at"))  # the server's clock
    changed_at = models.DateTimeField(_("changed at"))
    written_off_at = models.DateTimeField(_("written off at"), null=True)
    claimed_on_spot = models.BooleanField(_("claimed as handled on the spot"), default=False)  # in the filing
    handled_on_spot = models.BooleanField(_("handled on the spot"), default=False)  # by the step of that name
    due_stage = models.CharField(_("stage"), max_length=7, choices=Stage, blank=True, default="")
    due_at = models.DateTimeField(_("due at"), null=True)
    due_reason = models.CharField(_("why there is no due time"), max_length=80, blank=True, default="")
    overdue = models.BooleanField(_("overdue"), default=False)  # in the present stage
    late = models.BooleanField(_("ever overdue"), default=False)
    merged_into = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="merged", db_index=False)
    # What few cases have is empty in all others: their rows are no larger for it.
    extension_asked_at = models.DateTimeField(_("extension asked at"), null=True)
    pause_asked_at = models.DateTimeField(_("pause asked at"), null=True)
    paused_at = models.DateTimeField(_("paused at"), null=True)
    paused_until = models.DateTimeField(_("paused until"), null=True)
    pinned_at = models.DateTimeField(_("set by a leader at"), null=True)
    plan_asked_at = models.DateTimeField(_("plan laid before a supervisor at"), null=True)
    plan_approved_at = models.DateTimeField(_("plan approved at"), null=True)
    stopped_at = models.DateTimeField(_("work stopped at"), null=True)
    listed_at = models.DateTimeField(_("listed at"), null=True)  # 挂牌督办, until it is taken off the list
    contested_at = models.DateTimeField(_("contested at"), null=True)  # by the public, until a supervisor decides
    photos_shown_at = models.DateTimeField(_("photos shown to the public at"), null=True)  # until the case is reopened
    co_reporters = ArrayField(models.BigIntegerField(), null=True)  # of what was merged into it
    imported = models.BooleanField(_("imported"), default=False)
    party_users = ArrayField(models.BigIntegerField(), default=list)  # reporter and whoever acted
    party_departments = ArrayField(models.BigIntegerField(), default=list)  # dispatched to, from then on
    period = models.ForeignKey("tallies.Period", on_delete=models.PROTECT, null=True, related_name="+", db_index=False)

    checker_id: int | None = None  # while a re-check is recorded that fails: whose it is; no column

    objects = HazardQuerySet.as_manager()

    class Meta:
        verbose_name = _("hazard")
        verbose_name_plural = _("hazards")
        indexes = [
            models.Index(
                fields=["area_code", "-received_at"],
                opclasses=["varchar_pattern_ops", "timestamptz_ops"],
                name="hazard_area",
            ),
            models.Index(fields=["-received_at", "id"], name="hazard_newest"),
            models.Index(fields=["matter", "-received_at"], name="hazard_matter"),
            models.Index(fields=["cell", "-received_at"], name="hazard_cell"),
            models.Index(
                fields=["dedicated_cell", "-received_at"],
                name="hazard_dedicated",
                condition=Q(dedicated_cell__isnull=False),
            ),
            models.Index(
                fields=["component", "-received_at"], name="hazard_component", condition=Q(component__isnull=False)
            ),
            models.Index(fields=["-changed_at", "id"], name="hazard_last_changed"),
            models.Index("due_at", name="hazard_running", condition=Q(overdue=False, due_at__isnull=False)),
            models.Index(
                fields=["-received_at", "id", "state", "severity"],
                name="hazard_open",
                condition=~Q(state__in=sorted(ENDED)),
            ),
            models.Index(fields=["-received_at", "id"], name="hazard_major", condition=Q(severity=Severity.MAJOR)),
            models.Index(fields=["-received_at", "id"], name="hazard_late", condition=Q(late=True)),
            models.Index("received_at", name="hazard_overdue", condition=Q(overdue=True)),
            models.Index(fields=["-received_at", "id"], name="hazard_asked", condition=ASKED),
            models.Index("department", "state", name="hazard_department"),
            models.Index("merged_into", name="hazard_merged", condition=Q(merged_into__isnull=False)),
            models.Index("paused_until", name="hazard_paused", condition=Q(paused_at__isnull=False)),
            models.Index(fields=["-received_at", "id"], name="hazard_pinned", condition=Q(pinned_at__isnull=False)),
            models.Index(
                fields=["-received_at", "id"], name="hazard_contested", condition=Q(contested_at__isnull=False)
            ),
            models.Index(fields=["-received_at", "id"], name="hazard_stopped", condition=Q(stopped_at__isnull=False)),
            models.Index(fields=["reporter", "-received_at"], name="hazard_reporter"),
            GinIndex(fields=["party_users", "party_departments"], name="hazard_party"),
        ]
        constraints = [
            models.UniqueConstraint(  # compared as bytes, so that it finds beginnings too
                fields=["number"], opclasses=["varchar_pattern_ops"], name="hazard_number_once"
            ),
            models.CheckConstraint(
                name="hazard_major_has_criterion", condition=Q(severity=Severity.GENERAL) | ~Q(criterion="")
            ),
            models.CheckConstraint(
                name="hazard_ended_has_no_due_time",
                condition=~Q(state__in=sorted(ENDED)) | Q(due_at__isnull=True, overdue=False),
            ),
            models.CheckConstraint(
                name="hazard_written_off_when",
                condition=~Q(state=HazardState.WRITTEN_OFF) | Q(written_off_at__isnull=False),
            ),
            models.CheckConstraint(
                name="hazard_merged_into_one",
                condition=Q(state=HazardState.MERGED, merged_into__isnull=False)
                | (~Q(state=HazardState.MERGED) & Q(merged_into__isnull=True)),
            ),
            models.CheckConstraint(
                name="hazard_paused_has_no_due_time", condition=Q(paused_at__isnull=True) | Q(due_at__isnull=True)
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def is_open(self) -> bool:
        return self.state in OPEN

    @property
    def absorbs(self) -> bool:
        """Whether others were ever merged into it and are still."""
        return self.co_reporters is not None

    @property
    def is_of_public(self) -> bool:
        """Whether somebody follows it by a code. Queries: 0 with its reporter at hand, 1 where others were merged into it."""
        from ..public.models import ACCOUNT, PublicReport  # noqa: PLC0415  its tables name this one

        return self.reporter.username == ACCOUNT or (
            self.absorbs and PublicReport.objects.filter(hazard__merged_into=self.pk).exists()
        )

    def is_overdue(self, at: datetime) -> bool:
        """Test whether the clock of the present stage has run out, marked or not."""
        return self.due_at is not None and self.due_at < at


class Step(models.Model):
    """One row of a hazard's history: the filing and each step. Rows are never changed or deleted."""

    id = models.UUIDField(primary_key=True, editable=False)
    hazard = models.ForeignKey(Hazard, on_delete=models.PROTECT, related_name="steps", db_index=False)
    action = models.CharField(max_length=24)
    source = models.CharField(max_length=12, choices=HazardState, blank=True, default="")
    target = models.CharField(max_length=12, choices=HazardState)
    version = models.PositiveIntegerField()
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    department = models.ForeignKey(
        "accounts.Department", on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    at = models.DateTimeField()
    words = models.TextField(max_length=2000, blank=True, default="")
    location = models.PointField(srid=4326, null=True, spatial_index=False)
    basis = models.CharField(max_length=160, blank=True, default="")

    class Meta:
        indexes = [
            models.Index(
                "at", "hazard", name="step_of_day", condition=Q(action__in=("dispatch", "refuse", "write_off"))
            ),
            models.Index(  # what evaluation reads of some days, besides those above
                "action", "at", "hazard", name="step_weighed", condition=Q(action__in=WEIGHED)
            ),
        ]
        constraints = [
            models.UniqueConstraint(name="step_once_a_version", fields=["hazard", "version"]),
        ]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.hazard_id} {self.version} {self.action}"
