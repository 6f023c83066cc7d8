"""What the city sees of the public side of a case: how satisfied its reporter is, and for who handles it how to call back."""

from typing import Any

from citysafety.accounts.rights import may
from citysafety.lifecycle import Step

from ..models import Hazard
from ..standing import CITY_TIME
from .models import ACCOUNT, PublicReport

# Who handles a case calls back: the office that dispatches, the department it is with, who decides a contest.
CONTACT = Step("", "call_back", "", "", ("dispatcher:area", "department_handler:department", "supervisor:area"))


def beside(user: Any, hazard: Hazard) -> dict[str, Any]:
    """Return what the page of a case says of its public side. Queries: 1, none for what people of the city filed.

    The hazard comes with its reporter.
    """
    if hazard.reporter.username != ACCOUNT:
        return {}
    kept = PublicReport.objects.select_related("contact").filter(pk=hazard.pk).first()
    contact = getattr(kept, "contact", None) if kept and may(user, CONTACT, hazard).allowed else None
    return {"public_report": kept, "public_contact": contact}


def public_answer(user: Any, hazard: Hazard) -> dict[str, Any]:
    """Return the public side of a case as the API gives it. Queries: 2."""
    said = beside(user, hazard)
    kept, contact = said.get("public_report"), said.get("public_contact")
    return {
        "reported_by_public": kept is not None,
        "satisfaction": kept.satisfaction if kept else None,
        "satisfied_at": kept.satisfied_at.astimezone(CITY_TIME).isoformat() if kept and kept.satisfied_at else None,
        "photos_shown_at": hazard.photos_shown_at.astimezone(CITY_TIME).isoformat() if hazard.photos_shown_at else None,
        "contact": {"name": contact.name, "phone": contact.phone} if contact else None,
    }
