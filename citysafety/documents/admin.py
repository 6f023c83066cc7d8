"""Kinds and wordings for the administrator; the register of numbers for looking."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.translation import gettext as _

from citysafety.accounts.admin import ReadOnly

from .models import DocumentKind, Number, Template
from .wording import BadWording, check

KNOWN_PLACES: dict[str, tuple[str, ...]] = {}  # by kind of document: the apps that draft them say what they fill


class TemplateForm(ModelForm):
    class Meta:
        model = Template
        fields = ("kind", "version", "title", "body", "since")

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        known = KNOWN_PLACES.get(getattr(data.get("kind"), "code", ""), ())
        for name in ("title", "body"):
            try:
                check(data.get(name, ""), known)
            except BadWording as error:
                words = {"seen": str(error), "known": ", ".join(known)}
                self.add_error(
                    name, ValidationError(_("Nothing fills “%(seen)s”; places are %(known)s."), params=words)
                )
        return data


@admin.register(DocumentKind)
class DocumentKindAdmin(admin.ModelAdmin):
    list_display = ("code", "name_zh", "name_en", "mark", "issuer_zh")


@admin.register(Template)
class TemplateAdmin(admin.ModelAdmin):
    """Wordings: a used one is not changed, a new version takes its place."""

    form = TemplateForm
    list_display = ("kind", "version", "title", "since")
    list_filter = ("kind",)

    def has_change_permission(self, request: HttpRequest, obj: Template | None = None) -> bool:
        return super().has_change_permission(request, obj) and not (obj and obj.documents.exists())


@admin.register(Number)
class NumberAdmin(ReadOnly):
    """Every number that was given and what became of it."""

    list_display = ("__str__", "state", "document", "reason", "given_at", "settled_at")
    list_filter = ("kind", "year", "state")
    list_select_related = ("kind", "document__kind")
