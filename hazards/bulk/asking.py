"""What a request through the API asks of many cases: which ones, by id or by filter."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.http import QueryDict
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from citysafety import areas
from citysafety.accounts.duty import area_within
from citysafety.filtering import refusals

from ..filters import HazardFilter
from ..models import Hazard
from .services import MOST

NEWEST = ("-received_at", "id")


def fitting(request: Request, given: Mapping[str, Any]) -> tuple[list[UUID], bool]:
    """Return the newest cases that fit a filter of the list and that the caller may see, and whether there are more.

    Queries: 1, and those of the filters. :raises ValidationError: a filter or value that is not understood.
    """
    asked = QueryDict(mutable=True)
    for name, value in given.items():
        asked.setlist(name, [str(one) for one in (value if isinstance(value, list) else [value])])
    found = HazardFilter(asked, Hazard.objects.visible_to(request.user), request=request)
    if refused := refusals(asked, found, ("area",)):
        raise ValidationError({"filter": refused})
    rows = found.qs
    if area := asked.get("area"):
        try:
            rows = rows.within(area_within(request.user, area))
        except areas.UnknownArea as error:
            words = _("There is no area “%(seen)s” within your area of duty.") % {"seen": area}
            raise ValidationError({"filter": words}) from error
    ids = list(rows.order_by(*NEWEST).values_list("pk", flat=True)[: MOST + 1])
    return ids[:MOST], len(ids) > MOST
