"""The life of a hidden danger (隐患), from report to write-off: one row per lawful step."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from citysafety.lifecycle import Lifecycle, Step, StepNotAllowed


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
    MERGED = "merged", _("Merged")


class Stage(models.TextChoices):
    """What a clock measures: three stages, each until the next one's work begins, and two limits that run beside them."""

    ACCEPT = "accept", _("Acceptance and dispatch")
    RECTIFY = "rectify", _("Rectification")
    VERIFY = "verify", _("Verification and write-off")
    TOTAL = "total", _("Whole case")
    PIN = "pin", _("Set by a leader")


STAGES = (Stage.ACCEPT, Stage.RECTIFY, Stage.VERIFY)


class PhotoRole(models.TextChoices):
    """What a photo shows."""

    SCENE = "scene", _("Scene")
    BEFORE = "before", _("Before")
    AFTER = "after", _("After")


S = HazardState

ENDED = frozenset({S.WRITTEN_OFF, S.REFUSED, S.MERGED})
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

TO_DISPATCH = (S.REPORTED, S.ACCEPTED)
IN_WORK = (S.DISPATCHED, S.TAKEN)
STOPPABLE = (S.ACCEPTED, *IN_WORK, S.RECTIFIED, S.VERIFIED)
UNTIL_VERIFIED = (*TO_DISPATCH, *IN_WORK, S.RECTIFIED, S.VERIFIED)

DISPATCHER = ("dispatcher:area",)
SUPERVISOR = ("supervisor:area",)
LEADER = ("leader:area",)
HANDLER = ("department_handler:department",)
CHECKER = (
    "grid_worker:area,not_rectifier,not_reporter_on_spot",
    "dispatcher:area,not_rectifier,not_reporter_on_spot",
)
REPORTER = ("*:reporter",)
RECHECKER = ("*:checker",)  # whose re-check found that it does not hold
CALLER = ("operator:reporter",)  # who took the report of somebody of the public, or the account of the public itself
NOT_BY_ITS_DOER = ("supervisor:area,not_rectifier",)
SHOWABLE = (S.VERIFIED, S.WRITTEN_OFF)  # the work is done, and another has looked at it
REOPENINGS = ("reopen", "grant_reopening")  # the steps that let a closed case go on
REOPENED = {S.WRITTEN_OFF: S.ACCEPTED, S.REFUSED: S.REPORTED}  # where a case goes on that was closed wrongly


# What one answer can serve for many cases at once: words, an office, a cause.
ALIKE = frozenset({"reason", "department", "cause"})
# What is decided case by case, with the papers of a major hazard, its photos or what was seen at the place before one.
ONE_BY_ONE = frozenset({"major", "plan asked", "stopped", "photos shown", "photos not shown"})

