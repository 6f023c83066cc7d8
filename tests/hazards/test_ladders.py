"""Cases climb their ladder: in working time, once, to whom is there, and not a rung after somebody has acted."""

import threading
import uuid
from collections import Counter
from datetime import date, datetime, timedelta

import pytest
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext

from citysafety.calendars.models import CalendarYear, Day, Leave, Post, Shift
from citysafety.calendars.services import announce_change, forget
from citysafety.notices.facts import LadderChanged
from citysafety.notices.models import Ladder, Notice, Rung
from citysafety.notices.topics import words
from citysafety.outbox.models import OutboxEntry
from citysafety.outbox.relay import relay_waiting
from citysafety.outbox.services import announce
from citysafety.subscriptions import LISTENERS, PROJECTIONS
from hazards import ladders
from hazards.models import Climb, Climbed, Hazard
from hazards.seeds import seed_ladders, seed_limits
from hazards.services import take_step
from hazards.services.given import StepInput
from tests.factories import HOME, NOON, file_hazard, make_city, person

from .test_limits import CITY, local

MONDAY = datetime(2026, 11, 23, 8, 0, tzinfo=CITY)  # acceptance has four working hours: due at noon
TOLD = Climbed.Outcome.TOLD


class Town:
    """A city with a ladder, somebody in every role, and a case filed at eight on a Monday."""

    def __init__(self):
        self.city = make_city()
        seed_limits()
        seed_ladders()
        fire = self.city.departments["fire-02"]
        self.worker, self.dispatcher = person("grid_worker"), person("dispatcher")
        self.handler = person("department_handler", department=fire)
        self.head = person("department_handler", department=fire, may_sign=True)
        self.operator, self.supervisor = person("operator", area="3705"), person("supervisor")
        self.leader = person("leader", area="3705")

    def file(self, at=MONDAY, **more):
        return file_hazard(self.worker, at=at, **more)

    def step(self, hazard, action, by, at, **fields):
        given = StepInput(id=uuid.uuid4(), version=Hazard.objects.get(pk=hazard.pk).version, **fields)
        return take_step(hazard_id=hazard.pk, action=action, given=given, actor=by, at=at)

    def in_work(self, at):
        hazard = self.file(at)
        self.step(hazard, "accept", self.dispatcher, at)
        self.step(hazard, "dispatch", self.dispatcher, at, department="fire-02")
        return self.step(hazard, "take", self.handler, at)


@pytest.fixture
def town(db):
    yield Town()
    forget()


def sweep(at):
    """Relay what has happened, as the relay does, and let the ladders be swept once."""
    while relay_waiting(listen=LISTENERS, project=PROJECTIONS):
        pass
    assert not OutboxEntry.objects.filter(failed=True).exists()
    ladders.follow()
    return ladders.climb(at=at)


def rungs(hazard, outcome=TOLD):
    return [(row.percent, row.target) for row in Climbed.objects.filter(hazard=hazard, outcome=outcome).order_by("pk")]


def told(topic="hazard.escalated"):
    return Counter(Notice.objects.filter(topic=topic).values_list("recipient_id", flat=True))


def next_at(hazard):
    return local(Climb.objects.get(pk=hazard.pk).next_at)


# -- working time -----------------------------------------------------------------------------------


def test_rungs_stand_at_shares_of_working_time_and_each_tells_once(town):
    hazard = town.file()
    sweep(MONDAY)
    assert (
        next_at(hazard) == "11-23 11:12"
    )  # 80 % of four hours; nobody has the case, so that its department is not told

    assert sweep(MONDAY + timedelta(hours=3)) == 0
    assert [sweep(MONDAY + timedelta(hours=4)) for _n in range(3)] == [1, 0, 0]
    assert rungs(hazard) == [(100, "dispatchers")]
    assert told() == {town.dispatcher.pk: 1}
    assert next_at(hazard) == "11-23 15:00"  # 125 %: lunch counts nothing
    assert sweep(MONDAY + timedelta(hours=8)) == 1
    assert rungs(hazard) == [(100, "dispatchers"), (150, "supervisors")]
    fact = OutboxEntry.objects.filter(topic="hazard.escalated").latest("pk")
    assert set(fact.live) == {"topic", "area", "kind", "id", "state", "level", "lon", "lat"}


