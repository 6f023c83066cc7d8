"""Maintenance of an area: while it lasts, alarms of its devices are kept quiet."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from citysafety import areas
from citysafety.accounts.roles import Role
from hazards.services.given import FieldsMissing, NotAllowed

from ..models import DeviceKind, Maintenance
from .quiet import settle_quiet
from .steps import KeptFrom

KEEPERS = frozenset({Role.OPERATOR, Role.DISPATCHER, Role.SUPERVISOR})


@dataclass(frozen=True, slots=True, kw_only=True)
class Works:
    """What somebody says of works: where, on which kind of device ("": all), from when to when, why."""

    area: str
    kind: str
    begins_at: datetime
    ends_at: datetime
    reason: str


def may_keep(user: Any, area: str) -> bool:
    """Test whether somebody may say that there are works in an area."""
    return user.role in KEEPERS and areas.covers(user.area_code, area)


@transaction.atomic
def begin_maintenance(*, works: Works, by: Any, at: datetime) -> Maintenance:
    """Keep an area, or a kind of device in it, quiet while it is worked on; what begins later is begun by the sweep.

    :raises NotAllowed: wrong role or area; FieldsMissing: what is missing or wrong.
    """
    errors: dict[str, str] = {}
    try:
        area = areas.normal(works.area)
    except areas.UnknownArea as error:
        words = _("“%(seen)s” is no code of an area: 4, 6, 9, 12 or 15 digits are expected.")
        raise FieldsMissing({"area": words % {"seen": works.area}}) from error
    if not may_keep(by, area):
        raise NotAllowed("denied.role" if by.role not in KEEPERS else "denied.area")
    kind = DeviceKind.objects.filter(code=works.kind).first() if works.kind else None
    if works.kind and kind is None:
        errors["kind"] = _("There is no kind of device “%(code)s”.") % {"code": works.kind}
    if not works.reason.strip():
        errors["reason"] = _("This step needs words.")
    if works.ends_at <= max(works.begins_at, at):
        errors["ends_at"] = _("Maintenance ends after it begins, and not in the past.")
    if errors:
        raise FieldsMissing(errors)
    row = Maintenance.objects.create(
        area_code=area, kind=kind, by=by, reason=works.reason.strip(), begins_at=works.begins_at, ends_at=works.ends_at
    )  # fmt: skip
    settle_quiet(at=at, among=Q(device__area_code__startswith=area), by=by, reason=row.reason)
    return row


@transaction.atomic
def end_maintenance(*, maintenance_id: int, by: Any, at: datetime) -> Maintenance:
    """End works before their time; what still stands is heard again.

    :raises NotAllowed: wrong role or area; KeptFrom: they have ended.
    """
    row = Maintenance.objects.select_related("kind").select_for_update(of=("self",)).get(pk=maintenance_id)
    if not may_keep(by, row.area_code):
        raise NotAllowed("denied.role" if by.role not in KEEPERS else "denied.area")
    if row.ended_at is not None or row.ends_at <= at:
        raise KeptFrom(_("It has ended already."))
    row.ended_at = at
    row.save(update_fields=["ended_at"])
    settle_quiet(at=at, among=Q(device__area_code__startswith=row.area_code), by=by)
    return row
