"""What all filters of lists share: nothing that is asked is left out in silence."""

from typing import Any

import django_filters
from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

SWITCH = {"true": True, "1": True, "false": False, "0": False, "": None}
OF_EVERY_LIST = ("cursor", "page_size", "format")


class SwitchField(forms.NullBooleanField):
    """True, false or not asked; what is none of them is refused."""

    widget = forms.TextInput

    def to_python(self, value: str | None) -> bool | None:
        try:
            return SWITCH[(value or "").lower()]
        except KeyError:
            raise forms.ValidationError(
                _("“%(seen)s” was not understood; expected true or false.") % {"seen": value}
            ) from None


class Switch(django_filters.BooleanFilter):
    """A filter that is on, off or not asked."""

    field_class = SwitchField


class KnownFilters(DjangoFilterBackend):
    """Filters by a view's ``filterset_class``; a name it does not have is refused with 400.

    A view that reads more of its address itself names that in ``beside_filters``.
    """

    def filter_queryset(self, request: Request, queryset: QuerySet, view: Any) -> QuerySet:
        filters = getattr(self.get_filterset_class(view, queryset), "base_filters", {})
        known = [*filters, *getattr(view, "beside_filters", ()), *OF_EVERY_LIST]
        words = _("There is no such filter; expected one of %(known)s.") % {"known": ", ".join(known)}
        if unknown := {name: words for name in request.query_params if name not in known}:
            raise ValidationError(unknown)
        return super().filter_queryset(request, queryset, view)
