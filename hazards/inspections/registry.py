"""What inspections register with the rooms below: who sees their photos, what photos are measured against, the chain."""

from collections.abc import Collection, Iterator
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from citysafety.calendars import handovers
from citysafety.evidence import access, cases
from citysafety.evidence import chain as chains

from . import chain, reminders
from .models import Inspection


def register() -> None:
    """Register everything once the apps stand."""
    reminders.register()
    access.register("inspection", may_see)
    cases.register("inspection", find=cases_of, label=_("inspection"), roles={}, work_roles=())
    chains.register("inspection", chain.look)
    chains.join("inspection", "hazard", chain.finders)
    chains.join("inspection", "inspection", chain.again)
    handovers.register_case_numbers(r"\bJC-\d{8}-\d{5,}\b", lambda number: f"/inspections/done/?search={number}")


def may_see(user: Any, inspection_id: str) -> bool:
    """Test whether a person may see an inspection, and with it its photos. Queries: 1."""
    return Inspection.objects.visible_to(user).filter(pk=inspection_id).exists()


def cases_of(ids: Collection[str], reader: Any = None) -> Iterator[cases.Case]:
    """Yield inspections as their photos are measured against them: taken at the premises. Queries: 1."""
    rows = Inspection.objects.visible_to(reader) if reader else Inspection.objects.all()
    for row in rows.filter(pk__in=ids).select_related("premises"):
        yield cases.Case(
            id=str(row.pk),
            number=row.number,
            address=reverse("inspection-page", args=[row.pk]),
            area=row.area_code,
            found_at=row.inspected_at,
            lon=row.premises.location.x,
            lat=row.premises.location.y,
            family=str(row.first_id),
        )
