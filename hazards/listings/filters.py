"""The one set of filters of listings, for pages and API."""

import django_filters
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from citysafety.filtering import Switch
from grid.models import Matter

from ..models import Criterion, Level, Listing
from .lifecycle import ListingState


class ListingFilter(django_filters.FilterSet):
    """Filters of lists of listings."""

    state = django_filters.MultipleChoiceFilter(choices=ListingState, distinct=False, label=_("state"))
    level = django_filters.ChoiceFilter(choices=Level, label=_("level"))
    missed = Switch(field_name="missed", label=_("limit missed"))
    live = Switch(method="by_life", label=_("running"))
    department = django_filters.CharFilter(field_name="department__code", label=_("department"))
    hazard = django_filters.UUIDFilter(field_name="hazard", label=_("hazard"))

    class Meta:
        model = Listing
        fields: list[str] = []

    def by_life(self, rows: QuerySet, name: str, value: bool) -> QuerySet:
        return rows.live() if value else rows.exclude(pk__in=Listing.objects.live().values("pk"))


class CriterionFilter(django_filters.FilterSet):
    """Filters of the catalogue of criteria; by a class of matters, or by the matter itself, those that fit it."""

    category = django_filters.CharFilter(method="by_class", label=_("category"))
    matter = django_filters.CharFilter(method="by_matter", label=_("matter"))
    sector = django_filters.CharFilter(field_name="sector", label=_("sector"))

    class Meta:
        model = Criterion
        fields: list[str] = []

    def by_class(self, rows: QuerySet, name: str, value: str) -> QuerySet:
        return rows.filter(classes=[]) | rows.filter(classes__contains=[value])

    def by_matter(self, rows: QuerySet, name: str, value: str) -> QuerySet:
        found = Matter.objects.filter(code=value).values_list("matter_class__code", flat=True).first()
        return self.by_class(rows, name, found) if found else rows.none()
