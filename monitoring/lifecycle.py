"""The life of an alarm after ISA-18.2-2016 (IEC 62682), as a table of steps.

Whether the condition holds and whether somebody has seen it are two things: an alarm is over when both have come
to an end. What a device does (``raise``, ``worsen``, ``return``) is a step without a role: only the system takes it.
"""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from citysafety.lifecycle import Lifecycle, Step


class AlarmState(models.TextChoices):
    """States of ISA-18.2, figure 2; shelving, maintenance and service are told beside the state."""

    UNACKNOWLEDGED = "unack", _("Not acknowledged")
    ACKNOWLEDGED = "acked", _("Acknowledged")
    RETURNED = "rtnun", _("Returned, not acknowledged")
    OVER = "over", _("Over")


OPEN = frozenset({AlarmState.UNACKNOWLEDGED, AlarmState.ACKNOWLEDGED, AlarmState.RETURNED})
STANDING = frozenset({AlarmState.UNACKNOWLEDGED, AlarmState.ACKNOWLEDGED})  # the condition holds
UNSEEN = frozenset({AlarmState.UNACKNOWLEDGED, AlarmState.RETURNED})  # nobody has acknowledged it

U, A, R, O = AlarmState.UNACKNOWLEDGED, AlarmState.ACKNOWLEDGED, AlarmState.RETURNED, AlarmState.OVER  # noqa: E741
ISA = "ISA-18.2-2016"
DESK = (
    "operator:area", "dispatcher:area", "supervisor:area", "department_handler:department", "department_handler:assigned",
)  # fmt: skip

LIFECYCLE = Lifecycle(
    Step(U, "worsen", U, ISA, ()),
    Step(A, "worsen", U, ISA, ()),  # a graver level is a new piece of news
    Step(U, "return", R, ISA, ()),
    Step(A, "return", O, ISA, ()),
    Step(R, "raise", U, ISA, ()),
    Step(U, "flap", U, ISA, ()),
    Step(A, "flap", A, ISA, ()),
    # Maintenance of an area or a device out of service; when that ends, what still stands is heard again.
    *(Step(state, "suppress", state, ISA, ()) for state in (U, A, R)),
    *(Step(state, "unsuppress", state, ISA, ()) for state in (U, A, R)),
    Step(U, "acknowledge", A, ISA, DESK, label=_("Acknowledge")),
    Step(R, "acknowledge", O, ISA, DESK, label=_("Acknowledge")),
    *(Step(state, "assign", state, "", DESK, ("department",), label=_("Assign")) for state in (U, A, R)),
    *(Step(state, "comment", state, "", DESK, ("words",), label=_("Comment")) for state in (U, A, R, O)),
    *(Step(state, "shelve", state, ISA, DESK, ("reason", "until"), label=_("Shelve")) for state in (U, A, R)),
    *(Step(state, "unshelve", state, ISA, DESK, label=_("End shelving")) for state in (U, A, R)),
    *(Step(state, "confirm", state, "", DESK, ("words",), label=_("Confirm as real")) for state in (A, R, O)),
    *(Step(state, "false_alarm", state, "", DESK, ("reason",), label=_("Call it a false alarm")) for state in (A, R, O)),
    *(Step(state, "file_hazard", state, "", DESK, label=_("Make it a hazard")) for state in (U, A, R, O)),
    # What latched begins anew: where the condition holds on, the next value raises it again.
    Step(U, "reset", R, ISA, DESK, ("reason",), label=_("Reset")),
    Step(A, "reset", O, ISA, DESK, ("reason",), label=_("Reset")),
)  # fmt: skip
VERBS = tuple(dict.fromkeys(step.action for step in LIFECYCLE.steps if step.roles))  # what people do
LABELS = {
    "raise": _("Raised"), "worsen": _("Worse"), "return": pgettext_lazy("alarm", "Returned"), "flap": _("Flapping"),
    "suppress": _("Kept quiet"), "unsuppress": _("Heard again"),
    **{step.action: step.label for step in LIFECYCLE.steps if step.roles},
}  # fmt: skip
