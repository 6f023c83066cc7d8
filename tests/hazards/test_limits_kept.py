"""What is kept of limits: a duplicate's earlier one, what ran out, what was asked; and that nobody gets round it."""

import uuid
from datetime import date, datetime, timedelta
from importlib import import_module
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError
from django.db import connection

from citysafety.calendars.models import Day
from citysafety.calendars.services import forget
from citysafety.lifecycle import StepNotAllowed
from citysafety.notices.models import Notice
from citysafety.outbox.relay import relay_waiting
from citysafety.subscriptions import LISTENERS, PROJECTIONS
from grid.models import Matter
from hazards import desk, migrations
from hazards.bulk import judging
from hazards.bulk.judging import Fields
from hazards.models import Clock, ClockChange, Hazard, Mark, Merger, PauseCause, Step
from hazards.present import clock_answer
from hazards.seeds import seed_limits
from hazards.services import FieldsMissing, mark_overdue, recompute_due, take_step
from hazards.services.given import StepInput
from tests.factories import file_hazard, person

from .test_limits import in_work, local, monday

DAY = timedelta(days=1)


@pytest.fixture
def town(cast):
    seed_limits()
    forget()
    cast.supervisor, cast.leader = person("supervisor"), person("leader")
    yield cast
    forget()


def step(hazard, action, by, at, **fields):
    given = StepInput(id=uuid.uuid4(), version=Hazard.objects.get(pk=hazard.pk).version, **fields)
    return take_step(hazard_id=hazard.pk, action=action, given=given, actor=by, at=at)


def relay():
    while relay_waiting(listen=LISTENERS, project=PROJECTIONS):
        pass


def now_of(hazard):
    return Hazard.objects.get(pk=hazard.pk)


def due_of(hazard):
    return local(now_of(hazard).due_at)


def merged_into_a_fresh_one(town):
    """A case that its department has for a day and an hour of two days, merged into what is reported anew."""
    old, fresh = in_work(town, monday(8)), file_hazard(town.worker, at=monday(9, day=13))
    step(old, "merge", town.dispatcher, monday(9, day=13), into=fresh.number)
    return old, fresh


def dispatched(town, hazard, at):
    step(hazard, "accept", town.dispatcher, at)
    return step(hazard, "dispatch", town.dispatcher, at, department="fire-02")


def adds_up(hazard, at):
    """Whether the arithmetic of each running clock gives its due time, and its stretches its limit."""
    rows = [row for row in clock_answer(now_of(hazard), at)["stages"] if row["running"] and row["arithmetic"]]
    for row in rows:
        sums = row["arithmetic"]
        assert datetime.fromisoformat(sums["due"]) == datetime.fromisoformat(row["due_at"]), row["stage"]
        assert sums["used_before_s"] + sum(span["counted_s"] for span in sums["spans"]) == sums["limit_s"]
    return {(row["stage"], row["duplicate"]) for row in rows}


# -- what was asked of other limits ---------------------------------------------------------------


def test_another_matter_ends_what_is_undecided_says_so_and_tells_who_asked(town):
    Matter.objects.filter(code="XF-001").update(rectify_amount=16, rectify_unit="work_hours")
    Matter.objects.filter(code="XF-002").update(rectify_amount=5, rectify_unit="work_days")
    hazard = in_work(town, monday(8))
    step(hazard, "ask_extension", town.handler, monday(9), amount=8, words="配件")
    changed = step(hazard, "change_matter", town.dispatcher, monday(10), matter="XF-002", words="应为另一事项")

    assert changed.extension_asked_at is None
    with pytest.raises(StepNotAllowed):
        step(hazard, "grant_extension", town.dispatcher, monday(11))
    assert due_of(hazard) == "10-19 08:00"  # five days, no eight more
    change = ClockChange.objects.get(hazard=hazard, kind="extension")
    assert (change.is_granted, change.decided_at, change.ended_at) == (None, None, monday(10))
    history = list(Step.objects.filter(hazard=hazard).order_by("version").values_list("version", "action", "actor"))
    assert history[-2:] == [(6, "lapse", town.dispatcher.pk), (7, "change_matter", town.dispatcher.pk)]
    words = Step.objects.get(hazard=hazard, action="lapse").words
    assert town.handler.name_zh in words and "8" in words
    relay()
    notice = Notice.objects.get(topic="hazard.request_lapsed")
    assert (notice.recipient, notice.params["reason"]) == (town.handler, words)


