"""What people are told of major hazards: of plans, stopped work and listings. Rows only, nothing is sent."""

from collections.abc import Iterable

from django.utils.translation import gettext_lazy as _

from citysafety.accounts.models import Role, User
from citysafety.notices import topics
from citysafety.notices.services import notify
from citysafety.outbox.models import OutboxEntry

from .. import notices
from ..models import Listing

LEVEL = 2  # of the four levels of notices: II orange
PAGE = "/hazards/listed/%(subject_id)s/"
TEXT, TEXT_AND_DAY = _("%(number)s · %(case)s"), _("%(number)s · %(case)s · To be rectified by %(finish_by)s")
TOPICS = (
    ("listing.to_sign", _("Listing to sign"), _("A listing waits for your signature: %(matter)s"), TEXT_AND_DAY),
    ("listing.listed", _("Under listed supervision"), _("Put on the list: %(matter)s"), TEXT_AND_DAY),
    ("listing.extension_asked", _("Extension of a listing"), _("More time is asked for a listed hazard: %(matter)s"), TEXT_AND_DAY),
    ("listing.decided", _("Decision on a listing"), _("Decided about the extension: %(matter)s"), TEXT_AND_DAY),
    ("listing.cleared", _("Taken off the list"), _("Taken off the list: %(matter)s"), TEXT),
    ("listing.withdrawn", _("Listing withdrawn"), _("Listing withdrawn: %(matter)s"), TEXT),
    ("listing.missed", _("Limit of a listing missed"), _("A limit of listed supervision was missed: %(matter)s"), TEXT_AND_DAY),
)  # fmt: skip


def register() -> None:
    """Register the topics once the apps stand."""
    for key, label, title, body in TOPICS:
        topics.register(key, label=label, title=title, body=body, path=PAGE)


def _tell(entry: OutboxEntry, topic: str, people: Iterable[User]) -> None:
    """Write a notice to everybody but the doer, once whatever the repeats. Queries: 1, and those of ``notify``."""
    listing = Listing.objects.select_related("document__kind", "hazard__matter").get(pk=entry.subject_id)
    matter = listing.hazard.matter
    params = {
        "number": listing.document.full_number,
        "case": listing.hazard.number,
        "matter": {"zh": matter.name_zh, "en": matter.name_en},
        "finish_by": listing.finish_by.isoformat(),
    }
    notify(
        recipients=notices.without(people, entry.payload.get("actor_id")), topic=topic, params=params,
        subject=("listing", entry.subject_id), source_key=f"{topic}:{entry.pk}", level=LEVEL, at=entry.at,
    )  # fmt: skip


def _office(entry: OutboxEntry) -> list[User]:
    return notices.covering(entry.area_code, Role.SUPERVISOR, Role.LEADER)


def tell_signers(entry: OutboxEntry) -> None:
    """Proposed: who may sign it. Queries: 7."""
    _tell(entry, "listing.to_sign", _office(entry))


def tell_unit(entry: OutboxEntry) -> None:
    """Listed: the handlers of the unit, and the leaders of the area. Queries: 8."""
    people = [*notices.handlers(entry.payload["department_id"]), *notices.covering(entry.area_code, Role.LEADER)]
    _tell(entry, "listing.listed", people)


def tell_of_request(entry: OutboxEntry) -> None:
    """An extension is asked for: who decides it. Queries: 7."""
    _tell(entry, "listing.extension_asked", _office(entry))


def tell_of_decision(entry: OutboxEntry) -> None:
    """It is decided: the handlers of the unit. Queries: 7."""
    _tell(entry, "listing.decided", notices.handlers(entry.payload["department_id"]))


def tell_of_clearing(entry: OutboxEntry) -> None:
    """Taken off the list: the handlers of the unit. Queries: 7."""
    _tell(entry, "listing.cleared", notices.handlers(entry.payload["department_id"]))


def tell_of_withdrawal(entry: OutboxEntry) -> None:
    """Withdrawn: the handlers of a unit that had heard of it. Queries: 7."""
    if Listing.objects.filter(pk=entry.subject_id, listed_at__isnull=False).exists():
        _tell(entry, "listing.withdrawn", notices.handlers(entry.payload["department_id"]))


def tell_of_miss(entry: OutboxEntry) -> None:
    """A limit was missed: supervisors and leaders of the area, and the handlers of the unit. Queries: 8."""
    _tell(entry, "listing.missed", [*_office(entry), *notices.handlers(entry.payload["department_id"])])
