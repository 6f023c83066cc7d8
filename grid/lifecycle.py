"""The life of a re-zoning, from its draft to the day it is in force: one row per lawful step."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop, pgettext_lazy

from citysafety.lifecycle import Lifecycle, Step


class RezoningState(models.TextChoices):
    """Where a re-zoning stands."""

    DRAFT = "draft", pgettext_lazy("re-zoning", "Draft")
    CHECKED = "checked", pgettext_lazy("re-zoning", "Awaits approval")
    APPROVED = "approved", pgettext_lazy("re-zoning", "Approved")
    IN_FORCE = "in_force", pgettext_lazy("re-zoning", "In force")
    ROLLED_BACK = "rolled_back", pgettext_lazy("re-zoning", "Rolled back")
    DISCARDED = "discarded", pgettext_lazy("re-zoning", "Discarded")


S = RezoningState
ENDED = frozenset({S.IN_FORCE, S.ROLLED_BACK, S.DISCARDED})
PENDING = frozenset(S.values) - ENDED

# Who may draw, and who may say yes: never a person who had a hand in the draft, whatever the role.
DRAFTERS = ("dispatcher:area", "supervisor:area")
APPROVERS = ("supervisor:area,not_drafter", "leader:area,not_drafter", "administrator:area,not_drafter")
STOPPERS = ("supervisor:area", "leader:area", "administrator:area")
NOBODY: tuple[str, ...] = ()  # taken by the clock

LIFECYCLE = Lifecycle(
    Step(S.DRAFT, "draw", S.DRAFT, gettext_noop("other outlines"), DRAFTERS, label=_("Draw anew")),
    Step(S.DRAFT, "settle", S.DRAFT, gettext_noop("names, people, reason and date"), DRAFTERS, label=_("Save")),
    Step(
        S.DRAFT, "check", S.CHECKED, gettext_noop("GB/T 30428: seamless, no overlap, balanced load"), DRAFTERS,
        label=_("Check and send for approval"),
    ),
    Step(
        S.CHECKED, "approve", S.APPROVED, gettext_noop("approved by another than its drafters"), APPROVERS,
        label=_("Approve"),
    ),
    Step(
        S.CHECKED, "send_back", S.DRAFT, gettext_noop("sent back to its drafter, with the reason"),
        (*DRAFTERS, "leader:area", "administrator:area"), requires=("reason",), label=_("Send back"),
    ),
    Step(S.APPROVED, "enter", S.IN_FORCE, gettext_noop("the time it is effective from has come"), NOBODY, label=_("In force")),
    Step(
        S.APPROVED, "fail", S.DRAFT, gettext_noop("the grid had changed meanwhile"), NOBODY,
        label=_("Could not come into force"),
    ),
    Step(
        S.IN_FORCE, "roll_back", S.ROLLED_BACK, gettext_noop("the cells before it are restored"), STOPPERS,
        requires=("reason",), label=_("Roll back"),
    ),
    *(
        Step(
            state, "discard", S.DISCARDED, gettext_noop("not carried out, with the reason"),
            (*DRAFTERS, "leader:area", "administrator:area"), requires=("reason",), label=_("Discard"),
        )
        for state in (S.DRAFT, S.CHECKED, S.APPROVED)
    ),
)  # fmt: skip

VERBS = [action for action in LIFECYCLE.actions if any(step.roles for step in LIFECYCLE.steps_named(action))]
LABELS = {"create": _("Drafted"), **{step.action: step.label for step in LIFECYCLE.steps}}