def test_a_pause_that_is_asked_for_ends_with_another_matter_too(town):
    hazard = in_work(town, monday(8))
    step(hazard, "ask_pause", town.handler, monday(9), cause="weather", words="暴雨")
    changed = step(hazard, "change_matter", town.dispatcher, monday(10), matter="XF-002", words="应为另一事项")
    assert changed.pause_asked_at is None
    assert step(hazard, "ask_extension", town.handler, monday(11), amount=1, words="配件").extension_asked_at


def test_what_is_granted_counts_in_the_unit_it_was_asked_in(town):
    Matter.objects.filter(code="XF-001").update(rectify_amount=16, rectify_unit="work_hours")
    hazard = in_work(town, monday(8))
    step(hazard, "ask_extension", town.handler, monday(9), amount=8, words="配件")
    Clock.objects.filter(hazard=hazard, stage="rectify").update(unit="work_days", amount=5)
    step(hazard, "grant_extension", town.dispatcher, monday(10))
    assert Clock.objects.get(hazard=hazard, stage="rectify").amount == 6  # eight hours are one day


# -- a duplicate's earlier limit ------------------------------------------------------------------


def test_an_old_case_merged_into_a_fresh_report_does_not_begin_anew(town):
    old, fresh = merged_into_a_fresh_one(town)
    sent = dispatched(town, fresh, monday(9, 10, day=13))
    assert local(sent.due_at) == "10-14 08:00"  # not two days from then on
    assert adds_up(fresh, monday(10, day=13)) == {("rectify", None), ("rectify", old.number)}
    rows = desk.clock_rows(clock_answer(now_of(fresh), monday(10, day=13)), monday(10, day=13))
    assert old.number in rows[0]["label"] and local(rows[0]["due"]) == "10-14 08:00"


def test_sending_it_back_and_out_again_does_not_begin_anew_either(town):
    _old, fresh = merged_into_a_fresh_one(town)
    dispatched(town, fresh, monday(9, 10, day=13))
    step(fresh, "return", town.handler, monday(10, day=13), words="不归我们")
    again = step(fresh, "dispatch", town.dispatcher, monday(11, day=13), department="fire-02")
    assert local(again.due_at) == "10-14 08:00"


def test_refused_and_contested_it_goes_on_with_what_it_had_used_up(town):
    _old, fresh = merged_into_a_fresh_one(town)
    step(fresh, "refuse", town.dispatcher, monday(10, day=13), words="不属实")
    step(fresh, "contest", town.worker, monday(10, day=14), words="就在那里")
    sent = dispatched(town, fresh, monday(10, day=14))
    assert local(sent.due_at) == "10-15 08:00"  # ten of sixteen hours were used up


def test_a_duplicate_merged_into_a_paused_case_keeps_its_limit_when_that_goes_on(town):
    old, late = in_work(town, monday(8)), in_work(town, monday(8, day=13))
    step(late, "pause", town.dispatcher, monday(9, day=13), cause="weather", words="暴雨")
    step(old, "merge", town.dispatcher, monday(10, day=13), into=late.number)
    assert now_of(late).due_at is None
    step(late, "resume", town.dispatcher, monday(10, day=15))
    assert due_of(late) == "10-16 08:00"  # the six hours that the duplicate had left; its own would be 10-19 09:00
    assert adds_up(late, monday(11, day=15)) == {("rectify", None), ("rectify", old.number)}


