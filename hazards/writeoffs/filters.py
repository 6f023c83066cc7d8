"""The one set of filters of write-off lists, for pages and API."""

import django_filters
from django.db.models import F, QuerySet
from django.utils.translation import gettext_lazy as _

from citysafety.filtering import Switch

from .models import WriteOffList

STATES = (("draft", _("Draft")), ("frozen", _("Frozen, to be signed")), ("in_force", _("In force")))


class WriteOffFilter(django_filters.FilterSet):
    """Filters of write-off lists."""

    state = django_filters.ChoiceFilter(choices=STATES, method="by_state", label=_("state"))
    mine = Switch(method="by_me", label=_("made by me"))
    search = django_filters.CharFilter(method="by_words", label=_("number or title"))

    class Meta:
        model = WriteOffList
        fields: list[str] = []

    def by_state(self, rows: QuerySet, name: str, value: str) -> QuerySet:
        """Keep lists of a state; ``rows`` have their signatures counted."""
        if value == "draft":
            return rows.filter(frozen_at__isnull=True)
        frozen = rows.filter(frozen_at__isnull=False)
        return frozen.filter(signed=F("asked")) if value == "in_force" else frozen.filter(signed__lt=F("asked"))

    def by_me(self, rows: QuerySet, name: str, value: bool) -> QuerySet:
        return rows.filter(maker=self.request.user) if value else rows.exclude(maker=self.request.user)

    def by_words(self, rows: QuerySet, name: str, value: str) -> QuerySet:
        return rows.filter(number__startswith=value.upper()) | rows.filter(title__icontains=value)
