"""What is done to write-off lists: make a draft, take cases out, freeze, sign."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.db.models import QuerySet
from django.http import QueryDict
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from citysafety import areas
from citysafety.accounts.duty import area_within
from citysafety.accounts.roles import Role
from citysafety.filtering import in_words, refusals
from citysafety.lifecycle import StepNotAllowed
from grid.models import Division

from ..filters import HazardFilter, names_of
from ..lifecycle import HazardState
from ..models import Hazard
from ..services.given import FieldsMissing, NotAllowed
from .canonical import digest
from .models import MAKERS, SigningRule, WriteOffExclusion, WriteOffItem, WriteOffList, WriteOffSignature

MOST_CASES = 50_000
LEAST_SIGNATURES = 2
FIELDS = (
    "list_id", "position", "hazard_id", "closing_id", "number", "severity", "matter_code", "matter_zh", "matter_en",
    "area_code", "place_zh", "place_en", "found_at", "closed_at", "department_code", "department_zh", "department_en",
    "verifier", "verifier_zh", "verifier_en", "verified_at", "verified_by", "evidence",
)  # fmt: skip
# One statement however many cases: each with its last closing, who passed it before that, and its photos by hash.
COPY = """
INSERT INTO hazards_writeoffitem ({fields})
SELECT %s, row_number() OVER (ORDER BY w.at, h.number), h.id, w.id, h.number, h.severity, m.code, m.name_zh, m.name_en,
       h.area_code, coalesce(s.name_zh, c.name_zh, ''), coalesce(s.name_en, c.name_en, ''), h.occurred_at, w.at,
       coalesce(d.code, ''), coalesce(d.name_zh, ''), coalesce(d.name_en, ''),
       coalesce(u.username, ''), coalesce(u.name_zh, ''), coalesce(u.name_en, ''), v.at, coalesce(v.action, ''),
       coalesce(e.hashes, '{{}}')
FROM hazards_hazard h
JOIN grid_matter m ON m.id = h.matter_id
CROSS JOIN LATERAL (
  SELECT id, at, version FROM hazards_step WHERE hazard_id = h.id AND action = 'write_off' ORDER BY version DESC LIMIT 1
) w
LEFT JOIN LATERAL (
  SELECT actor_id, at, action FROM hazards_step
  WHERE hazard_id = h.id AND action IN ('verify', 'pass_by_sample') AND version < w.version ORDER BY version DESC LIMIT 1
) v ON true
LEFT JOIN LATERAL (
  SELECT array_agg(photo_id ORDER BY at, id) AS hashes FROM evidence_attachment
  WHERE kind = 'hazard' AND subject_id = h.id::text
) e ON true
LEFT JOIN grid_cell c ON c.id = h.cell_id
LEFT JOIN grid_cell s ON s.id = h.dedicated_cell_id
LEFT JOIN accounts_department d ON d.id = h.department_id
LEFT JOIN accounts_user u ON u.id = v.actor_id
WHERE h.id IN ({chosen})"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody wants listed: a title, an area and a filter in the language of the list of hazards."""

    id: UUID
    title: str
    area: str
    query: str = ""


def makes(user: Any) -> bool:
    """Test whether somebody makes lists of their area."""
    return user.role in MAKERS and bool(user.area_code)


# -- drafts --------------------------------------------------------------------------------------


@transaction.atomic
def make_list(*, wish: Wish, by: Any, at: datetime) -> WriteOffList:
    """Make a draft: a filter over what was written off in an area. Source: the catalogue's "acceptance and write-off".

    :raises NotAllowed: who makes no lists; FieldsMissing: an area that is not the maker's, a filter not understood.
    """
    if not makes(by):
        raise NotAllowed("denied.role")
    errors: dict[str, str] = {}
    area = ""
    try:
        area = area_within(by, wish.area) if wish.area else by.area_code
    except areas.UnknownArea:
        errors["area"] = _("“%(seen)s” is no area of your duty.") % {"seen": wish.area}
    if not wish.title.strip():
        errors["title"] = _("This field is needed.")
    asked = QueryDict(wish.query)
    found = filter_of(asked, by)
    if refused := refusals(asked, found, ()):
        errors["query"] = " ".join(str(words) for words in refused)
    if errors:
        raise FieldsMissing(errors)
    return WriteOffList.objects.create(
        id=wish.id, number=_number(at), title=wish.title.strip(), area_code=area, query=asked.urlencode(),
        said=in_words(asked, found, (_("area"), _area_words(area)), names=names_of(asked)), maker=by, made_at=at,
    )  # fmt: skip


def _area_words(area: str) -> str:
    place = Division.objects.filter(code=area[:12]).only("code", "name_zh", "name_en").first()
    return f"{place.name} {area}" if place else area


def _number(at: datetime) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('writeoff_number')")
        [running] = cursor.fetchone()
    return f"XH-{localtime(at):%Y%m%d}-{running:05d}"


def filter_of(asked: QueryDict, maker: Any) -> HazardFilter:
    """Return the filter of a draft over what its maker sees."""
    return HazardFilter(asked, Hazard.objects.visible_to(maker), request=SimpleNamespace(user=maker))


def cases_of(row: WriteOffList) -> QuerySet[Hazard]:
    """Return the cases that a draft holds now: written off, of its area and filter, but those taken out. Queries: 1."""
    found = filter_of(QueryDict(row.query), row.maker)
    out = WriteOffExclusion.objects.filter(list=row).values("hazard")
    rows = found.qs.filter(state=HazardState.WRITTEN_OFF, area_code__startswith=row.area_code)
    return rows.exclude(pk__in=out)


