"""Checklists in their versions and the rules of risk for the administrator; for the auditor who changed them."""

from typing import Any

from django.contrib import admin
from django.db import transaction
from django.db.models import F
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils import timezone

from citysafety.accounts.admin import HistoryAdmin

from .models import (
    CheckedKind,
    Checklist,
    ChecklistHistory,
    ChecklistVersion,
    Item,
    RiskGrade,
    RiskGradeHistory,
    RiskRule,
    RiskRuleHistory,
)
from .planning import replan

RULE = ("factor", "kind", "at_least", "points", "active")
GRADE = ("colour", "at_least", "interval_days")


class Replans(admin.ModelAdmin):
    """What changes the plan: all premises are graded anew with it."""

    def save_related(self, request: HttpRequest, form: ModelForm, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        replan(at=timezone.now())

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        super().delete_model(request, obj)
        replan(at=timezone.now())


class CheckedKindInline(admin.TabularInline):
    model = CheckedKind
    extra = 0


@admin.register(Checklist)
class ChecklistAdmin(Replans):
    """Which kinds a checklist is for, and who closes what fails. What it asks stands in its versions."""

    list_display = ("code", "name_zh", "name_en", "closing_department", "auto_dispatch", "within_m", "must_be_on_site", "reinspect_days", "active")  # fmt: skip
    inlines = (CheckedKindInline,)


class ItemInline(admin.TabularInline):
    model = Item
    extra = 0
    autocomplete_fields = ("matter",)
    fields = ("position", "code", "name_zh", "name_en", "clause", "matter", "severity", "criterion", "asks_photo", "may_be_na")  # fmt: skip

    def _is_open(self, obj: Any) -> bool:
        return obj is None or obj.frozen_at is None

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._is_open(obj) and super().has_add_permission(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._is_open(obj) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._is_open(obj) and super().has_delete_permission(request, obj)


@admin.register(ChecklistVersion)
class ChecklistVersionAdmin(admin.ModelAdmin):
    """A version can be edited until the first inspection is made with it. A new one begins with the items of the last."""

    list_display = ("checklist", "number", "in_force_from", "basis", "frozen_at")
    list_filter = ("checklist",)
    list_select_related = ("checklist",)
    readonly_fields = ("frozen_at",)
    inlines = (ItemInline,)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return (obj is None or obj.frozen_at is None) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return (obj is None or obj.frozen_at is None) and super().has_delete_permission(request, obj)

    def get_inlines(self, request: HttpRequest, obj: Any) -> tuple:
        """Show no items while a version is made: it begins with those of the one before."""
        return self.inlines if obj else ()

    @transaction.atomic
    def save_model(self, request: HttpRequest, obj: ChecklistVersion, form: ModelForm, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if change:
            return
        before = ChecklistVersion.objects.filter(checklist=obj.checklist, number__lt=obj.number).order_by("-number")
        items = Item.objects.filter(version=before.first()).order_by(F("position"))
        for item in items:
            item.pk, item.version = None, obj
        Item.objects.bulk_create(items)


@admin.register(RiskRule)
class RiskRuleAdmin(Replans):
    list_display = ("name_zh", "name_en", *RULE)
    list_filter = ("factor", "kind")
    list_select_related = ("kind",)


@admin.register(RiskGrade)
class RiskGradeAdmin(Replans):
    list_display = GRADE


@admin.register(RiskRuleHistory)
class RiskRuleHistoryAdmin(HistoryAdmin):
    list_display = ("at", "change", "by", "name_zh", *RULE)
    list_filter = (*HistoryAdmin.list_filter, "factor")


@admin.register(RiskGradeHistory)
class RiskGradeHistoryAdmin(HistoryAdmin):
    list_display = ("at", "change", "by", *GRADE)


@admin.register(ChecklistHistory)
class ChecklistHistoryAdmin(HistoryAdmin):
    list_display = ("at", "change", "by", "code", "closing_department", "auto_dispatch", "within_m", "offline_hours", "must_be_on_site", "reinspect_days", "active")  # fmt: skip