# What a step may ask of a case besides its state, and what is said where it does not hold. Looks at columns only, of the
# case and its matter.
CONDITIONS: dict[str, tuple[Callable[[Any], bool], Any]] = {
    "running": (lambda hazard: hazard.paused_at is None, _("The case is paused; resume it first.")),
    "paused": (lambda hazard: hazard.paused_at is not None, _("The case is not paused.")),
    "in time": (lambda hazard: not hazard.overdue, _("Its time has run out; this is asked before.")),
    "nothing asked": (
        lambda hazard: hazard.extension_asked_at is None and hazard.pause_asked_at is None,
        _("Something that was asked before is not decided yet."),
    ),
    "extension asked": (lambda hazard: hazard.extension_asked_at is not None, _("No extension is asked for.")),
    "pause asked": (lambda hazard: hazard.pause_asked_at is not None, _("No pause is asked for.")),
    "pinned": (lambda hazard: hazard.pinned_at is not None, _("No leader has set a limit.")),
    "not pinned": (lambda hazard: hazard.pinned_at is None, _("A leader has set a limit already.")),
    "general": (lambda hazard: hazard.severity == "general", _("It is a major hazard already.")),
    "major": (lambda hazard: hazard.severity == "major", _("It is no major hazard.")),
    "plan approved": (
        lambda hazard: hazard.severity != "major" or hazard.plan_approved_at is not None,
        _("A major hazard needs an approved plan of rectification first."),
    ),
    "plan asked": (lambda hazard: hazard.plan_asked_at is not None, _("No plan waits for approval.")),
    "no plan asked": (lambda hazard: hazard.plan_asked_at is None, _("A plan waits for approval already.")),
    "stopped": (lambda hazard: hazard.stopped_at is not None, _("Work is not stopped.")),
    "not stopped": (lambda hazard: hazard.stopped_at is None, _("Work is stopped; let it go on first.")),
    "left to sampling": (
        lambda hazard: hazard.handled_on_spot and hazard.severity == "general" and hazard.matter.sample_recheck,
        _("Only a general hazard handled on the spot, of a matter that allows it, is left to sampled re-check."),
    ),
    "contested": (lambda hazard: hazard.contested_at is not None, _("Nobody has contested it.")),
    "not contested": (lambda hazard: hazard.contested_at is None, _("A supervisor has not decided yet.")),
    "photos shown": (lambda hazard: hazard.photos_shown_at is not None, _("The photos are not shown.")),
    "photos not shown": (lambda hazard: hazard.photos_shown_at is None, _("The photos are shown already.")),
    "of the public": (lambda hazard: hazard.is_of_public, _("Nobody of the public follows this case.")),
    "not listed": (lambda hazard: hazard.listed_at is None, _("It is under listed supervision.")),
}


@dataclass(frozen=True, slots=True)
class HazardStep(Step):
    """A step of a hazard; ``on_spot`` is where it leads when the hazard was handled on the spot.

    ``when`` names the :data:`CONDITIONS` that must hold besides the state. Without ``target`` it leads back to where
    the case was before it was merged.
    """

    on_spot: str = ""
    when: tuple[str, ...] = ("running",)

    @property
    def is_aside(self) -> bool:
        """Whether it leaves the state as it is."""
        return self.source == self.target

    @property
    def is_for_many(self) -> bool:
        """Whether it may be taken with many cases at once: open ones, which all get the same answer.

        Not what asks for evidence, place or papers of the one case, nor what four eyes check at the place.
        """
        return (
            self.source not in ENDED
            and ALIKE.issuperset(self.requires)
            and ONE_BY_ONE.isdisjoint(self.when)
            and not any("not_rectifier" in alternative for alternative in self.roles)
        )


def aside(sources: tuple[str, ...], action: str, *row: Any, **more: Any) -> Iterator[HazardStep]:
    """Yield a row for each state from which an action may be taken that leaves the state as it is."""
    for source in sources:
        yield HazardStep(source, action, source, *row, **more)


def open_step(hazard: Any, action: str) -> HazardStep:
    """Return the row of an action that is open for a case now. :raises StepNotAllowed: there is none."""
    step = LIFECYCLE.step(hazard.state, action)
    if words := kept_from(step, hazard):
        raise StepNotAllowed(words)
    return step