@transaction.atomic
def take_out(*, list_id: UUID, hazard_id: UUID, reason: str, by: Any, at: datetime) -> None:
    """Take a case out of a draft, with the reason. :raises FieldsMissing: no reason, or no case of the draft."""
    row = _draft(list_id, by)
    errors = {}
    if not reason.strip():
        errors["reason"] = _("A case is taken out with a reason; none was given.")
    if not cases_of(row).filter(pk=hazard_id).exists():
        errors["hazard"] = _("This case is not in the draft.")
    if errors:
        raise FieldsMissing(errors)
    WriteOffExclusion.objects.create(list=row, hazard_id=hazard_id, reason=reason.strip()[:500], by=by, at=at)


@transaction.atomic
def put_back(*, list_id: UUID, hazard_id: UUID, by: Any) -> None:
    """Put a case back into a draft."""
    WriteOffExclusion.objects.filter(list=_draft(list_id, by), hazard=hazard_id).delete()


@transaction.atomic
def discard(*, list_id: UUID, by: Any) -> None:
    """Throw a draft away; its number is not used again."""
    _draft(list_id, by).delete()


def _draft(list_id: UUID, by: Any) -> WriteOffList:
    """Return a draft with its row held. :raises NotAllowed: another's; StepNotAllowed: it is frozen."""
    row = WriteOffList.objects.select_related("maker").select_for_update(of=("self",)).get(pk=list_id)
    if row.maker_id != by.pk or not makes(by):
        raise NotAllowed("denied.maker")
    if row.is_frozen:
        raise StepNotAllowed(_("The list is frozen; nothing of it changes."))
    return row


# -- freezing ------------------------------------------------------------------------------------


@transaction.atomic
def freeze(*, list_id: UUID, by: Any, at: datetime) -> WriteOffList:
    """Copy the cases as they stand, and hash them; from then on nothing of the list changes. Queries: 8, however many cases.

    :raises NotAllowed, StepNotAllowed: no draft of the caller, or no case in it, or too many.
    """
    row = _draft(list_id, by)
    demanded = list(SigningRule.objects.values("role", "must_be_head"))
    if len(demanded) < LEAST_SIGNATURES:
        words = _("Fewer than two signatures are asked for; an administrator enters the rule first.")
        raise StepNotAllowed(words)
    _copy(row)
    items = WriteOffItem.objects.filter(list=row)
    row.size = items.count()
    if not 0 < row.size <= MOST_CASES:
        words = _("The list holds %(n)s cases; expected 1 to %(most)s.") % {"n": row.size, "most": MOST_CASES}
        raise StepNotAllowed(words)
    row.departments = sorted(
        set(items.filter(hazard__department__isnull=False).values_list("hazard__department", flat=True).distinct())
    )
    row.demanded, row.asked, row.frozen_at = demanded, len(demanded), at
    row.sha256 = digest(row)
    row.save()
    return row


def _copy(row: WriteOffList) -> None:
    chosen, given = cases_of(row).order_by().values("pk")[: MOST_CASES + 1].query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(COPY.format(fields=", ".join(FIELDS), chosen=chosen), [row.pk, *given])


# -- signing -------------------------------------------------------------------------------------


def place_for(user: Any, row: WriteOffList) -> int | None:
    """Return the place that somebody may sign a list at; None where there is none. Queries: 1.

    Nobody signs what they made, nor twice; a handler signs for a department whose cases are in the list.
    """
    if not row.is_frozen or user.pk == row.maker_id or not user.is_active:
        return None
    signed = dict(row.signatures.values_list("place", "user"))
    if user.pk in signed.values():
        return None
    fit = (n for n, one in enumerate(row.demanded) if n not in signed and _fits(user, one, row))
    return next(fit, None)


def _fits(user: Any, asked: Mapping[str, Any], row: WriteOffList) -> bool:
    if user.role != asked["role"] or (asked["must_be_head"] and not user.may_sign):
        return False
    if user.role == Role.DEPARTMENT_HANDLER:
        return user.department_id in row.departments
    return areas.covers(user.area_code, row.area_code)


@transaction.atomic
def sign(*, list_id: UUID, sha256: str, by: Any, at: datetime) -> WriteOffSignature:
    """Sign a frozen list by the hash that was seen, once it was recomputed from the rows. Queries: 6.

    :raises NotAllowed: who has no place, the maker among them; StepNotAllowed: a draft, or rows that do not match.
    :raises FieldsMissing: another hash than that of the list.
    """
    row = WriteOffList.objects.select_related("maker").get(pk=list_id)
    if not row.is_frozen:
        raise StepNotAllowed(_("A draft is not signed; it is frozen first."))
    place = place_for(by, row)
    if place is None:
        raise NotAllowed("denied.own_list" if by.pk == row.maker_id else "denied.no_place")
    if sha256.strip().lower() != row.sha256:
        words = _("The list has the SHA-256 %(expected)s; “%(seen)s” was given.")
        raise FieldsMissing({"sha256": words % {"expected": row.sha256, "seen": sha256}})
    if digest(row) != row.sha256:
        raise StepNotAllowed(_("The rows of this list no longer give its hash; nobody signs it."))
    try:
        with transaction.atomic():
            return WriteOffSignature.objects.create(
                list=row, place=place, user=by, name_zh=by.name_zh, name_en=by.name_en, role=by.role, at=at,
                sha256=row.sha256,
            )  # fmt: skip
    except IntegrityError as error:
        raise StepNotAllowed(_("Somebody else has signed at this place meanwhile.")) from error
