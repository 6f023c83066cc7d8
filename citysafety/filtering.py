"""What all filters of lists share: nothing that is asked is left out in silence, on pages and in the API."""

from collections.abc import Collection, Mapping
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Any

import django_filters
from django import forms
from django.contrib.gis.geos import Polygon
from django.db.models import QuerySet
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

SWITCH = {"true": True, "1": True, "false": False, "0": False}
OF_EVERY_LIST = ("cursor", "page_size", "format")
ONE_MICROSECOND = timedelta(microseconds=1)


class Spelled(forms.Field):
    """A value of an address that is spelled in one way; what is spelled otherwise is refused."""

    expected: Any = ""

    def read(self, text: str) -> Any:
        """Return what a text means. :raises ValueError, OverflowError: nothing."""
        raise NotImplementedError

    def say(self, text: str) -> str:
        """Return a value that was understood as people say it."""
        return text

    def to_python(self, value: str | None) -> Any:
        if not value:
            return None
        try:
            return self.read(value)
        except (ValueError, OverflowError) as error:
            raise forms.ValidationError(
                _("“%(seen)s” was not understood; expected %(expected)s."),
                code="invalid",
                params={"seen": value, "expected": self.expected},
            ) from error


class SwitchField(Spelled):
    expected = gettext_lazy("true or false")

    def read(self, text: str) -> bool:
        if text.lower() not in SWITCH:
            raise ValueError(text)
        return SWITCH[text.lower()]


class DayField(Spelled):
    """A day of the city as the pair of its first and last moment."""

    expected = gettext_lazy("a day as YYYY-MM-DD, or today")

    def read(self, text: str) -> tuple[datetime, datetime]:
        day = timezone.localdate() if text == "today" else date.fromisoformat(text)
        start = timezone.make_aware(datetime.combine(day, time()))
        return start, start + timedelta(days=1) - ONE_MICROSECOND


class BoxField(Spelled):
    """A frame of the map in WGS 84."""

    expected = gettext_lazy("west,south,east,north in degrees")

    def read(self, text: str) -> Polygon:
        west, south, east, north = (float(part) for part in text.split(","))
        if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
            raise ValueError(text)
        frame = Polygon.from_bbox((west, south, east, north))
        frame.srid = 4326
        return frame


class Switch(django_filters.BooleanFilter):
    """A filter that is on, off or not asked."""

    field_class = SwitchField


class OnDay(django_filters.CharFilter):
    """What happened on a day of the city: ``today`` or YYYY-MM-DD."""

    field_class = DayField


class InBox(django_filters.CharFilter):
    """What lies in a frame: west,south,east,north."""

    field_class = BoxField


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
        if not any(name in filters for name in request.query_params):
            return queryset
        return super().filter_queryset(request, queryset, view)

    def get_filterset(self, request: Request, queryset: QuerySet, view: Any) -> django_filters.FilterSet:
        """Build only the filters that are asked: a form of all of them takes longer to build than most lists to read."""
        whole = self.get_filterset_class(view, queryset)
        asked = tuple(name for name in whole.base_filters if name in request.query_params)
        return narrowed(whole, asked)(**self.get_filterset_kwargs(request, queryset, view))


@lru_cache(maxsize=256)
def narrowed(whole: type[django_filters.FilterSet], names: tuple[str, ...]) -> type[django_filters.FilterSet]:
    """Return a set of filters with some of its filters only."""
    some = type(whole.__name__, (whole,), {})
    some.base_filters = {name: whole.base_filters[name] for name in names}
    return some


def refusals(asked: QueryDict, found: django_filters.FilterSet, beside: Collection[str]) -> list[str]:
    """Say for a page of each filter that is unknown or has a wrong value what was seen and what is expected."""
    fields = found.form.fields
    unknown = [name for name in asked if name not in fields and name not in beside]
    return [
        *(_("There is no filter “%(name)s”.") % {"name": name} for name in unknown),
        *(
            not_understood(fields[name].label, asked.getlist(name), _expected(fields[name]))
            for name in found.form.errors
        ),
    ]


def not_understood(label: Any, seen: Collection[str], expected: Any) -> str:
    """Say that a value was not understood."""
    words = {"label": label, "seen": ", ".join(seen), "expected": expected}
    return _("%(label)s: “%(seen)s” was not understood; expected %(expected)s.") % words


def in_words(
    asked: QueryDict,
    found: django_filters.FilterSet,
    *besides: tuple[Any, str],
    names: Mapping[str, Mapping[str, str]] | None = None,
) -> str:
    """Say the filters of an address in words, as a file or a printed page carries them.

    ``besides``: label and value of what is no filter; ``names``: by filter, what its codes are called.
    """
    fields, called = found.form.fields, names or {}
    own = [
        (fields[name].label, _said(fields[name], asked.getlist(name), called.get(name, {})))
        for name in asked
        if name in fields
    ]
    parts = [_("%(label)s: %(value)s") % {"label": label, "value": value} for label, value in (*besides, *own) if value]
    return pgettext("between filters", "; ").join(parts)


def _said(field: Any, values: Collection[str], names: Mapping[str, str]) -> str:
    """Return values of a filter as people say them."""
    words = {**{str(code): str(label) for code, label in getattr(field, "choices", [])}, **names}
    if isinstance(field, SwitchField):
        words = {text: _("yes") if is_on else _("no") for text, is_on in SWITCH.items()}
    say = field.say if isinstance(field, Spelled) else str
    return ", ".join(words[value] if value in words else say(value) for value in values if value)


def _expected(field: Any) -> Any:
    if isinstance(field, Spelled):
        return field.expected
    if isinstance(field, forms.DateField):
        return _("a day as YYYY-MM-DD")
    choices = [str(code) for code, _label in getattr(field, "choices", []) if code]
    return _("one of %(choices)s") % {"choices": ", ".join(choices)} if choices else _("other words")
