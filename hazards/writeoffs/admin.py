"""Which signatures write-off lists need; for the auditor who changed that."""

from django.contrib import admin

from citysafety.accounts.admin import HistoryAdmin

from .models import SigningRule, SigningRuleHistory

RULE = ("position", "role", "must_be_head", "basis")


@admin.register(SigningRule)
class SigningRuleAdmin(admin.ModelAdmin):
    """Who signs a write-off list: two at least. A list that is frozen keeps what was asked on its day."""

    list_display = RULE


@admin.register(SigningRuleHistory)
class SigningRuleHistoryAdmin(HistoryAdmin):
    list_display = ("at", "change", "by", *RULE)
