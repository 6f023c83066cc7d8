"""The one set of filters of alarms, for pages and API."""

from datetime import datetime, timedelta
from typing import Any

import django_filters
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _

from citysafety.filtering import OnDay, Spelled, Switch

from .lifecycle import STANDING, AlarmState
from .models import Alarm, AlarmStep, Device, Level, Maintenance, Rule, Shelving

LONG = timedelta(hours=24)  # a standing alarm that is older is stale (EEMUA 191, 3rd edition; ISA-18.2-2016, 16.5)


class MomentField(Spelled):
    """A moment; without a zone it is one of the city."""

    expected = _("a moment as YYYY-MM-DDTHH:MM")

    def read(self, text: str) -> datetime:
        found = parse_datetime(text.replace(" ", "+"))  # a plus sign that was not escaped
        if found is None:
            raise ValueError(text)
        return found if timezone.is_aware(found) else timezone.make_aware(found)

    def say(self, text: str) -> str:
        return f"{localtime(self.read(text)):%Y-%m-%d %H:%M}"


class Moment(django_filters.CharFilter):
    """A bound of moments."""

    field_class = MomentField


class AlarmFilter(django_filters.FilterSet):
    """Filters of lists of alarms; days are days of the city."""

    open = Switch(method="by_open", label=_("open"))
    level = django_filters.MultipleChoiceFilter(choices=Level, distinct=False, label=_("level"))
    state = django_filters.MultipleChoiceFilter(choices=AlarmState, distinct=False, label=_("state"))
    quiet = Switch(method="by_quiet", label=_("kept quiet"))
    why = django_filters.MultipleChoiceFilter(
        field_name="quiet", choices=Alarm.Quiet, distinct=False, label=_("why it is quiet")
    )
    sounded = Switch(method="by_sounded", label=_("heard when it was raised"))
    flapping = Switch(field_name="flapping", label=_("flapping"))
    chattered = Switch(method="by_chattered", label=_("flapped at some time"))
    stale = Switch(method="by_stale", label=_("standing for more than 24 hours"))
    verdict = django_filters.MultipleChoiceFilter(
        choices=[*Alarm.Verdict.choices, ("none", _("not judged"))], method="by_verdict", distinct=False, label=_("verdict")
    )  # fmt: skip
    rule = django_filters.CharFilter(method="by_code", label=_("rule"))
    device = django_filters.CharFilter(method="by_code", label=_("device"))
    kind = django_filters.CharFilter(field_name="device__kind", label=_("kind of device"))
    system = django_filters.CharFilter(field_name="device__kind__system", label=_("monitoring system"))
    department = django_filters.CharFilter(method="by_department", label=_("department"))
    storm = django_filters.NumberFilter(field_name="storm", min_value=1, max_value=2**53, label=_("storm"))
    hazard = django_filters.UUIDFilter(field_name="hazard", label=_("hazard"))
    raised = OnDay(field_name="raised_at", lookup_expr="range", label=_("raised on"))
    since = Moment(field_name="raised_at", lookup_expr="gte", label=_("raised since"))
    until = Moment(field_name="raised_at", lookup_expr="lt", label=_("raised before"))
    search = django_filters.CharFilter(method="by_words", label=_("number, device, rule"))

    class Meta:
        model = Alarm
        fields: list[str] = []

    def by_open(self, rows: QuerySet, name: str, value: bool) -> QuerySet:
        return rows.open() if value else rows.filter(state=AlarmState.OVER)

    def by_quiet(self, rows: QuerySet, name: str, value: bool) -> QuerySet:
        return rows.exclude(quiet="") if value else rows.heard()

    def by_sounded(self, rows: QuerySet, name: str, value: bool) -> QuerySet:
        return rows.sounded() if value else rows.exclude(pk__in=Alarm.objects.sounded().values("pk"))

    def by_chattered(self, rows: QuerySet, name: str, value: bool) -> QuerySet:
        flapped = AlarmStep.objects.filter(action="flap").values("alarm")
        return rows.filter(pk__in=flapped) if value else rows.exclude(pk__in=flapped)

    def by_stale(self, rows: QuerySet, name: str, value: bool) -> QuerySet:
        stale = stale_q(timezone.now())
        return rows.filter(stale) if value else rows.exclude(stale)

    def by_verdict(self, rows: QuerySet, name: str, value: list[str]) -> QuerySet:
        return rows.filter(verdict__in=["" if one == "none" else one for one in value]) if value else rows

    def by_code(self, rows: QuerySet, name: str, value: str) -> QuerySet:
        model: Any = {"rule": Rule, "device": Device}[name]
        return rows.filter(**{f"{name}__in": model.objects.filter(code=value).values("pk")})

    def by_department(self, rows: QuerySet, name: str, value: str) -> QuerySet:
        return rows.filter(Q(department__code=value) | Q(assigned_to__code=value))

    def by_words(self, rows: QuerySet, name: str, value: str) -> QuerySet:
        value = value.strip()
        if value.upper().startswith("BJ-"):
            return rows.filter(number__startswith=value.upper())
        names = Q(name_zh__icontains=value) | Q(name_en__icontains=value) | Q(code__icontains=value)
        devices, rules = Device.objects.filter(names), Rule.objects.filter(names)
        return rows.filter(
            Q(number__icontains=value) | Q(device__in=devices.values("pk")) | Q(rule__in=rules.values("pk"))
        )


def stale_q(at: datetime) -> Q:
    """Return the condition of alarms that have stood for longer than a day."""
    return Q(state__in=sorted(STANDING), raised_at__lt=at - LONG)


class ShelvingFilter(django_filters.FilterSet):
    in_force = Switch(method="by_force", label=_("in force"))
    rule = django_filters.CharFilter(field_name="rule__code", label=_("rule"))

    class Meta:
        model = Shelving
        fields: list[str] = []

    def by_force(self, rows: QuerySet, name: str, value: bool) -> QuerySet:
        now = rows.in_force(timezone.now())
        return now if value else rows.exclude(pk__in=now.values("pk"))


class MaintenanceFilter(django_filters.FilterSet):
    in_force = Switch(method="by_force", label=_("in force"))
    kind = django_filters.CharFilter(field_name="kind", label=_("kind of device"))

    class Meta:
        model = Maintenance
        fields: list[str] = []

    by_force = ShelvingFilter.by_force
