"""The rules of a hazard's life written down a second time, plainly: who may do what, when, and what comes of it.

Nothing here is asked of the product. A step that nobody wrote down here fails the test.
"""

import uuid
from datetime import date, timedelta
from typing import Any

from tests.factories import HOME

from .clocks import BEGIN, CITY, Stretch
from .limits import Limits
from .records import CLOSED, ENDED, Case, Recheck, Shown

BEFORE_RECTIFIED = {"reported", "accepted", "dispatched", "taken"}
MOVES = {
    "accept": "accepted", "refuse": "refused", "dispatch": "dispatched", "take": "taken", "return": "accepted",
    "verify": "verified", "pass_by_sample": "verified", "write_off": "written_off", "reopen": "accepted", "contest": "reported",
}  # fmt: skip
ASKS_NOTHING = {  # all others ask for words, a place, an office or what else they are about; photos apart
    "accept", "handle_on_spot", "take", "pass_by_sample", "write_off", "grant_extension", "grant_reopening", "resume",
    "pin", "approve_plan",
}  # fmt: skip
WHILE_PAUSED = {  # what goes on while the clocks stand
    "resume", "unmerge", "remark", "deny_extension", "deny_pause", "unpin", "approve_plan", "return_plan", "stop_work",
    "resume_work",
}  # fmt: skip
REOPEN_DAYS, PUBLIC_DAYS, PUBLIC_REOPENINGS = 30, 15, 1
WEEKS_BACK = 4  # a draw that was missed is made up for so long


