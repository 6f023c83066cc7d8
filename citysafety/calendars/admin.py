from typing import Any

from django.contrib import admin
from django.db import transaction
from django.http import HttpRequest

from .models import CalendarYear, Day, Hours
from .services import announce_change


class CalendarAdmin(admin.ModelAdmin):
    """Edits of the calendar are announced, so that due times follow."""

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        with transaction.atomic():
            super().save_model(request, obj, form, change)
            announce_change()

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        with transaction.atomic():
            super().delete_model(request, obj)
            announce_change()


@admin.register(CalendarYear)
class CalendarYearAdmin(CalendarAdmin):
    list_display = ["year", "status", "source"]
    list_filter = ["status"]


@admin.register(Day)
class DayAdmin(CalendarAdmin):
    list_display = ["date", "name_zh", "working", "source"]
    list_filter = ["working"]
    date_hierarchy = "date"


@admin.register(Hours)
class HoursAdmin(CalendarAdmin):
    list_display = ["__str__", "morning_begins", "morning_ends", "afternoon_begins", "afternoon_ends", "source"]