def test_a_department_its_head_and_the_line_above_are_told_in_turn(town):
    hazard = town.in_work(MONDAY)  # two working days
    tuesday = MONDAY + timedelta(days=1)
    for at in (tuesday + timedelta(hours=8), tuesday + timedelta(days=1), tuesday + timedelta(days=2)):
        sweep(at)
    assert rungs(hazard) == [(80, "handlers"), (100, "dispatchers"), (150, "supervisors")]
    assert rungs(hazard, "skipped") == [(125, "head")]
    sweep(MONDAY + timedelta(days=4))
    assert rungs(hazard)[-1] == (200, "leaders")
    people = {town.handler.pk, town.head.pk, town.dispatcher.pk, town.supervisor.pk, town.leader.pk}
    assert set(told()) == people


def test_hours_over_the_limit_and_repeats_are_hours_of_the_clock(town):
    ladder = Ladder.objects.get(severity="general")
    ladder.rungs.all().delete()
    Rung.objects.create(
        ladder=ladder, order=1, over_hours=2, target="supervisors", level=3, repeat_hours=4, repeat_most=2
    )
    hazard = town.file()  # due at noon
    sweep(MONDAY)
    moments = []
    for _n in range(4):
        moments.append(next_at(hazard))
        if moments[-1] is None:
            break
        sweep(Climb.objects.get(pk=hazard.pk).next_at)
    assert moments == ["11-23 16:00", "11-24 10:00", "11-24 16:00", None]
    assert told() == {town.supervisor.pk: 3}


def test_a_repeat_ends_when_somebody_has_moved_the_case_on(town):
    ladder = Ladder.objects.get(severity="general")
    ladder.rungs.all().delete()
    Rung.objects.create(
        ladder=ladder, order=1, percent=50, target="dispatchers", level=3, repeat_hours=1, repeat_most=9
    )
    hazard = town.file()
    sweep(MONDAY + timedelta(hours=2))
    sweep(MONDAY + timedelta(hours=3))
    town.step(hazard, "accept", town.dispatcher, MONDAY + timedelta(hours=3, minutes=5))
    assert sweep(MONDAY + timedelta(hours=9)) == 0
    assert told() == {town.dispatcher.pk: 2}


# -- every change of a clock ------------------------------------------------------------------------


def test_a_pause_holds_the_climb_and_resuming_goes_on_with_what_was_used(town):
    hazard = town.in_work(MONDAY)
    sweep(MONDAY)
    assert next_at(hazard) == "11-24 14:48"  # 80 % of two working days
    town.step(hazard, "pause", town.dispatcher, MONDAY + timedelta(hours=2), cause="weather", words="暴雨")
    sweep(MONDAY + timedelta(days=3))
    assert (next_at(hazard), rungs(hazard)) == (None, [])
    town.step(hazard, "resume", town.dispatcher, MONDAY + timedelta(days=3))
    sweep(MONDAY + timedelta(days=3))
    assert next_at(hazard) == "11-27 10:48"


def test_an_extension_a_leaders_limit_and_another_matter_move_the_rungs(town):
    hazard = town.in_work(MONDAY)
    tuesday = MONDAY + timedelta(days=1)
    sweep(tuesday + timedelta(hours=7))  # 80 % are told
    town.step(hazard, "ask_extension", town.handler, tuesday + timedelta(hours=8), amount=1, words="备件未到")
    town.step(hazard, "grant_extension", town.dispatcher, tuesday + timedelta(hours=8))
    sweep(tuesday + timedelta(hours=8))
    assert next_at(hazard) == "11-25 11:12"  # 80 % of three days: a lawful extension climbs anew, and tells again
    assert sweep(MONDAY + timedelta(days=2, hours=4)) == 1
    assert rungs(hazard) == [(80, "handlers"), (80, "handlers")]

    town.step(hazard, "pin", town.leader, MONDAY + timedelta(days=2, hours=1), amount=5, words="督办")
    sweep(MONDAY + timedelta(days=2, hours=4))
    assert next_at(hazard) == "11-25 13:00"  # 80 % of five urgent hours were told at noon; due at 14:00
    town.step(hazard, "unpin", town.leader, MONDAY + timedelta(days=2, hours=5), words="已到场")
    sweep(MONDAY + timedelta(days=2, hours=5))
    assert next_at(hazard) == "11-26 08:00"


