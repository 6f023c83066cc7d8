"""The one set of filters of re-checks, for pages and API."""

import django_filters
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from citysafety.filtering import Switch

from .lifecycle import RecheckState
from .models import Recheck


class RecheckFilter(django_filters.FilterSet):
    """Filters of lists of re-checks."""

    state = django_filters.MultipleChoiceFilter(choices=RecheckState, distinct=False, label=_("state"))
    overdue = Switch(method="by_overdue", label=_("overdue"))
    mine = Switch(method="by_me", label=_("mine"))
    nobody = Switch(method="by_nobody", label=_("without a checker"))
    draw = django_filters.NumberFilter(field_name="draw", min_value=1, max_value=2**53, label=_("draw"))
    hazard = django_filters.UUIDFilter(field_name="hazard", label=_("hazard"))
    search = django_filters.CharFilter(method="by_number", label=_("number of the case"))

    class Meta:
        model = Recheck
        fields: list[str] = []

    def by_overdue(self, rows: QuerySet, name: str, value: bool) -> QuerySet:
        late = Q(state=RecheckState.DUE, due_on__lt=timezone.localdate())
        return rows.filter(late) if value else rows.exclude(late)

    def by_me(self, rows: QuerySet, name: str, value: bool) -> QuerySet:
        own = Q(checker=self.request.user)
        return rows.filter(own) if value else rows.exclude(own)

    def by_nobody(self, rows: QuerySet, name: str, value: bool) -> QuerySet:
        nobody = Q(state=RecheckState.DUE, checker__isnull=True)
        return rows.filter(nobody) if value else rows.exclude(nobody)

    def by_number(self, rows: QuerySet, name: str, value: str) -> QuerySet:
        return rows.filter(hazard__number__startswith=value.strip().upper())
