"""What supervision does when it hears its own news: whom it tells. Rows only, nothing is sent."""

from collections.abc import Iterable
from typing import Any

from citysafety.accounts.models import Role, User
from citysafety.notices.services import notify
from citysafety.outbox.models import OutboxEntry
from hazards import notices as people
from hazards.models import Severity

from .models import OverdueNotice

MAJOR_LEVEL, LEVEL = 2, 3  # of the four levels of notices: II orange, III yellow


def _notice(entry: OutboxEntry) -> OverdueNotice:
    """Return the notice of a fact with what is told of it. Queries: 1."""
    rows = OverdueNotice.objects.select_related("document__kind", "hazard__matter")
    return rows.get(pk=entry.subject_id)


def _tell(entry: OutboxEntry, topic: str, recipients: Iterable[User], notice: OverdueNotice) -> None:
    """Write a notice to everybody but the doer, once whatever the repeats. Queries: as ``notify``, 0 for nobody."""
    matter = notice.hazard.matter
    params: dict[str, Any] = {
        "number": notice.document.full_number,
        "case": notice.hazard.number,
        "matter": {"zh": matter.name_zh, "en": matter.name_en},
        "reply_due_at": notice.reply_due_at.isoformat() if notice.reply_due_at else "",
    }
    notify(
        recipients=people.without(recipients, entry.payload.get("actor_id")),
        topic=topic,
        params=params,
        subject=("supervision", entry.subject_id),
        source_key=f"{topic}:{entry.pk}",
        level=MAJOR_LEVEL if notice.severity == Severity.MAJOR else LEVEL,
        at=entry.at,
    )


def tell_unit(entry: OutboxEntry) -> None:
    """Issued: the handlers of the unit. Queries: 6."""
    _tell(entry, "supervision.issued", people.handlers(entry.payload["department_id"]), _notice(entry))


def tell_second_signers(entry: OutboxEntry) -> None:
    """A first signature was given: the other supervisors of the area. Queries: 6."""
    _tell(entry, "supervision.to_sign", people.covering(entry.area_code, Role.SUPERVISOR), _notice(entry))


def tell_of_answer(entry: OutboxEntry) -> None:
    """Answered: the supervisors of the area. Queries: 6."""
    _tell(entry, "supervision.answered", people.covering(entry.area_code, Role.SUPERVISOR), _notice(entry))


def tell_of_rejection(entry: OutboxEntry) -> None:
    """The answer was not accepted: the handlers of the unit. Queries: 6."""
    _tell(entry, "supervision.rejected", people.handlers(entry.payload["department_id"]), _notice(entry))


def tell_of_withdrawal(entry: OutboxEntry) -> None:
    """Withdrawn: the handlers of the unit. Queries: 6."""
    _tell(entry, "supervision.withdrawn", people.handlers(entry.payload["department_id"]), _notice(entry))


def remind(entry: OutboxEntry) -> None:
    """Not answered in time: the unit is reminded, supervisors are told. Queries: 7."""
    told = [*people.handlers(entry.payload["department_id"]), *people.covering(entry.area_code, Role.SUPERVISOR)]
    _tell(entry, "supervision.reminder", told, _notice(entry))


def report_silence(entry: OutboxEntry) -> None:
    """Silent for longer than the rule allows: the leaders and supervisors of the area. Queries: 6."""
    _tell(entry, "supervision.silence", people.covering(entry.area_code, Role.LEADER, Role.SUPERVISOR), _notice(entry))
