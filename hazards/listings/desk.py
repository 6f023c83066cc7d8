"""What the desk pages of listings show: signs of states, clocks in words, forms of steps."""

from datetime import datetime, timedelta
from typing import Any

from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from citysafety.accounts.rights import may
from citysafety.accounts.roles import Role

from ..asked import Field
from ..models import Hazard, Listing, ListingClock
from . import selectors
from .lifecycle import LABELS, LIFECYCLE, SIGNS, ClockKind, ListingState, Step
from .services import paper_of, paper_to_sign, steps_open_to, unlistable

S = ListingState
LOOKS = {
    S.PROPOSED: ("open", ""),
    S.LISTED: ("warn", "strong"),
    S.EXTENDED: ("clock", "strong"),
    S.CLEARED: ("tick", ""),
    S.CLOSED: ("tick", "ended"),
    S.WITHDRAWN: ("no", "ended"),
}


def clock_rows(listing: Listing, at: datetime) -> list[dict[str, Any]]:
    """Return the limits of a listing, those that run first. Queries: 0 with its clocks."""
    rows = sorted(
        listing.clocks.all(), key=lambda clock: (clock.done_at is not None, clock.due_at is None, clock.due_at)
    )
    return [_clock_row(clock, at) for clock in rows]


def _clock_row(clock: ListingClock, at: datetime) -> dict[str, Any]:
    return {
        "clock": clock,
        "due": _due_words(clock),
        "label": clock.get_kind_display(),
        "limit": _("%(n)s working days") % {"n": clock.days} if clock.days else "",
        "is_late": clock.done_at is None and clock.due_at is not None and clock.due_at < at,
        "was_late": clock.done_at is not None and clock.due_at is not None and clock.due_at < clock.done_at,
    }


def _due_words(clock: ListingClock) -> str:
    """Return until when, empty where it cannot be computed. The whole limit ends with its day: the first moment of the next."""
    if clock.due_at is None:
        return ""
    if clock.kind == ClockKind.RECTIFY:
        return f"{localtime(clock.due_at) - timedelta(days=1):%Y-%m-%d}"
    return f"{localtime(clock.due_at):%Y-%m-%d %H:%M}"


def next_clock(listing: Listing, at: datetime) -> dict[str, Any] | None:
    """Return the running limit that is due first. Queries: 0 with its clocks."""
    return next((row for row in clock_rows(listing, at) if row["clock"].done_at is None), None)


def step_forms(user: Any, listing: Listing) -> list[dict[str, Any]]:
    """Return a form for each step the reader may take now; a signature only once its final paper is there. Queries: 0 with its clocks."""
    return [
        _form(step, listing) for step in steps_open_to(user, listing) if step.action not in SIGNS or _is_final(listing)
    ]


def may_prepare(user: Any, listing: Listing) -> bool:
    """Test whether the reader may have the final bytes of a paper made now."""
    return not _is_final(listing) and any(step.action in SIGNS for step in steps_open_to(user, listing))


def _is_final(listing: Listing) -> bool:
    return bool(paper_to_sign(listing)) and paper_of(listing).state == "prepared"


def _form(step: Step, listing: Listing) -> dict[str, Any]:
    asks_reason = "reason" in step.requires
    fields = []
    if "until_day" in step.requires:
        hint = _("Asked at least %(n)s working days before %(day)s.") % {
            "n": listing.rule.ask_days, "day": listing.finish_by
        }  # fmt: skip
        fields.append(Field(name="until_day", label=_("More time until"), kind="date", hint=hint))
    return {
        "action": step.action,
        "label": step.label,
        "basis": _(step.basis),
        "asks": "",
        "fields": fields,
        "words_name": "reason" if asks_reason else "words",
        "words_label": _("Reason") if asks_reason else _("Words (if useful)"),
        "asks_words": asks_reason,
        "photos": [],
        "sha256": paper_of(listing).sealed_id if step.action in SIGNS else "",
    }


def happened(listing: Listing) -> list[dict[str, Any]]:
    """Return the steps and missed limits of a listing in the order of time. Queries: 1."""
    rows = [
        {"at": step.at, "label": LABELS[step.action], "who": step.actor.name if step.actor else "", "words": step.words,
         "basis": _(step.basis) if step.basis else ""}
        for step in selectors.history(listing)
    ]  # fmt: skip
    rows += [
        {"at": clock.missed_at, "label": LABELS["miss"], "who": "", "words": clock.get_kind_display(), "is_mark": True}
        for clock in listing.clocks.all()
        if clock.missed_at
    ]
    return sorted(rows, key=lambda row: row["at"])


def panel(user: Any, hazard: Hazard, at: datetime) -> dict[str, Any]:
    """Return what the page of a case shows of a major hazard. Queries: 5, 0 for a general one that never was one."""
    if hazard.severity != "major" and not (hazard.plan_approved_at or hazard.stopped_at or hazard.listed_at):
        return {}
    listings = list(selectors.listings_seen_by(user).filter(hazard=hazard).order_by("-proposed_at"))
    plans = list(selectors.plans(hazard))
    live = any(one.state not in (S.CLOSED, S.WITHDRAWN) for one in listings)
    proposes = user.role == Role.SUPERVISOR and user.covers(hazard.area_code)
    return {
        "plan": plans[0] if plans else None,
        "earlier_plans": plans[1:],
        "stops": list(selectors.stops(hazard)),
        "listings": [(one, LOOKS[one.state], next_clock(one, at)) for one in listings],
        "may_propose": proposes and not live and not unlistable(hazard),
    }


def barred(user: Any, listing: Listing) -> bool:
    """Test whether the reader may not sign because the proposal is the reader's own."""
    if listing.state != S.PROPOSED:
        return False
    return may(user, LIFECYCLE.step(S.PROPOSED, "list_it"), listing).rule == "denied.two_signatures"
