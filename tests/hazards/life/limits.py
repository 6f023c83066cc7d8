"""The rules of time limits written down a second time: what is asked and granted, pauses, duplicates, plans."""

from copy import deepcopy
from datetime import date, datetime, time, timedelta
from typing import Any

from .clocks import CITY, LIMITS, Stretch
from .records import Brought, Case, Pause

EXTENSIONS, PINNED_H = {False: 2, True: 1}, {False: 24, True: 12}  # whether it is major
PAUSES = {  # days at once, times, days in all, only by a supervisor
    "weather": (15, 3, 30, False), "season": (120, 1, 120, True), "other": (7, 1, 7, False),
}  # fmt: skip


class Limits:
    """What is due when, at a moment, and what changes that."""

    now: datetime

    @property
    def today(self) -> date:
        return self.now.astimezone(CITY).date()

    def is_late(self, case: Case) -> bool:
        """Whether its time has run out, marked or not."""
        due = case.due()
        return case.overdue or (due is not None and due < self.now)

    def lift(self, case: Case) -> None:
        """Take the mark from a case that has time again."""
        due = case.due()
        if case.overdue and due and due > self.now:
            case.overdue = False

    # -- what is asked and decided -----------------------------------------------------------------

    def change_limits(self, case: Case, action: str, user: Any, given: dict[str, Any]) -> None:
        match action:
            case "ask_extension":
                case.asked, case.asked_hours = "extension", given["amount"]
            case "grant_extension":
                self._grant(case, given.get("amount") or case.asked_hours)
            case "deny_extension" | "deny_pause":
                case.asked = ""
            case "ask_pause":
                case.asked, case.asked_cause = "pause", given["cause"]
                case.asked_until = self.now + self.left_to_stand(case, given["cause"])
            case "pause":
                self._pause(case, given["cause"], user)
            case "resume":
                self.resume(case)
            case "pin":
                hours = given.get("amount") or PINNED_H[case.major]
                case.pinned, case.pin = True, Stretch(hours, urgent=True, ran=[[self.now, None]])
            case "unpin":
                case.pinned, case.pin = False, None
                case.brought = {pk: [one for one in rows if one.stage != "pin"] for pk, rows in case.brought.items()}
                self.lift(case)
            case "change_matter":
                self._lapse(case, "extension", "pause")
                case.matter = given["matter"]
                stretch, granted = case.clocks[case.stage], case.granted if case.stage == "rectify" else 0
                stretch.hours, stretch.urgent = LIMITS[case.matter][case.stage] + granted, case.matter == "XF-002"
                self.lift(case)
            case _:
                raise AssertionError(f"nobody wrote down what {action} does")

    def _grant(self, case: Case, hours: int) -> None:
        """More time for the work, by whichever clock it is limited."""
        brought = [one.stretch for one in case.all_brought() if one.stage in ("rectify", "plan") and one.stretch.runs]
        for stretch in [case.clocks["rectify"], *brought]:
            stretch.hours += hours
        case.extended, case.granted, case.asked = case.extended + 1, case.granted + hours, ""
        self.lift(case)

    @staticmethod
    def _lapse(case: Case, *kinds: str) -> None:
        """What was asked ends undecided, with a row of the history."""
        if case.asked in kinds:
            case.asked, case.version = "", case.version + 1

    # -- pauses ------------------------------------------------------------------------------------

    def left_to_stand(self, case: Case, cause: str) -> timedelta:
        """How long a case may be paused now for a cause; nothing where it stood often or long enough for that."""
        at_once, times, in_all, _by_supervisor = PAUSES[cause]
        spans = [one.end - one.begin for one in case.pauses if one.cause == cause and one.end]
        left = timedelta(days=in_all) - sum(spans, timedelta())
        return max(timedelta(), min(timedelta(days=at_once), left)) if len(spans) < times else timedelta()

    @staticmethod
    def cause_decided_on(case: Case, named: str) -> str:
        """The cause that was asked for; of who was asked nothing the one that is named."""
        return case.asked_cause if case.asked == "pause" else named or "other"

    @staticmethod
    def decides_on(cause: str, user: Any) -> bool:
        """Whether somebody's office decides on a cause."""
        return user.role == "supervisor" or not PAUSES[cause][3]

    def pause_until(self, case: Case, cause: str, user: Any) -> datetime | None:
        """Until when a pause holds that somebody lets begin now; None: not for that cause, or not by this person."""
        decided = self.cause_decided_on(case, cause)
        if cause not in ("", decided) or not self.decides_on(decided, user):
            return None
        latest = self.now + self.left_to_stand(case, decided)
        until = case.asked_until if case.asked == "pause" and case.asked_until else latest
        return until if self.now < until <= latest else None

    def _pause(self, case: Case, cause: str, user: Any) -> None:
        case.until = self.pause_until(case, cause, user)
        case.pauses.append(Pause(self.cause_decided_on(case, cause), self.now))
        case.asked = "" if case.asked == "pause" else case.asked
        for stretch in case.running():
            stretch.stop(self.now)
        for one in case.all_brought():
            one.paused = one.stretch.runs
            one.stretch.stop(self.now)
        case.paused = True

    def resume(self, case: Case) -> None:
        case.paused, case.until = False, None
        case.pauses[-1].end = self.now
        for stretch in case.running():
            stretch.start(self.now, once_out=True)
        for one in case.all_brought():
            if one.paused:
                one.stretch.start(self.now, once_out=True)
            one.paused = False

    # -- duplicates --------------------------------------------------------------------------------

    def bring(self, case: Case, original: Case) -> None:
        """What limits a duplicate limits the case it goes into, from where it stands: no clock begins anew."""
        named = [(case.stage, case.clocks[case.stage]), ("pin", case.pin), ("plan", case.plan)]
        rows = [
            Brought(stage, deepcopy(stretch))
            for stage, stretch in named
            if stretch and stretch.runs and stretch is not case.waived
        ]
        for one in rows:
            one.paused = original.paused and one.binds(original.stage)
            if original.paused or not one.binds(original.stage):
                one.stretch.stop(self.now)
        original.brought[case.pk] = rows

    # -- plans -------------------------------------------------------------------------------------

    def is_day_of_plan(self, case: Case, day: date | None) -> bool:
        """Whether a plan may end on a day: it has not passed and is none after that of the listing."""
        latest = case.finish_by if case.listing == "listed" else None
        return day is not None and self.today <= day and (latest is None or day <= latest)

    def limit_by_plan(self, case: Case) -> None:
        """The day of the plan limits the work, and what limited it before gives way, unless it had run out by then."""
        self._lapse(case, "extension")
        day, laid = case.plan_day, case.plan_laid
        assert day is not None and laid is not None
        if self._ran_out(case.plan, laid):
            return
        case.gives_way = case.gives_way or not self._ran_out(case.clocks["rectify"], laid)
        for one in case.all_brought():
            if one.stage in ("rectify", "plan") and (one.stretch.runs or one.paused):
                one.gives_way = one.gives_way or not self._ran_out(one.stretch, laid)
        midnight = datetime.combine(self.today, time(), CITY)
        days = (day - self.today).days + 1
        case.plan = Stretch(24 * days, urgent=True, ran=[[midnight, self.now if case.paused else None]])
        self.lift(case)

    @staticmethod
    def _ran_out(stretch: Stretch | None, before: datetime) -> bool:
        ended = stretch.ended() if stretch else None
        return ended is not None and ended < before

    @staticmethod
    def drop_plan(case: Case) -> None:
        """No plan holds or waits: the limits of the matter do."""
        case.plan_waits = case.plan_holds = case.gives_way = False
        case.plan = None
        for one in case.all_brought():
            one.gives_way = False
