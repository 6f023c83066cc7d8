"""The filters of the list of devices, for pages and API."""

import django_filters
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from citysafety.filtering import InBox, Switch

from ..models import Device, Protocol
from .selectors import online


class DeviceFilter(django_filters.FilterSet):
    """Filters of devices; ``online``: heard of within the time that its kind allows."""

    system = django_filters.CharFilter(field_name="kind__system", label=_("monitoring system"))
    kind = django_filters.CharFilter(field_name="kind", label=_("kind"))
    state = django_filters.MultipleChoiceFilter(choices=Device.State, distinct=False, label=_("state"))
    online = Switch(method="by_online", label=_("online"))
    protocol = django_filters.ChoiceFilter(choices=Protocol, label=_("protocol"))
    department = django_filters.CharFilter(field_name="department__code", label=_("department in charge"))
    bbox = InBox(field_name="location", lookup_expr="within", label=_("frame"))
    search = django_filters.CharFilter(method="by_words", label=_("number, name, address or company"))

    class Meta:
        model = Device
        fields: list[str] = []

    def by_online(self, rows: QuerySet, name: str, value: bool) -> QuerySet:
        heard = online(timezone.now())
        return rows.filter(heard) if value else rows.filter(~heard | Q(status=None))

    def by_words(self, rows: QuerySet, name: str, value: str) -> QuerySet:
        return rows.filter(
            Q(code__istartswith=value)
            | Q(address__startswith=value)
            | Q(name_zh__icontains=value)
            | Q(name_en__icontains=value)
            | Q(company__icontains=value)
        )
