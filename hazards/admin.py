"""Causes of a pause and rules of limits for the administrator; for the auditor every change as the database wrote it down."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from citysafety.accounts.admin import HistoryAdmin

from .inspections import admin as inspections  # noqa: F401  registers its own tables
from .models import HazardHistory, LimitRule, LimitRuleHistory, PauseCause


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


@admin.register(PauseCause)
class PauseCauseAdmin(admin.ModelAdmin):
    """Why a clock may stand, for how long, and who decides it."""

    list_display = ("code", "name_zh", "name_en", "kind", "most_days", "by_supervisor", "active")
    list_filter = ("kind", "active")


LIMITS = (
    "severity", "most_extensions", "most_percent", "pin_amount", "pin_unit", "pin_weight", "active",
)  # fmt: skip


@admin.register(LimitRule)
class LimitRuleAdmin(admin.ModelAdmin):
    """How often and how far a limit may be extended, and how short the one is that a leader sets."""

    list_display = LIMITS


@admin.register(LimitRuleHistory)
class LimitRuleHistoryAdmin(HistoryAdmin):
    list_display = ("at", "change", "by", *LIMITS)
    list_filter = (*HistoryAdmin.list_filter, "severity")
