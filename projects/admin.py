"""Rules of supervision for the administrator."""

from django.contrib import admin

from .models import SupervisionRule


@admin.register(SupervisionRule)
class SupervisionRuleAdmin(admin.ModelAdmin):
    """When a notice is drafted, how long a unit has to answer, when its silence climbs."""

    list_display = (
        "severity", "over_amount", "over_unit", "reply_amount", "reply_unit", "climb_amount", "climb_unit",
        "second_signature", "active",
    )  # fmt: skip
