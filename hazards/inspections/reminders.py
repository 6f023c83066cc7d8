"""Remind who is to inspect: a re-inspection is due, or its last day has passed. Rows only, nothing is sent."""

from collections.abc import Iterator
from datetime import date, datetime

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from citysafety.accounts.models import User
from citysafety.notices import topics
from citysafety.notices.models import Notice
from citysafety.notices.services import News, notify_all
from grid.models import Posting, Worker

from .. import notices
from .models import InspectionPlan
from .services import may_inspect

AT_ONCE = 200  # told in one sweep; the next takes the rest
LATE_LEVEL = 3  # of the four levels of notices: III yellow
PAGE = "/inspections/new/?premises=%(premises)s&of=%(subject_id)s"
TEXT = _("%(number)s · %(place)s · To be inspected until %(due_on)s")
DUE, LATE = "inspection.again", "inspection.again_late"


def register() -> None:
    """Register the topics once the apps stand."""
    topics.register(DUE, label=_("Re-inspection due"), title=_("To inspect again: %(place)s"), body=TEXT, path=PAGE)
    topics.register(
        LATE, label=_("Re-inspection overdue"), title=_("Overdue, to inspect again: %(place)s"), body=TEXT, path=PAGE
    )


def remind(*, at: datetime) -> int:
    """Tell who is to inspect again that it is due, and once more after its last day; return how many were told.

    A re-inspection is told once for each day it is due until, whatever the sweeps: what was taken back because a hazard
    was opened again begins anew. Queries: 2; where any is untold 5 more, and 1 to 3 for each of these.
    """
    waiting = InspectionPlan.objects.filter(reinspects__isnull=False).order_by("due_on", "premises")
    rows = list(waiting.select_related("premises", "reinspects__inspector"))
    today = timezone.localdate(at)
    keys = {_key(plan, today): plan for plan in rows}
    known = set(Notice.objects.filter(source_key__in=keys).values_list("source_key", flat=True))
    untold = {key: plan for key, plan in keys.items() if key not in known}
    return notify_all(list(_news(untold, today)), at=at) if untold else 0


def _key(plan: InspectionPlan, today: date) -> str:
    return f"{_topic(plan, today)}:{plan.reinspects_id}:{plan.due_on}"


def _topic(plan: InspectionPlan, today: date) -> str:
    return LATE if plan.due_on < today else DUE


def _news(untold: dict[str, InspectionPlan], today: date) -> Iterator[News]:
    for key, plan in list(untold.items())[:AT_ONCE]:
        topic, before = _topic(plan, today), plan.reinspects
        yield News(
            recipients=inspectors_of(plan, today),
            topic=topic,
            params={
                "number": before.number, "place": plan.premises.name, "premises": plan.premises.code,
                "due_on": f"{plan.due_on:%F}",
            },
            subject=("inspection", before.pk),
            source_key=key,
            level=LATE_LEVEL if topic == LATE else None,
        )  # fmt: skip


def inspectors_of(plan: InspectionPlan, on: date) -> list[User]:
    """Return who is to inspect again: who did before; who may not any more: the workers of the cell, else the dispatchers
    nearest to the place. Queries: 0 to 2.
    """
    before = plan.reinspects.inspector
    if before.is_active and may_inspect(before, plan.premises):
        return [before]
    posted = Posting.objects.on(on).filter(cell=plan.premises.cell_id, worker__state=Worker.State.ON_DUTY)
    workers = User.objects.filter(Q(worker__postings__in=posted), is_active=True).distinct()
    fit = [user for user in workers if may_inspect(user, plan.premises)]
    return fit or notices.nearest_dispatchers(plan.area_code)
