from collections.abc import Iterable
from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from citysafety.accounts.admin import HistoryAdmin, NamedHistoryAdmin, ReadOnly

from .models import (
    CalendarYear,
    Day,
    Handover,
    Hours,
    LeaveHistory,
    Post,
    PostHistory,
    Shift,
    ShiftHistory,
    Swap,
)
from .services import announce_change, missing_year_warning


def years_of(row: Model) -> list[int]:
    """Return the year that a row tells of; hours tell of all."""
    return [row.year] if isinstance(row, CalendarYear) else [row.date.year] if isinstance(row, Day) else []


class CalendarAdmin(admin.ModelAdmin):
    """Edits of the calendar are announced, so that due times follow; a missing year is told on the list."""

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if warning := missing_year_warning(timezone.now()):
            messages.warning(request, warning)
        return super().changelist_view(request, extra_context)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [obj._meta.pk.name] if obj else []  # another date is another row

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change and form.changed_data and "source" not in form.changed_data:
            # The row no longer says what its source said; seeding leaves it alone from now on.
            obj.source = _("edited by %(name)s") % {"name": request.user.get_username()}
        with transaction.atomic():
            super().save_model(request, obj, form, change)
            announce_change(years_of(obj), at=timezone.now())

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        self._delete([obj], lambda: super(CalendarAdmin, self).delete_model(request, obj))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._delete(list(queryset), lambda: super(CalendarAdmin, self).delete_queryset(request, queryset))

    @staticmethod
    def _delete(rows: Iterable[Model], delete: Any) -> None:
        years = [year for row in rows for year in years_of(row)]
        with transaction.atomic():
            delete()
            announce_change(years, at=timezone.now())


@admin.register(CalendarYear)
class CalendarYearAdmin(CalendarAdmin):
    list_display = ["year", "status", "source"]
    list_filter = ["status"]


@admin.register(Day)
class DayAdmin(CalendarAdmin):
    list_display = ["date", "name_zh", "name_en", "working", "source"]
    list_filter = ["working"]
    date_hierarchy = "date"
    search_fields = ["name_zh", "name_en"]


@admin.register(Hours)
class HoursAdmin(CalendarAdmin):
    list_display = ["__str__", "morning_begins", "morning_ends", "afternoon_begins", "afternoon_ends", "source"]
    list_select_related = ["department"]
    autocomplete_fields = ["department"]


@admin.register(Post)
class PostAdmin(admin.ModelAdmin):
    """What is staffed, and when. Rosters are made on the pages of duty, by those who plan."""

    list_display = ["name_zh", "name_en", "role", "area_code", "staffed", "minimum", "phone", "active"]
    list_filter = ["role", "staffed", "active"]
    search_fields = ["name_zh", "name_en", "area_code"]
    autocomplete_fields = ["department"]


@admin.register(Shift)
class ShiftAdmin(ReadOnly):
    list_display = ["begins", "ends", "post", "person", "deputy", "kind", "cancelled_at"]
    list_filter = ["kind"]
    list_select_related = ["post", "person", "deputy"]
    date_hierarchy = "begins"
    search_fields = ["person__username"]


@admin.register(Swap)
class SwapAdmin(ReadOnly):
    list_display = ["proposed_at", "first_person", "second_person", "state", "proposed_by", "ended_at"]
    list_filter = ["state"]
    list_select_related = ["first_person", "second_person", "proposed_by"]


@admin.register(Handover)
class HandoverAdmin(ReadOnly):
    list_display = ["given_at", "post", "given_by", "equipment_ok"]
    list_select_related = ["post", "given_by"]
    date_hierarchy = "given_at"


@admin.register(PostHistory)
class PostHistoryAdmin(NamedHistoryAdmin):
    list_display = ["at", "change", "by", "named", "role", "area_code", "active"]


@admin.register(ShiftHistory)
class ShiftHistoryAdmin(HistoryAdmin):
    list_display = ["at", "change", "by", "post", "person", "deputy", "begins", "ends", "cancelled_at"]
    list_select_related = ["pgh_context", "post", "person", "deputy"]


@admin.register(LeaveHistory)
class LeaveHistoryAdmin(HistoryAdmin):
    list_display = ["at", "change", "by", "person", "begins", "ends", "cancelled_at"]
    list_select_related = ["pgh_context", "person"]
