"""Rules of re-checks for the administrator; for the auditor who changed them, and every draw."""

from django.contrib import admin

from citysafety.accounts.admin import HistoryAdmin

from .models import RecheckDraw, RecheckRule, RecheckRuleHistory

FIGURES = ("percent", "at_least", "every", "days", "since", "active")
RULE = ("matter", "matter_class", "severity", "area_code", "sampled", *FIGURES)


@admin.register(RecheckRule)
class RecheckRuleAdmin(admin.ModelAdmin):
    """What is drawn from, how much, how often, and how long the checker has. A change holds from the next draw on."""

    list_display = ("__str__", *FIGURES, "basis")
    list_filter = ("every", "sampled", "active")
    list_select_related = ("matter", "matter_class")
    autocomplete_fields = ("matter",)


@admin.register(RecheckDraw)
class RecheckDrawAdmin(admin.ModelAdmin):
    """What was drawn, by which random number: never changed."""

    list_display = ("__str__", "first", "last", "at", "size", "drawn", "seed")
    list_select_related = ("rule__matter", "rule__matter_class")
    exclude = ("population",)


@admin.register(RecheckRuleHistory)
class RecheckRuleHistoryAdmin(HistoryAdmin):
    list_display = ("at", "change", "by", *RULE)
    list_filter = (*HistoryAdmin.list_filter, "every")
