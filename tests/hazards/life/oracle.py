"""The rules of a hazard's life written down a second time, plainly: who may do what, when, and what comes of it.

Nothing here is asked of the product. A step that nobody wrote down here fails the test.
"""

import uuid
from datetime import date, datetime, timedelta
from typing import Any

from tests.factories import HOME

from .clocks import BEGIN, CITY, LIMITS, Stretch
from .records import CLOSED, ENDED, Case, Recheck

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
EXTENSIONS, PINNED_H = {False: 2, True: 1}, {False: 24, True: 12}  # whether it is major
PAUSES = {"weather": (15, False), "season": (120, True), "other": (7, False)}  # days, only by a supervisor
REOPEN_DAYS, PUBLIC_DAYS, PUBLIC_REOPENINGS = 30, 15, 1
WEEKS_BACK = 4  # a draw that was missed is made up for so long


class City:
    """All cases as they should stand, at a moment."""

    def __init__(self, people: dict[str, Any], fire: Any, public: Any) -> None:
        self.people, self.fire, self.public = people, fire, public
        self.now = BEGIN
        self.cases: list[Case] = []
        self.rechecks: list[Recheck] = []
        self.drawn_weeks: set[tuple[str, date]] = set()

    @property
    def today(self) -> date:
        return self.now.astimezone(CITY).date()

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
        may_be_asked = in_work and not case.asked and not case.overdue
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
            "ask_extension": may_be_asked, "ask_pause": may_be_asked,
            "grant_extension": case.asked == "extension", "deny_extension": case.asked == "extension",
            "pause": in_work or state == "accepted", "deny_pause": case.asked == "pause", "resume": case.paused,
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

    @staticmethod
    def lacks_photos(case: Case, action: str) -> bool:
        needs = {"handle_on_spot": ("before", "after"), "rectify": ("after",)}.get(action, ())
        return any(not case.photos[role] for role in needs)

    def takes(self, original: Case, duplicate: Case) -> bool:
        """Whether a case may be what a duplicate is merged into."""
        return (
            original is not duplicate
            and original.state not in ENDED
            and not any(one.into is duplicate for one in self.cases)
            and original.major >= duplicate.major
        )

    def pause_until(self, case: Case, cause: str, user: Any) -> datetime | None:
        """Until when a pause holds that somebody lets begin now; None: not for that cause, or not by this person."""
        asked = case.asked == "pause"
        days, by_supervisor = PAUSES[cause or (case.asked_cause if asked else "other")]
        latest = self.now + timedelta(days=days)
        until = case.asked_until if asked and case.asked_until else latest
        return until if self.now < until <= latest and (user.role == "supervisor" or not by_supervisor) else None

    # -- what comes of it --------------------------------------------------------------------------

    def file(self, pk: Any, reporter: Any, matter: str, **more: Any) -> Case:
        case = Case(pk, reporter, matter, **more)
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
                    case.photos[role] = 0
                case.on_spot, case.rectifier = action == "handle_on_spot", user
                self._move(case, "rectified")
            case "fail":
                case.photos["after"] = 0
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
                case.major = case.plan_waits = case.plan_holds = False
            case "plan":
                case.plan_waits = True
            case "approve_plan" | "return_plan":
                case.plan_waits, case.plan_holds = False, case.plan_holds or action == "approve_plan"
            case "stop_work" | "resume_work":
                case.stopped = action == "stop_work"
            case action if action in MOVES:
                self._move(case, MOVES[action])
            case _:
                self._change_limits(case, action, user, given)
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
            case.plan_waits = case.plan_holds = False

    def _move(self, case: Case, state: str) -> None:
        stage = case.stage
        case.state, case.contested = state, False
        if case.asked and state not in ("dispatched", "taken"):
            case.asked = ""
        if case.stage == stage:
            return
        case.overdue = False
        if stage:
            case.clocks[stage].stop(self.now)
        if not case.stage:
            if case.pin:
                case.pin.stop(self.now)
            return
        if state == "taken" and "rectify" in case.clocks and stage == "verify":
            case.clocks["rectify"].start(self.now)
        else:
            case.clocks[case.stage] = case.fresh(case.stage)
            case.clocks[case.stage].start(self.now)
            if case.stage == "rectify":
                case.granted = 0
            case.caps = {key: cap for key, cap in case.caps.items() if cap[0] != case.stage}
        if not stage and case.pinned and case.pin:
            case.pin = Stretch(case.pin.hours, urgent=True, ran=[[self.now, None]])

    def _change_limits(self, case: Case, action: str, user: Any, given: dict[str, Any]) -> None:
        match action:
            case "ask_extension":
                case.asked, case.asked_hours = "extension", given["amount"]
            case "grant_extension":
                hours = given.get("amount") or case.asked_hours
                case.clocks["rectify"].hours += hours
                case.extended, case.granted, case.asked = case.extended + 1, case.granted + hours, ""
                self._lift(case)
            case "deny_extension" | "deny_pause":
                case.asked = ""
            case "ask_pause":
                case.asked, case.asked_cause = "pause", given["cause"]
                case.asked_until = self.now + timedelta(days=PAUSES[given["cause"]][0])
            case "pause":
                case.until = self.pause_until(case, given["cause"], user)
                case.asked = "" if case.asked == "pause" else case.asked
                for stretch in case.running():
                    stretch.stop(self.now)
                case.paused = True
            case "resume":
                self.resume(case)
            case "pin":
                hours = given.get("amount") or PINNED_H[case.major]
                case.pinned, case.pin = True, Stretch(hours, urgent=True, ran=[[self.now, None]])
            case "unpin":
                case.pinned, case.pin = False, None
                if not case.paused:
                    self._lift(case)
            case "change_matter":
                case.matter = given["matter"]
                stretch, granted = case.clocks[case.stage], case.granted if case.stage == "rectify" else 0
                stretch.hours, stretch.urgent = LIMITS[case.matter][case.stage] + granted, case.matter == "XF-002"
                self._lift(case)
            case _:
                raise AssertionError(f"nobody wrote down what {action} does")

    def _with_its_other(self, case: Case, action: str, user: Any, other: Case) -> None:
        """Do what a step does at a case that is one with another."""
        if action == "remark":
            if case.into is not None and case.into.state not in ENDED:
                self._touch(case.into, user)
        elif action == "merge":
            other.caps[case.pk] = (case.stage, case.due())
            case.into, case.came_from = other, case.state
            self._move(case, "merged")
            self._touch(other, user)
            self._lift(other)
        else:
            original, case.into, case.state = case.into, None, case.came_from
            assert original is not None
            cap = original.caps.pop(case.pk, None)
            for stretch in case.running():
                stretch.start(self.now)
            self._touch(original, user)
            if cap:
                self._lift(original)

    def _touch(self, original: Case, user: Any) -> None:
        original.version += 1
        original.actors.add(user)

    def resume(self, case: Case) -> None:
        case.paused, case.until = False, None
        for stretch in case.running():
            stretch.start(self.now)

    def _lift(self, case: Case) -> None:
        due = case.due()
        if case.overdue and due and due > self.now:
            case.overdue = False

    def pass_time(self, span: timedelta) -> list[Case]:
        """Let time pass: pauses end, limits run out, re-checks of what is open again lapse; return whose do."""
        self.now += span
        for case in self.cases:
            if case.paused and case.until and case.until <= self.now:
                self.resume(case)
                case.version += 1
        for case in self.cases:
            if (due := case.due()) and due < self.now:
                case.overdue = True
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