def test_an_extension_and_a_pause_move_the_limit_that_was_brought(town):
    _old, fresh = merged_into_a_fresh_one(town)
    dispatched(town, fresh, monday(9, 10, day=13))
    step(fresh, "ask_extension", town.handler, monday(10, day=13), amount=1, words="配件")
    longer = step(fresh, "grant_extension", town.dispatcher, monday(10, 10, day=13))
    assert local(longer.due_at) == "10-15 08:00"
    step(fresh, "pause", town.dispatcher, monday(8, day=14), cause="weather", words="暴雨")
    resumed = step(fresh, "resume", town.dispatcher, monday(8, day=19))
    assert local(resumed.due_at) == "10-20 08:00"  # one day was left
    assert adds_up(fresh, monday(9, day=19))


def test_where_verification_fails_the_limit_that_was_brought_goes_on(town):
    _old, fresh = merged_into_a_fresh_one(town)
    dispatched(town, fresh, monday(9, 10, day=13))
    step(fresh, "take", town.handler, monday(9, 20, day=13))
    town.photo(fresh, "after", town.handler)
    done = step(fresh, "rectify", town.handler, monday(14, day=13), words="已清理")
    assert local(done.due_at) > "10-14 08:00"  # verification has its own
    failed = step(fresh, "fail", town.neighbour, monday(14, day=15), words="还在")
    assert local(failed.due_at) == "10-16 08:00"  # four hours were left


def test_the_whole_case_s_and_a_leader_s_limit_are_kept_too(town):
    Matter.objects.filter(code="XF-001").update(total_amount=3, total_unit="work_days")
    old = in_work(town, monday(8))
    step(old, "pin", town.leader, monday(9), amount=24)
    fresh = file_hazard(town.worker, at=monday(9, day=12))
    step(old, "merge", town.dispatcher, monday(10), into=fresh.number)
    brought = {clock.stage: local(clock.due_at) for clock in Clock.objects.filter(merger__duplicate=old)}
    assert brought == {"rectify": "10-14 08:00", "total": "10-15 08:00", "pin": "10-13 09:00"}
    step(fresh, "pin", town.leader, monday(11), amount=24)
    step(fresh, "unpin", town.leader, monday(12), words="已过问")
    assert set(Clock.objects.filter(merger__duplicate=old).values_list("stage", flat=True)) == {"rectify", "total"}


def test_a_case_that_was_written_off_had_kept_its_limits_and_is_reopened_without(town):
    _old, fresh = merged_into_a_fresh_one(town)
    dispatched(town, fresh, monday(9, 10, day=13))
    step(fresh, "take", town.handler, monday(9, 20, day=13))
    town.photo(fresh, "after", town.handler)
    step(fresh, "rectify", town.handler, monday(14, day=13), words="已清理")
    step(fresh, "verify", town.neighbour, monday(15, day=13), lon=118.53, lat=37.45)
    step(fresh, "write_off", town.dispatcher, monday(16, day=13))
    step(fresh, "reopen", town.worker, monday(9, day=20), words="又堆上了")
    sent = step(fresh, "dispatch", town.dispatcher, monday(9, day=20), department="fire-02")
    assert local(sent.due_at) == "10-22 09:00"


def test_a_calendar_that_changes_moves_what_was_brought_too(town):
    _old, fresh = merged_into_a_fresh_one(town)
    Day.objects.create(date=date(2026, 10, 14), working=False, name_zh="停工", name_en="Closed", source="test")
    Day.objects.create(date=date(2026, 10, 13), working=False, name_zh="停工", name_en="Closed", source="test")
    forget()
    recompute_due(at=monday(9, 30, day=13))
    brought = Clock.objects.get(hazard=fresh, merger__isnull=False)
    assert local(brought.due_at) == "10-16 08:00"