def test_another_matter_and_a_calendar_edit_move_the_rungs(town):
    hazard = town.in_work(MONDAY)
    sweep(MONDAY)
    town.city.matters["SZ-001"].rectify_amount = 4
    town.city.matters["SZ-001"].save()
    town.step(hazard, "change_matter", town.dispatcher, MONDAY + timedelta(hours=1), matter="SZ-001", words="是井盖")
    sweep(MONDAY + timedelta(hours=1))
    assert next_at(hazard) == "11-26 09:36"  # 80 % of four days
    Day.objects.create(date=date(2026, 11, 25), working=False, name_zh="台风停工", name_en="Typhoon", source="test")
    with transaction.atomic():
        announce_change([2026])
    sweep(MONDAY + timedelta(hours=2))
    assert next_at(hazard) == "11-27 09:36"


def test_a_merged_duplicate_brings_its_earlier_limit_and_stops_itself(town):
    early, late = town.file(), town.file(MONDAY + timedelta(hours=2))
    sweep(MONDAY + timedelta(hours=2))
    assert next_at(late) == "11-23 15:12"
    town.step(early, "merge", town.dispatcher, MONDAY + timedelta(hours=2, minutes=30), into=late.number)
    sweep(MONDAY + timedelta(hours=2, minutes=30))
    assert next_at(early) is None
    assert next_at(late) == "11-23 11:12"  # 80 % of the four hours of the duplicate's own clock


def test_an_edited_ladder_and_a_missing_year_are_followed(town):
    hazard = town.file()
    sweep(MONDAY)
    Ladder.objects.filter(severity="general").update(active=False)
    ladder = Ladder.objects.create(kind="hazard", severity="general", stage="accept", basis="test")
    Rung.objects.create(ladder=ladder, order=1, percent=50, target="dispatchers", level=3)
    with transaction.atomic():
        announce(LadderChanged(area_code="3705", subject_id=str(ladder.pk)))
    sweep(MONDAY)
    assert next_at(hazard) == "11-23 10:00"
    CalendarYear.objects.filter(year=2026).delete()
    with transaction.atomic():
        announce_change([2026])
    sweep(MONDAY)
    assert next_at(hazard) is None


def test_facts_that_are_gone_lay_everything_anew(town):
    hazard = town.file()
    sweep(MONDAY)
    Climb.objects.all().delete()
    other = town.file()
    while relay_waiting(listen={}, project=PROJECTIONS):
        pass
    OutboxEntry.objects.filter(subject_id=str(other.pk)).delete()
    town.file()
    sweep(MONDAY)
    assert {next_at(hazard), next_at(other)} == {"11-23 11:12"}


# -- who is there -----------------------------------------------------------------------------------


def duty(town, role, person, *, area=HOME, deputy=None, days=3):
    post, _made = Post.objects.get_or_create(
        role=role, area_code=area, defaults={"name_zh": "区督查岗", "name_en": "County desk"}
    )
    return Shift.objects.create(
        post=post, person=person, deputy=deputy, begins=MONDAY - timedelta(days=1), ends=MONDAY + timedelta(days=days)
    )


def leave(who):
    begins, ends = MONDAY - timedelta(days=1), MONDAY + timedelta(days=1)
    Leave.objects.create(person=who, begins=begins, ends=ends, entered_at=MONDAY, entered_by=who)


def at_supervisors(town, hazard):
    sweep(MONDAY + timedelta(hours=8))  # 150 %
    return [(one.recipient, words(one, "en").body) for one in Notice.objects.filter(topic="hazard.escalated")]


def test_who_is_on_duty_is_told_and_nobody_else(town):
    on = person("supervisor")
    duty(town, "supervisor", on)
    [(who, body)] = at_supervisors(town, town.file())
    assert who == on
    assert "nobody" not in body


def test_on_leave_the_deputy_is_told(town):
    on, deputy = person("supervisor"), person("supervisor")
    duty(town, "supervisor", on, deputy=deputy)
    leave(on)
    [(who, _body)] = at_supervisors(town, town.file())
    assert who == deputy


