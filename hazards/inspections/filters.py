"""The one set of filters of each list, for pages and API."""

from datetime import timedelta

import django_filters
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from citysafety.filtering import OnDay, Switch
from grid.models import PremisesKind

from .models import Colour, Outcome

SOON = timedelta(days=7)


class PlanFilter(django_filters.FilterSet):
    """Filters of what is due."""

    colour = django_filters.MultipleChoiceFilter(field_name="colour", choices=Colour.choices, label=_("risk"))
    kind = django_filters.ModelChoiceFilter(
        field_name="premises__kind", queryset=PremisesKind.objects.all(), label=_("kind")
    )
    overdue = Switch(method="by_overdue", label=_("overdue"))
    soon = Switch(method="by_soon", label=_("due within seven days, or late"))
    reinspection = Switch(method="by_reinspection", label=_("re-inspection"))
    search = django_filters.CharFilter(method="by_words", label=_("name, address or code"))

    class Meta:
        fields: list[str] = []

    def by_overdue(self, rows: QuerySet, name: str, value: bool) -> QuerySet:
        late = Q(due_on__lt=timezone.localdate())
        return rows.filter(late) if value else rows.exclude(late)

    def by_soon(self, rows: QuerySet, name: str, value: bool) -> QuerySet:
        soon = Q(due_on__lte=timezone.localdate() + SOON)
        return rows.filter(soon) if value else rows.exclude(soon)

    def by_reinspection(self, rows: QuerySet, name: str, value: bool) -> QuerySet:
        return rows.filter(reinspects__isnull=not value)

    def by_words(self, rows: QuerySet, name: str, value: str) -> QuerySet:
        return rows.filter(_named("premises__", value))


class InspectionFilter(django_filters.FilterSet):
    """Filters of inspections that were made."""

    premises = django_filters.CharFilter(field_name="premises__code", label=_("premises"))
    kind = django_filters.ModelChoiceFilter(
        field_name="premises__kind", queryset=PremisesKind.objects.all(), label=_("kind")
    )
    result = django_filters.ChoiceFilter(choices=Outcome.choices[:2], label=_("result"))
    reinspection = Switch(method="by_reinspection", label=_("re-inspection"))
    waiting = Switch(method="by_waiting", label=_("failed and not settled"))
    inspected = OnDay(field_name="inspected_at", lookup_expr="range", label=_("inspected on"))
    on_site = Switch(method="by_presence", label=_("on site"))
    incomplete = Switch(method="by_photos", label=_("photos missing"))
    mine = Switch(method="by_me", label=_("by me"))
    search = django_filters.CharFilter(method="by_words", label=_("number, name, address or code"))

    class Meta:
        fields: list[str] = []

    def by_reinspection(self, rows: QuerySet, name: str, value: bool) -> QuerySet:
        return rows.filter(of__isnull=not value)

    def by_waiting(self, rows: QuerySet, name: str, value: bool) -> QuerySet:
        waits = Q(result=Outcome.FAIL, settled_by=None)
        return rows.filter(waits) if value else rows.exclude(waits)

    def by_presence(self, rows: QuerySet, name: str, value: bool) -> QuerySet:
        return rows.filter(off_site="") if value else rows.exclude(off_site="")

    def by_photos(self, rows: QuerySet, name: str, value: bool) -> QuerySet:
        return rows.exclude(photos_missing=[]) if value else rows.filter(photos_missing=[])

    def by_me(self, rows: QuerySet, name: str, value: bool) -> QuerySet:
        return rows.filter(inspector=self.request.user) if value else rows.exclude(inspector=self.request.user)

    def by_words(self, rows: QuerySet, name: str, value: str) -> QuerySet:
        return rows.filter(Q(number__istartswith=value) | _named("premises__", value))


def _named(at: str, words: str) -> Q:
    fields = {"name_zh__icontains": words, "name_en__icontains": words, "address__icontains": words}
    conditions = Q(**{f"{at}code__istartswith": words})
    for name, value in fields.items():
        conditions |= Q(**{f"{at}{name}": value})
    return conditions
