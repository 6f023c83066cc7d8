"""Posts, shifts, leave and handovers: a roster that cannot contradict itself."""

import uuid
from datetime import datetime, timedelta
from typing import Any, Self

import pghistory
import pgtrigger
from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeBoundary, RangeOperators
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Deferrable, F, Func, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from citysafety.accounts.models import Department
from citysafety.accounts.rights import area_q
from citysafety.accounts.roles import Role
from citysafety.names import Named

ROSTERED = (Role.OPERATOR, Role.DISPATCHER, Role.SUPERVISOR, Role.LEADER, Role.DEPARTMENT_HANDLER)
ROSTERED_CHOICES = [(role.value, role.label) for role in ROSTERED]
AREA = r"^\d{4}(\d{2}(\d{3}(\d{3})?)?)?$"  # of the city, a county, a township or a village
WARN_HOURS, RECEIPT_MINUTES = 12, 30
LONGEST = timedelta(days=7)  # a leader of the week is the longest shift there is


class Period(Func):
    """The time from the begin of a row to its end, its end not among it."""

    function = "TSTZRANGE"
    output_field = DateTimeRangeField()


class PostQuerySet(models.QuerySet):
    def active(self) -> Self:
        return self.filter(active=True)

    def within(self, area_code: str) -> Self:
        return self.filter(area_code__startswith=area_code)

    def visible_to(self, user: Any) -> Self:
        """Posts of the own area; a handler's: of the own department. A wall screen and other roles see none."""
        if user.role == Role.DEPARTMENT_HANDLER:
            return self.filter(department=user.department_id) if user.department_id else self.none()
        return self.filter(area_q(user)) if user.role in {*ROSTERED, Role.AUDITOR} else self.none()


@pghistory.track(
    pghistory.InsertEvent(),
    pghistory.UpdateEvent(),
    pghistory.DeleteEvent(),
    model_name="PostHistory",
    meta={"verbose_name": _("change of a post"), "verbose_name_plural": _("history of posts")},
)
class Post(Named):
    """What is staffed round the clock or in certain hours (岗位): a desk and its telephone, not a person."""

    class Staffed(models.TextChoices):
        ALWAYS = "always", _("round the clock")
        WORKING = "working", _("in working time")
        HOURS = "hours", _("in given hours")

    role = models.CharField(_("role"), max_length=20, choices=ROSTERED_CHOICES)
    area_code = models.CharField(
        _("area"),
        max_length=15,
        validators=[RegexValidator(AREA, _("Expected an area code of 4, 6, 9 or 12 digits."))],
    )
    department = models.ForeignKey(
        Department,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="posts",
        verbose_name=_("department"),
        help_text=_("For posts of department handlers, and only for them."),
    )
    phone = models.CharField(
        _("phone of the post"), max_length=32, blank=True, default="", help_text=_("Of the desk, never of a person.")
    )
    minimum = models.PositiveSmallIntegerField(_("people at least"), default=1, validators=[MinValueValidator(1)])
    staffed = models.CharField(_("staffed"), max_length=8, choices=Staffed, default=Staffed.ALWAYS)
    begins = models.TimeField(
        _("from"), null=True, blank=True, help_text=_("With given hours; they may pass midnight.")
    )
    ends = models.TimeField(_("to"), null=True, blank=True)
    warn_hours = models.PositiveSmallIntegerField(
        _("warn of a gap (hours before)"), default=WARN_HOURS, validators=[MinValueValidator(1)]
    )
    receipt_minutes = models.PositiveSmallIntegerField(
        _("handover to be signed for within (minutes)"), default=RECEIPT_MINUTES, validators=[MinValueValidator(1)]
    )
    active = models.BooleanField(_("active"), default=True)

    objects = PostQuerySet.as_manager()

    class Meta:
        ordering = ["area_code", "role", "id"]
        verbose_name = _("duty post")
        verbose_name_plural = _("duty posts")
        indexes = [models.Index(fields=["role", "area_code"], name="post_role_area")]
        constraints = [
            models.CheckConstraint(name="post_has_an_area", condition=Q(area_code__regex=AREA)),
            models.CheckConstraint(name="post_role_has_rosters", condition=Q(role__in=[r.value for r in ROSTERED])),
            models.CheckConstraint(name="post_needs_people", condition=Q(minimum__gt=0)),
            models.CheckConstraint(
                name="post_of_a_handler_has_a_department",
                condition=Q(role="department_handler", department__isnull=False)
                | (~Q(role="department_handler") & Q(department=None)),
            ),
            models.CheckConstraint(
                name="post_hours_are_given",
                condition=Q(staffed="hours", begins__isnull=False, ends__isnull=False)
                | (~Q(staffed="hours") & Q(begins=None, ends=None)),
            ),
        ]

    def clean(self) -> None:
        if (self.role == Role.DEPARTMENT_HANDLER) != (self.department_id is not None):
            raise ValidationError(
                {"department": _("Posts of department handlers have a department, others have none.")}
            )
        if (self.staffed == self.Staffed.HOURS) != (self.begins is not None and self.ends is not None):
            raise ValidationError({"begins": _("Given hours need a begin and an end; other posts have neither.")})