def test_nobody_on_duty_asks_the_next_levels_post_and_the_notice_says_so(town):
    on, above = person("supervisor"), person("supervisor", area="3705")
    duty(town, "supervisor", on)
    duty(town, "supervisor", above, area="3705")
    leave(on)
    hazard = town.file()
    [(who, body)] = at_supervisors(town, hazard)
    assert who == above
    assert body.endswith("nobody was on duty at County desk at 11-23 16:00 (on leave, no deputy)")
    row = Climbed.objects.get(hazard=hazard, outcome=TOLD)
    assert (row.nobody, row.people) == ("on_leave", [above.pk])


def test_a_rung_with_nobody_goes_on_to_the_next_at_once_and_that_is_recorded(town):
    town.dispatcher.is_active = False
    town.dispatcher.save()
    hazard = town.file()
    assert sweep(MONDAY + timedelta(hours=4)) == 1
    assert rungs(hazard, "nobody") == [(100, "dispatchers"), (125, "head")]
    assert rungs(hazard) == [(150, "supervisors")]
    assert sweep(MONDAY + timedelta(hours=8)) == 0
    assert told() == {town.supervisor.pk: 1}


# -- stops on action --------------------------------------------------------------------------------


@pytest.mark.parametrize("action", ["accept", "refuse", "pause"])
def test_a_rung_that_is_due_is_not_told_once_somebody_has_acted(town, action):
    hazard = town.file()
    sweep(MONDAY)
    fields = {"cause": "weather"} if action == "pause" else {}
    at = MONDAY + timedelta(hours=4, minutes=5)
    if action == "pause":  # before the limit ends, when the first rung is due
        at = MONDAY + timedelta(hours=3, minutes=30)
        town.step(hazard, "accept", town.dispatcher, MONDAY)
    town.step(hazard, action, town.dispatcher, at, words="已处理", **fields)
    assert ladders.climb(at=at + timedelta(minutes=5)) == 0  # the row of the ladder still says that it is due
    assert sweep(at + timedelta(minutes=5)) == 0
    assert told() == {}


@pytest.mark.django_db(transaction=True)
def test_a_step_that_is_under_way_wins_over_a_sweep_of_another_process():
    town = Town()
    hazard = town.file()
    sweep(MONDAY)
    late = MONDAY + timedelta(hours=4, minutes=5)
    held, go, swept = threading.Event(), threading.Event(), []

    def act():
        try:
            with transaction.atomic():
                town.step(hazard, "refuse", town.dispatcher, late, words="不属于")
                held.set()
                assert go.wait(20)
        finally:
            connections.close_all()

    acting = threading.Thread(target=act)
    acting.start()
    assert held.wait(20)
    swept.append(ladders.climb(at=late))  # the step is not committed: passed over, nobody told
    go.set()
    acting.join(20)
    swept.append(ladders.climb(at=late))
    assert swept == [0, 0]
    assert (told(), rungs(hazard)) == ({}, [])
    assert Climb.objects.get(pk=hazard.pk).next_at is None
    forget()


# -- once, whatever happens to the sweep ------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_r13_two_sweeps_at_once_a_beat_away_for_three_hours_and_clocks_a_day_off_tell_once(say):
    town = Town()
    cases = [town.file(MONDAY - timedelta(seconds=n)) for n in range(40)]  # all begin at eight
    sweep(MONDAY)
    counts = []

    def both(at):
        begin = threading.Barrier(4)

        def one():
            try:
                begin.wait(20)
                ladders.follow()
                counts.append(ladders.climb(at=at))
            finally:
                connections.close_all()

        threads = [threading.Thread(target=one) for _n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)

    both(MONDAY + timedelta(hours=2))
    away = MONDAY + timedelta(hours=5)  # beat was silent from ten to one: 80 and 100 % passed
    both(away)
    late = Climbed.objects.filter(outcome=TOLD).count()
    skipped = Climbed.objects.filter(outcome="skipped").count()
    for days in (1, -1, 0):
        both(away + timedelta(days=days))
    rows = Climbed.objects.values_list("hazard", "stage", "run", "amount", "order", "repeat")
    keys = Counter(Notice.objects.filter(topic="hazard.escalated").values_list("source_key", "recipient"))
    duplicates = sum(n - 1 for n in Counter(rows).values()) + sum(n - 1 for n in keys.values())
    of_case = Counter(
        Notice.objects.filter(topic="hazard.escalated", created_at=away).values_list("subject_id", flat=True)
    )
    say(
        f"R13 escalation: {len(cases)} cases, 4 sweeps at once, beat away 3 h, clocks ± 1 day: duplicates {duplicates},"
        f" late rungs told once {late}/{len(cases)}, lower ones passed over {skipped}"
    )
    assert (duplicates, late, skipped) == (0, len(cases), len(cases))
    assert set(of_case.values()) == {1}
    assert len(of_case) == len(cases)
    forget()


