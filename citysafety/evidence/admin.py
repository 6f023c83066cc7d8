"""Photos whose pictures could not be made: parked after three tries, tried again from here."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from . import services
from .models import Photo


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
        "sha256", "mime", "size", "width", "height", "received_at", "taken_at", "deriving", "derived_at",
    )  # fmt: skip
    actions = ("try_again",)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.action(description=_("Make the pictures again"), permissions=["change"])
    def try_again(self, request: HttpRequest, photos: QuerySet) -> None:
        count = services.unpark(Photo.objects.filter(pk__in=photos.values("pk")))
        messages.success(request, _("Will be tried again: %(n)s") % {"n": count})