def test_what_was_merged_before_clocks_were_brought_gets_them_by_the_migration(town):
    """As the release before left it: no clock at the original, nothing noted of the duplicate with the merger."""
    [path] = Path(migrations.__path__[0]).glob("*_duplicates_bring_their_clocks.py")
    sql = import_module(f"{migrations.__name__}.{path.stem}").BROUGHT
    olds, cases = [in_work(town, monday(8)) for _n in range(3)], [in_work(town, monday(8, day=14)) for _n in range(3)]
    mark_overdue(at=monday(9, day=14))
    town.photo(cases[1], "after", town.handler)
    step(cases[1], "rectify", town.handler, monday(9, day=14), words="已清理")
    step(cases[2], "pause", town.dispatcher, monday(9, day=14), cause="weather", words="暴雨")
    for old, case in zip(olds, cases, strict=True):
        step(old, "merge", town.dispatcher, monday(10, day=14), into=case.number)
    rows = Clock.objects.filter(merger__isnull=False).order_by("merger")
    said = list(
        rows.values("hazard", "merger", "stage", "unit", "amount", "started_at", "stopped_at", "due_at", "due_reason")
    )
    noted = list(Merger.objects.order_by("pk").values_list("overdue", "department"))
    rows.delete()
    Merger.objects.update(overdue=False, department=None)
    with connection.cursor() as cursor:
        cursor.execute(sql)
    found = Clock.objects.filter(merger__isnull=False).order_by("merger")
    assert [{**row} for row in found.values(*said[0])] == said
    assert list(Merger.objects.order_by("pk").values_list("overdue", "department")) == noted
    assert noted[0][0] and len(said) == 3


# -- two again ------------------------------------------------------------------------------------


def test_an_overdue_duplicate_comes_back_overdue_and_is_marked_once(town):
    old = in_work(town, monday(8))
    assert mark_overdue(at=monday(9, day=14)) == 1
    before = now_of(old)
    fresh = in_work(town, monday(8, day=14))
    own_due = due_of(fresh)
    step(old, "merge", town.dispatcher, monday(10, day=14), into=fresh.number)
    assert now_of(fresh).due_at == before.due_at
    assert mark_overdue(at=monday(10, 1, day=14)) == 1  # the case itself, by the duplicate's limit
    assert (now_of(fresh).overdue, now_of(fresh).late) == (True, True)
    step(old, "unmerge", town.dispatcher, monday(11, day=14), words="不是同一个")

    back, other = now_of(old), now_of(fresh)
    assert (back.overdue, back.late, back.due_at) == (True, True, before.due_at)
    assert Clock.objects.get(hazard=old, stage="rectify").marked_at == monday(9, day=14)
    assert (other.overdue, other.late, local(other.due_at)) == (False, False, own_due)
    assert mark_overdue(at=monday(11, 1, day=14)) == 0
    assert Mark.objects.filter(hazard=old).count() == 1
    assert Step.objects.filter(hazard=old).count() == back.version


def test_a_case_that_was_late_by_itself_stays_late_when_its_duplicate_leaves(town):
    old, fresh = in_work(town, monday(8)), in_work(town, monday(9))
    step(old, "merge", town.dispatcher, monday(10), into=fresh.number)
    assert mark_overdue(at=monday(10, day=14)) == 1  # both limits ran out
    step(old, "unmerge", town.dispatcher, monday(11, day=14), words="不是同一个")
    other = now_of(fresh)
    assert (other.overdue, other.late, local(other.due_at)) == (True, True, "10-14 09:00")


def test_a_case_that_became_late_by_itself_after_its_duplicate_s_limit_ran_out_is_marked_by_that(town):
    old, fresh = in_work(town, monday(8)), in_work(town, monday(9))
    step(old, "merge", town.dispatcher, monday(10), into=fresh.number)
    assert mark_overdue(at=monday(8, 30, day=14)) == 1  # by the duplicate's limit alone; its own ends at nine
    step(old, "unmerge", town.dispatcher, monday(11, day=14), words="不是同一个")
    assert (now_of(fresh).overdue, now_of(fresh).late) == (False, False)
    assert mark_overdue(at=monday(11, 1, day=14)) == 1
    other = now_of(fresh)
    assert (other.overdue, other.late, local(other.due_at)) == (True, True, "10-14 09:00")
    assert [local(mark.due_at) for mark in Mark.objects.filter(hazard=fresh).order_by("pk")] == [
        "10-14 08:00",
        "10-14 09:00",
    ]


