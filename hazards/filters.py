"""The one set of filters of hazards, for pages and API."""

import re
from collections.abc import Mapping
from copy import copy
from datetime import date, datetime, time, timedelta
from typing import Any

import django_filters
from django.db import connection
from django.db.models import Model, Q, QuerySet
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from citysafety.accounts.models import Department
from citysafety.filtering import OnDay, Spelled, Switch
from citysafety.tallies import selectors as tallies
from grid import finding
from grid.models import Cell, Matter, MatterClass

from .evaluation.spans import CountedField, Days, counted, had_by, lay_in, steps
from .lifecycle import HazardState
from .models import ASKED, Hazard, Mark, Severity, Step
from .selectors import keys_of

# As text: to put a statement together takes longer than PostgreSQL answers it, and every list of a class asks it.
KEYS = {
    "matter": "SELECT id FROM grid_matter WHERE code = %s",
    "category": "SELECT id FROM grid_matter WHERE matter_class_id = (SELECT id FROM grid_matterclass WHERE code = %s)",
    "department": "SELECT id FROM accounts_department WHERE code = %s",
    "component": "SELECT id FROM grid_component WHERE code = %s",
    "cell": "SELECT id FROM grid_cell WHERE code = %s AND kind <> 'dedicated'",
    "dedicated": "SELECT id FROM grid_cell WHERE code = %s AND kind = 'dedicated'",
}

SPELLED = re.compile(r"[A-Za-z][A-Za-z ]+")
CODED_MATTER = re.compile(r"[A-Za-z]{2}-\d{1,4}")  # or what such a code begins with
MOST_SPELLED = 200  # matters and places that a few letters mean

CODED: dict[str, type[Any]] = {
    "matter": Matter,
    "category": MatterClass,
    "department": Department,
    "unit": Department,
    "cell": Cell,
}

# What few cases are; each has an index of its own.
CONDITIONS = {"asked": ASKED, "paused": Q(paused_at__isnull=False), "pinned": Q(pinned_at__isnull=False),
              "stopped": Q(stopped_at__isnull=False), "contested": Q(contested_at__isnull=False)}  # fmt: skip

# What a day of the filters is in the figures of the day.
OF_THE_DAY = {
    "received": "hazards.found_today",
    "cleared": "hazards.cleared_today",
    "refused": "hazards.refused_today",
    "dispatched": "hazards.dispatched_today",
    "marked": "hazards.marked_today",
    "settled": "hazards.closed_due_today",
}


def _keys(kind: str, code: str) -> list[int]:
    """Return the keys of what a code means. Queries: 1."""
    with connection.cursor() as cursor:
        cursor.execute(KEYS[kind], [code])
        return [key for (key,) in cursor.fetchall()]


def within(rows: QuerySet, area: str, asked: Mapping[str, str]) -> QuerySet:
    """Keep what lies in an area; in a list of what the evaluation counted, what lay in it when the days ended.

    ``asked``: the filters of the address, which were understood.
    """
    _count, _colon, days = asked.get("counted", "").partition(":")
    return lay_in(rows, area, Days.read(days)) if days else rows.within(area)


def names_of(asked: QueryDict) -> dict[str, dict[str, str]]:
    """Return what the codes that an address asks for are called, by filter. Queries: 1 for each such filter."""
    return {
        name: {one.code: one.name for one in model.objects.filter(code__in=codes)}
        for name, model in CODED.items()
        if (codes := [code for code in asked.getlist(name) if code])
    }


class AtLeastField(Spelled):
    """So many or more: ``2+``. The plus may be left out: in an address it means a space."""

    expected = _("a number from 1 on, as 2+")

    def read(self, text: str) -> int:
        if not (0 < (least := int(text.removesuffix("+"))) < 1000):
            raise ValueError(text)
        return least


class AtLeast(django_filters.CharFilter):
    field_class = AtLeastField


class Counted(django_filters.CharFilter):
    """What a count of the evaluation is made of: ``closed:2026-11-01..2026-11-30``."""

    field_class = CountedField


def midnight(day: date) -> datetime:
    """Return the first moment of a day of the city."""
    return timezone.make_aware(datetime.combine(day, time()))


