"""Time limits are changed lawfully: asked, decided by another, and what was used up stays used up."""

import uuid
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import translation

from citysafety.calendars.models import Day, Hours
from citysafety.calendars.services import forget
from citysafety.lifecycle import StepNotAllowed
from citysafety.tallies.models import Period
from grid.models import Matter
from hazards.models import Clock, ClockChange, Hazard, LimitRule, Mark, Step
from hazards.present import clock_answer
from hazards.seeds import seed_limits
from hazards.services import FieldsMissing, NotAllowed, mark_overdue, recompute_due, resume_ended, take_step
from hazards.services.given import StepInput
from tests.factories import NOON, file_hazard, person

from .test_api import client_of

CITY = ZoneInfo("Asia/Shanghai")
FRIDAY = datetime(2026, 10, 9, 17, 30, tzinfo=CITY)


@pytest.fixture
def limits(cast):
    seed_limits()
    Day.objects.create(
        date=date(2026, 10, 10), working=True, name_zh="国庆节调休上班", name_en="Make-up day", source="test"
    )
    forget()
    cast.supervisor, cast.leader = person("supervisor"), person("leader")
    yield cast
    forget()


def step(hazard, action, by, at, **fields):
    given = StepInput(id=uuid.uuid4(), version=Hazard.objects.get(pk=hazard.pk).version, **fields)
    return take_step(hazard_id=hazard.pk, action=action, given=given, actor=by, at=at)


def in_work(limits, at, **filing):
    """A case that its department has taken over at a moment: two working days run from then on."""
    hazard = file_hazard(limits.neighbour, at=at, **filing)
    step(hazard, "accept", limits.dispatcher, at)
    step(hazard, "dispatch", limits.dispatcher, at, department="fire-02")
    return step(hazard, "take", limits.handler, at)


def local(moment):
    return f"{moment.astimezone(CITY):%m-%d %H:%M}" if moment else None


def monday(hour, minute=0, *, day=12):
    return datetime(2026, 10, day, hour, minute, tzinfo=CITY)


# -- pauses, and another matter -------------------------------------------------------------------


def test_a_friday_case_with_a_make_up_saturday_is_paused_for_two_days_and_gets_another_matter(limits):
    hazard = file_hazard(limits.neighbour, at=FRIDAY)
    assert local(hazard.due_at) == "10-10 11:30"
    step(hazard, "accept", limits.dispatcher, FRIDAY + timedelta(minutes=10))
    friday_evening = FRIDAY + timedelta(minutes=30)  # half an hour is used up
    paused = step(hazard, "pause", limits.supervisor, friday_evening, cause="weather", words="暴雨")
    assert (paused.due_at, paused.due_reason) == (None, "paused")
    resumed = step(hazard, "resume", limits.dispatcher, friday_evening + timedelta(days=2))  # Sunday 18:00
    assert local(resumed.due_at) == "10-12 11:30"  # three and a half hours of Monday

    Matter.objects.filter(code="SZ-001").update(accept_amount=6)
    other = step(hazard, "change_matter", limits.dispatcher, monday(9), matter="SZ-001", words="是井盖")
    assert local(other.due_at) == "10-12 15:30"  # six hours less the half one
    Matter.objects.filter(code="XF-002").update(accept_amount=24, accept_unit="urgent_hours")
    urgent = step(hazard, "change_matter", limits.dispatcher, monday(10), matter="XF-002", words="是充电")
    # The same half hour of Friday, and every hour since Sunday 18:00: what was paused never counts.
    assert local(urgent.due_at) == "10-12 17:30"
    assert Clock.objects.get(hazard=hazard, stage="accept").consumed_s == 30 * 60


def test_while_it_is_paused_nothing_moves_and_nothing_falls_due(limits):
    hazard = in_work(limits, monday(8))
    step(hazard, "pause", limits.dispatcher, monday(9), cause="weather", words="暴雨")

    limits.photo(hazard, "after", limits.handler)
    with translation.override("en"), pytest.raises(StepNotAllowed, match="The case is paused"):
        step(hazard, "rectify", limits.handler, monday(10), words="已清理")
    assert mark_overdue(at=monday(8) + timedelta(days=10)) == 0
    assert "hazards.open" in Period.objects.filter(subject_id=str(hazard.pk)).latest("pk").now


