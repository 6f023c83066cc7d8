"""Causes of a pause and rules of limits for the administrator; for the auditor every change as the database wrote it down."""

from typing import Any

from django.contrib import admin
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from citysafety.accounts.admin import HistoryAdmin

from .evaluation.words import COUNTS
from .inspections import admin as inspections  # noqa: F401  registers its own tables
from .models import (
    Criterion,
    CriterionHistory,
    Detector,
    DetectorHistory,
    EvaluationRule,
    EvaluationRuleHistory,
    HazardHistory,
    Indicator,
    IndicatorHistory,
    LimitRule,
    LimitRuleHistory,
    ListingRule,
    ListingRuleHistory,
    PauseCause,
    PublicRuleHistory,
)
from .public.models import PublicRule
from .rechecks import admin as rechecks  # noqa: F401  registers its own tables
from .writeoffs import admin as writeoffs  # noqa: F401  registers its own tables


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

    list_display = (
        "code",
        "name_zh",
        "name_en",
        "kind",
        "most_days",
        "most_times",
        "most_days_in_all",
        "by_supervisor",
        "active",
    )
    list_filter = ("kind", "active")


LIMITS = (
    "severity", "most_extensions", "most_percent", "pin_amount", "pin_unit", "pin_weight", "most_plan_days", "active",
)  # fmt: skip


@admin.register(LimitRule)
class LimitRuleAdmin(admin.ModelAdmin):
    """How often and how far a limit may be extended, and how short the one is that a leader sets."""

    list_display = LIMITS


@admin.register(LimitRuleHistory)
class LimitRuleHistoryAdmin(HistoryAdmin):
    list_display = ("at", "change", "by", *LIMITS)
    list_filter = (*HistoryAdmin.list_filter, "severity")


FORMULA = ("code", "numerator", "denominator", "weight", "full_at", "none_at", "active")


@admin.register(Indicator)
class IndicatorAdmin(admin.ModelAdmin):
    """What is evaluated: formulas over counts, their weights and where their colours turn."""

    list_display = (*FORMULA[:1], "name_zh", "name_en", *FORMULA[1:])
    list_filter = ("active",)

    def get_form(self, request: Any, obj: Any = None, change: bool = False, **more: Any) -> Any:
        """Say beside both formulas which counts there are."""
        known = ", ".join(f"{key} ({count.label})" for key, count in COUNTS.items())
        words = _("Counts with commas between them, a minus before what is taken away: %(known)s") % {"known": known}
        return super().get_form(request, obj, change, help_texts={"numerator": words, "denominator": words}, **more)


@admin.register(IndicatorHistory)
class IndicatorHistoryAdmin(HistoryAdmin):
    list_display = ("at", "change", "by", *FORMULA)


@admin.register(EvaluationRule)
class EvaluationRuleAdmin(admin.ModelAdmin):
    """What is too little to judge."""

    list_display = ("least", "basis")


@admin.register(EvaluationRuleHistory)
class EvaluationRuleHistoryAdmin(HistoryAdmin):
    list_display = ("at", "change", "by", "least", "basis")


DETECTOR = ("code", "thresholds", "active")


@admin.register(Detector)
class DetectorAdmin(admin.ModelAdmin):
    """Which patterns are looked for, and with which limits."""

    list_display = (*DETECTOR, "name_zh", "name_en", "basis")


@admin.register(DetectorHistory)
class DetectorHistoryAdmin(HistoryAdmin):
    list_display = ("at", "change", "by", *DETECTOR)


CRITERIA = ("code", "sector", "name_zh", "name_en", "basis", "version", "illustrative", "active")


@admin.register(Criterion)
class CriterionAdmin(admin.ModelAdmin):
    """What makes a hazard a major one, by which standard and clause. A changed wording gets the next version by itself."""

    list_display = CRITERIA
    list_filter = ("sector", "active", "illustrative")
    search_fields = ("code", "name_zh", "name_en")
    readonly_fields = ("version",)

    def save_model(self, request: HttpRequest, obj: Criterion, form: ModelForm, change: bool) -> None:
        if change and {"name_zh", "name_en", "basis"} & set(form.changed_data):
            obj.version += 1
        super().save_model(request, obj, form, change)


@admin.register(CriterionHistory)
class CriterionHistoryAdmin(HistoryAdmin):
    list_display = ("at", "change", "by", *CRITERIA)
    list_filter = (*HistoryAdmin.list_filter, "sector")


DAYS = ("level", "file_days", "publish_days", "most_days", "ask_days", "decide_days", "clearing_days", "active")


@admin.register(ListingRule)
class ListingRuleAdmin(admin.ModelAdmin):
    """The clocks of listed supervision at each level. Limits that run already keep theirs."""

    list_display = DAYS


@admin.register(ListingRuleHistory)
class ListingRuleHistoryAdmin(HistoryAdmin):
    list_display = ("at", "change", "by", *DAYS)
    list_filter = (*HistoryAdmin.list_filter, "level")


PUBLIC = ("contest_days", "reopenings", "basis")


@admin.register(PublicRule)
class PublicRuleAdmin(admin.ModelAdmin):
    """How long and how often the public may say that a closed case is not solved."""

    list_display = PUBLIC


@admin.register(PublicRuleHistory)
class PublicRuleHistoryAdmin(HistoryAdmin):
    list_display = ("at", "change", "by", *PUBLIC)
