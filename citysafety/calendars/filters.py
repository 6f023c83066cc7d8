"""Filters of lists about rosters, in the API."""

import django_filters
from django.utils.translation import gettext_lazy as _

from citysafety.filtering import Switch

from .models import ROSTERED, Handover, Leave, Post, Shift, Swap


class PostFilter(django_filters.FilterSet):
    role = django_filters.ChoiceFilter(choices=[(role.value, role.label) for role in ROSTERED], label=_("role"))
    department = django_filters.CharFilter(field_name="department__code", label=_("department"))
    active = Switch(field_name="active", label=_("active"))

    class Meta:
        model = Post
        fields: list[str] = []


class ShiftFilter(django_filters.FilterSet):
    """Filters of shifts; ``from`` and ``to`` are read by the view, since one of them is a word of Python's."""

    post = django_filters.NumberFilter(field_name="post", max_value=2**31 - 1, min_value=0, label=_("post"))
    person = django_filters.CharFilter(field_name="person__username", label=_("person"))
    kind = django_filters.ChoiceFilter(choices=Shift.Kind, label=_("kind"))
    cancelled = Switch(field_name="cancelled_at", lookup_expr="isnull", exclude=True, label=_("called off"))

    class Meta:
        model = Shift
        fields: list[str] = []


class LeaveFilter(django_filters.FilterSet):
    person = django_filters.CharFilter(field_name="person__username", label=_("person"))

    class Meta:
        model = Leave
        fields: list[str] = []


class SwapFilter(django_filters.FilterSet):
    state = django_filters.ChoiceFilter(choices=Swap.State, label=_("state"))

    class Meta:
        model = Swap
        fields: list[str] = []


class HandoverFilter(django_filters.FilterSet):
    post = django_filters.NumberFilter(field_name="post", max_value=2**31 - 1, min_value=0, label=_("post"))
    unsigned = Switch(field_name="receipt", lookup_expr="isnull", label=_("not signed for"))

    class Meta:
        model = Handover
        fields: list[str] = []