def test_a_pause_ends_by_itself_once_and_says_that_nobody_did_it(limits):
    hazard = in_work(limits, monday(8))
    step(hazard, "pause", limits.dispatcher, monday(9), cause="weather", words="暴雨", until=monday(9, day=14))

    assert resume_ended(at=monday(8, 59, day=14)) == 0
    assert (resume_ended(at=monday(9, day=14)), resume_ended(at=monday(9, 1, day=14))) == (1, 0)
    hazard.refresh_from_db()
    assert local(hazard.due_at) == "10-16 08:00"  # an hour of two days was used up
    last = Step.objects.filter(hazard=hazard).latest("version")
    assert (last.action, last.actor, last.source, last.target) == ("resume", None, "taken", "taken")
    assert ClockChange.objects.get(hazard=hazard, kind="pause").ended_at == monday(9, day=14)


def test_a_handler_asks_for_a_pause_and_a_supervisor_decides_what_dispatchers_may_not(limits):
    hazard = in_work(limits, monday(8))
    asked = step(hazard, "ask_pause", limits.handler, monday(9), cause="owner", words="产权单位有争议")
    assert asked.pause_asked_at == monday(9)
    assert local(asked.due_at) == "10-14 08:00"  # asking stops nothing
    with pytest.raises(StepNotAllowed):
        step(hazard, "ask_extension", limits.handler, monday(9), amount=1, words="同时再要")
    with pytest.raises(FieldsMissing) as refusal:
        step(hazard, "pause", limits.dispatcher, monday(10), words="同意")
    assert list(refusal.value.errors) == ["cause"]

    paused = step(hazard, "pause", limits.supervisor, monday(10), words="同意挂账")
    assert (paused.paused_at, paused.pause_asked_at) == (monday(10), None)
    change = ClockChange.objects.get(hazard=hazard)
    assert (change.cause.code, change.is_granted, change.decided_by) == ("owner", True, limits.supervisor)
    assert change.until == monday(9) + timedelta(days=60)


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"cause": "boredom", "words": "x"}, "cause"),
        ({"cause": "weather", "words": "x", "until": monday(9) + timedelta(days=16)}, "until"),
        ({"cause": "weather", "words": "x", "until": monday(8)}, "until"),
        ({"cause": "weather"}, "reason"),
    ],
)
def test_a_pause_that_its_cause_does_not_allow_is_refused_by_field(limits, fields, named):
    hazard = in_work(limits, monday(8))
    with pytest.raises(FieldsMissing) as refusal:
        step(hazard, "pause", limits.dispatcher, monday(9), **fields)
    assert list(refusal.value.errors) == [named]
    hazard.refresh_from_db()
    assert (hazard.paused_at, hazard.version) == (None, 4)


def test_a_department_cannot_pause_its_own_work(limits):
    hazard = in_work(limits, monday(8))
    with pytest.raises(NotAllowed):
        step(hazard, "pause", limits.handler, monday(9), cause="weather", words="暴雨")


# -- extensions -----------------------------------------------------------------------------------


def test_an_extension_is_asked_by_the_department_and_granted_in_part_by_who_dispatched(limits):
    hazard = in_work(limits, monday(8))
    assert local(hazard.due_at) == "10-14 08:00"
    step(hazard, "ask_extension", limits.handler, monday(9), amount=2, words="配件明天到")
    with pytest.raises(NotAllowed):
        step(hazard, "grant_extension", limits.handler, monday(9, 5))
    with pytest.raises(FieldsMissing):
        step(hazard, "grant_extension", limits.dispatcher, monday(9, 5), amount=3)
    longer = step(hazard, "grant_extension", limits.dispatcher, monday(9, 5), amount=1)

    assert local(longer.due_at) == "10-15 08:00"
    assert longer.extension_asked_at is None
    answer = clock_answer(longer, monday(10))
    [change] = answer["changes"]
    assert (change["asked"], change["granted"], change["is_granted"]) == (2, 1, True)
    assert {one["stage"]: one["amount"] for one in answer["stages"]}["rectify"] == 3


