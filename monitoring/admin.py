"""Alarm rules, schedules, fences and the policy of alarms for the administrator; maintenance for looking; who changed a rule."""

from dataclasses import fields
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.gis import forms as gis
from django.contrib.gis.db.models import GeometryField
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from citysafety.accounts.admin import HistoryAdmin, ReadOnly
from citysafety.accounts.roles import Role

from .models import READERS, AlarmPolicy, AlarmRuleHistory, Fence, Maintenance, Rule, Schedule
from .register.admin import KnownToGateways
from .rules import KINDS

ROLES = [(role.value, role.label) for role in Role if role in READERS]


def settings_words() -> str:
    """Say which settings a rule of each kind has."""
    return "; ".join(f"{kind}: {', '.join(one.name for one in fields(made))}" for kind, made in KINDS.items())


class RuleForm(forms.ModelForm):
    """A rule; who is told is chosen, not typed."""

    notify = forms.MultipleChoiceField(
        choices=ROLES, required=False, label=_("who is told"), widget=forms.CheckboxSelectMultiple,
        help_text=_("Roles of the area of the alarm; the departments of the device are told anyhow."),
    )  # fmt: skip

    class Meta:
        model = Rule
        fields = (
            "code", "name_zh", "name_en", "kind", "settings", "device_kind", "device", "quantity", "channel", "fences",
            "schedule", "on_delay_s", "off_delay_s", "latching", "doubtful_too", "shake_most", "shake_window_s", "notify",
            "matter", "files_hazard", "advice_zh", "advice_en", "source", "active",
        )  # fmt: skip


@admin.register(Rule)
class RuleAdmin(KnownToGateways):
    """What raises an alarm. Settings that cannot be are refused in words; what is saved holds within seconds."""

    form = RuleForm
    list_display = ("code", "name_zh", "name_en", "device_kind", "kind", "settings", "latching", "active")
    list_filter = ("kind", "active", "latching", "device_kind__system")
    list_select_related = ("device_kind",)
    search_fields = ("code", "name_zh", "name_en")
    raw_id_fields = ("device",)
    show_full_result_count = False

    def get_form(self, request: Any, obj: Any = None, change: bool = False, **more: Any) -> Any:
        """Say beside the settings what a rule of each kind may have."""
        words = _("A JSON object. %(known)s") % {"known": settings_words()}
        return super().get_form(request, obj, change, help_texts={"settings": words}, **more)


@admin.register(AlarmRuleHistory)
class AlarmRuleHistoryAdmin(HistoryAdmin):
    list_display = ("at", "change", "by", "code", "kind", "settings", "latching", "active")
    list_filter = (*HistoryAdmin.list_filter, "kind")
    search_fields = ("code",)


@admin.register(Schedule)
class ScheduleAdmin(KnownToGateways):
    """When rules hold."""

    list_display = ("code", "name_zh", "name_en", "windows", "source")
    search_fields = ("code", "name_zh", "name_en")


@admin.register(Fence)
class FenceAdmin(KnownToGateways):
    """Places in regard to which devices are watched; the outline as text (WKT), WGS 84."""

    list_display = ("code", "name_zh", "name_en", "group", "area_code", "width_m", "kmh", "active", "synthetic")
    list_filter = ("active", "group", "synthetic")
    search_fields = ("code", "name_zh", "name_en")

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **more: Any) -> Any:
        if isinstance(db_field, GeometryField):
            return gis.GeometryField(srid=4326, label=db_field.verbose_name, widget=forms.Textarea)
        return super().formfield_for_dbfield(db_field, request, **more)


@admin.register(AlarmPolicy)
class AlarmPolicyAdmin(admin.ModelAdmin):
    """Storms, the most that a desk can follow, the longest shelving, and within what time alarms are to be acknowledged."""

    list_display = (
        "storm_from", "storm_within_s", "most_per_10_min", "shelve_most_h", "acknowledge_i_min", "acknowledge_ii_min",
        "acknowledge_iii_min", "acknowledge_iv_min",
    )  # fmt: skip


@admin.register(Maintenance)
class MaintenanceAdmin(ReadOnly):
    """Works of which somebody said that they go on; begun and ended by the people of the desk."""

    list_display = ("area_code", "kind", "by", "reason", "begins_at", "ends_at", "ended_at")
    list_filter = ("kind",)
    list_select_related = ("kind", "by")
    search_fields = ("area_code",)
