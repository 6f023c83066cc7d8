"""Working days and hours as rows that the city edits."""

from datetime import date, time

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from citysafety.names import Named


class CalendarYear(models.Model):
    """A year whose working days are known. Without its row no due time falls into it."""

    class Status(models.TextChoices):
        ANNOUNCED = "announced", _("announced")
        PROVISIONAL = "provisional", _("provisional")

    year = models.PositiveSmallIntegerField(_("year"), primary_key=True)
    status = models.CharField(_("status"), max_length=12, choices=Status)
    source = models.CharField(_("source"), max_length=200)

    class Meta:
        ordering = ["-year"]
        verbose_name = _("calendar year")
        verbose_name_plural = _("calendar years")

    def __str__(self) -> str:
        return str(self.year)


class Day(Named):
    """A day that differs from the week: off on a weekday, worked on a weekend day; or a holiday's weekend day."""

    date = models.DateField(_("date"), primary_key=True)
    working = models.BooleanField(_("worked"))
    source = models.CharField(_("source"), max_length=200, blank=True, default="")

    class Meta:
        ordering = ["-date"]
        verbose_name = _("special day")
        verbose_name_plural = _("special days")


class Hours(models.Model):
    """The two sessions of a working day, from a day of the year on."""

    department = models.ForeignKey(
        "accounts.Department", models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("department"),
        help_text=_("Empty: the city's. A department with hours of its own has only these."),
    )  # fmt: skip
    month = models.PositiveSmallIntegerField(_("from month"))
    day = models.PositiveSmallIntegerField(_("from day"))
    morning_begins = models.TimeField(_("morning begins"), default=time(8))
    morning_ends = models.TimeField(_("morning ends"), default=time(12))
    afternoon_begins = models.TimeField(_("afternoon begins"), default=time(14))
    afternoon_ends = models.TimeField(_("afternoon ends"), default=time(18))
    source = models.CharField(_("source"), max_length=200, blank=True, default="")

    class Meta:
        ordering = ["month", "day"]
        verbose_name = _("hours of work")
        verbose_name_plural = _("hours of work")
        constraints = [
            models.UniqueConstraint(
                name="hours_once_a_day", fields=["department", "month", "day"], nulls_distinct=False
            ),
            models.CheckConstraint(
                name="hours_from_a_day_of_the_year", condition=Q(month__range=(1, 12), day__range=(1, 31))
            ),
            models.CheckConstraint(
                name="hours_follow_each_other",
                condition=Q(morning_begins__lt=F("morning_ends"))
                & Q(morning_ends__lt=F("afternoon_begins"))
                & Q(afternoon_begins__lt=F("afternoon_ends")),
            ),
        ]

    def __str__(self) -> str:
        whose = f"{self.department} · " if self.department_id else ""
        return f"{whose}{self.month:02d}-{self.day:02d} {self.morning_begins:%H:%M}–{self.afternoon_ends:%H:%M}"

    def clean(self) -> None:
        times = [self.morning_begins, self.morning_ends, self.afternoon_begins, self.afternoon_ends]
        if None not in times and times != sorted(set(times)):
            raise ValidationError(_("The four times must follow each other."))
        if self.month and self.day:
            try:
                date(2024, self.month, self.day)  # a leap year: 29 February may begin a season
            except ValueError as error:
                raise ValidationError(_("There is no such day of the year.")) from error
