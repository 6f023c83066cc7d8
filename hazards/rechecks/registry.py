"""What re-checks register with the rooms below: who sees their photos, what photos are measured against, the chain."""

from collections import defaultdict
from collections.abc import Collection, Iterator
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from citysafety.evidence import access, cases
from citysafety.evidence import chain as chains
from citysafety.evidence.chain import Event, Record
from citysafety.notices import topics

from ..chain import pictures_of
from ..lifecycle import PhotoRole
from ..models import Hazard
from .lifecycle import LABELS
from .models import Recheck, RecheckStep

PATH = "/hazards/rechecks/%(subject_id)s/"
CASE_AND_DAY = gettext_lazy("%(number)s · %(place)s · until %(due_on)s")


def register() -> None:
    """Register everything once the apps stand."""
    access.register("recheck", may_see)
    cases.register(
        "recheck", find=cases_of, label=gettext_lazy("re-check"), roles={"after": PhotoRole.AFTER.label}, work_roles=()
    )
    chains.register("recheck", look)
    chains.join("recheck", "hazard", about_hazards)
    for key, label, title in (
        ("recheck.drawn", gettext_lazy("To check again"), gettext_lazy("Drawn for a re-check: %(matter)s")),
        ("recheck.late", gettext_lazy("Re-check overdue"), gettext_lazy("Your re-check is overdue: %(matter)s")),
        ("recheck.nobody", gettext_lazy("Re-check without a checker"), gettext_lazy("Nobody may check it again: %(matter)s")),
    ):  # fmt: skip
        topics.register(key, label=label, title=title, body=CASE_AND_DAY, path=PATH)


def may_see(user: Any, recheck_id: str) -> bool:
    """Test whether a person may see a re-check, and with it its photos. Queries: 1."""
    return Recheck.objects.visible_to(user).filter(pk=recheck_id).exists()


def cases_of(ids: Collection[str], reader: Any = None) -> Iterator[cases.Case]:
    """Yield re-checks as their photos are measured against them: taken where the case lies, after the draw. Queries: 1."""
    rows = Recheck.objects.visible_to(reader) if reader else Recheck.objects.all()
    for row in rows.filter(pk__in=ids).select_related("hazard"):
        place = row.hazard.location
        yield cases.Case(
            id=str(row.pk), number=row.hazard.number, address=reverse("recheck-page", args=[row.pk]), area=row.area_code,
            found_at=row.drawn_at, lon=place.x, lat=place.y, accuracy_m=row.hazard.accuracy_m, family=str(row.hazard_id),
        )  # fmt: skip


def look(user: Any, ids: list[str]) -> list[Record]:
    """Return re-checks with their steps, those the user may not see left out. Queries: 3, however many."""
    wanted = [one for one in map(_uuid, ids) if one]
    rows = list(Recheck.objects.visible_to(user).filter(pk__in=wanted).select_related("hazard__matter").order_by("pk"))
    keys = [row.pk for row in rows]
    steps: dict[UUID, list[RecheckStep]] = defaultdict(list)
    for step in RecheckStep.objects.filter(recheck__in=keys).select_related("actor", "checker").order_by("version"):
        steps[step.recheck_id].append(step)
    pictures = pictures_of("recheck", keys, dict(PhotoRole.choices), user)
    return [
        Record(
            kind="recheck", id=str(row.pk), label=_("re-check"), number=row.hazard.number, title=row.hazard.matter.name,
            state=row.get_state_display(), address=reverse("recheck-page", args=[row.pk]), area=row.area_code,
            imported=False, bound=[("hazard", str(row.hazard_id))],
            events=[_event(row, step, pictures.get((str(row.pk), step.pk), [])) for step in steps[row.pk]],
        )
        for row in rows
    ]  # fmt: skip


def _event(row: Recheck, step: RecheckStep, pictures: list[Any]) -> Event:
    who = step.actor or (step.checker if step.action == "draw" else None)
    return Event(
        at=step.at, label=str(LABELS[step.action]), who=who.name if who else "", words=step.words,
        target=row.get_state_display() if step.version == row.version else "", basis=_(step.basis) if step.basis else "",
        role=str(who.get_role_display()) if who else "",
        pictures=pictures,
    )  # fmt: skip


def about_hazards(user: Any, ids: list[str]) -> list[str]:
    """Return the re-checks of some hazards, as far as the user may see them. Queries: 1."""
    wanted = [one for one in map(_uuid, ids) if one]
    hazards = Hazard.objects.filter(pk__in=wanted).values("pk")
    rows = Recheck.objects.visible_to(user).filter(hazard__in=hazards).order_by("drawn_at", "pk")
    return [str(pk) for pk in rows.values_list("pk", flat=True)]


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
