"""What is done to listings: propose, put a paper before its signer, take a step."""

import uuid
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from citysafety.accounts.rights import may
from citysafety.accounts.roles import Role
from citysafety.documents import services as documents
from citysafety.documents.models import Document
from citysafety.lifecycle import Step, StepNotAllowed
from citysafety.outbox.services import announce

from ..lifecycle import HazardState
from ..models import Hazard, Listing, ListingRule, ListingStep, Severity
from ..services.given import FieldsMissing, NotAllowed, StaleVersion
from ..services.publicity import tells_a_number
from . import clocks, papers
from .lifecycle import LIFECYCLE, RUNNING, SIGNS, ClockKind, ListingState

DONE = {"file": ClockKind.FILE, "publish": ClockKind.PUBLISH, "grant_extension": ClockKind.DECIDE,
        "deny_extension": ClockKind.DECIDE, "publish_clearing": ClockKind.PUBLISH_CLEARING}  # fmt: skip


class NotListable(Exception):
    """No open major hazard with a unit, or listed already; the message says so to people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What somebody proposes: the level, who leads, what is asked of the unit in public, and until when."""

    level: str
    leader: str
    requirement_zh: str
    finish_by: date
    requirement_en: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingInput:
    """What a person brings to a step; ``sha256`` names the bytes that a signer saw, ``until_day`` a later last day."""

    id: UUID
    version: int | None
    words: str = ""
    sha256: str = ""
    until_day: date | None = None


@transaction.atomic
def propose(*, hazard_id: UUID, proposal: Proposal, by: Any, at: datetime) -> Listing:
    """Propose that a major hazard is put on the list, with the draft of its notice; another person signs it.

    :raises NotAllowed: no supervisor of the area; NotListable: see there; FieldsMissing: what is missing or wrong.
    """
    rows = Hazard.objects.select_related("matter", "department", "cell", "dedicated_cell")
    hazard = rows.select_for_update(of=("self",)).get(pk=hazard_id)
    if by.role != Role.SUPERVISOR or not by.covers(hazard.area_code):
        raise NotAllowed("denied.role" if by.role != Role.SUPERVISOR else "denied.area")
    if why := unlistable(hazard):
        raise NotListable(why)
    rule = ListingRule.objects.filter(level=proposal.level, active=True).first()
    if errors := _faults(proposal, rule, at):
        raise FieldsMissing(errors)
    listing = Listing(
        hazard=hazard, department=hazard.department, rule=rule, area_code=hazard.area_code, level=proposal.level,
        leader=proposal.leader.strip(), requirement_zh=proposal.requirement_zh.strip(),
        requirement_en=proposal.requirement_en.strip(), finish_by=proposal.finish_by, proposed_by=by, proposed_at=at,
        changed_at=at,
    )  # fmt: skip
    listing.document = papers.draft_notice(hazard, listing, at=at)
    try:
        with transaction.atomic():
            listing.save()
    except IntegrityError as error:
        raise NotListable(_("It is on the list, or proposed for it, already.")) from error
    ListingStep.objects.create(
        id=uuid.uuid4(), listing=listing, action="propose", target=listing.state, version=1, actor=by, at=at,
        basis=gettext_noop("proposed by who supervises"),
    )  # fmt: skip
    announce(clocks.stepped(listing, action="propose", actor_id=by.pk), at=at)
    return listing


def unlistable(hazard: Hazard) -> str:
    """Say why a hazard cannot be proposed; empty where it can. Queries: none."""
    if hazard.severity != Severity.MAJOR or not hazard.is_open:
        return _("Only an open major hazard is put on the list.")
    if hazard.department_id is None:
        return _("The hazard is with no unit yet.")
    return ""


def _faults(proposal: Proposal, rule: ListingRule | None, at: datetime) -> dict[str, str]:
    errors = {}
    if rule is None:
        errors["level"] = _("No rule of listing is in force for “%(seen)s”.") % {"seen": proposal.level}
    for name in ("leader", "requirement_zh"):
        if not getattr(proposal, name).strip():
            errors[name] = _("This field is needed.")
    for name in ("requirement_zh", "requirement_en"):
        text = getattr(proposal, name)
        if tells_a_number(text) or (proposal.leader.strip() and proposal.leader.strip() in text):
            errors[name] = _("This text becomes public: no telephone or identity numbers, and no names of persons.")
    today = localdate(at)
    last = today + timedelta(days=rule.most_days) if rule else proposal.finish_by
    if not today < proposal.finish_by <= last:
        words = {"seen": proposal.finish_by, "first": today + timedelta(days=1), "last": last}
        errors["finish_by"] = _("%(seen)s was given; expected a day from %(first)s to %(last)s.") % words
    return errors