def kept_from(step: HazardStep, hazard: Any) -> str:
    """Say which condition keeps a case from a step of its state; empty where none does."""
    return next((str(words) for holds, words in map(CONDITIONS.get, step.when) if not holds(hazard)), "")


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
        when=("running", "plan approved"),
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
        when=("running", "plan approved", "no plan asked"),
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
        S.RECTIFIED,
        "pass_by_sample",
        S.VERIFIED,
        gettext_noop("handled on the spot: verified by sampled re-check where the matter says so"),
        ("dispatcher:area,not_rectifier,not_reporter_on_spot",),
        label=_("Leave to sampled re-check"),
        when=("running", "left to sampling"),
    ),
    HazardStep(
        S.VERIFIED,
        "write_off",
        S.WRITTEN_OFF,
        gettext_noop("acceptance and write-off"),
        DISPATCHER,
        label=_("Write off"),
        when=("running", "not stopped"),
    ),
    HazardStep(
        S.WRITTEN_OFF,
        "reopen",
        S.ACCEPTED,
        gettext_noop("reappeared within the limit"),
        (*DISPATCHER, *REPORTER, *RECHECKER),
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
    # -- what the public asks once its own right to reopen is used up --
    *aside(
        tuple(REOPENED),
        "ask_reopening",
        gettext_noop("the reporter says again that it is not solved; a supervisor decides"),
        CALLER,
        requires=("reason",),
        label=_("Ask for reopening"),
        when=("not contested",),
    ),
    *(
        HazardStep(
            source,
            "grant_reopening",
            target,
            gettext_noop("decided by a supervisor, not by who rectified"),
            NOT_BY_ITS_DOER,
            label=_("Reopen as asked"),
            when=("contested",),
        )
        for source, target in REOPENED.items()
    ),
    *aside(
        tuple(REOPENED),
        "deny_reopening",
        gettext_noop("decided by a supervisor, not by who rectified"),
        NOT_BY_ITS_DOER,
        requires=("reason",),
        label=_("Leave it closed"),
        when=("contested",),
    ),
    # -- what the public sees of the work: decided for one handling, and for each anew --
    *aside(
        SHOWABLE,
        "show_photos",
        gettext_noop(
            "Personal Information Protection Law, art. 25: nothing of persons is published without their consent"
        ),
        (*DISPATCHER, *SUPERVISOR),
        label=_("Show the photos of the handling to the reporter"),
        when=("photos not shown", "of the public"),
    ),
    *aside(
        SHOWABLE,
        "hide_photos",
        gettext_noop("what was shown to the public is withdrawn"),
        (*DISPATCHER, *SUPERVISOR),
        label=_("Show the photos to the reporter no longer"),
        when=("photos shown",),
    ),
    # -- what changes its time limits --
    *aside(
        IN_WORK,
        "ask_extension",
        gettext_noop("asked before the limit ends, with the reason"),
        HANDLER,
        requires=("amount", "reason"),
        label=_("Ask for an extension"),
        when=("running", "in time", "nothing asked"),
    ),
    *aside(
        IN_WORK,
        "grant_extension",
        gettext_noop("decided by who dispatched, not by who asks"),
        DISPATCHER,
        label=_("Grant the extension"),
        when=("running", "extension asked"),
    ),
    *aside(
        IN_WORK,
        "deny_extension",
        gettext_noop("decided by who dispatched, not by who asks"),
        DISPATCHER,
        requires=("reason",),
        label=_("Deny the extension"),
        when=("extension asked",),
    ),
    *aside(
        IN_WORK,
        "ask_pause",
        gettext_noop("GB/T 30428.8: deferred or parked with a written explanation"),
        HANDLER,
        requires=("cause", "reason"),
        label=_("Ask for a pause"),
        when=("running", "in time", "nothing asked"),
    ),
    *aside(
        (S.ACCEPTED, *IN_WORK),
        "pause",
        gettext_noop("GB/T 30428.8: deferred or parked with a written explanation"),
        (*DISPATCHER, *SUPERVISOR),
        requires=("reason",),
        label=_("Pause"),
    ),
    *aside(
        IN_WORK,
        "deny_pause",
        gettext_noop("decided by who dispatched, not by who asks"),
        (*DISPATCHER, *SUPERVISOR),
        requires=("reason",),
        label=_("Deny the pause"),
        when=("pause asked",),
    ),
    *aside(
        (S.ACCEPTED, *IN_WORK),
        "resume",
        gettext_noop("the clock goes on with what was used up before"),
        (*DISPATCHER, *SUPERVISOR, *HANDLER),
        label=_("Resume"),
        when=("paused",),
    ),
    *aside(
        UNTIL_VERIFIED,
        "pin",
        gettext_noop("a leader's own case: a short limit, counted twice"),
        LEADER,
        label=_("Make it mine"),
        when=("running", "not pinned"),
    ),
    *aside(
        UNTIL_VERIFIED,
        "unpin",
        gettext_noop("a leader gives it back"),
        LEADER,
        requires=("reason",),
        label=_("Give it back"),
        when=("pinned",),
    ),
    *aside(
        (*TO_DISPATCH, *IN_WORK),
        "change_matter",
        gettext_noop("filed under another matter; the time used up stays used up"),
        DISPATCHER,
        requires=("matter", "reason"),
        label=_("Change the matter"),
    ),
    # -- what only major hazards have --
    *aside(
        (*TO_DISPATCH, *IN_WORK),
        "raise",
        gettext_noop("SAWS Order 16, art. 3: a major hazard by a published criterion"),
        DISPATCHER,
        requires=("criterion", "reason"),
        label=_("Raise to major"),
        when=("running", "general"),
    ),
    *aside(
        (*TO_DISPATCH, *IN_WORK),
        "lower",
        gettext_noop("SAWS Order 16, art. 3: a general hazard after all"),
        SUPERVISOR,
        requires=("reason",),
        label=_("Lower to general"),
        when=("running", "major", "not stopped", "not listed"),
    ),
    *aside(
        (S.TAKEN,),
        "plan",
        gettext_noop("SAWS Order 16, art. 15: responsibility, measures, funds, time limit, contingency plan"),
        HANDLER,
        requires=("unit", "person", "measures", "funds", "finish_on", "contingency"),
        label=_("Lay a plan before the supervisor"),
        when=("running", "major", "no plan asked"),
    ),
    *aside(
        (S.TAKEN,),
        "approve_plan",
        gettext_noop("SAWS Order 16, art. 15: the plan is approved by who supervises"),
        SUPERVISOR,
        label=_("Approve the plan"),
        when=("plan asked",),
    ),
    *aside(
        (S.TAKEN,),
        "return_plan",
        gettext_noop("SAWS Order 16, art. 15: the plan is sent back, with the reason"),
        SUPERVISOR,
        requires=("reason",),
        label=_("Return the plan"),
        when=("plan asked",),
    ),
    *aside(
        STOPPABLE,
        "stop_work",
        gettext_noop("Work Safety Law, art. 65: work stops where safety cannot be ensured"),
        (*DISPATCHER, *SUPERVISOR),
        requires=("scope", "basis"),
        label=_("Stop work"),
        when=("major", "not stopped"),
    ),
    *aside(
        STOPPABLE,
        "resume_work",
        gettext_noop("Work Safety Law, art. 65: work goes on once it was reviewed"),
        (*DISPATCHER, *SUPERVISOR),
        requires=("reason",),
        label=_("Let work go on"),
        when=("stopped",),
    ),
    # -- where it lies, and whether it is one with another --
    *aside(
        TO_DISPATCH,
        "correct_cell",
        gettext_noop("the cell that the place lies in"),
        (*DISPATCHER, *REPORTER),
        requires=("cell",),
        label=_("Correct the cell"),
    ),
    *(
        HazardStep(
            source,
            "merge",
            S.MERGED,
            gettext_noop("the same hazard was reported before"),
            DISPATCHER,
            requires=("into",),
            label=_("Merge"),
            when=("running", "nothing asked", "not stopped", "not listed"),
        )
        for source in (*TO_DISPATCH, *IN_WORK)
    ),
    HazardStep(
        S.MERGED,
        "unmerge",
        "",
        gettext_noop("two hazards after all"),
        DISPATCHER,
        requires=("reason",),
        label=_("Undo the merge"),
        when=(),
    ),
    *aside(
        (*UNTIL_VERIFIED, S.MERGED),
        "remark",
        gettext_noop("what the reporter has to add"),
        REPORTER,
        requires=("words",),
        label=_("Add a remark"),
        when=(),
    ),
)

# The steps that may be taken with many cases at once, in the order of the table.
FOR_MANY = [action for action in LIFECYCLE.actions if all(step.is_for_many for step in LIFECYCLE.steps_named(action))]

# What a row of the history is called: the step itself, or what a step at another case did to this one.
LABELS: dict[str, Any] = {
    "report": _("Reported"),
    **{step.action: step.label for step in LIFECYCLE.steps},
    "absorb": _("A duplicate was merged into it"),
    "release": _("A duplicate was taken out of it again"),
    "rezone": _("Moved to another cell by a re-zoning"),
}