# -- pauses ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("action", "who"), [("pause", "dispatcher"), ("ask_pause", "handler")])
@pytest.mark.parametrize("is_marked", [True, False])
def test_what_is_overdue_is_not_paused_nor_asked_to_be(town, action, who, is_marked):
    hazard = in_work(town, monday(8))
    late = monday(15, day=14)
    if is_marked:
        mark_overdue(at=late)
    with pytest.raises(StepNotAllowed):
        step(hazard, action, getattr(town, who), late, cause="weather", words="暴雨")
    assert now_of(hazard).paused_at is None
    rows = judging.judge(getattr(town, who), action, {hazard.pk: None}, Fields(words="x", cause="weather"), late)
    assert rows[0]["result"] == "refused"


def test_what_was_asked_in_time_is_not_paused_after_but_may_be_denied(town):
    hazard = in_work(town, monday(8))
    step(hazard, "ask_pause", town.handler, monday(9), cause="weather", words="暴雨")
    with pytest.raises(StepNotAllowed):
        step(hazard, "pause", town.dispatcher, monday(9, day=14), words="同意")
    step(hazard, "deny_pause", town.dispatcher, monday(9, day=14), words="已经超期")
    assert due_of(hazard) == "10-14 08:00"


def test_an_end_of_a_pause_never_moves_what_had_run_out(town):
    old, waiting = in_work(town, monday(8)), in_work(town, monday(8, day=14))
    mark_overdue(at=monday(9, day=14))
    step(waiting, "pause", town.dispatcher, monday(9, day=14), cause="weather", words="暴雨")
    step(old, "merge", town.dispatcher, monday(10, day=14), into=waiting.number)
    assert due_of(waiting) is None
    step(waiting, "resume", town.dispatcher, monday(10, day=16))
    assert due_of(waiting) == "10-14 08:00"


def test_a_case_that_was_overdue_and_paused_before_this_was_refused_keeps_its_due_time(town):
    hazard = in_work(town, monday(8))
    mark_overdue(at=monday(15, day=14))
    late = monday(15, day=14)
    Clock.objects.filter(hazard=hazard, stopped_at=None).update(stopped_at=late, due_at=None, due_reason="paused")
    Hazard.objects.filter(pk=hazard.pk).update(paused_at=late, due_at=None, due_reason="paused")
    step(hazard, "resume", town.dispatcher, monday(9, day=20))
    assert (due_of(hazard), now_of(hazard).overdue) == ("10-14 08:00", True)


def test_a_cause_says_how_often_and_how_long_one_case_may_stand(town):
    PauseCause.objects.filter(code="weather").update(most_days=15, most_times=2, most_days_in_all=20)
    hazard = in_work(town, monday(8))

    def paused(at, **more):
        return step(hazard, "pause", town.dispatcher, at, cause="weather", words="暴雨", **more)

    paused(monday(9))
    step(hazard, "resume", town.dispatcher, monday(9) + 12 * DAY)
    assert paused(monday(10) + 12 * DAY).paused_until == monday(10) + 20 * DAY  # eight of twenty days are left
    step(hazard, "resume", town.dispatcher, monday(11) + 12 * DAY)
    with pytest.raises(FieldsMissing) as refusal:
        paused(monday(12) + 12 * DAY)
    assert "2" in refusal.value.errors["cause"] and "20" in refusal.value.errors["cause"]
    with pytest.raises(FieldsMissing):
        step(hazard, "ask_pause", town.handler, monday(12) + 12 * DAY, cause="weather", words="暴雨")
    [row] = judging.judge(
        town.dispatcher, "pause", {hazard.pk: None}, Fields(words="x", cause="weather"), monday(12) + 12 * DAY
    )
    assert row["result"] == "refused"
    other = step(hazard, "pause", town.dispatcher, monday(12) + 12 * DAY, cause="material", words="等料")
    assert other.paused_at  # each cause has its own