class ShiftQuerySet(models.QuerySet):
    def standing(self) -> Self:
        """Shifts that were not called off."""
        return self.filter(cancelled_at=None)

    def during(self, start: datetime, end: datetime) -> Self:
        """Standing shifts that share some time with a period. A begin says by index where to look, since none is long."""
        return self.standing().filter(begins__gt=start - LONGEST, begins__lt=end, ends__gt=start)

    def running(self, at: datetime) -> Self:
        return self.standing().filter(begins__gt=at - LONGEST, begins__lte=at, ends__gt=at)

    def of(self, person: Any) -> Self:
        """Shifts of a person, or with the person as deputy."""
        return self.filter(Q(person=person) | Q(deputy=person))


@pghistory.track(
    pghistory.InsertEvent(),
    pghistory.UpdateEvent(),
    pghistory.DeleteEvent(),
    model_name="ShiftHistory",
    meta={"verbose_name": _("change of a shift"), "verbose_name_plural": _("history of shifts")},
)
class Shift(models.Model):
    """A person at a post from a moment to another (班次). It may pass midnight; what was called off stays as a row."""

    class Kind(models.TextChoices):
        PRIMARY = "primary", _("On duty")
        BACKUP = "backup", _("On call")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    post = models.ForeignKey(Post, models.PROTECT, related_name="shifts", verbose_name=_("post"))
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="shifts", verbose_name=_("person")
    )
    deputy = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("deputy")
    )
    begins = models.DateTimeField(_("begins"))
    ends = models.DateTimeField(_("ends"))
    kind = models.CharField(_("kind"), max_length=7, choices=Kind, default=Kind.PRIMARY)
    note = models.CharField(_("note"), max_length=200, blank=True, default="")
    cancelled_at = models.DateTimeField(_("called off"), null=True, blank=True, editable=False)

    objects = ShiftQuerySet.as_manager()

    class Meta:
        ordering = ["begins", "kind", "id"]
        verbose_name = _("shift")
        verbose_name_plural = _("shifts")
        indexes = [models.Index(fields=["post", "begins"], name="shift_post_begins")]
        constraints = [
            ExclusionConstraint(
                name="shift_once_a_person_and_post",
                expressions=[
                    ("post", RangeOperators.EQUAL),
                    ("person", RangeOperators.EQUAL),
                    (Period("begins", "ends", RangeBoundary()), RangeOperators.OVERLAPS),
                ],
                condition=Q(cancelled_at=None),
                deferrable=Deferrable.IMMEDIATE,  # looked at when a statement ends, so that two may change places
            ),
            models.CheckConstraint(name="shift_ends_after_it_begins", condition=Q(ends__gt=F("begins"))),
            models.CheckConstraint(name="shift_is_a_week_at_most", condition=Q(ends__lte=F("begins") + LONGEST)),
            models.CheckConstraint(name="shift_deputy_is_another", condition=Q(deputy=None) | ~Q(deputy=F("person"))),
        ]

    def __str__(self) -> str:
        return f"{self.post_id} {self.person_id} {self.begins:%F %H:%M}"


class LeaveQuerySet(models.QuerySet):
    def standing(self) -> Self:
        return self.filter(cancelled_at=None)

    def during(self, start: datetime, end: datetime) -> Self:
        return self.standing().filter(begins__lt=end, ends__gt=start)


