"""What supervision registers with the rooms below: figures, topics, who may see an answer's photos, places of its wording."""

from collections.abc import Collection, Iterator
from typing import Any

from django.db.models import OuterRef, Subquery
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from citysafety.documents import admin as document_admin
from citysafety.evidence import access, cases
from citysafety.evidence import chain as chains
from citysafety.notices import topics
from citysafety.tallies.figures import COUNT, Figure, Recount, register_subject
from citysafety.tallies.figures import register as register_figure

from . import chain
from .models import NoticeStep, OverdueNotice
from .services.drafting import KIND, PLACES
from .standing import CITY_TIME, ISSUED_TODAY, UNANSWERED

FIGURES = {
    ISSUED_TODAY: (_("Overdue notices issued today."), "issued=today"),
    UNANSWERED: (_("Overdue notices that were not answered in time."), "unanswered=true"),
}
PAGE = "/supervision/notices/%(subject_id)s/"
NOTICE, NOTICE_AND_DUE = _("%(number)s · %(case)s"), _("%(number)s · %(case)s · Answer by %(reply_due_at)s")
TOPICS = (
    ("supervision.issued", _("Overdue notice"), _("An overdue notice was issued to us: %(matter)s"), NOTICE_AND_DUE),
    ("supervision.to_sign", _("Second signature"), _("Your second signature is asked for: %(matter)s"), NOTICE),
    ("supervision.answered", _("Notice answered"), _("Answered: %(matter)s"), NOTICE),
    ("supervision.rejected", _("Answer rejected"), _("Our answer was not accepted: %(matter)s"), NOTICE_AND_DUE),
    ("supervision.withdrawn", _("Notice withdrawn"), _("Withdrawn: %(matter)s"), NOTICE),
    ("supervision.reminder", _("Reminder"), _("An overdue notice is not answered: %(matter)s"), NOTICE_AND_DUE),
    ("supervision.silence", _("Lasting silence"), _("A unit does not answer an overdue notice: %(matter)s"), NOTICE_AND_DUE),
)  # fmt: skip


def register() -> None:
    """Register everything once the apps stand."""
    for key, (definition, query) in FIGURES.items():
        register_figure(
            Figure(
                key=key,
                kind=COUNT,
                unit=_("sheets"),
                definition=definition,
                list_path="/api/v1/supervision/",
                list_query=f"figure={key}",
                page=f"/supervision/notices/?{query}",
            )
        )
    register_subject("supervision", recount)
    for key, label, title, body in TOPICS:
        topics.register(key, label=label, title=title, body=body, path=PAGE)
    access.register("supervision", may_see)
    cases.register(
        "supervision",
        find=cases_of,
        label=_("overdue notice"),
        roles={"answer": _("What was done")},
        work_roles=("answer",),
    )
    chains.register("supervision", chain.look)
    chains.join("supervision", "hazard", chain.about_hazards)
    document_admin.KNOWN_PLACES[KIND] = PLACES


def may_see(user: Any, notice_id: str) -> bool:
    """Test whether a person may see a notice, and with it the photos of its answer. Queries: 1."""
    return OverdueNotice.objects.visible_to(user).filter(pk=notice_id).exists()


def cases_of(ids: Collection[str], reader: Any = None) -> Iterator[cases.Case]:
    """Yield notices as their photos are measured: against their hazard, with which they are one. Queries: 1."""
    rows = OverdueNotice.objects.visible_to(reader) if reader else OverdueNotice.objects.all()
    rejected = NoticeStep.objects.filter(notice=OuterRef("pk"), action="reject_answer").order_by("-version")
    rows = rows.filter(pk__in=ids).select_related("document__kind", "hazard").defer("hazard__description")
    for notice in rows.annotate(failed_at=Subquery(rejected.values("at")[:1])):
        hazard = notice.hazard
        yield cases.Case(
            id=str(notice.pk),
            number=str(notice.document.full_number or ""),
            address=reverse("supervision-notice", args=[notice.pk]),
            area=notice.area_code,
            found_at=hazard.occurred_at,
            lon=hazard.location.x,
            lat=hazard.location.y,
            accuracy_m=hazard.accuracy_m,
            family=str(hazard.merged_into_id or hazard.pk),
            failed_at=notice.failed_at,
        )


def recount() -> Iterator[Recount]:
    """Count every notice afresh from its row and its steps; never from what is kept."""
    issued: dict[Any, set[Any]] = {}
    for notice_id, at in NoticeStep.objects.filter(action="issue").values_list("notice_id", "at").iterator():
        issued.setdefault(notice_id, set()).add(at.astimezone(CITY_TIME).date())
    for notice in OverdueNotice.objects.order_by("pk").iterator(chunk_size=5000):
        yield Recount(
            subject_id=str(notice.pk),
            area=notice.area_code,
            extra_area="",
            category="",
            state=notice.state,
            now=[UNANSWERED] if notice.unanswered else [],
            today={day: {ISSUED_TODAY} for day in issued.get(notice.pk, ())},
            amounts={},
        )
