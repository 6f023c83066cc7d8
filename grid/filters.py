"""The one set of filters of each list of the grid, for pages and API."""

import re

import django_filters
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from citysafety.filtering import InBox, Switch

from .models import Cell, Component, Matter, Premises, PremisesKind, Worker


class MatterFilter(django_filters.FilterSet):
    """Filters of the catalogue. English is found by the beginnings of its words: “locked” is not “blocked”."""

    search = django_filters.CharFilter(method="by_words", label=_("name, initials, code"))
    category = django_filters.CharFilter(field_name="matter_class__code", label=_("class"))
    severity = django_filters.CharFilter(field_name="severity", label=_("severity"))
    special = Switch(field_name="special", label=_("special"))
    department = django_filters.CharFilter(field_name="department__code", label=_("department"))

    class Meta:
        model = Matter
        fields: list[str] = []

    def by_words(self, rows: QuerySet, name: str, value: str) -> QuerySet:
        return rows.filter(
            Q(name_zh__icontains=value)
            | Q(name_en__iregex=rf"\m{re.escape(value)}")
            | Q(code__istartswith=value)
            | Q(pinyin__contains=value.lower())
        )


class CellFilter(django_filters.FilterSet):
    """Filters of cells; ``active`` is assumed unless said otherwise."""

    kind = django_filters.MultipleChoiceFilter(choices=Cell.Kind, label=_("kind"))
    active = Switch(field_name="active", label=_("active"))
    staffed = Switch(field_name="staffed", label=_("somebody on duty answers for it"))
    search = django_filters.CharFilter(method="by_words", label=_("code or name"))

    class Meta:
        model = Cell
        fields: list[str] = []

    def by_words(self, rows: QuerySet, name: str, value: str) -> QuerySet:
        return rows.filter(Q(code__startswith=value) | Q(name_zh__icontains=value) | Q(name_en__icontains=value))


class WorkerFilter(django_filters.FilterSet):
    """Filters of workers."""

    state = django_filters.MultipleChoiceFilter(choices=Worker.State, label=_("state"))
    assigned = Switch(method="by_assigned", label=_("on duty with a cell today"))
    centre = django_filters.CharFilter(field_name="centre__code", label=_("centre"))
    search = django_filters.CharFilter(method="by_words", label=_("number or name"))

    class Meta:
        model = Worker
        fields: list[str] = []

    def by_assigned(self, rows: QuerySet, name: str, value: bool) -> QuerySet:
        assigned = Q(posted=True, state=Worker.State.ON_DUTY)
        return rows.filter(assigned) if value else rows.exclude(assigned)

    def by_words(self, rows: QuerySet, name: str, value: str) -> QuerySet:
        return rows.filter(
            Q(number__istartswith=value) | Q(user__name_zh__icontains=value) | Q(user__name_en__icontains=value)
        )


class PremisesFilter(django_filters.FilterSet):
    """Filters of the register; ``bbox`` is west,south,east,north in WGS 84."""

    kind = django_filters.ModelMultipleChoiceFilter(queryset=PremisesKind.objects.all(), label=_("kind"))
    nine_small = Switch(field_name="kind__nine_small", label=_("nine-small premises"))
    active = Switch(field_name="active", label=_("active"))
    cell = django_filters.CharFilter(method="by_cell", label=_("cell"))
    bbox = InBox(field_name="location", lookup_expr="within", label=_("frame"))
    search = django_filters.CharFilter(method="by_words", label=_("name, address or code"))

    class Meta:
        model = Premises
        fields: list[str] = []

    def by_cell(self, rows: QuerySet, name: str, value: str) -> QuerySet:
        return rows.filter(Q(cell__code=value) | Q(dedicated_cell__code=value))

    def by_words(self, rows: QuerySet, name: str, value: str) -> QuerySet:
        return rows.filter(
            Q(name_zh__icontains=value)
            | Q(name_en__icontains=value)
            | Q(address__icontains=value)
            | Q(code__istartswith=value)
        )


class ComponentFilter(django_filters.FilterSet):
    """Filters of components; ``kind`` is a minor class, or a major one with all of its minor classes."""

    kind = django_filters.CharFilter(method="by_class", label=_("class"))
    state = django_filters.MultipleChoiceFilter(choices=Component.State, distinct=False, label=_("state"))
    department = django_filters.CharFilter(field_name="department__code", label=_("department in charge"))
    cell = django_filters.CharFilter(field_name="cell__code", label=_("cell"))
    bbox = InBox(field_name="location", lookup_expr="within", label=_("frame"))
    search = django_filters.CharFilter(method="by_words", label=_("code or name"))

    class Meta:
        model = Component
        fields: list[str] = []

    def by_class(self, rows: QuerySet, name: str, value: str) -> QuerySet:
        return rows.of_class(value)

    def by_words(self, rows: QuerySet, name: str, value: str) -> QuerySet:
        if value.isdigit():
            return rows.filter(code__startswith=value)
        return rows.filter(Q(name_zh__icontains=value) | Q(name_en__icontains=value))
