"""The change log of hazards for the auditor: every change of a row as the database wrote it down."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from citysafety.accounts.admin import HistoryAdmin

from .models import HazardHistory


@admin.register(HazardHistory)
class HazardHistoryAdmin(HistoryAdmin):
    """Of the whole city, as the admin is. Steps with their words are on the case's page; here is what each change left behind."""

    list_display = (
        "at", "change", "by", "number", "state", "version", "severity", "department", "due_at", "overdue", "area_code",
    )  # fmt: skip
    list_filter = (*HistoryAdmin.list_filter, "state", "overdue")
    list_select_related = ("pgh_context", "department")
    search_fields = ("pgh_obj__number__exact",)
    search_help_text = _("the whole number, such as YH-20261101-00017")
    exclude = ("id", "merged_into", "party_users", "party_departments", "period")
