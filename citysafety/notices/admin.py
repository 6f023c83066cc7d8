"""Ladders and group robots for the administrator; channels and deliveries for looking; what is parked can be tried again."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from citysafety.accounts.admin import HistoryAdmin
from citysafety.outbox.services import announce

from . import ladders, services
from .facts import LadderChanged
from .forms import SigningForm
from .kinds import KINDS, labels
from .models import Channel, Delivery, Ladder, LadderHistory, Rung, RungHistory


class ChannelForm(SigningForm):
    """A group robot; a secret that is left empty stays as it is."""

    class Meta:
        model = Channel
        fields = ("department", "area_code", "kind", "address", "enabled")

    def save(self, commit: bool = True) -> Channel:
        self.instance.keys = self.keys or self.instance.keys
        return super().save(commit)


@admin.register(Channel)
class ChannelAdmin(admin.ModelAdmin):
    """The ways that people have chosen, for looking; group robots are kept here. An address that is a key is not shown whole."""

    form = ChannelForm
    list_display = ("owner", "kind", "shown", "enabled")
    list_filter = (("user", admin.EmptyFieldListFilter), "kind", "enabled")
    list_select_related = ("user", "department")
    search_fields = ("user__username",)
    autocomplete_fields = ("department",)
    fields = ("department", "area_code", "kind", "address", "secret", "enabled")

    @admin.display(description=_("whose"))
    def owner(self, channel: Channel) -> str:
        return str(channel.user or channel.department or channel.area_code)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("department", "area_code", "kind", "shown") if obj else ()

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        if obj is None:
            return self.fields
        secret = ("secret",) if obj.kind == Channel.Kind.DINGTALK and obj.user_id is None else ()
        return ("department", "area_code", "kind", "shown", *secret, "enabled")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or obj.user_id is None)


class RungForm(forms.ModelForm):
    """One rung; whom one may tell and which channels there are is chosen, not typed."""

    channels = forms.MultipleChoiceField(
        choices=Channel.Kind.choices, required=False, label=_("also by"), widget=forms.CheckboxSelectMultiple
    )

    class Meta:
        model = Rung
        fields = (
            "order", "percent", "over_hours", "target", "level", "channels", "robots", "repeat_hours", "repeat_most",
        )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        targets = {key: label for kind in KINDS.values() for key, label in kind.targets.items()}
        self.fields["target"] = forms.ChoiceField(choices=list(targets.items()), label=_("whom to tell"))


class RungForms(forms.BaseInlineFormSet):
    """The rungs of a ladder: shares rise, names are known."""

    def clean(self) -> None:
        super().clean()
        forms_here = [form for form in self.forms if form.has_changed() or form.instance.pk]
        rungs = [form.instance for form in forms_here if not form.cleaned_data.get("DELETE") and form.is_valid()]
        ladder = self.instance
        if not any(self.errors) and (wrong := ladders.problems(ladder.kind, ladder.severity, ladder.stage, rungs)):
            raise ValidationError(wrong)


class RungInline(admin.TabularInline):
    model = Rung
    form = RungForm
    formset = RungForms
    extra = 1


class LadderForm(forms.ModelForm):
    class Meta:
        model = Ladder
        fields = ("kind", "severity", "stage", "basis", "active")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kinds = KINDS.values()
        any_of = [("", _("any"))]
        severities = {key: label for kind in kinds for key, label in kind.severities.items()}
        stages = {key: label for kind in kinds for key, label in kind.stages.items()}
        chosen = {
            "kind": [(kind.key, kind.label) for kind in kinds],
            "severity": [*any_of, *severities.items()],
            "stage": [*any_of, *stages.items()],
        }
        for name, choices in chosen.items():
            if name in self.fields:
                label = self.fields[name].label
                self.fields[name] = forms.ChoiceField(choices=choices, required=name == "kind", label=label)


@admin.register(Ladder)
class LadderAdmin(admin.ModelAdmin):
    """Who is told when nobody acts. What is saved holds for open cases within seconds; what was told stays told."""

    form = LadderForm
    inlines = (RungInline,)
    list_display = ("kind_words", "severity_words", "stage_words", "basis", "active")
    list_filter = ("active",)

    @admin.display(description=_("kind of record"), ordering="kind")
    def kind_words(self, ladder: Ladder) -> str:
        return labels(ladder.kind, ladder.severity, ladder.stage)[0]

    @admin.display(description=_("severity"), ordering="severity")
    def severity_words(self, ladder: Ladder) -> str:
        return labels(ladder.kind, ladder.severity, ladder.stage)[1] or str(_("any"))

    @admin.display(description=_("clock"), ordering="stage")
    def stage_words(self, ladder: Ladder) -> str:
        return labels(ladder.kind, ladder.severity, ladder.stage)[2] or str(_("any"))

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        announce(LadderChanged(area_code=settings.CITY_CODE, subject_id=str(form.instance.pk)), at=timezone.now())


@admin.register(LadderHistory)
class LadderHistoryAdmin(HistoryAdmin):
    list_display = ("at", "change", "by", "kind", "severity", "stage", "active")


@admin.register(RungHistory)
class RungHistoryAdmin(HistoryAdmin):
    list_display = ("at", "change", "by", "ladder", "order", "percent", "over_hours", "target", "level")


@admin.register(Delivery)
class DeliveryAdmin(admin.ModelAdmin):
    """Every delivery with its tries; the filter "parked" shows what needs a person."""

    list_display = (
        "notice", "channel", "attempts", "next_try_at", "sent_at", "delivered_at", "opened_at", "receipt_at", "parked_at",
        "reason",
    )  # fmt: skip
    list_filter = (("parked_at", admin.EmptyFieldListFilter), ("sent_at", admin.EmptyFieldListFilter), "channel__kind")
    list_select_related = ("notice", "channel")
    show_full_result_count = False
    readonly_fields = (
        "notice", "channel", "attempts", "next_try_at", "claimed_at", "sent_at", "delivered_at", "opened_at",
        "receipt_at", "parked_at", "reason",
    )  # fmt: skip
    actions = ("try_again",)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.action(description=_("Try parked deliveries again"), permissions=["change"])
    def try_again(self, request: HttpRequest, deliveries: QuerySet) -> None:
        count = services.unpark(Delivery.objects.filter(pk__in=deliveries.values("pk")), at=timezone.now())
        messages.success(request, _("Will be tried again: %(n)s") % {"n": count})
