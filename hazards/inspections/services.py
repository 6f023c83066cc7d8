"""Record an inspection: its results, and the hazards that its failed items are."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.contrib.gis.geos import Point
from django.db import connection, transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from citysafety.accounts.roles import Role
from citysafety.accounts.selectors import offices_open_to
from citysafety.coordinates import metres_between
from grid.locate import in_frame
from grid.models import Premises

from ..lifecycle import HazardState
from ..models import Hazard
from ..selectors import MOST_DOUBT_M
from ..services import FilingRefused, draft_hazard, file_drafts, take_step
from ..services.given import StepInput
from ..services.reporting import CLOCKS_DIFFER, OLDEST, Draft, Filing, number_of
from ..services.steps import dispatch_by_rule
from .models import INSPECTORS, Checklist, ChecklistVersion, Inspection, InspectionPlan, Item, OffSite, Outcome, Result
from .planning import STILL_OPEN, replan
from .selectors import failed_items, office_of, still_open, version_with_items


class InspectionRefused(ValueError):
    """The inspection cannot be taken; ``errors`` maps each field to a sentence."""

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__(", ".join(errors.values()))
        self.errors = errors


class NotOpen(Exception):
    """A re-inspection that is not due: done already, or its hazards are still open. The message says so to people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What one item came to. ``hazard`` is the id that a failed one shall have as a case."""

    item: str
    result: str
    words: str = ""
    hazard: UUID = field(default_factory=uuid4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """What an inspector brings: place in WGS 84, time aware. ``of``: the inspection whose failed items are looked at again."""

    id: UUID
    version: int
    inspected_at: datetime
    results: Sequence[Looked]
    words: str = ""
    lon: float | None = None
    lat: float | None = None
    accuracy_m: float | None = None
    of: UUID | None = None


def may_inspect(user: Any, place: Premises) -> bool:
    """Test whether somebody inspects a premises: a worker or dispatcher whose area of duty covers it."""
    return user.role in INSPECTORS and bool(user.area_code) and place.area_code.startswith(user.area_code)


@transaction.atomic
def record_inspection(*, place: Premises, visit: Visit, inspector: Any, at: datetime) -> Inspection:
    """Record an inspection of a premises; each item that failed becomes a hazard, or is found to be one that is open.

    Whoever inspects the same premises at the same moment waits: nothing is filed twice. What an earlier inspection
    left to be looked at again is settled by this one. Source: 《消防法》 art. 16 (checks by the unit itself), art. 53.

    :raises InspectionRefused: what is wrong, by field. :raises NotOpen: the re-inspection is not due.
    """
    plan = _held(place, at)
    version = version_with_items(visit.version, plan.checklist_id)
    before = _reinspected(visit, place)
    items = _asked(version, visit, before)
    distance = _metres_from(place, visit)
    off_site = _off_site(visit, version.checklist, distance, at)
    _check(visit, version, items, at)
    if off_site and (before or version.checklist.must_be_on_site):
        raise InspectionRefused(_needs_presence(off_site, version.checklist, distance, visit))
    row = Inspection(
        id=visit.id,
        number=_number(at),
        premises=place,
        area_code=place.area_code,
        version=version,
        inspector=inspector,
        of=before,
        first_id=before.first_id if before else visit.id,
        round=before.round + 1 if before else 1,
        location=None if visit.lon is None else Point(visit.lon, visit.lat, srid=4326),
        accuracy_m=visit.accuracy_m,
        distance_m=distance,
        off_site=off_site,
        photos_missing=[one.item for one in visit.results if one.result == Outcome.FAIL and items[one.item].asks_photo],
        inspected_at=visit.inspected_at,
        received_at=at,
        words=visit.words.strip(),
        **_sums(visit),
    )
    known, drafts = _hazards(row, plan, items, visit, at)
    file_drafts(list(drafts.values()))
    fresh = {code: draft.hazard for code, draft in drafts.items()}
    row.save(force_insert=True)
    Result.objects.bulk_create(
        Result(
            inspection=row, item=items[one.item], result=one.result, words=one.words.strip(),
            hazard=(known | fresh).get(one.item), was_open=one.item in known,
        )
        for one in visit.results
    )  # fmt: skip
    if version.frozen_at is None:
        ChecklistVersion.objects.filter(pk=version.pk, frozen_at=None).update(frozen_at=at)
    if not off_site:
        Inspection.objects.waiting().filter(premises=place).exclude(pk=row.pk).update(settled_by=row, reinspect_on=None)
    if version.checklist.auto_dispatch:
        for hazard in fresh.values():
            _dispatch(hazard, version, inspector, at)
    replan(at=at, premises=[place.pk])
    return row


def _held(place: Premises, at: datetime) -> InspectionPlan:
    """Return the plan of a premises, held until the transaction ends. :raises InspectionRefused: it is in none."""
    rows = InspectionPlan.objects.select_for_update().filter(pk=place.pk)
    plan = rows.first()
    if plan is None and replan(at=at, premises=[place.pk]):  # newer than the nightly look at the register
        plan = rows.first()
    if plan is None:
        raise InspectionRefused({"premises": _("%(name)s is not inspected: no checklist is for its kind, or it is closed.") % {"name": place.name}})  # fmt: skip
    return plan


def _reinspected(visit: Visit, place: Premises) -> Inspection | None:
    """Return the inspection that is looked at again. :raises NotOpen: it is done, or not due yet."""
    if visit.of is None:
        return None
    before = Inspection.objects.filter(pk=visit.of, premises=place).first()
    if before is None:
        raise InspectionRefused({"of": _("There is no such inspection of %(name)s.") % {"name": place.name}})
    if before.settled_by_id:
        raise NotOpen(_("%(number)s was settled by a later inspection.") % {"number": before.number})
    if before.reinspect_on is None:
        raise NotOpen(
            _("%(number)s waits until all hazards it found are closed; then it is inspected again.")
            % {"number": before.number}
        )
    return before


def _asked(version: ChecklistVersion | None, visit: Visit, before: Inspection | None) -> dict[str, Item]:
    """Return the items that must be answered, by code: all of the version, or those that failed before."""
    if version is None:
        raise InspectionRefused(
            {"checklist_version": _("There is no version %(seen)s of the checklist of these premises.") % {"seen": visit.version}}
        )  # fmt: skip
    items = {item.code: item for item in version.items.all()}
    if before is None:
        return items
    if before.version_id != version.pk:
        raise InspectionRefused(
            {"checklist_version": _("A re-inspection is made with the version of the first inspection, %(expected)s; %(seen)s was sent.") % {"expected": before.version_id, "seen": version.pk}}
        )  # fmt: skip
    failed = failed_items(before)
    return {code: item for code, item in items.items() if code in failed}


def _check(visit: Visit, version: ChecklistVersion, items: dict[str, Item], at: datetime) -> None:
    """Refuse what cannot be. :raises InspectionRefused: with every fault."""
    errors: dict[str, str] = {}
    seen = [one.item for one in visit.results]
    if sorted(seen) != sorted(items):
        missing = ", ".join(code for code in items if code not in seen) or "–"
        more = ", ".join(sorted({code for code in seen if code not in items or seen.count(code) > 1})) or "–"
        errors["results"] = _("Each item is answered once; missing: %(missing)s; unknown or twice: %(more)s.") % {"missing": missing, "more": more}  # fmt: skip
    for one in visit.results:
        if one.result == Outcome.NOT_APPLICABLE and one.item in items and not items[one.item].may_be_na:
            errors[f"results.{one.item}"] = _("“%(item)s” always applies; expected pass or fail.") % {"item": items[one.item].name}  # fmt: skip
    times = {"seen": _said(visit.inspected_at), "now": _said(at)}
    if visit.inspected_at > at + CLOCKS_DIFFER:
        errors["inspected_at"] = _("%(seen)s has not come yet; the server's clock says %(now)s.") % times
    elif visit.inspected_at < at - OLDEST:
        errors["inspected_at"] = _("%(seen)s is more than a year ago; it is %(now)s now.") % times
    elif timezone.localdate(visit.inspected_at) < version.in_force_from:
        errors["checklist_version"] = _("This version is in force from %(day)s on.") % {"day": f"{version.in_force_from:%F}"}  # fmt: skip
    if visit.lon is not None and visit.lat is not None and not in_frame(visit.lon, visit.lat):
        errors["position"] = _("%(lon).5f, %(lat).5f lies outside the city.") % {"lon": visit.lon, "lat": visit.lat}
    if errors:
        raise InspectionRefused(errors)


def _metres_from(place: Premises, visit: Visit) -> float | None:
    if visit.lon is None or visit.lat is None:
        return None
    return round(metres_between((visit.lon, visit.lat), (place.location.x, place.location.y)), 1)


def _off_site(visit: Visit, checklist: Checklist, distance: float | None, at: datetime) -> str:
    """Say why it is not shown that the inspector stood there; empty where it is. A poor position speaks for the inspector."""
    if distance is None:
        return OffSite.NO_POSITION
    if distance - min(visit.accuracy_m or 0, MOST_DOUBT_M) > checklist.within_m:
        return OffSite.FAR
    return OffSite.LATE if visit.inspected_at < at - timedelta(hours=checklist.offline_hours) else ""


def _needs_presence(off_site: str, checklist: Checklist, distance: float | None, visit: Visit) -> dict[str, str]:
    """Say what was seen and what is allowed where an inspection is taken on site only."""
    if off_site == OffSite.LATE:
        words = _("The visit was %(seen)s; what is older than %(hours)s hours is not taken as on site.")
        return {"inspected_at": words % {"seen": _said(visit.inspected_at), "hours": checklist.offline_hours}}
    if off_site == OffSite.NO_POSITION:
        return {"position": _("This inspection needs the place where you stand.")}
    words = _("You stand %(away)s m from the premises; this is inspected within %(limit)s m of it.")
    return {"position": words % {"away": round(distance or 0), "limit": checklist.within_m}}


def photo_came(inspection: Inspection, item: str, *, at: datetime) -> None:
    """Note that a photo of an item is there; with the last one that was asked the inspection counts. Queries: 0, or 11."""
    with transaction.atomic():
        row = Inspection.objects.select_for_update().get(pk=inspection.pk)
        if item not in row.photos_missing:
            return
        row.photos_missing = [code for code in row.photos_missing if code != item]
        row.save(update_fields=["photos_missing"])
        if not row.photos_missing:
            replan(at=at, premises=[row.premises_id])


def _said(moment: datetime) -> str:
    return f"{timezone.localtime(moment):%F %T}"


def _sums(visit: Visit) -> dict[str, Any]:
    results = [one.result for one in visit.results]
    failed = results.count(Outcome.FAIL)
    return {
        "result": Outcome.FAIL if failed else Outcome.PASS,
        "passed": results.count(Outcome.PASS),
        "failed": failed,
        "not_applicable": results.count(Outcome.NOT_APPLICABLE),
    }


def _number(at: datetime) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('inspection_number')")
        [running] = cursor.fetchone()
    return f"JC{number_of(at, running).removeprefix('YH')}"


def _hazards(
    row: Inspection, plan: InspectionPlan, items: dict[str, Item], visit: Visit, at: datetime
) -> tuple[dict[str, Hazard], dict[str, Draft]]:
    """Return, by code of the item that failed, the hazard that is open already, or the draft of a new one."""
    failed = {one.item: one for one in visit.results if one.result == Outcome.FAIL}
    if not failed:
        return {}, {}
    known = still_open(row.premises_id, plan.checklist_id, failed.keys(), STILL_OPEN)
    fresh = {
        code: _draft(row, items[code], one, visit.inspected_at, at) for code, one in failed.items() if code not in known
    }
    return known, fresh


def _draft(row: Inspection, item: Item, looked: Looked, occurred_at: datetime, at: datetime) -> Draft:
    place = row.premises
    filing = Filing(
        id=looked.hazard, matter=item.matter.code, severity=item.severity, criterion=item.criterion,
        description=_description(row, item, looked), lon=place.location.x, lat=place.location.y, accuracy_m=None,
        occurred_at=occurred_at,
    )  # fmt: skip
    try:
        return draft_hazard(filing=filing, reporter=row.inspector, at=at)
    except FilingRefused as refusal:
        raise InspectionRefused({f"results.{item.code}": str(refusal)}) from refusal


def _description(row: Inspection, item: Item, looked: Looked) -> str:
    """Say what failed and where, in the language of the city: it is kept as it is written now."""
    with translation.override(settings.LANGUAGE_CODE):
        said = {"item": item.name, "premises": row.premises.name, "code": row.premises.code, "number": row.number}
        words = _("Not met: %(item)s (%(premises)s %(code)s, inspection %(number)s)") % said
    return " ".join(part for part in (looked.words.strip(), words) if part)[:2000]


def _dispatch(hazard: Hazard, version: ChecklistVersion, inspector: Any, at: datetime) -> None:
    """Accept and dispatch a hazard to the office of the place: in the name of a dispatcher who inspects, else by the rule alone.

    The steps stand in its history as any others, with the rule that they follow. Where a dispatcher may not send it to
    that office, it waits for one who may.
    """
    if not hazard.area_code.startswith(inspector.area_code):
        return
    home = version.checklist.closing_department or hazard.matter.department
    office = office_of(home, hazard.area_code)
    is_dispatcher = inspector.role == Role.DISPATCHER
    if is_dispatcher and not offices_open_to(inspector, hazard.area_code).filter(pk=office.pk).exists():
        return
    with translation.override(settings.LANGUAGE_CODE):
        words = _("By the rule of the checklist “%(name)s”.") % {"name": version.checklist.name}
    if not is_dispatcher:
        dispatch_by_rule(hazard.pk, office, words=words, at=at)
        hazard.state, hazard.department = HazardState.DISPATCHED, office
        return
    for action, number in (("accept", 1), ("dispatch", 2)):
        given = StepInput(id=uuid4(), version=number, words=words, department=office.code)
        take_step(hazard_id=hazard.pk, action=action, given=given, actor=inspector, at=at)
    hazard.state, hazard.department = HazardState.DISPATCHED, office