def test_what_was_asked_for_in_hours_is_granted_in_hours_after_the_case_got_a_matter_that_counts_days(limits):
    Matter.objects.filter(code="XF-002").update(rectify_amount=8, rectify_unit="work_hours")
    hazard = in_work(limits, monday(8), matter="XF-002")
    step(hazard, "ask_extension", limits.handler, monday(9), amount=8, words="配件未到")
    step(hazard, "change_matter", limits.dispatcher, monday(10), matter="XF-001", words="是通道")
    assert local(Hazard.objects.get(pk=hazard.pk).due_at) == "10-14 08:00"  # two working days
    granted = step(hazard, "grant_extension", limits.dispatcher, monday(11))
    assert local(granted.due_at) == "10-15 08:00"  # eight hours are one more
    urgent = step(hazard, "change_matter", limits.dispatcher, monday(14), matter="XF-002", words="是充电")
    assert local(urgent.due_at) == "10-13 18:00"  # eight hours, and the eight that were granted


def test_an_extension_that_was_denied_leaves_the_limit_and_can_be_asked_again(limits):
    hazard = in_work(limits, monday(8))
    step(hazard, "ask_extension", limits.handler, monday(9), amount=1, words="人手不够")
    denied = step(hazard, "deny_extension", limits.dispatcher, monday(10), words="按期完成")
    assert local(denied.due_at) == "10-14 08:00"
    assert step(hazard, "ask_extension", limits.handler, monday(11), amount=1, words="材料未到").extension_asked_at


def test_the_rule_says_how_often_and_how_far(limits):
    LimitRule.objects.filter(severity="general").update(most_extensions=1, most_percent=50)
    hazard = in_work(limits, monday(8))
    with pytest.raises(FieldsMissing):
        step(hazard, "ask_extension", limits.handler, monday(9), amount=2, words="太多")
    step(hazard, "ask_extension", limits.handler, monday(9), amount=1, words="够了")
    step(hazard, "grant_extension", limits.dispatcher, monday(10))
    with pytest.raises(FieldsMissing) as refusal:
        step(hazard, "ask_extension", limits.handler, monday(11), amount=1, words="再来")
    assert "1" in refusal.value.errors["amount"]


def test_what_was_granted_before_a_case_came_back_is_not_granted_again_with_another_matter(limits):
    hazard = file_hazard(limits.neighbour, at=monday(9))
    step(hazard, "accept", limits.dispatcher, monday(9))
    step(hazard, "dispatch", limits.dispatcher, monday(9), department="fire-02")
    step(hazard, "ask_extension", limits.handler, monday(9, 10), amount=1, words="配件")
    step(hazard, "grant_extension", limits.dispatcher, monday(9, 20))
    step(hazard, "return", limits.handler, monday(9, 30), words="不归我们")
    step(hazard, "dispatch", limits.dispatcher, monday(9, 40), department="fire-02")
    step(hazard, "change_matter", limits.dispatcher, monday(9, 50), matter="XF-002", words="应为另一事项")
    matter = Matter.objects.get(code="XF-002")
    clock = Clock.objects.get(hazard=hazard, stage="rectify")
    assert (clock.amount, clock.unit) == (matter.rectify_amount, matter.rectify_unit)