@pghistory.track(
    pghistory.InsertEvent(),
    pghistory.UpdateEvent(),
    pghistory.DeleteEvent(),
    model_name="LeaveHistory",
    exclude=["reason"],  # an illness is told to who plans, not kept for ever
    meta={"verbose_name": _("change of a leave"), "verbose_name_plural": _("history of leave")},
)
class Leave(models.Model):
    """A time in which a person is not there (请假): shifts in it go to their deputies, or are gaps."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="leaves", verbose_name=_("person")
    )
    begins = models.DateTimeField(_("from"))
    ends = models.DateTimeField(_("to"))
    reason = models.CharField(_("reason"), max_length=200)
    entered_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", editable=False)
    entered_at = models.DateTimeField(editable=False)
    cancelled_at = models.DateTimeField(_("called off"), null=True, blank=True, editable=False)

    objects = LeaveQuerySet.as_manager()

    class Meta:
        ordering = ["begins", "id"]
        verbose_name = _("leave")
        verbose_name_plural = _("leave")
        indexes = [models.Index(fields=["person", "ends"], name="leave_person_ends", condition=Q(cancelled_at=None))]
        constraints = [models.CheckConstraint(name="leave_ends_after_it_begins", condition=Q(ends__gt=F("begins")))]

    def __str__(self) -> str:
        return f"{self.person_id} {self.begins:%F}–{self.ends:%F}"


class Swap(models.Model):
    """Two people change places (换班): done as soon as both have agreed. Who proposes it for himself has."""

    class State(models.TextChoices):
        PROPOSED = "proposed", _("Proposed")
        DONE = "done", _("Swapped")
        REFUSED = "refused", pgettext_lazy("swap", "Refused")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    first = models.ForeignKey(Shift, models.PROTECT, related_name="+")
    second = models.ForeignKey(Shift, models.PROTECT, related_name="+")
    first_person = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    second_person = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    words = models.CharField(max_length=200, blank=True, default="")
    state = models.CharField(max_length=8, choices=State, default=State.PROPOSED)
    proposed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField()
    first_agreed_at = models.DateTimeField(null=True)
    second_agreed_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-proposed_at", "id"]
        verbose_name = _("swap of shifts")
        verbose_name_plural = _("swaps of shifts")
        constraints = [
            models.CheckConstraint(name="swap_of_two_shifts", condition=~Q(first=F("second"))),
            models.CheckConstraint(
                name="swap_done_by_both",
                condition=~Q(state="done") | Q(first_agreed_at__isnull=False, second_agreed_at__isnull=False),
            ),
            models.UniqueConstraint(name="swap_open_once", fields=["first", "second"], condition=Q(state="proposed")),
        ]

    def __str__(self) -> str:
        return f"{self.first_id} ↔ {self.second_id}"


class Handover(models.Model):
    """What the outgoing shift leaves to the next (交接班). Rows are never changed or deleted."""

    id = models.UUIDField(primary_key=True, editable=False)
    post = models.ForeignKey(Post, models.PROTECT, related_name="handovers", verbose_name=_("post"))
    given_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    given_at = models.DateTimeField(_("given"))
    matters = models.TextField(_("open matters"), max_length=4000)
    cases = models.TextField(_("important cases"), max_length=1000, blank=True, default="")
    equipment_ok = models.BooleanField(_("equipment in order"))
    equipment = models.CharField(_("what is not in order"), max_length=400, blank=True, default="")
    figures = models.JSONField(default=list)  # what upper apps counted when it was given: key, labels, number, list

    class Meta:
        ordering = ["-given_at", "id"]
        verbose_name = _("handover")
        verbose_name_plural = _("handovers")
        indexes = [models.Index(fields=["post", "-given_at"], name="handover_post_newest")]
        constraints = [
            models.CheckConstraint(
                name="handover_says_what_is_broken", condition=Q(equipment_ok=True) | ~Q(equipment="")
            )
        ]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.post_id} {self.given_at:%F %H:%M}"


class HandoverReceipt(models.Model):
    """The incoming shift signs for what it was told. Rows are never changed or deleted."""

    id = models.UUIDField(primary_key=True, editable=False)
    handover = models.OneToOneField(Handover, models.PROTECT, related_name="receipt")
    received_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    received_at = models.DateTimeField(_("received"))
    words = models.CharField(_("remark"), max_length=400, blank=True, default="")

    class Meta:
        verbose_name = _("receipt of a handover")
        verbose_name_plural = _("receipts of handovers")
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.handover_id} {self.received_at:%F %H:%M}"


class AnnouncedGap(models.Model):
    """A time without anybody that was announced, so that it is announced once; closed when it is filled or over."""

    post = models.ForeignKey(Post, models.PROTECT, related_name="+")
    begins = models.DateTimeField()
    ends = models.DateTimeField()
    announced_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="gap_open_once", fields=["post", "begins"], condition=Q(closed_at=None))
        ]

    def __str__(self) -> str:
        return f"{self.post_id} {self.begins:%F %H:%M}"


PostHistory, ShiftHistory, LeaveHistory = (model.pgh_event_model for model in (Post, Shift, Leave))