def test_less_in_all_than_one_pause_may_take_is_refused_in_the_administration(town):
    cause = PauseCause.objects.get(code="weather")
    assert cause.limits_source
    cause.most_days_in_all = cause.most_days - 1
    with pytest.raises(ValidationError):
        cause.full_clean()


def test_what_is_decided_is_the_cause_that_was_asked_for(town):
    hazard = in_work(town, monday(8))
    step(hazard, "ask_pause", town.handler, monday(9), cause="funds", words="等资金")
    for action, fields in (
        ("pause", {"cause": "weather"}),
        ("pause", {}),
        ("pause", {"cause": "funds"}),
        ("deny_pause", {}),
    ):
        with pytest.raises(FieldsMissing) as refusal:
            step(hazard, action, town.dispatcher, monday(10), words="同意", **fields)
        assert list(refusal.value.errors) == ["cause"]
    with pytest.raises(FieldsMissing):
        step(hazard, "pause", town.supervisor, monday(10), cause="weather", words="同意")
    for action in ("pause", "deny_pause"):
        [row] = judging.judge(town.dispatcher, action, {hazard.pk: None}, Fields(words="x"), monday(10))
        assert row["result"] == "refused"
    [row] = judging.judge(town.supervisor, "pause", {hazard.pk: None}, Fields(words="x", cause="weather"), monday(10))
    assert row["result"] == "refused"
    assert now_of(hazard).paused_at is None

    step(hazard, "deny_pause", town.supervisor, monday(11), words="资金已到位")
    paused = step(hazard, "pause", town.dispatcher, monday(11), cause="weather", words="暴雨")
    assert paused.paused_at == monday(11)
    causes = ClockChange.objects.filter(hazard=hazard, kind="pause").order_by("pk")
    assert [(one.cause.code, one.is_granted) for one in causes] == [("funds", False), ("weather", True)]


def test_the_form_of_a_decision_offers_only_the_cause_that_was_asked_for(town):
    hazard = in_work(town, monday(8))
    asked = step(hazard, "ask_pause", town.handler, monday(9), cause="funds", words="等资金")
    [form] = [one for one in desk.step_forms(town.supervisor, asked, monday(10)) if one["action"] == "pause"]
    [cause] = [field for field in form["fields"] if field.name == "cause"]
    assert [code for code, _words in cause.choices] == ["funds"]


# -- in time --------------------------------------------------------------------------------------


def test_in_time_is_what_the_clock_says_and_not_the_mark(town):
    hazard = in_work(town, monday(8))
    step(hazard, "ask_extension", town.handler, monday(8, day=14), amount=1, words="就在到期时")
    step(hazard, "deny_extension", town.dispatcher, monday(8, day=14), words="按期完成")
    with pytest.raises(StepNotAllowed):  # no sweep has been there
        step(hazard, "ask_extension", town.handler, monday(8, 1, day=14), amount=1, words="晚了一分钟")
    assert not now_of(hazard).overdue


# -- who says what is worked ----------------------------------------------------------------------


def test_a_day_that_was_edited_names_its_own_source_where_a_due_time_rests_on_it(town, client):
    Day.objects.create(
        date=date(2026, 10, 17), working=True, name_zh="本市调休", name_en="City make-up day", source="edited by li"
    )
    Day.objects.create(date=date(2026, 10, 19), working=False, name_zh="国庆", name_en="Holiday", source="test")
    forget()
    hazard = in_work(town, monday(9, day=16))
    assert due_of(hazard) == "10-20 09:00"
    client.force_login(town.dispatcher, backend="django.contrib.auth.backends.ModelBackend")
    client.cookies["django_language"] = "en"
    page = client.get(f"/hazards/{hazard.pk}/").content.decode()
    assert "10-17 City make-up day: edited by li" in page
    assert "10-19 Holiday" not in page  # its year's own source says that