class City(Limits):
    """All cases as they should stand, at a moment."""

    def __init__(self, people: dict[str, Any], fire: Any, public: Any) -> None:
        self.people, self.fire, self.public = people, fire, public
        self.now = BEGIN
        self.cases: list[Case] = []
        self.rechecks: list[Recheck] = []
        self.drawn_weeks: set[tuple[str, date]] = set()

    # -- who ---------------------------------------------------------------------------------------

    def reporters(self, case: Case) -> set[Any]:
        return {case.reporter, *(one.reporter for one in self.cases if one.into is case)}

    def parties(self, case: Case) -> set[Any]:
        return case.actors | self.reporters(case)

    def may(self, case: Case, action: str, user: Any) -> bool:
        """Who may take an action at a case, whatever its state."""
        here = user.area_code == HOME
        own = user in self.reporters(case)
        dispatcher, supervisor = user.role == "dispatcher" and here, user.role == "supervisor" and here
        with_whom = case.department and case.department.pk
        handler = user.role == "department_handler" and with_whom is not None and user.department_id == with_whom
        four_eyes = user != case.rectifier and not (case.on_spot and user == case.reporter)
        match action:
            case "accept" | "refuse" | "dispatch" | "write_off" | "merge" | "unmerge" | "change_matter":
                return dispatcher
            case "grant_extension" | "deny_extension" | "raise":
                return dispatcher
            case "lower" | "approve_plan" | "return_plan":
                return supervisor
            case "stop_work" | "resume_work" | "pause" | "deny_pause":
                return dispatcher or supervisor
            case "resume":
                return dispatcher or handler or supervisor
            case "take" | "return" | "rectify" | "ask_extension" | "ask_pause" | "plan":
                return handler
            case "verify" | "fail":
                return (dispatcher or (user.role == "grid_worker" and here)) and four_eyes
            case "pass_by_sample":
                return dispatcher and four_eyes
            case "handle_on_spot":
                return user.role == "grid_worker" and own
            case "correct_cell" | "reopen":  # whose re-check fails reopens by that, not by itself
                return dispatcher or own
            case "contest" | "remark":
                return own
            case "ask_reopening":
                return user.role == "operator" and own
            case "grant_reopening" | "deny_reopening":
                return supervisor and user != case.rectifier
            case "pin" | "unpin":
                return user.role == "leader" and here
        raise AssertionError(f"nobody wrote down who may {action}")

    # -- when --------------------------------------------------------------------------------------

    def is_open(self, case: Case, action: str) -> bool:
        """Whether an action is open at a case now, by its state and what else must hold."""
        in_work, major, state = case.state in ("dispatched", "taken"), case.major, case.state
        may_be_asked = in_work and not case.asked and not self.is_late(case)
        free = not case.stopped and case.listing != "listed"
        stands = {
            "accept": state == "reported", "refuse": state == "reported", "handle_on_spot": state == "reported" and not major,
            "dispatch": state == "accepted", "take": state == "dispatched", "return": state == "dispatched",
            "rectify": state == "taken" and not case.plan_waits and (case.plan_holds or not major),
            "verify": state == "rectified", "fail": state == "rectified",
            "pass_by_sample": state == "rectified" and case.on_spot and not major,
            "write_off": state == "verified" and not case.stopped,
            "reopen": state == "written_off" and self.since_closed(case) <= timedelta(days=REOPEN_DAYS),
            "contest": state == "refused", "ask_reopening": state in CLOSED and not case.contested,
            "grant_reopening": state in CLOSED and case.contested, "deny_reopening": state in CLOSED and case.contested,
            "ask_extension": may_be_asked and not case.plan_holds, "ask_pause": may_be_asked,
            "grant_extension": case.asked == "extension", "deny_extension": case.asked == "extension",
            "pause": (in_work or state == "accepted") and not self.is_late(case), "deny_pause": case.asked == "pause", "resume": case.paused,
            "pin": state not in ENDED and not case.pinned, "unpin": state not in ENDED and case.pinned,
            "change_matter": state in BEFORE_RECTIFIED, "correct_cell": state in ("reported", "accepted"),
            "merge": state in BEFORE_RECTIFIED and not case.asked and free, "unmerge": state == "merged",
            "remark": state not in CLOSED, "raise": state in BEFORE_RECTIFIED and not major,
            "lower": state in BEFORE_RECTIFIED and major and free,
            "plan": state == "taken" and major and not case.plan_waits,
            "approve_plan": state == "taken" and case.plan_waits, "return_plan": state == "taken" and case.plan_waits,
            "stop_work": state not in ENDED | {"reported"} and major and not case.stopped, "resume_work": case.stopped,
        }  # fmt: skip
        return stands[action] and (not case.paused or action in WHILE_PAUSED)

    def since_closed(self, case: Case) -> timedelta:
        return self.now - case.closed_at if case.closed_at else timedelta.max

    def shown(self, case: Case, role: str, user: Any) -> list[Shown]:
        """What somebody's side has sent of a role since the case came into its state."""
        return [one for one in case.photos if one.role == role and one.at >= case.entered and one.speaks_for(user)]

    def lacks_photos(self, case: Case, action: str, user: Any) -> bool:
        needs = {"handle_on_spot": ("before", "after"), "rectify": ("after",)}.get(action, ())
        return any(not self.shown(case, role, user) for role in needs)

    def takes(self, original: Case, duplicate: Case) -> bool:
        """Whether a case may be what a duplicate is merged into."""
        return (
            original is not duplicate
            and original.state not in ENDED
            and not any(one.into is duplicate for one in self.cases)
            and original.major >= duplicate.major
        )

    # -- what comes of it --------------------------------------------------------------------------

    def file(self, pk: Any, reporter: Any, matter: str, **more: Any) -> Case:
        case = Case(pk, reporter, matter, entered=self.now, **more)
        case.clocks["accept"] = case.fresh("accept")
        case.clocks["accept"].start(self.now)
        self.cases.append(case)
        return case

    def follow(self, case: Case, action: str, user: Any, step: uuid.UUID, given: dict[str, Any], other: Case) -> None:
        """Do what a step does."""
        case.version += 1
        case.actors.add(user)
        match action:
            case "handle_on_spot" | "rectify":
                for role in ("before", "after") if action == "handle_on_spot" else ("after",):
                    used = self.shown(case, role, user)
                    case.photos = [one for one in case.photos if one not in used]
                case.on_spot, case.rectifier = action == "handle_on_spot", user
                self._move(case, "rectified")
            case "fail":
                case.failures += 1
                self._move(case, "accepted" if case.on_spot else "taken")
            case "grant_reopening":
                self._move(case, "accepted" if case.state == "written_off" else "reported")
            case "ask_reopening":
                case.contested = True
            case "deny_reopening":
                case.contested, case.decided = False, True
            case "correct_cell":
                case.cell = given["cell"]
            case "merge" | "unmerge" | "remark":
                self._with_its_other(case, action, user, other)
            case "raise":
                case.major = True
            case "lower":
                case.major = False
                self.drop_plan(case)
            case "plan" | "approve_plan" | "return_plan":
                self._of_plan(case, action, given)
            case "stop_work" | "resume_work":
                case.stopped = action == "stop_work"
            case action if action in MOVES:
                self._move(case, MOVES[action])
            case _:
                self.change_limits(case, action, user, given)
        if action == "dispatch":
            case.department = self.fire
        if action in ("write_off", "refuse"):
            case.closed_at, case.decided = self.now, False
        if action == "write_off":
            case.closing, case.drawn = step, False
        if action in ("reopen", "contest") and user == self.public:
            case.reopened_by_public += 1
        if case.state in ("accepted", "reported") and action in {*MOVES, "fail", "grant_reopening"}:
            case.department, case.rectifier, case.on_spot = None, None, False
            self.drop_plan(case)

    def _move(self, case: Case, state: str) -> None:
        stage = case.stage
        case.state, case.entered, case.contested = state, self.now, False
        if case.asked and state not in ("dispatched", "taken"):
            case.asked = ""
        if case.stage == stage:
            return
        case.overdue = False
        if stage:
            case.clocks[stage].stop(self.now)
        if case.plan:
            case.plan.stop(self.now)
        if not case.stage:
            for stretch in [case.pin, *(one.stretch for one in case.all_brought())]:
                stretch.stop(self.now) if stretch else None
            return
        if state == "taken" and "rectify" in case.clocks and stage == "verify":
            for stretch in [case.clocks["rectify"], case.plan]:
                stretch.start(self.now) if stretch else None
        else:
            case.clocks[case.stage] = case.fresh(case.stage)
            case.clocks[case.stage].start(self.now)
            if case.stage == "rectify":
                case.granted = 0
        if not stage and case.pinned and case.pin:
            case.pin = Stretch(case.pin.hours, urgent=True, ran=[[self.now, None]])
        self._lead_brought(case, stage)

    def _lead_brought(self, case: Case, left: str) -> None:
        """Let what duplicates brought run where it holds, once a stage was left; nothing was where the case had ended."""
        if not left and case.state == "accepted":  # it was written off: its limits were kept
            case.brought = {}
        for one in case.all_brought():
            if not one.binds(case.stage):
                one.stretch.stop(self.now)
            elif not one.stretch.runs and (one.stage != "accept" or not left):  # an acceptance that is done stays done
                one.stretch.start(self.now)

    def _with_its_other(self, case: Case, action: str, user: Any, other: Case) -> None:
        """Do what a step does at a case that is one with another."""
        if action == "remark":
            if case.into is not None and case.into.state not in ENDED:
                self._touch(case.into, user)
        elif action == "merge":
            self.bring(case, other)
            case.into, case.came_from, case.was_overdue = other, case.state, case.overdue
            self._move(case, "merged")
            self._touch(other, user)
            self.lift(other)
        else:
            original, case.into, case.state, case.entered = case.into, None, case.came_from, self.now
            assert original is not None
            original.brought.pop(case.pk, None)
            if original.overdue and original.marks[-1] == case.pk:
                original.overdue = False  # until another limit of its has run out
            original.marks = [pk for pk in original.marks if pk != case.pk]
            case.overdue = case.was_overdue
            for stretch in case.running():
                stretch.start(self.now, once_out=True)
            self._touch(original, user)
            self.lift(original)

    def _of_plan(self, case: Case, action: str, given: dict[str, Any]) -> None:
        """Do what a step does with a plan."""
        case.plan_waits = action == "plan"
        if action == "plan":
            case.plan_day, case.plan_laid = given["finish_on"], self.now
        elif action == "approve_plan":
            case.plan_holds = True
            self.limit_by_plan(case)

    def _touch(self, original: Case, user: Any) -> None:
        original.version += 1
        original.actors.add(user)

    def pass_time(self, span: timedelta) -> list[Case]:
        """Let time pass: pauses end, limits run out, re-checks of what is open again lapse; return whose do."""
        self.now += span
        for case in self.cases:
            if case.paused and case.until and case.until <= self.now:
                self.resume(case)
                case.version += 1
        for case in self.cases:
            if (due := case.due()) and due < self.now:
                case.mark(self.now) if not case.overdue else None
        lapsed = [one for one in self.rechecks if one.state == "due" and not one.stands]
        for one in lapsed:
            one.state, one.version = "lapsed", one.version + 1
        return [one.case for one in lapsed]

    # -- what was closed is looked at again --------------------------------------------------------

    @staticmethod
    def rule_of(case: Case) -> str:
        """By which rule a closed case is drawn: all major ones, half of the general ones of one matter, none of the other."""
        return "major" if case.major else "general" if case.matter == "XF-001" else ""

    def populations(self) -> dict[tuple[str, date], set[Any]]:
        """What is drawn from now: the closings of each week that has ended and was not drawn, by rule and Monday."""
        monday = self.today - timedelta(days=self.today.weekday())
        weeks = [monday - timedelta(days=7 * n) for n in range(1, WEEKS_BACK + 1)]
        return {
            (rule, first): {
                case.closing
                for case in self.cases
                if case.state == "written_off" and not case.drawn and self.rule_of(case) == rule and case.closed_at
                if first <= case.closed_at.astimezone(CITY).date() < first + timedelta(days=7)
            }
            for first in weeks
            for rule in ("general", "major")
            if (rule, first) not in self.drawn_weeks and first + timedelta(days=6) >= BEGIN.date()
        }  # fmt: skip

    def fit(self, case: Case) -> set[Any]:
        """Who may check a case again: who verifies, is of the place and took no step in it."""
        there = {
            user
            for user in self.people.values()
            if user.role in ("grid_worker", "dispatcher") and user.area_code == HOME
        }
        return there - self.parties(case)

    def may_recheck(self, one: Recheck, action: str, user: Any) -> bool:
        if action == "assign":
            return user.role == "supervisor" and user.area_code == HOME
        return user == one.checker and user not in self.parties(one.case)

    # -- the public --------------------------------------------------------------------------------

    def answer_to_public(self, case: Case) -> str:
        """Which step a “not solved” of the public takes at a case; none: it is refused."""
        if case.state not in CLOSED or case.contested or case.decided:
            return ""
        if self.since_closed(case) > timedelta(days=PUBLIC_DAYS):
            return ""
        if case.reopened_by_public >= PUBLIC_REOPENINGS:
            return "ask_reopening"
        return "reopen" if case.state == "written_off" else "contest"
