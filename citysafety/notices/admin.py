"""Channels and deliveries for looking; what is parked can be tried again."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from . import services
from .models import Channel, Delivery


@admin.register(Channel)
class ChannelAdmin(admin.ModelAdmin):
    list_display = ("user", "kind", "address", "enabled")
    list_filter = ("kind", "enabled")
    list_select_related = ("user",)
    search_fields = ("user__username", "address")


@admin.register(Delivery)
class DeliveryAdmin(admin.ModelAdmin):
    """Every delivery with its tries; the filter "parked" shows what needs a person."""

    list_display = ("notice", "channel", "attempts", "next_try_at", "sent_at", "parked_at", "reason")
    list_filter = (("parked_at", admin.EmptyFieldListFilter), ("sent_at", admin.EmptyFieldListFilter), "channel__kind")
    list_select_related = ("notice", "channel")
    show_full_result_count = False
    readonly_fields = (
        "notice", "channel", "attempts", "next_try_at", "claimed_at", "sent_at", "parked_at", "reason",
    )  # fmt: skip
    actions = ("try_again",)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.action(description=_("Try parked deliveries again"), permissions=["change"])
    def try_again(self, request: HttpRequest, deliveries: QuerySet) -> None:
        count = services.unpark(Delivery.objects.filter(pk__in=deliveries.values("pk")), at=timezone.now())
        messages.success(request, _("Will be tried again: %(n)s") % {"n": count})