def permitted(user: Any, action: str, listing: Listing) -> None:
    """Let pass who may take some row of an action on this listing. :raises NotAllowed: everybody else."""
    verdicts = [may(user, step, listing) for step in LIFECYCLE.steps_named(action) if step.source == listing.state]
    verdicts = verdicts or [may(user, step, listing) for step in LIFECYCLE.steps_named(action)]
    if not any(verdict.allowed for verdict in verdicts):
        raise NotAllowed(verdicts[0].rule if verdicts else "denied.action")


def steps_open_to(user: Any, listing: Listing) -> list[Step]:
    """Return the rows a person may take now: the buttons of a page. Queries: 1 while it is listed."""
    open_now = {clock.kind for clock in listing.clocks.all() if clock.done_at is None}
    return [
        step
        for step in LIFECYCLE.steps_from(listing.state)
        if may(user, step, listing).allowed and not _kept_from(step, listing, open_now)
    ]


def _kept_from(step: Step, listing: Listing, open_now: set[str]) -> str:
    """Say what keeps a listing from a step of its state; empty where nothing does."""
    match step.action:
        case "list_it":
            return unlistable(listing.hazard)
        case "file" | "publish":
            return "" if DONE[step.action] in open_now else _("It is done, or nobody asks it.")
        case "ask_extension":
            return _("An extension is asked for already.") if listing.extension_until else ""
        case "grant_extension" | "deny_extension":
            return "" if listing.extension_until else _("No extension is asked for.")
        case "clear" if listing.hazard.state != HazardState.WRITTEN_OFF:
            return _("The hazard is not yet verified by another and written off.")
    return ""


def paper_to_sign(listing: Listing) -> str:
    """Return which step signs a paper now; empty where none does."""
    if listing.state == ListingState.PROPOSED:
        return "list_it"
    return "clear" if listing.state in RUNNING and listing.hazard.state == HazardState.WRITTEN_OFF else ""


def paper_of(listing: Listing) -> Document:
    """Return the paper that a page shows: the clearing once there is one, else the notice."""
    return listing.clearing or listing.document


@transaction.atomic
def prepare(*, listing_id: UUID, by: Any, at: datetime) -> Document:
    """Give the paper that is due its number and make the bytes to be signed; asked again, the same ones are shown.

    :raises NotAllowed: who may not sign it; StepNotAllowed: no paper is due; MissingGlyphs: as ``documents.prepare``.
    """
    listing = _held(listing_id)
    action = paper_to_sign(listing)
    if not action:
        raise StepNotAllowed(_("No paper is to be signed now."))
    permitted(by, action, listing)
    if action == "list_it" and (why := unlistable(listing.hazard)):
        raise StepNotAllowed(why)
    if action == "clear" and listing.clearing is None:
        listing.clearing = papers.draft_clearing(listing.hazard, listing, at=at)
        listing.save(update_fields=["clearing"])
    paper = paper_of(listing) if action == "clear" else listing.document
    return paper if paper.state == Document.State.PREPARED else documents.prepare(paper.pk, by=by, at=at)


@transaction.atomic
def take_step(*, listing_id: UUID, action: str, given: ListingInput, actor: Any, at: datetime) -> Listing:
    """Take one step: lock, ask the table, check, write, announce.

    :raises NotAllowed: wrong role or area, or one's own proposal; StepNotAllowed: not open now.
    :raises StaleVersion: ``given.version`` is not the present one; FieldsMissing: what is missing or too late.
    :raises documents.OtherBytes, documents.WrongState: what would be signed is not what was seen.
    """
    listing = _held(listing_id)
    permitted(actor, action, listing)
    step = LIFECYCLE.step(listing.state, action)
    open_now = {clock.kind for clock in listing.clocks.all() if clock.done_at is None}
    if why := _kept_from(step, listing, open_now):
        raise StepNotAllowed(why)
    if given.version is not None and given.version != listing.version:
        raise StaleVersion(f"{given.version} is not {listing.version}")
    _check(step, given, listing, at)
    source = listing.state
    listing.state, listing.version, listing.changed_at = step.target, listing.version + 1, at
    _act(listing, action, given, actor=actor, at=at)
    listing.missed = clocks.is_missed(listing)
    ListingStep.objects.create(
        id=given.id, listing=listing, action=action, source=source, target=listing.state, version=listing.version,
        actor=actor, at=at, words=given.words.strip(), basis=step.basis,
    )  # fmt: skip
    listing.save()
    announce(clocks.stepped(listing, action=action, actor_id=actor.pk, step=str(given.id)), at=at)
    return listing


