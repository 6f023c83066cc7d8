"""Centres, workers and their dated postings to cells."""

from datetime import date
from typing import Self

from django.conf import settings
from django.contrib.gis.db import models
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateRangeField, RangeBoundary, RangeOperators
from django.db.models import F, Func, Q
from django.utils.translation import gettext_lazy as _

from citysafety.names import Named

from .places import Cell, Division, prefix_index


class Centre(Named):
    """A grid service centre (网格化服务管理中心) of the city, a county or a township."""

    code = models.CharField(_("code"), max_length=16, unique=True)
    level = models.CharField(_("level"), max_length=8, choices=Division.Level)
    division = models.ForeignKey(Division, models.PROTECT, related_name="centres", verbose_name=_("division"))
    location = models.PointField(_("location"), srid=4326, null=True, blank=True)
    posts = models.PositiveSmallIntegerField(_("posts"), default=0)
    phone = models.CharField(_("phone"), max_length=20, blank=True, default="")
    synthetic = models.BooleanField(_("illustrative"), default=False)

    class Meta:
        ordering = ["code"]
        verbose_name = _("grid service centre")
        verbose_name_plural = _("grid service centres")


class WorkerQuerySet(models.QuerySet):
    def within(self, area_code: str) -> Self:
        return self.filter(area_code__startswith=area_code)

    def assigned(self, on: date) -> Self:
        """Workers on duty who answer for some cell on a day: what the figure ``workers.assigned`` counts."""
        return self.filter(
            models.Exists(Posting.objects.on(on).filter(worker=models.OuterRef("pk"))), state=Worker.State.ON_DUTY
        )


class Worker(models.Model):
    """A full-time grid worker (网格员). ``area_code`` is where the worker is counted: the first cell answered for."""

    class State(models.TextChoices):
        ON_DUTY = "on_duty", _("On duty")
        LEAVE = "leave", _("On leave")
        ILL = "ill", _("Ill")
        LEFT = "left", _("Left the service")

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.PROTECT, related_name="worker", verbose_name=_("user"))
    number = models.CharField(_("number"), max_length=16, unique=True)
    phone = models.CharField(_("phone"), max_length=20, blank=True, default="")
    centre = models.ForeignKey(Centre, models.PROTECT, related_name="workers", verbose_name=_("centre"))
    area_code = models.CharField(_("area"), max_length=15)
    skills = ArrayField(models.CharField(max_length=20), verbose_name=_("skills"), default=list, blank=True)
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.ON_DUTY)
    training_valid_until = models.DateField(_("training valid until"), null=True, blank=True)
    synthetic = models.BooleanField(_("illustrative"), default=False)

    objects = WorkerQuerySet.as_manager()

    class Meta:
        ordering = ["number"]
        verbose_name = _("grid worker")
        verbose_name_plural = _("grid workers")
        indexes = [prefix_index("area_code", "worker_area_prefix"), models.Index(fields=["state"], name="worker_state")]

    def __str__(self) -> str:
        return self.number


class DateRange(Func):
    function = "DATERANGE"
    output_field = DateRangeField()


class PostingQuerySet(models.QuerySet):
    def on(self, day: date) -> Self:
        """Postings that hold on a day."""
        return self.filter(Q(until=None) | Q(until__gt=day), since__lte=day)


class Posting(models.Model):
    """A worker answers for a cell from a day on; ``until`` is the first day on which this no longer holds."""

    class Role(models.TextChoices):
        PRIMARY = "primary", _("Responsible")
        BACKUP = "backup", _("Backup")

    worker = models.ForeignKey(Worker, models.PROTECT, related_name="postings", verbose_name=_("worker"))
    cell = models.ForeignKey(Cell, models.PROTECT, related_name="postings", verbose_name=_("cell"))
    role = models.CharField(_("role"), max_length=7, choices=Role)
    since = models.DateField(_("since"))
    until = models.DateField(_("until"), null=True, blank=True)

    objects = PostingQuerySet.as_manager()

    class Meta:
        ordering = ["cell_id", "role", "since"]
        verbose_name = _("posting")
        verbose_name_plural = _("postings")
        constraints = [
            models.UniqueConstraint(
                name="posting_one_open_primary_a_cell", fields=["cell"], condition=Q(role="primary", until=None)
            ),
            ExclusionConstraint(
                name="posting_one_primary_a_cell_and_day",
                expressions=[
                    ("cell", RangeOperators.EQUAL),
                    (DateRange("since", "until", RangeBoundary()), RangeOperators.OVERLAPS),
                ],
                condition=Q(role="primary"),
            ),
            ExclusionConstraint(
                name="posting_once_a_worker_cell_and_day",
                expressions=[
                    ("worker", RangeOperators.EQUAL),
                    ("cell", RangeOperators.EQUAL),
                    (DateRange("since", "until", RangeBoundary()), RangeOperators.OVERLAPS),
                ],
            ),
            models.CheckConstraint(
                name="posting_ends_after_it_begins", condition=Q(until=None) | Q(until__gte=F("since"))
            ),
        ]
        indexes = [models.Index(fields=["cell", "role"], name="posting_cell_role")]

    def __str__(self) -> str:
        return f"{self.worker_id} → {self.cell_id} ({self.role})"
