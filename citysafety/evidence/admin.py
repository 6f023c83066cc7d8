"""Photos whose pictures could not be made, tried again from here; the limits that photos are judged by."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from citysafety.accounts.admin import HistoryAdmin

from . import services
from .models import Photo, TrustRule, TrustRuleHistory


class PictureFilter(admin.SimpleListFilter):
    title = _("pictures")
    parameter_name = "pictures"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("parked", _("given up")), ("waiting", _("waiting")), ("made", _("made"))]

    def queryset(self, request: HttpRequest, photos: QuerySet) -> QuerySet:
        match self.value():
            case "parked":
                return photos.parked()
            case "waiting":
                return photos.waiting()
            case "made":
                return photos.exclude(derived_at=None)
        return photos


@admin.register(Photo)
class PhotoAdmin(admin.ModelAdmin):
    """Photos by their hash, without what they show; the filter "given up" shows what needs a person."""

    list_display = ("__str__", "mime", "size", "width", "height", "received_at", "deriving", "derived_at")
    list_filter = (PictureFilter, "mime")
    search_fields = ("sha256__startswith",)
    ordering = ("-received_at",)
    show_full_result_count = False
    readonly_fields = (
        "sha256", "mime", "size", "width", "height", "received_at", "taken_at", "taken_offset", "deriving", "derived_at",
    )  # fmt: skip
    exclude = (
        "camera_place",
        "across",
        "down",
        "looked_at",
    )  # where a person stood is not the administration's business
    actions = ("try_again",)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.action(description=_("Make the pictures again"), permissions=["change"])
    def try_again(self, request: HttpRequest, photos: QuerySet) -> None:
        count = services.unpark(Photo.objects.filter(pk__in=photos.values("pk")))
        messages.success(request, _("Will be tried again: %(n)s") % {"n": count})


@admin.register(TrustRule)
class TrustRuleAdmin(admin.ModelAdmin):
    """The limits that photos are judged by: one row, which is there from the start."""

    list_display = ("__str__", "fresh_hours", "older_days", "near_m", "far_m", "apart_m", "source")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(TrustRuleHistory)
class TrustRuleHistoryAdmin(HistoryAdmin):
    list_display = (
        "at", "change", "by", "fresh_hours", "older_days", "ahead_minutes", "near_m", "far_m", "apart_m", "alike_bits",
        "alike_grey", "source",
    )  # fmt: skip
