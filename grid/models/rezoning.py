"""Re-zonings: other outlines for some cells, drafted, approved and in force from a moment on, with what followed what."""

from typing import Any, Self

import pgtrigger
from django.conf import settings
from django.contrib.gis.db import models
from django.contrib.postgres.fields import ArrayField
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from citysafety.names import Named

from ..lifecycle import RezoningState
from .people import Worker
from .places import Cell, Division, GridVersion, prefix_index

VIEWERS = frozenset({"dispatcher", "supervisor", "leader", "auditor", "administrator"})


class RezoningQuerySet(models.QuerySet):
    def visible_to(self, user: Any) -> Self:
        """Those whose ground lies in one's area of duty; roles without a part in it see none."""
        if user.role not in VIEWERS or not user.area_code:
            return self.none()
        return self.filter(area_code__startswith=user.area_code)


class Rezoning(models.Model):
    """Some cells end and others take their place, from a moment on. ``area_code`` is the smallest area around all of it."""

    id = models.UUIDField(primary_key=True, editable=False)
    number = models.CharField(_("number"), max_length=16, unique=True)
    area_code = models.CharField(_("area"), max_length=15)
    state = models.CharField(_("state"), max_length=12, choices=RezoningState, default=RezoningState.DRAFT)
    version = models.PositiveIntegerField(_("version"), default=1)
    reason = models.TextField(_("reason"), max_length=1000)
    basis = models.CharField(_("basis"), max_length=200)
    effective_at = models.DateTimeField(_("effective from"), null=True, blank=True)  # none: as soon as it is approved
    drafted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("drafted by"), db_index=False
    )
    drafted_at = models.DateTimeField(_("drafted at"))
    drafter_ids = ArrayField(models.BigIntegerField(), default=list)  # everybody who had a hand in it
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("approved by"),
        db_index=False,
    )  # fmt: skip
    changed_at = models.DateTimeField(_("changed at"))
    ends = models.ManyToManyField(Cell, related_name="ended_by", verbose_name=_("cells that end"))
    ended_postings = ArrayField(models.BigIntegerField(), default=list)  # given back when it is rolled back
    grid_version = models.OneToOneField(GridVersion, models.PROTECT, null=True, related_name="rezoning")
    rollback_version = models.OneToOneField(GridVersion, models.PROTECT, null=True, related_name="rolled_back")

    objects = RezoningQuerySet.as_manager()

    class Meta:
        ordering = ["-drafted_at", "id"]
        verbose_name = _("re-zoning")
        verbose_name_plural = _("re-zonings")
        indexes = [
            prefix_index("area_code", "rezoning_area_prefix"),
            models.Index("effective_at", name="rezoning_due", condition=Q(state=RezoningState.APPROVED)),
        ]
        constraints = [
            models.CheckConstraint(
                name="rezoning_in_force_has_its_version",
                condition=Q(grid_version__isnull=False) | ~Q(state__in=("in_force", "rolled_back")),
            ),
            models.CheckConstraint(
                name="rezoning_rolled_back_has_its_version",
                condition=Q(state="rolled_back", rollback_version__isnull=False)
                | ~Q(state="rolled_back") & Q(rollback_version=None),
            ),
        ]

    def __str__(self) -> str:
        return self.number


class DraftCell(Named):
    """A cell as a re-zoning draws it. ``cell`` is what it became when that came into force."""

    rezoning = models.ForeignKey(Rezoning, models.CASCADE, related_name="draws")
    code = models.CharField(_("code"), max_length=15)
    kind = models.CharField(_("kind"), max_length=9, choices=Cell.Kind)
    division = models.ForeignKey(Division, models.PROTECT, related_name="+", verbose_name=_("division"))
    focus = models.CharField(_("made around"), max_length=20, blank=True, default="")
    geometry = models.MultiPolygonField(_("outline"), srid=4326)
    synthetic = models.BooleanField(_("outline is illustrative"), default=False)
    worker = models.ForeignKey(Worker, models.PROTECT, null=True, related_name="+", verbose_name=_("responsible"))
    nobody_yet = models.BooleanField(_("nobody yet"), default=False)
    cell = models.OneToOneField(Cell, models.PROTECT, null=True, related_name="drawn_as")

    class Meta:
        ordering = ["code"]
        verbose_name = _("drafted cell")
        verbose_name_plural = _("drafted cells")
        constraints = [
            models.UniqueConstraint(name="draft_cell_once", fields=["rezoning", "code"]),
            models.CheckConstraint(name="draft_cell_code_has_15_digits", condition=Q(code__regex=r"^\d{15}$")),
            models.CheckConstraint(
                name="draft_cell_somebody_or_nobody", condition=Q(worker=None) | Q(nobody_yet=False)
            ),
        ]


class RezoningStep(models.Model):
    """One row of a re-zoning's history. Rows are never changed or deleted."""

    id = models.UUIDField(primary_key=True, editable=False)
    rezoning = models.ForeignKey(Rezoning, models.PROTECT, related_name="steps", db_index=False)
    action = models.CharField(max_length=24)
    source = models.CharField(max_length=12, choices=RezoningState, blank=True, default="")
    target = models.CharField(max_length=12, choices=RezoningState)
    version = models.PositiveIntegerField()
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", db_index=False)
    at = models.DateTimeField()
    words = models.TextField(max_length=2000, blank=True, default="")

    class Meta:
        ordering = ["version"]
        constraints = [models.UniqueConstraint(name="rezoning_step_once_a_version", fields=["rezoning", "version"])]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.rezoning_id} {self.version} {self.action}"


class RezoningRecord(models.Model):
    """What a re-zoning was foretold to move when it was approved, or did move: of one kind, with the list. Rows are never changed."""

    class Moment(models.TextChoices):
        APPROVED = "approved", _("Foretold when it was approved")
        IN_FORCE = "in_force", _("Moved when it came into force")
        ROLLED_BACK = "rolled_back", _("Moved back when it was rolled back")

    rezoning = models.ForeignKey(Rezoning, models.PROTECT, related_name="records")
    moment = models.CharField(max_length=12, choices=Moment)
    kind = models.CharField(max_length=24)
    at = models.DateTimeField()
    moved = models.PositiveIntegerField()
    stays = models.PositiveIntegerField(null=True)  # of what was looked at; of what moved nobody looks
    pairs = models.JSONField(default=list)  # [from, to, count]
    rows = models.JSONField(default=list)  # [{"label", "href", "old", "new"}], the first of many

    class Meta:
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.rezoning_id} {self.moment} {self.kind}"

    @property
    def more(self) -> int:
        return self.moved - len(self.rows)


class Succession(models.Model):
    """In a grid version one cell took over ground of another: ``share`` of the one that ended."""

    version = models.ForeignKey(GridVersion, models.PROTECT, related_name="successions", db_index=False)
    old = models.ForeignKey(Cell, models.PROTECT, related_name="successors")
    new = models.ForeignKey(Cell, models.PROTECT, related_name="predecessors")
    share = models.FloatField()

    class Meta:
        constraints = [models.UniqueConstraint(name="succession_once_a_version", fields=["version", "old", "new"])]

    def __str__(self) -> str:
        return f"{self.old_id} → {self.new_id}"
