"""The two papers of a listing: the notice that puts a hazard on the list, and the one that takes it off."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from citysafety.documents import services as documents
from citysafety.documents.models import Document

from ..models import Hazard, Listing

CITY_TIME = ZoneInfo("Asia/Shanghai")
NOTICE, CLEARING = "listing-notice", "listing-clearing"
LEVELS = {"county": "县（区）级", "city": "市级"}
PLACES = {
    NOTICE: ("number", "what", "where", "found", "criterion", "level", "unit", "leader", "requirement", "until", "law"),
    CLEARING: ("number", "what", "where", "unit", "level", "notice", "listed", "off", "law"),
}


def draft_notice(hazard: Hazard, listing: Listing, *, at: datetime) -> Document:
    """Draft the notice of a listing. Queries: 2. :raises NoWording: the kind has none."""
    words = {
        **_words(hazard, listing),
        "found": day(hazard.received_at),
        "criterion": hazard.criterion,
        "leader": listing.leader,
        "requirement": listing.requirement_zh,
        "until": day(listing.finish_by),
    }
    return _draft(NOTICE, hazard, words, at)


def draft_clearing(hazard: Hazard, listing: Listing, *, at: datetime) -> Document:
    """Draft the notice that takes a hazard off the list. Queries: 2. :raises NoWording: the kind has none."""
    words = {
        **_words(hazard, listing),
        "notice": listing.document.full_number,
        "listed": day(listing.listed_at),
        "off": day(hazard.written_off_at),
    }
    return _draft(CLEARING, hazard, words, at)


def _words(hazard: Hazard, listing: Listing) -> dict[str, str]:
    place = hazard.dedicated_cell or hazard.cell
    return {
        "number": hazard.number,
        "what": hazard.matter.name_zh,
        "where": place.name_zh if place else "",
        "level": LEVELS[listing.level],
        "unit": listing.department.name_zh,
        "law": listing.rule.basis,
    }


def _draft(kind: str, hazard: Hazard, words: dict[str, str], at: datetime) -> Document:
    return documents.draft(
        kind=kind, subject=("hazard", str(hazard.pk)), area_code=hazard.area_code, words=words,
        addressee=words["unit"], at=at,
    )  # fmt: skip


def day(moment: datetime | date | None) -> str:
    """Write a day as papers do."""
    if moment is None:
        return ""
    local = moment.astimezone(CITY_TIME) if isinstance(moment, datetime) else moment
    return f"{local.year} 年 {local.month} 月 {local.day} 日"