def test_what_ran_out_is_not_extended_but_what_was_asked_in_time_may_be(limits):
    hazard = in_work(limits, monday(8))
    late, in_time = monday(9, day=14), monday(7, 59, day=14)
    step(hazard, "ask_extension", limits.handler, in_time, amount=1, words="差一点")
    assert mark_overdue(at=late) == 1
    granted = step(hazard, "grant_extension", limits.dispatcher, late)
    assert (granted.overdue, granted.late, local(granted.due_at)) == (False, True, "10-15 08:00")
    assert Mark.objects.filter(hazard=hazard).count() == 1  # that it was late stays

    assert mark_overdue(at=monday(9, day=15)) == 1
    with pytest.raises(StepNotAllowed):
        step(hazard, "ask_extension", limits.handler, monday(9, day=15), amount=1, words="又晚了")


def test_a_request_lapses_when_the_work_is_done_before_anybody_decides(limits):
    hazard = in_work(limits, monday(8))
    step(hazard, "ask_extension", limits.handler, monday(9), amount=1, words="可能不够")
    limits.photo(hazard, "after", limits.handler)
    done = step(hazard, "rectify", limits.handler, monday(10), words="已清理")
    assert done.extension_asked_at is None
    change = ClockChange.objects.get(hazard=hazard)
    assert (change.decided_at, change.ended_at) == (None, monday(10))


# -- the whole case, and a leader's own ------------------------------------------------------------


def test_the_limit_of_the_whole_case_runs_beside_the_stages_and_the_earlier_one_holds(limits):
    Matter.objects.filter(code="XF-001").update(total_amount=1, total_unit="work_days")
    hazard = in_work(limits, monday(8))
    assert local(hazard.due_at) == "10-13 08:00"  # before the two days of the stage
    step(hazard, "ask_extension", limits.handler, monday(9), amount=1, words="配件")
    assert local(step(hazard, "grant_extension", limits.dispatcher, monday(9, 5)).due_at) == "10-14 08:00"
    assert mark_overdue(at=monday(8, 1, day=14)) == 1
    marked = set(Clock.objects.filter(hazard=hazard, marked_at__isnull=False).values_list("stage", flat=True))
    assert marked == {"total"}


def test_a_leader_s_case_has_a_short_limit_until_it_is_given_back(limits):
    hazard = in_work(limits, monday(8))
    with pytest.raises(NotAllowed):
        step(hazard, "pin", limits.supervisor, monday(9))
    with pytest.raises(FieldsMissing):
        step(hazard, "pin", limits.leader, monday(9), amount=25)
    mine = step(hazard, "pin", limits.leader, monday(9), amount=4, words="今天就办")
    assert local(mine.due_at) == "10-12 13:00"
    assert mark_overdue(at=monday(13, 1)) == 1

    back = step(hazard, "unpin", limits.leader, monday(14), words="已过问")
    assert (local(back.due_at), back.overdue, back.late) == ("10-14 08:00", False, True)


def test_a_leader_s_limit_goes_on_through_the_stages(limits):
    hazard = in_work(limits, monday(8))
    step(hazard, "pin", limits.leader, monday(9), amount=4)
    limits.photo(hazard, "after", limits.handler)
    done = step(hazard, "rectify", limits.handler, monday(10), words="已清理")
    assert local(done.due_at) == "10-12 13:00"
    step(hazard, "verify", limits.worker, monday(11), lon=118.53, lat=37.45)
    ended = step(hazard, "write_off", limits.dispatcher, monday(12))
    assert ended.due_at is None
    assert not Clock.objects.filter(hazard=hazard, stopped_at=None).exists()


def test_a_pause_holds_every_clock_and_each_goes_on_with_its_own(limits):
    Matter.objects.filter(code="XF-001").update(total_amount=3, total_unit="work_days")
    hazard = in_work(limits, monday(8))
    step(hazard, "pin", limits.leader, monday(9), amount=10)
    step(hazard, "pause", limits.dispatcher, monday(10), cause="weather", words="暴雨")
    step(hazard, "resume", limits.handler, monday(10, day=13))
    due = {clock.stage: local(clock.due_at) for clock in Clock.objects.filter(hazard=hazard, stopped_at=None)}
    assert due == {"rectify": "10-15 08:00", "total": "10-16 08:00", "pin": "10-13 19:00"}
    assert local(Hazard.objects.get(pk=hazard.pk).due_at) == "10-13 19:00"