# -- what it costs ----------------------------------------------------------------------------------


def test_a_sweep_costs_the_same_however_many_cases_climb(town, monkeypatch):
    monkeypatch.setattr("citysafety.calendars.services.KEPT_FOR_S", 3600)
    costs = []
    for number in (1, 30):
        cases = [town.file(MONDAY + timedelta(seconds=n)) for n in range(number)]
        while relay_waiting(listen={}, project=PROJECTIONS):
            pass
        with CaptureQueriesContext(connection) as following:
            ladders.follow()
        with CaptureQueriesContext(connection) as climbing:
            assert ladders.climb(at=MONDAY + timedelta(hours=4, minutes=1)) == number
        costs.append((len(following), len(climbing)))
        Hazard.objects.filter(pk__in=[one.pk for one in cases]).update(state="refused", due_at=None, due_stage="")
    (first, climbing_one), (second, climbing_many) = costs
    assert first == 19  # the first time all open cases are laid besides
    assert (second, climbing_one, climbing_many) == (12, 24, 24)
    while relay_waiting(listen={}, project=PROJECTIONS):
        pass
    ladders.follow()  # of what it told itself
    with CaptureQueriesContext(connection) as idle:
        ladders.follow()
        assert ladders.climb(at=MONDAY + timedelta(hours=4, minutes=1)) == 0
    assert len(idle) == 7  # savepoint, row, facts, release; savepoint, the index, release


def test_a_sweep_reads_the_beginning_of_an_index_however_many_clocks_run(town):
    """The plan visits the moments that have come; those that have not are behind them in the index."""
    hazard = town.file()
    rows = list(more_cases(hazard, 3000))
    Hazard.objects.bulk_create(rows)
    Climb.objects.bulk_create(
        Climb(hazard=one, next_at=MONDAY + timedelta(minutes=n), target="head") for n, one in enumerate(rows)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE hazards_climb")
        with CaptureQueriesContext(connection) as seen:
            ladders.climb(at=MONDAY + timedelta(minutes=20))
        cursor.execute(f"EXPLAIN {seen.captured_queries[1]['sql']}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "climb_next" in plan, plan
    assert "Seq Scan" not in plan, plan
    assert "Sort" not in plan, plan


def more_cases(like, number):
    for n in range(number):
        yield Hazard(
            id=uuid.uuid4(), number=f"YH-MORE-{n}", matter=like.matter, cell=like.cell, area_code=like.area_code,
            reporter=like.reporter, location=like.location, severity="general", occurred_at=NOON, received_at=NOON,
            changed_at=NOON,
        )  # fmt: skip


def test_filing_writes_nothing_for_the_ladder(town):
    town.file()
    assert not Climb.objects.exists()


# -- what people see --------------------------------------------------------------------------------


def test_the_case_says_what_comes_next_and_what_was_taken(town, client):
    hazard = town.file()
    sweep(MONDAY + timedelta(hours=4))
    client.force_login(town.supervisor)
    client.cookies["django_language"] = "en"
    page = client.get(f"/hazards/{hazard.pk}/").content.decode()
    chain = client.get(f"/chain/hazard/{hazard.pk}/").content.decode()
    assert "Next: Head of the department at 11-23 15:00 if nobody acts" in page
    for text in (page, chain):
        assert "Nearest dispatchers told at 100 % of the limit: 1" in text
        assert "Escalated" in text
        assert town.dispatcher.name not in text
