"""The life of a hidden danger (隐患), from report to write-off: one row per lawful step."""

from dataclasses import dataclass

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from citysafety.lifecycle import Lifecycle, Step


class HazardState(models.TextChoices):
    """Where a hazard stands (GB/T 30428.8: filing, dispatch, handling, verification, closing)."""

    REPORTED = "reported", _("Reported")
    ACCEPTED = "accepted", _("Accepted")
    DISPATCHED = "dispatched", _("Dispatched")
    TAKEN = "taken", _("Being rectified")
    RECTIFIED = "rectified", _("Awaiting verification")
    VERIFIED = "verified", _("Verified")
    WRITTEN_OFF = "written_off", _("Written off")
    REFUSED = "refused", _("Refused")


class Stage(models.TextChoices):
    """The three clocks of a matter; each covers the states until the next one's work begins."""

    ACCEPT = "accept", _("Acceptance and dispatch")
    RECTIFY = "rectify", _("Rectification")
    VERIFY = "verify", _("Verification and write-off")


class PhotoRole(models.TextChoices):
    """What a photo shows."""

    SCENE = "scene", _("Scene")
    BEFORE = "before", _("Before")
    AFTER = "after", _("After")


S = HazardState

ENDED = frozenset({S.WRITTEN_OFF, S.REFUSED})
OPEN = frozenset(S.values) - ENDED

STAGE_OF = {
    S.REPORTED: Stage.ACCEPT,
    S.ACCEPTED: Stage.ACCEPT,
    S.DISPATCHED: Stage.RECTIFY,
    S.TAKEN: Stage.RECTIFY,
    S.RECTIFIED: Stage.VERIFY,
    S.VERIFIED: Stage.VERIFY,
}

# Those whose work is hazards; who keeps master data or accounts, watches or audits, leaves no case and no evidence.
EVIDENCE_GIVERS = frozenset({"grid_worker", "department_handler", "dispatcher"})
FILERS = EVIDENCE_GIVERS | {"operator"}  # the command centre takes calls

DISPATCHER = ("dispatcher:area",)
HANDLER = ("department_handler:department",)
CHECKER = (
    "grid_worker:area,not_rectifier,not_reporter_on_spot",
    "dispatcher:area,not_rectifier,not_reporter_on_spot",
)
REPORTER = ("*:reporter",)


@dataclass(frozen=True, slots=True)
class HazardStep(Step):
    """A step of a hazard; ``on_spot`` is where it leads when the hazard was handled on the spot."""

    on_spot: str = ""


LIFECYCLE = Lifecycle(
    HazardStep(
        S.REPORTED, "accept", S.ACCEPTED, gettext_noop("GB/T 30428.8: case creation"), DISPATCHER, label=_("Accept")
    ),
    HazardStep(
        S.REPORTED,
        "refuse",
        S.REFUSED,
        gettext_noop("GB/T 30428.8: not created, with the reason"),
        DISPATCHER,
        requires=("reason",),
        label=_("Refuse"),
    ),
    HazardStep(
        S.REPORTED,
        "handle_on_spot",
        S.RECTIFIED,
        gettext_noop("corrected on the spot by who found it"),
        ("grid_worker:reporter",),
        requires=("photo:before", "photo:after"),
        label=_("Handled on the spot"),
    ),
    HazardStep(
        S.ACCEPTED,
        "dispatch",
        S.DISPATCHED,
        gettext_noop("GB/T 30428.8: dispatch to the responsible unit"),
        DISPATCHER,
        requires=("department",),
        label=_("Dispatch"),
    ),
    HazardStep(
        S.DISPATCHED, "take", S.TAKEN, gettext_noop("received by the responsible unit"), HANDLER, label=_("Take over")
    ),
    HazardStep(
        S.DISPATCHED,
        "return",
        S.ACCEPTED,
        gettext_noop("sent back, with the reason"),
        HANDLER,
        requires=("reason",),
        label=_("Return"),
    ),
    HazardStep(
        S.TAKEN,
        "rectify",
        S.RECTIFIED,
        gettext_noop("SAWS Order 16: rectified by the responsible unit"),
        HANDLER,
        requires=("words", "photo:after"),
        label=_("Rectified"),
    ),
    HazardStep(
        S.RECTIFIED,
        "verify",
        S.VERIFIED,
        gettext_noop("acceptance: verified by another than the doer"),
        CHECKER,
        requires=("location",),
        label=_("Verification passed"),
    ),
    HazardStep(
        S.RECTIFIED,
        "fail",
        S.TAKEN,
        gettext_noop("not passed: rectification goes on"),
        CHECKER,
        requires=("reason",),
        label=_("Verification failed"),
        on_spot=S.ACCEPTED,
    ),
    HazardStep(
        S.VERIFIED,
        "write_off",
        S.WRITTEN_OFF,
        gettext_noop("acceptance and write-off"),
        DISPATCHER,
        label=_("Write off"),
    ),
    HazardStep(
        S.WRITTEN_OFF,
        "reopen",
        S.ACCEPTED,
        gettext_noop("reappeared within the limit"),
        (*DISPATCHER, *REPORTER),
        requires=("reason",),
        label=_("Reopen"),
    ),
    HazardStep(
        S.REFUSED,
        "contest",
        S.REPORTED,
        gettext_noop("the reporter disagrees"),
        REPORTER,
        requires=("reason",),
        label=_("Contest"),
    ),
)