def _held(listing_id: UUID) -> Listing:
    """Return a listing with its row and its hazard's held, the hazard's first, as :func:`propose` does."""
    hazard = Hazard.objects.filter(listings=listing_id).select_for_update(of=("self",))
    list(hazard.values_list("pk"))
    rows = Listing.objects.select_related(
        "document__kind",
        "clearing__kind",
        "department",
        "rule",
        "hazard__matter",
        "hazard__cell",
        "hazard__dedicated_cell",
    )
    return rows.select_for_update(of=("self",)).get(pk=listing_id)


def _check(step: Step, given: ListingInput, listing: Listing, at: datetime) -> None:
    errors: dict[str, str] = {}
    if "reason" in step.requires and not given.words.strip():
        errors["reason"] = _("This step needs words.")
    if given.version is None:
        errors["version"] = _("A step carries the version that its sender saw.")
    if step.action in SIGNS and not given.sha256:
        errors["sha256"] = _("Who signs names the bytes that were seen.")
    if step.action == "ask_extension" and (words := _extension_fault(given, listing, at)):
        errors["until_day"] = words
    if errors:
        raise FieldsMissing(errors)


def _extension_fault(given: ListingInput, listing: Listing, at: datetime) -> str:
    """Say what is wrong with an extension that is asked for; empty where nothing is."""
    if given.until_day is None:
        return _("This step names the day until which more time is asked for.")
    if not clocks.in_time_to_ask(listing, at):
        words = {"day": listing.finish_by, "n": listing.rule.ask_days}
        return (
            _("Too late: an extension is asked at least %(n)s working days before the limit ends on %(day)s.") % words
        )
    last = listing.finish_by + timedelta(days=listing.rule.most_days)
    if not listing.finish_by < given.until_day <= last:
        words = {"seen": given.until_day, "first": listing.finish_by + timedelta(days=1), "last": last}
        return _("%(seen)s was given; expected a day from %(first)s to %(last)s.") % words
    return ""


def _act(listing: Listing, action: str, given: ListingInput, *, actor: Any, at: datetime) -> None:
    """Do what an action does besides moving the listing on."""
    if kind := DONE.get(action):
        clocks.done(listing, kind, at)
    rule = listing.rule
    match action:
        case "list_it":
            documents.sign(listing.document_id, sha256=given.sha256, by=actor, at=at)
            listing.listed_at = at
            clocks.start(listing, ClockKind.FILE, rule.file_days, at)
            clocks.start(listing, ClockKind.PUBLISH, rule.publish_days, at)
            clocks.start_rectification(listing, at)
            _mark_hazard(listing, at)
        case "publish":
            listing.published_at = at
        case "ask_extension":
            listing.extension_until = given.until_day
            listing.clocks.filter(kind=ClockKind.DECIDE).delete()  # of a request that was denied
            clocks.start(listing, ClockKind.DECIDE, rule.decide_days, at)
        case "grant_extension":
            listing.finish_by, listing.extension_until = listing.extension_until, None
            clocks.move_rectification(listing)
        case "deny_extension":
            listing.extension_until = None
        case "clear":
            documents.sign(listing.clearing_id or listing.document_id, sha256=given.sha256, by=actor, at=at)
            listing.cleared_at, listing.extension_until = at, None
            clocks.stop_all(listing, at)
            clocks.start(listing, ClockKind.PUBLISH_CLEARING, rule.clearing_days, at)
            _mark_hazard(listing, None)
        case "publish_clearing":
            listing.clearing_published_at = at
        case "withdraw":
            _withdraw_papers(listing, given.words.strip()[:200], at)
            listing.extension_until = None
            clocks.stop_all(listing, at)
            _mark_hazard(listing, None)


def _withdraw_papers(listing: Listing, reason: str, at: datetime) -> None:
    """Withdraw the notice where it was issued; put away what is not signed."""
    for paper in (listing.document, listing.clearing):
        if paper is None:
            continue
        if paper.state == Document.State.ISSUED:
            documents.withdraw(paper.pk, reason=reason, at=at)
        else:
            documents.put_back_if_prepared(paper.pk, reason=reason, at=at)
            documents.discard(paper.pk, at=at)


def _mark_hazard(listing: Listing, at: datetime | None) -> None:
    """Let the case show whether it is on the list; no step of its own, so its version stays. Queries: 1."""
    Hazard.objects.filter(pk=listing.hazard_id).update(listed_at=at)
