"""Rules of supervision for the administrator, and for the auditor who changed them."""

from django.contrib import admin

from citysafety.accounts.admin import HistoryAdmin

from .models import SupervisionRule, SupervisionRuleHistory


@admin.register(SupervisionRule)
class SupervisionRuleAdmin(admin.ModelAdmin):
    """When a notice is drafted, how long a unit has to answer, when its silence climbs."""

    list_display = (
        "severity", "over_amount", "over_unit", "reply_amount", "reply_unit", "climb_amount", "climb_unit",
        "second_signature", "active",
    )  # fmt: skip


@admin.register(SupervisionRuleHistory)
class SupervisionRuleHistoryAdmin(HistoryAdmin):
    list_display = (
        "at", "change", "by", "severity", "over_amount", "over_unit", "reply_amount", "reply_unit", "climb_amount",
        "climb_unit", "second_signature", "active",
    )  # fmt: skip
    list_filter = (*HistoryAdmin.list_filter, "severity")
