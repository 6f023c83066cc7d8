"""Facts for looking: the filter "a listener failed" shows what needs a person."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from .models import OutboxEntry


@admin.register(OutboxEntry)
class OutboxEntryAdmin(admin.ModelAdmin):
    """Facts with their positions, the newest first. Nobody adds, changes or deletes one."""

    list_display = ("position", "topic", "area_code", "kind", "subject_id", "at", "relayed_at", "failed")
    list_filter = ("failed", ("position", admin.EmptyFieldListFilter))
    search_fields = ("subject_id",)
    ordering = ("-id",)
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
