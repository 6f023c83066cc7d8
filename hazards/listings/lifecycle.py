"""The life of a listing (挂牌督办), from its proposal to the published clearing: one row per lawful step."""

from collections.abc import Iterator
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from citysafety.lifecycle import Lifecycle, Step


class ListingState(models.TextChoices):
    """Where a listing stands."""

    PROPOSED = "proposed", _("Listing proposed")
    LISTED = "listed", _("Listed")
    EXTENDED = "extended", _("Listed, extended")
    CLEARED = "cleared", _("Taken off the list")
    CLOSED = "closed", _("Clearing published")
    WITHDRAWN = "withdrawn", _("Listing withdrawn")


class ClockKind(models.TextChoices):
    """What a clock of a listing measures."""

    FILE = "file", _("Filing with the city")
    PUBLISH = "publish", _("Publication")
    RECTIFY = "rectify", _("Rectification until")
    DECIDE = "decide", _("Decision on the extension")
    PUBLISH_CLEARING = "clearing", _("Publication of the clearing")


S = ListingState
RUNNING = (S.LISTED, S.EXTENDED)
ENDED = frozenset({S.CLOSED, S.WITHDRAWN})
LIVE = frozenset(S.values) - ENDED
SIGNS = ("list_it", "clear")  # steps that sign a paper

OFFICE = ("supervisor:area", "leader:area")
SECOND = ("supervisor:area,not_first_signer", "leader:area,not_first_signer")
SUPERVISOR = ("supervisor:area",)
UNIT = ("department_handler:department",)


def _while_listed(action: str, basis: str, roles: tuple[str, ...], **more: Any) -> Iterator[Step]:
    for state in RUNNING:
        yield Step(state, action, state, basis, roles, **more)


LIFECYCLE = Lifecycle(
    Step(
        S.PROPOSED, "list_it", S.LISTED, gettext_noop("signed by another than who proposed it"), SECOND,
        label=_("Sign: put on the list"),
    ),
    Step(
        S.PROPOSED, "withdraw", S.WITHDRAWN, gettext_noop("not listed, with the reason"), OFFICE, requires=("reason",),
        label=_("Do not list"),
    ),
    *_while_listed("file", gettext_noop("filed with the city's work safety office"), SUPERVISOR, label=_("Filed with the city")),
    *_while_listed("publish", gettext_noop("made public: number, matter, unit, requirement, limit"), SUPERVISOR, label=_("Publish")),
    Step(
        S.LISTED, "ask_extension", S.LISTED, gettext_noop("asked in time before the limit ends, once, with the reason"), UNIT,
        requires=("until_day", "reason"), label=_("Ask for an extension"),
    ),
    Step(
        S.LISTED, "grant_extension", S.EXTENDED, gettext_noop("decided by who supervises, not by who asks"), OFFICE,
        label=_("Grant the extension"),
    ),
    Step(
        S.LISTED, "deny_extension", S.LISTED, gettext_noop("decided by who supervises, not by who asks"), OFFICE,
        requires=("reason",), label=_("Deny the extension"),
    ),
    *(
        Step(
            state, "clear", S.CLEARED, gettext_noop("the hazard was verified by another and written off: taken off the list"),
            OFFICE, label=_("Sign: take off the list"),
        )
        for state in RUNNING
    ),
    *(
        Step(
            state, "withdraw", S.WITHDRAWN, gettext_noop("formally withdrawn, with the reason"), OFFICE, requires=("reason",),
            label=_("Withdraw"),
        )
        for state in RUNNING
    ),
    Step(
        S.CLEARED, "publish_clearing", S.CLOSED, gettext_noop("the clearing is made public"), SUPERVISOR,
        label=_("Publish the clearing"),
    ),
)  # fmt: skip

LABELS = {
    "propose": _("Listing proposed"),
    "miss": _("A limit was missed"),
    **{s.action: s.label for s in LIFECYCLE.steps},
}
