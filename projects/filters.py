"""The one set of filters of overdue notices, for pages and API."""

import django_filters
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from citysafety.filtering import OnDay, Switch

from .lifecycle import NoticeState
from .models import OverdueNotice


class NoticeFilter(django_filters.FilterSet):
    """Filters of lists of overdue notices; days are days of the city."""

    state = django_filters.MultipleChoiceFilter(choices=NoticeState, label=_("state"))
    severity = django_filters.ChoiceFilter(
        choices=[("general", _("General")), ("major", _("Major"))], label=_("severity")
    )
    department = django_filters.CharFilter(field_name="department__code", label=_("department"))
    unanswered = Switch(field_name="unanswered", label=_("not answered in time"))
    live = Switch(method="by_live", label=_("not ended"))
    issued = OnDay(field_name="issued_at", lookup_expr="range", label=_("issued on"))
    hazard = django_filters.UUIDFilter(field_name="hazard", label=_("hazard"))

    class Meta:
        model = OverdueNotice
        fields: list[str] = []

    def by_live(self, rows: QuerySet, name: str, value: bool) -> QuerySet:
        return rows.live() if value else rows.exclude(pk__in=rows.live().values("pk"))
