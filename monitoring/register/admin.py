"""The register in the administration: what changes rarely, and what the gateways know by heart."""

from typing import Any

from django.contrib import admin
from django.forms import ModelForm
from django.http import HttpRequest

from ..models import Device, DeviceKind, Quantity, RiskField, System
from .telling import tell_gateways


class KnownToGateways(admin.ModelAdmin):
    """Rows that gateways hold: they are told of every change."""

    show_full_result_count = False

    def save_model(self, request: HttpRequest, obj: Any, form: ModelForm, change: bool) -> None:
        super().save_model(request, obj, form, change)
        tell_gateways()


@admin.register(RiskField)
class RiskFieldAdmin(admin.ModelAdmin):
    list_display = ("code", "name_zh", "name_en", "parent")
    list_select_related = ("parent",)
    search_fields = ("code", "name_zh", "name_en")
    autocomplete_fields = ("parent",)


@admin.register(System)
class SystemAdmin(KnownToGateways):
    """Names and contracts; the station moves with words, on the system's page."""

    list_display = ("position", "code", "name_zh", "name_en", "connection", "keep_days")
    list_display_links = ("code",)
    list_filter = ("connection",)
    search_fields = ("code", "name_zh", "name_en")
    autocomplete_fields = ("departments",)
    readonly_fields = ("code", "connection", "changed_at")


@admin.register(DeviceKind)
class DeviceKindAdmin(KnownToGateways):
    list_display = ("code", "name_zh", "name_en", "system", "field", "moves", "offline_after_s")
    list_filter = ("system",)
    list_select_related = ("system", "field")
    search_fields = ("code", "name_zh", "name_en")


@admin.register(Quantity)
class QuantityAdmin(KnownToGateways):
    list_display = ("code", "name_zh", "name_en", "unit", "decimals", "source")
    search_fields = ("code", "name_zh", "name_en")


@admin.register(Device)
class DeviceAdmin(KnownToGateways):
    """Options and who shares a device; all else is changed on its page, where history and news hang on it."""

    list_display = ("code", "name_zh", "kind", "state", "protocol", "address", "area_code")
    list_filter = ("state", "protocol", "kind")
    list_select_related = ("kind",)
    search_fields = ("code__istartswith", "address__startswith", "name_zh", "company")
    fields = (
        "code",
        "name_zh",
        "name_en",
        "kind",
        "state",
        "protocol",
        "address",
        "options",
        "owners",
        "premises",
        "synthetic",
    )
    readonly_fields = ("code", "name_zh", "name_en", "kind", "state", "protocol", "address", "synthetic")
    autocomplete_fields = ("owners",)
    raw_id_fields = ("premises",)