def test_a_calendar_that_changes_moves_what_was_used_up_before_a_pause_too(limits):
    hazard = in_work(limits, monday(8))
    step(hazard, "pause", limits.dispatcher, monday(18), cause="weather", words="暴雨")
    step(hazard, "resume", limits.dispatcher, monday(8, day=15))
    assert local(Hazard.objects.get(pk=hazard.pk).due_at) == "10-16 08:00"  # one of two days was used up
    Day.objects.create(date=date(2026, 10, 12), working=False, name_zh="停工", name_en="Closed", source="test")
    forget()
    recompute_due(at=monday(9, day=15))
    assert local(Hazard.objects.get(pk=hazard.pk).due_at) == "10-19 08:00"  # Monday was no working day after all


def test_every_change_is_told_on_the_page_in_words(limits, client):
    hazard = in_work(limits, NOON)
    step(hazard, "ask_extension", limits.handler, NOON, amount=1, words="配件明天到")
    client.force_login(limits.dispatcher, backend="django.contrib.auth.backends.ModelBackend")
    client.cookies["django_language"] = "en"
    page = client.get(f"/hazards/{hazard.pk}/").content.decode()
    assert "Extension of 1 working day ·" in page
    assert "waits for a decision" in page
    assert 'data-step="grant_extension"' in page


def test_what_waits_for_a_decision_what_is_paused_and_what_a_leader_set_are_lists(limits):
    asked, paused, mine, plain = (in_work(limits, monday(8)) for _n in range(4))
    step(asked, "ask_extension", limits.handler, monday(9), amount=1, words="配件明天到")
    step(paused, "pause", limits.supervisor, monday(9), cause="owner", words="挂账")
    step(mine, "pin", limits.leader, monday(9))
    client = client_of(limits.dispatcher)

    def found(**filters):
        return {row["id"] for row in client.get("/api/v1/hazards/", filters).json()["results"]}

    for name, hazard in (("asked", asked), ("paused", paused), ("pinned", mine)):
        assert found(**{name: "true"}) == {str(hazard.pk)}
        assert found(**{name: "false"}) == {str(one.pk) for one in (asked, paused, mine, plain)} - {str(hazard.pk)}
        assert client.get("/api/v1/hazards/count/", {name: "true"}).json() == {"count": 1}


def test_rectification_runs_by_the_hours_of_the_department_and_everything_else_by_the_city_s(limits):
    Matter.objects.filter(code="XF-001").update(rectify_amount=4, rectify_unit="work_hours")
    fire = limits.city.departments["fire-02"]
    Hours.objects.create(
        department=fire, month=1, day=1, morning_begins=time(7), morning_ends=time(11), afternoon_begins=time(15),
        afternoon_ends=time(19),
    )  # fmt: skip
    forget()
    hazard = file_hazard(limits.neighbour, at=monday(10))
    assert local(hazard.due_at) == "10-12 16:00"  # the city's four hours
    step(hazard, "accept", limits.dispatcher, monday(10))
    sent = step(hazard, "dispatch", limits.dispatcher, monday(10), department="fire-02")
    assert local(sent.due_at) == "10-12 18:00"  # one hour until 11, three from 15 on
    step(hazard, "pause", limits.dispatcher, monday(16), cause="weather", words="暴雨")
    assert local(step(hazard, "resume", limits.dispatcher, monday(8, day=13)).due_at) == "10-13 10:00"

    Hours.objects.filter(department=fire).update(morning_begins=time(9), morning_ends=time(10))
    forget()
    recompute_due(at=monday(8, day=13))
    assert local(Hazard.objects.get(pk=hazard.pk).due_at) == "10-13 17:00"  # of Monday only the hour from 15 on counts
    [rectify] = [
        one
        for one in clock_answer(Hazard.objects.get(pk=hazard.pk), monday(9, day=13))["stages"]
        if one["stage"] == "rectify"
    ]
    assert rectify["used_s"] == 3600
