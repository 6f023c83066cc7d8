"""The one set of filters of hazards, for pages and API."""

from datetime import datetime

import django_filters
from django.db.models import Exists, Model, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from citysafety.filtering import OnDay, Switch
from grid.models import Cell, Matter

from .lifecycle import HazardState
from .models import Hazard, Mark, Severity, Step


class HazardFilter(django_filters.FilterSet):
    """Filters of lists of hazards; days are days of the city (Asia/Shanghai)."""

    # A state is a column of the row itself: no row comes twice, and DISTINCT would sort all of them first.
    state = django_filters.MultipleChoiceFilter(choices=HazardState, distinct=False, label=_("state"))
    severity = django_filters.ChoiceFilter(choices=Severity, label=_("severity"))
    open = Switch(method="by_open", label=_("open"))
    overdue = Switch(field_name="overdue", label=_("overdue"))
    matter = django_filters.CharFilter(field_name="matter__code", label=_("matter"))
    category = django_filters.CharFilter(field_name="matter__matter_class__code", label=_("category"))
    department = django_filters.CharFilter(field_name="department__code", label=_("department"))
    cell = django_filters.CharFilter(method="by_cell", label=_("cell"))
    mine = Switch(method="by_mine", label=_("reported by me"))
    received_after = django_filters.DateFilter(field_name="received_at", lookup_expr="date__gte", label=_("from"))
    received_before = django_filters.DateFilter(field_name="received_at", lookup_expr="date__lte", label=_("to"))
    received = OnDay(method="by_day", label=_("received on"))
    cleared = OnDay(method="by_day", label=_("written off on"))
    refused = OnDay(method="by_day", label=_("refused on"))
    dispatched = OnDay(method="by_day", label=_("dispatched on"))
    marked = OnDay(method="by_day", label=_("marked overdue on"))
    settled = OnDay(method="by_day", label=_("due to be closed on"))
    late = Switch(field_name="late", label=_("ever overdue"))
    search = django_filters.CharFilter(method="by_words", label=_("number, place, words"))

    class Meta:
        model = Hazard
        fields: list[str] = []

    def by_open(self, rows: QuerySet, name: str, value: bool) -> QuerySet:
        return rows.open() if value else rows.exclude(pk__in=rows.open().values("pk"))

    def by_cell(self, rows: QuerySet, name: str, value: str) -> QuerySet:
        return rows.filter(Q(cell__code=value) | Q(dedicated_cell__code=value))

    def by_mine(self, rows: QuerySet, name: str, value: bool) -> QuerySet:
        own = Q(reporter=self.request.user)
        return rows.filter(own) if value else rows.exclude(own)

    def by_day(self, rows: QuerySet, name: str, within: tuple[datetime, datetime]) -> QuerySet:
        """Keep what happened within a day's first and last moment."""
        if name == "received":
            return rows.filter(received_at__range=within)
        steps = Step.objects.filter(hazard=OuterRef("pk"), at__range=within)
        written_off = Exists(steps.filter(action="write_off"))
        marked = Exists(Mark.objects.filter(hazard=OuterRef("pk"), at__range=within))
        how = {
            "cleared": written_off,
            "refused": Exists(steps.filter(action="refuse")),
            "dispatched": Exists(steps.filter(action="dispatch")),
            "marked": marked,
            "settled": Q(written_off) | Q(marked),
        }
        return rows.filter(how[name])

    def by_words(self, rows: QuerySet, name: str, value: str) -> QuerySet:
        """Find words in the description, the number, or the names of matter and cell in either language."""
        value = value.strip()
        if value.upper().startswith("YH-"):
            return rows.filter(number__startswith=value.upper())
        # Chinese has no cases: without them a row is compared once, not turned into capitals first.
        how = "contains" if value.upper() == value.lower() else "icontains"

        def named(model: type[Model]) -> QuerySet:
            return model.objects.filter(Q(**{f"name_zh__{how}": value}) | Q(**{f"name_en__{how}": value})).values("pk")

        return rows.filter(
            Q(**{f"description__{how}": value})
            | Q(**{f"number__{how}": value})
            | Q(matter__in=named(Matter))
            | Q(cell__in=named(Cell))
            | Q(dedicated_cell__in=named(Cell))
        )