class HazardFilter(django_filters.FilterSet):
    """Filters of lists of hazards; days are days of the city (Asia/Shanghai)."""

    # A state is a column of the row itself: no row comes twice, and DISTINCT would sort all of them first.
    state = django_filters.MultipleChoiceFilter(choices=HazardState, distinct=False, label=_("state"))
    severity = django_filters.ChoiceFilter(choices=Severity, label=_("severity"))
    open = Switch(method="by_open", label=_("open"))
    overdue = Switch(field_name="overdue", label=_("overdue"))
    asked = Switch(method="by_condition", label=_("waits for a decision"))
    paused = Switch(method="by_condition", label=_("paused"))
    pinned = Switch(method="by_condition", label=_("set by a leader"))
    stopped = Switch(method="by_condition", label=_("work stopped"))
    contested = Switch(method="by_condition", label=_("contested by the public"))
    matter = django_filters.CharFilter(method="by_code", label=_("matter"))
    category = django_filters.CharFilter(method="by_code", label=_("category"))
    department = django_filters.CharFilter(method="by_code", label=_("department"))
    unit = django_filters.CharFilter(method="by_unit", label=_("department at the time"))
    cell = django_filters.CharFilter(method="by_cell", label=_("cell"))
    component = django_filters.CharFilter(method="by_component", label=_("component"))
    mine = Switch(method="by_mine", label=_("reported by me"))
    received_after = django_filters.DateFilter(method="by_first_day", label=_("from"))
    received_before = django_filters.DateFilter(method="by_last_day", label=_("to"))
    received = OnDay(method="by_day", label=_("received on"))
    cleared = OnDay(method="by_day", label=_("written off on"))
    refused = OnDay(method="by_day", label=_("refused on"))
    dispatched = OnDay(method="by_day", label=_("dispatched on"))
    marked = OnDay(method="by_day", label=_("marked overdue on"))
    settled = OnDay(method="by_day", label=_("closed or marked overdue on"))
    late = Switch(field_name="late", label=_("ever overdue"))
    reworked = AtLeast(method="by_failures", label=_("verification failed, times"))
    counted = Counted(method="by_count", label=_("counted in the evaluation"))
    returned_by = django_filters.CharFilter(method="by_returner", label=_("returned by"))
    reporter = django_filters.NumberFilter(field_name="reporter", min_value=1, max_value=2**53, label=_("reporter"))
    search = django_filters.CharFilter(method="by_words", label=_("number, place, words"))

    class Meta:
        model = Hazard
        fields: list[str] = []

    @property
    def days_counted(self) -> Days | None:
        """The days of a count of the evaluation that is asked for: department and area are those of their end."""
        asked = self.form.cleaned_data.get("counted")
        return asked[1] if asked else None

    def __init__(
        self, data: Any = None, queryset: Any = None, *, request: Any = None, prefix: str | None = None
    ) -> None:
        """Take the filters of the class as they are: the package copies all of each, the choices too, at every request."""
        base, self.base_filters = self.base_filters, {}
        super().__init__(data, queryset, request=request, prefix=prefix)
        self.base_filters = base
        for name, one in base.items():
            self.filters[name] = mine = copy(one)
            mine.parent, mine.model = self, self.queryset.model
            if mine.method is not None:
                mine.method = mine.method  # binds it to this set

    def by_condition(self, rows: QuerySet, name: str, value: bool) -> QuerySet:
        return rows.filter(CONDITIONS[name]) if value else rows.exclude(CONDITIONS[name])

    def by_open(self, rows: QuerySet, name: str, value: bool) -> QuerySet:
        return rows.open() if value else rows.exclude(pk__in=rows.open().values("pk"))

    def by_code(self, rows: QuerySet, name: str, value: str) -> QuerySet:
        """Keep what is of a matter, a class or a department.

        Their keys are looked up first: knowing how often each comes, PostgreSQL chooses between the newest and an index.
        """
        if name == "department" and (days := self.days_counted):
            return had_by(rows, _keys(name, value), days)
        field = "department" if name == "department" else "matter"
        return rows.filter(**{f"{field}__in": _keys(name, value)})

    def by_unit(self, rows: QuerySet, name: str, value: str) -> QuerySet:
        """Keep what a department had when it happened on the day asked beside it; without a day, what it has now.

        So the figures of departments count: what was late before it was dispatched was late with nobody.
        """
        asked = self.form.cleaned_data
        days = {key: timezone.localdate(asked[day][0]) for day, key in OF_THE_DAY.items() if asked.get(day)}
        for key, day in days.items():
            rows = rows.filter(pk__in=keys_of(tallies.earned_by(value, "hazard", key, day)))
        return rows if days else rows.filter(department__in=_keys("department", value))

    def by_cell(self, rows: QuerySet, name: str, value: str) -> QuerySet:
        """Keep what lies in a cell; of which kind it is, is asked first, so that one index gives the newest. Queries: 1 or 2."""
        if dedicated := _keys("dedicated", value):
            return rows.filter(dedicated_cell__in=dedicated)
        return rows.filter(cell__in=_keys("cell", value))

    def by_component(self, rows: QuerySet, name: str, value: str) -> QuerySet:
        return rows.filter(component__in=_keys("component", value))

    def by_first_day(self, rows: QuerySet, name: str, value: date) -> QuerySet:
        return rows.filter(received_at__gte=midnight(value))

    def by_last_day(self, rows: QuerySet, name: str, value: date) -> QuerySet:
        return rows.filter(received_at__lt=midnight(value) + timedelta(days=1))

    def by_mine(self, rows: QuerySet, name: str, value: bool) -> QuerySet:
        own = Q(reporter=self.request.user)
        return rows.filter(own) if value else rows.exclude(own)

    def by_day(self, rows: QuerySet, name: str, within: tuple[datetime, datetime]) -> QuerySet:
        """Keep what happened within a day's first and last moment."""
        if name == "received":
            return rows.filter(received_at__range=within)
        marked = Mark.objects.filter(at__range=within).values("hazard")
        if name == "marked":
            return rows.filter(pk__in=marked)
        action = {"cleared": "write_off", "refused": "refuse", "dispatched": "dispatch", "settled": "write_off"}[name]
        # The actions are those of the index of steps by day.
        steps = Step.objects.filter(at__range=within, action=action).values("hazard")
        return rows.filter(pk__in=steps.union(marked) if name == "settled" else steps)

    def by_failures(self, rows: QuerySet, name: str, value: int) -> QuerySet:
        """Keep what failed so often or more; the first condition is that of the index."""
        return rows.filter(failures__gt=0).filter(failures__gte=value)

    def by_count(self, rows: QuerySet, name: str, value: tuple[str, Days]) -> QuerySet:
        return counted(rows, *value)

    def by_returner(self, rows: QuerySet, name: str, value: str) -> QuerySet:
        """Keep what a department returned: within the days that are counted, where some are."""
        within = self.form.cleaned_data.get("counted")
        returned = steps(within[1], "return") if within else Step.objects.filter(action="return")
        return rows.filter(pk__in=returned.filter(actor__department__in=_keys("department", value)).values("hazard"))

    def by_words(self, rows: QuerySet, name: str, value: str) -> QuerySet:
        """Find words in the description, the number, or the names of matter and cell: in either language, or as pinyin."""
        value = value.strip()
        if value.upper().startswith("YH-"):
            return rows.filter(number__startswith=value.upper())
        # Chinese has no cases: without them a row is compared once, not turned into capitals first.
        how = "contains" if value.upper() == value.lower() else "icontains"

        def named(model: type[Model]) -> QuerySet:
            return model.objects.filter(Q(**{f"name_zh__{how}": value}) | Q(**{f"name_en__{how}": value})).values("pk")

        spelled = _spelled(value)
        return rows.filter(
            Q(**{f"description__{how}": value})
            | Q(**{f"number__{how}": value})
            | Q(matter__in=named(Matter))
            | Q(cell__in=named(Cell))
            | Q(dedicated_cell__in=named(Cell))
            | spelled
        )


def _spelled(text: str) -> Q:
    """Return what fits a text as the pinyin, whole or by initials, of a matter, a cell or a township, or as a matter's code.

    Queries: 1 or 2 for Latin letters, none else. The index of names takes seconds when it is made; the page has it made.
    """
    fits = Q()
    if CODED_MATTER.fullmatch(text):
        return Q(matter__in=Matter.objects.filter(code__istartswith=text).values("pk"))
    if not SPELLED.fullmatch(text):
        return fits
    found = finding.find(text, "", MOST_SPELLED)
    codes = {kind: [one.code for one in found if one.kind == kind] for kind in ("matter", "cell", "township", "county")}
    if codes["matter"]:
        fits |= Q(matter__in=Matter.objects.filter(code__in=codes["matter"]).values("pk"))
    if codes["cell"]:
        cells = Cell.objects.filter(code__in=codes["cell"]).values("pk")
        fits |= Q(cell__in=cells) | Q(dedicated_cell__in=cells)
    for code in (*codes["township"], *codes["county"]):
        fits |= Q(area_code__startswith=code)
    return fits
