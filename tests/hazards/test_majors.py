"""Major hazards: raised and lowered, planned in five items, stopped; criteria are data."""

import uuid
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation

from citysafety.lifecycle import StepNotAllowed
from citysafety.notices.models import Notice
from citysafety.outbox.relay import relay_waiting
from citysafety.subscriptions import LISTENERS, PROJECTIONS
from citysafety.tallies.models import Period
from citysafety.tallies.reconciling import differences
from grid.models import Matter
from hazards.listings.seeds import seed_majors
from hazards.models import Clock, ClockChange, Criterion, CriterionHistory, Hazard, LimitRule, Plan, Step, StopWork
from hazards.present import clock_answer
from hazards.seeds import seed_limits
from hazards.services import FieldsMissing, FilingRefused, NotAllowed, mark_overdue, take_step
from hazards.services.given import StepInput
from tests.factories import AWAY, NOON, file_hazard, person

from .test_api import client_of

CITY = ZoneInfo("Asia/Shanghai")
PLAN = {
    "unit": "东营区某商贸公司", "person": "安全负责人", "measures": "拆除占用物，加装闭门器", "funds": "12000.50",
    "finish_on": date(2026, 12, 20), "contingency": "专人值守，备灭火器",
}  # fmt: skip
CODE = "GB35181-6.5"


@pytest.fixture
def major(cast):
    seed_majors(at=NOON - timedelta(days=1))
    cast.supervisor = person("supervisor")
    return cast


def step(hazard, action, by, at=NOON + timedelta(minutes=5), **fields):
    given = StepInput(id=uuid.uuid4(), version=Hazard.objects.get(pk=hazard.pk).version, **fields)
    return take_step(hazard_id=hazard.pk, action=action, given=given, actor=by, at=at)


def taken(cast, **filing):
    hazard = file_hazard(cast.neighbour, **{"severity": "major", "criterion": CODE, **filing})
    step(hazard, "accept", cast.dispatcher)
    step(hazard, "dispatch", cast.dispatcher, department="fire-02")
    return step(hazard, "take", cast.handler)


def relay():
    while relay_waiting(listen=LISTENERS, project=PROJECTIONS):
        pass


def told(topic):
    return sorted(Notice.objects.filter(topic=topic).values_list("recipient__role", flat=True))


# -- criteria --------------------------------------------------------------------------------------


def test_a_known_code_is_kept_with_its_words_and_another_criterion_with_its_basis(major):
    words = Criterion.objects.get(code=CODE).name_zh
    assert file_hazard(major.neighbour, severity="major", criterion=CODE).criterion == f"{CODE} {words}"
    for given in ("other: 判定标准第五条第一款", "其他：判定标准第五条第一款"):
        other = file_hazard(major.neighbour, severity="major", criterion=given)
        assert other.criterion == "其他：判定标准第五条第一款"


@pytest.mark.parametrize("given", ["判定标准第五条第一款和第二款", "other: 太短", "other", CODE + "9", "x" * 200])
def test_words_that_name_no_criterion_are_kept_when_filed_and_refused_when_decided(major, given):
    filed = file_hazard(major.neighbour, severity="major", criterion=given)
    assert filed.criterion.startswith("其他：")
    hazard = file_hazard(major.neighbour)
    with pytest.raises(FieldsMissing) as missing:
        step(hazard, "raise", major.dispatcher, criterion=given, words="人员密集")
    assert list(missing.value.errors) == ["criterion"]
    assert given[:40] in str(missing.value.errors["criterion"])


def test_a_major_hazard_is_not_filed_without_a_criterion(major):
    with pytest.raises(FilingRefused) as refused:
        file_hazard(major.neighbour, severity="major", criterion=" ")
    assert refused.value.field == "criterion"


def test_a_criterion_that_is_not_in_force_makes_no_major_hazard(major):
    Criterion.objects.filter(code=CODE).update(active=False)
    hazard = file_hazard(major.neighbour)
    with pytest.raises(FieldsMissing):
        step(hazard, "raise", major.dispatcher, criterion=CODE, words="人员密集")


# -- the severity of the catalogue -----------------------------------------------------------------


@pytest.fixture
def grave(major):
    """Return a matter that the catalogue holds for major."""
    matter = Matter.objects.get(code="XF-002")
    matter.severity = "major"
    matter.save()
    return matter


def test_another_matter_that_is_major_asks_what_the_case_is(major, grave):
    hazard = file_hazard(major.neighbour)
    for more in ({}, {"severity": "major"}):
        with pytest.raises(FieldsMissing) as refusal:
            step(hazard, "change_matter", major.dispatcher, matter="XF-002", words="归类有误", **more)
        assert list(refusal.value.errors) == (["criterion"] if more else ["severity"])
        hazard.refresh_from_db()
        assert (hazard.matter.code, hazard.severity, hazard.version) == ("XF-001", "general", 1)

    given = {"matter": "XF-002", "words": "归类有误", "severity": "major", "criterion": CODE}
    assert step(hazard, "change_matter", major.dispatcher, **given).severity == "major"
    assert "重大" in Step.objects.get(hazard=hazard, action="change_matter").words
    back = {"matter": "XF-001", "words": "仍归原类", "severity": "general"}
    with pytest.raises(FieldsMissing) as refusal:  # to lower it is a supervisor's
        step(hazard, "change_matter", major.dispatcher, **back)
    assert list(refusal.value.errors) == ["severity"]


def test_a_case_stays_general_under_a_major_matter_with_the_reason_in_its_history(major, grave):
    hazard = file_hazard(major.neighbour)
    words = "现场仅一处轻微占用"
    changed = step(hazard, "change_matter", major.dispatcher, matter="XF-002", severity="general", words=words)

    assert (changed.matter.code, changed.severity) == ("XF-002", "general")
    kept = Step.objects.get(hazard=hazard, action="change_matter").words
    assert kept.startswith(words)
    assert "一般" in kept
    step(
        hazard, "raise", major.dispatcher, criterion=CODE, words="现场核实", severity="general"
    )  # decides nothing here
    assert Step.objects.get(hazard=hazard, action="raise").words == "现场核实"


def test_who_accepts_sees_what_the_catalogue_proposes(major, grave, client):
    hazard = file_hazard(major.neighbour, matter="XF-002", severity="general")
    client.force_login(major.dispatcher)
    client.cookies["django_language"] = "en"

    assert "Proposed major by the catalogue" in client.get(f"/hazards/{hazard.pk}/").content.decode()
    step(hazard, "raise", major.dispatcher, criterion=CODE, words="人员密集")
    assert "Proposed major by the catalogue" not in client.get(f"/hazards/{hazard.pk}/").content.decode()


def test_a_general_filing_asks_nothing_of_the_catalogue(major):
    file_hazard(major.neighbour)
    with CaptureQueriesContext(connection) as queries:
        file_hazard(major.neighbour)
    assert not [one for one in queries.captured_queries if "hazards_criterion" in one["sql"]]


def test_the_catalogue_is_readable_by_every_role_and_cut_by_matter(major, django_assert_num_queries):
    worker = client_of(major.neighbour)
    everything = worker.get("/api/v1/criteria/?page_size=100").json()["results"]
    assert len(everything) == worker.get("/api/v1/criteria/count/").json()["count"] == Criterion.objects.count() >= 12
    assert all(one["basis"] for one in everything)
    fire = {one["code"] for one in worker.get("/api/v1/criteria/?matter=XF-001").json()["results"]}
    assert fire and fire == {one["code"] for one in everything if "XF" in one["classes"]}
    assert worker.get("/api/v1/criteria/?matter=NO-1").json()["results"] == []
    assert worker.get("/api/v1/criteria/?color=red").status_code == 400


def test_a_criterion_names_its_clause_or_is_illustrative(major):
    """Compared with the texts as published: Order 10 of 2023, 121 of 2017, 4 of 2023."""
    compared = dict(Criterion.objects.filter(illustrative=False).values_list("code", "basis"))
    assert compared["YJ10-12-1"].endswith("（应急管理部令第 10 号）第十二条第（一）项")
    assert compared["CG2023-4-1"].endswith("（建城规〔2023〕4 号）第四条第（一）项")
    assert compared["AJ121-7"].endswith("（安监总管三〔2017〕121 号）第七项")
    assert all("第" in basis and "未核对" not in basis for basis in compared.values())
    others = Criterion.objects.filter(illustrative=True)
    assert all("未核对" in one.basis or "代替" in one.basis or "2024 版" in one.basis for one in others)
    assert not Criterion.objects.filter(code__startswith="GB35181", illustrative=False).exists()  # replaced in 2025


def test_the_page_of_a_case_says_from_where_its_criterion_is_and_whether_it_is_illustrative(major, client):
    client.force_login(major.dispatcher)
    client.cookies["django_language"] = "en"

    def page(code):
        hazard = file_hazard(major.neighbour, severity="major", criterion=code)
        return client.get(f"/hazards/{hazard.pk}/").content.decode()

    fire, trade, own = page(CODE), page("YJ10-3-2"), page("other: 判定标准第五条第一款")
    assert "GB 35181-2017" in fire and "illustrative" in fire
    assert "第三条第（二）项" in trade and "illustrative" not in trade
    assert "illustrative" not in own


def test_a_change_of_a_criterion_is_kept_by_the_database(major):
    one = Criterion.objects.get(code=CODE)
    one.name_zh = "改了措辞"
    one.save()
    assert CriterionHistory.objects.filter(pgh_obj=one).order_by("pgh_id").last().name_zh == "改了措辞"


# -- raise and lower -------------------------------------------------------------------------------


def test_a_general_case_is_raised_by_a_dispatcher_and_lowered_by_a_supervisor_and_the_figures_follow(major):
    hazard = file_hazard(major.neighbour)
    with pytest.raises(FieldsMissing) as refusal:
        step(hazard, "raise", major.dispatcher)
    assert set(refusal.value.errors) == {"criterion", "reason"}
    with pytest.raises(NotAllowed):
        step(hazard, "raise", major.handler, criterion=CODE, words="人员密集")
    raised = step(hazard, "raise", major.dispatcher, criterion=CODE, words="人员密集")
    assert (raised.severity, raised.criterion.split(" ")[0], raised.state) == ("major", CODE, "reported")
    assert "hazards.major_open" in Period.objects.filter(subject_id=str(hazard.pk)).latest("pk").now
    with pytest.raises(NotAllowed):
        step(hazard, "lower", major.dispatcher, words="不够重大")
    lowered = step(hazard, "lower", major.supervisor, words="经核实属一般隐患")
    assert (lowered.severity, lowered.criterion) == ("general", "")
    assert "hazards.major_open" not in Period.objects.filter(subject_id=str(hazard.pk)).latest("pk").now
    relay()
    assert [row for row in differences() if row.startswith("hazard")] == []
    assert list(Step.objects.filter(hazard=hazard).order_by("version").values_list("action", flat=True)) == [
        "report", "raise", "lower",
    ]  # fmt: skip


def test_what_is_lowered_loses_its_plan_and_needs_a_new_one_when_raised_again(major):
    hazard = taken(major)
    step(hazard, "plan", major.handler, **PLAN)
    step(hazard, "approve_plan", major.supervisor)
    step(hazard, "lower", major.supervisor, words="属一般隐患")
    again = step(hazard, "raise", major.dispatcher, criterion=CODE, words="再次核实")
    assert again.plan_approved_at is None
    assert Plan.objects.filter(hazard=hazard).count() == 1


def test_a_major_hazard_is_not_put_right_on_the_spot_nor_merged_into_a_general_one(major):
    hazard, general = file_hazard(major.neighbour, severity="major", criterion=CODE), file_hazard(major.neighbour)
    for role in ("before", "after"):
        major.photo(hazard, role, major.neighbour)
    with translation.override("en"), pytest.raises(StepNotAllowed, match="approved plan"):
        step(hazard, "handle_on_spot", major.neighbour)
    with translation.override("en"), pytest.raises(FieldsMissing) as refusal:
        step(hazard, "merge", major.dispatcher, into=general.number)
    assert "major" in refusal.value.errors["into"] and general.number in refusal.value.errors["into"]
    assert step(general, "merge", major.dispatcher, into=hazard.number).state == "merged"


# -- the plan with its five items ------------------------------------------------------------------


def test_a_major_hazard_is_not_rectified_without_an_approved_plan(major):
    hazard = taken(major)
    major.photo(hazard, "after", major.handler)
    with translation.override("en"), pytest.raises(StepNotAllowed, match="approved plan"):
        step(hazard, "rectify", major.handler, words="已整改")
    step(hazard, "plan", major.handler, **PLAN)
    with pytest.raises(StepNotAllowed):
        step(hazard, "rectify", major.handler, words="已整改")
    with pytest.raises(NotAllowed):
        step(hazard, "approve_plan", major.handler)
    step(hazard, "approve_plan", major.supervisor)
    assert step(hazard, "rectify", major.handler, words="已整改").state == "rectified"


def test_a_general_hazard_needs_no_plan(major):
    hazard = taken(major, severity="general", criterion="")
    with pytest.raises(StepNotAllowed):
        step(hazard, "plan", major.handler, **PLAN)
    major.photo(hazard, "after", major.handler)
    assert step(hazard, "rectify", major.handler, words="已整改").state == "rectified"


@pytest.mark.parametrize("name", sorted(PLAN))
def test_each_of_the_five_items_is_asked_for_by_its_name(major, name):
    hazard = taken(major)
    with pytest.raises(FieldsMissing) as refusal:
        step(hazard, "plan", major.handler, **{**PLAN, name: None if name == "finish_on" else "  "})
    assert set(refusal.value.errors) == {name}


@pytest.mark.parametrize(
    ("funds", "kept"), [("none", None), ("无需", None), ("3,000", Decimal(3000)), ("0.5", Decimal("0.5"))]
)
def test_funds_are_an_amount_or_none_needed(major, funds, kept):
    hazard = taken(major)
    step(hazard, "plan", major.handler, **{**PLAN, "funds": funds})
    assert Plan.objects.get(hazard=hazard).funds_yuan == kept


@pytest.mark.parametrize("funds", ["-3", "0", "much", "NaN", "1e30", "1.005", "Infinity"])
def test_funds_that_are_no_amount_are_refused(major, funds):
    hazard = taken(major)
    with translation.override("en"), pytest.raises(FieldsMissing, match="funds") as refusal:
        step(hazard, "plan", major.handler, **{**PLAN, "funds": funds})
    assert funds in refusal.value.errors["funds"] and "yuan" in refusal.value.errors["funds"]


def test_a_plan_that_ends_in_the_past_is_refused(major):
    hazard = taken(major)
    with pytest.raises(FieldsMissing) as refusal:
        step(hazard, "plan", major.handler, **{**PLAN, "finish_on": date(2026, 11, 22)})
    assert set(refusal.value.errors) == {"finish_on"}


def test_each_version_of_a_plan_is_kept_and_people_are_told(major):
    hazard = taken(major)
    step(hazard, "plan", major.handler, **PLAN)
    with pytest.raises(StepNotAllowed):
        step(hazard, "plan", major.handler, **PLAN)
    step(hazard, "return_plan", major.supervisor, words="资金来源不清")
    step(hazard, "plan", major.handler, **{**PLAN, "funds": "none"})
    step(hazard, "approve_plan", major.supervisor)
    relay()
    assert told("hazard.plan_asked") == ["supervisor", "supervisor"]
    assert (told("hazard.plan_returned"), told("hazard.plan_approved")) == (["department_handler"],) * 2
    answer = client_of(major.handler).get(f"/api/v1/hazards/{hazard.pk}/major/").json()
    assert [(plan["version"], plan["is_approved"], plan["funds_yuan"]) for plan in answer["plans"]] == [
        (2, True, None), (1, False, "12000.50"),
    ]  # fmt: skip
    assert answer["plans"][1]["decision"] == "资金来源不清"


# -- stopped work ----------------------------------------------------------------------------------


def test_work_is_stopped_and_goes_on_and_meanwhile_the_case_is_not_written_off_merged_or_lowered(major):
    hazard = taken(major)
    other = file_hazard(major.neighbour)
    with pytest.raises(NotAllowed):
        step(hazard, "stop_work", major.handler, scope="二层", basis="安全生产法")
    with pytest.raises(FieldsMissing) as refusal:
        step(hazard, "stop_work", major.dispatcher)
    assert set(refusal.value.errors) == {"scope", "basis"}
    since = NOON + timedelta(minutes=1)
    stopped = step(
        hazard, "stop_work", major.dispatcher, scope="二层营业区", basis="《安全生产法》第六十五条", since=since
    )
    assert (stopped.stopped_at, stopped.state) == (since, "taken")
    for action, by, more in (
        ("lower", major.supervisor, {"words": "属一般"}),
        ("merge", major.dispatcher, {"into": other.number}),
        ("stop_work", major.supervisor, {"scope": "全部", "basis": "x"}),
    ):
        with pytest.raises(StepNotAllowed):
            step(hazard, action, by, **more)
    step(hazard, "plan", major.handler, **PLAN)
    step(hazard, "approve_plan", major.supervisor)
    major.photo(hazard, "after", major.handler)
    step(hazard, "rectify", major.handler, words="已整改")
    step(hazard, "verify", major.worker, lon=118.53, lat=37.45)
    with translation.override("en"), pytest.raises(StepNotAllowed, match="Work is stopped"):
        step(hazard, "write_off", major.dispatcher)
    step(hazard, "resume_work", major.supervisor, words="复查合格，恢复营业")
    stop = StopWork.objects.get(hazard=hazard)
    assert (stop.ended_by, stop.ended_why) == (major.supervisor, "复查合格，恢复营业")
    assert step(hazard, "write_off", major.dispatcher).state == "written_off"
    relay()
    assert told("hazard.stopped") == ["department_handler"]


def test_only_major_hazards_are_stopped_and_not_from_a_time_to_come(major):
    general = taken(major, severity="general", criterion="")
    with pytest.raises(StepNotAllowed):
        step(general, "stop_work", major.supervisor, scope="二层", basis="x")
    hazard = taken(major)
    with pytest.raises(FieldsMissing) as refusal:
        step(hazard, "stop_work", major.supervisor, scope="二层", basis="x", since=NOON + timedelta(days=1))
    assert set(refusal.value.errors) == {"since"}


def test_the_list_is_cut_to_what_stands_still(major):
    hazard, _other = taken(major), taken(major)
    step(hazard, "stop_work", major.supervisor, scope="二层", basis="x")
    client = client_of(major.dispatcher)
    assert [row["id"] for row in client.get("/api/v1/hazards/?stopped=true").json()["results"]] == [str(hazard.pk)]
    assert client.get("/api/v1/hazards/count/?stopped=false").json()["count"] == 1
    client.force_login(major.dispatcher)
    page = client.get("/hazards/?stopped=true").content.decode()
    assert hazard.number in page and _other.number not in page


# -- doors -----------------------------------------------------------------------------------------


def test_steps_of_majors_go_through_the_door_of_all_steps_once(major):
    hazard = taken(major)
    client = client_of(major.handler)
    now = Hazard.objects.get(pk=hazard.pk).version
    body = {
        "id": str(uuid.uuid4()),
        "version": now,
        **PLAN,
        "finish_on": f"{timezone.localdate() + timedelta(days=30)}",
    }
    first = client.post(f"/api/v1/hazards/{hazard.pk}/plan/", body, content_type="application/json")
    assert first.status_code == 200, first.json()
    again = client.post(f"/api/v1/hazards/{hazard.pk}/plan/", body, content_type="application/json")
    assert (again.status_code, again.json()) == (200, first.json())
    assert Plan.objects.filter(hazard=hazard).count() == 1
    other = client.post(f"/api/v1/hazards/{hazard.pk}/plan/", {**body, "unit": "x"}, content_type="application/json")
    assert other.status_code == 422
    stranger = client_of(person("supervisor", area=AWAY))
    assert stranger.get(f"/api/v1/hazards/{hazard.pk}/major/").status_code == 404


def test_the_page_of_a_case_shows_plan_and_stop_and_offers_the_catalogue(major, client):
    hazard = taken(major)
    step(hazard, "stop_work", major.supervisor, scope="二层营业区", basis="《安全生产法》第六十五条")
    step(hazard, "plan", major.handler, **PLAN)
    client.force_login(major.supervisor)
    page = client.get(f"/hazards/{hazard.pk}/").content.decode()
    for words in ("二层营业区", PLAN["measures"], "12,000.50", 'data-step="approve_plan"', "/list/"):
        assert words in page
    general = file_hazard(major.neighbour)
    client.force_login(major.dispatcher)
    assert f'value="{CODE}"' in client.get(f"/hazards/{general.pk}/").content.decode()


def test_at_the_turn_of_a_year_a_plan_ends_on_days_of_the_city(major):
    hazard = taken(major)
    last = datetime(2026, 12, 31, 23, 30, tzinfo=CITY)
    kept = step(hazard, "plan", major.handler, at=last, **{**PLAN, "finish_on": date(2026, 12, 31)})
    assert kept.plan_asked_at == last


# -- the day of an approved plan ---------------------------------------------------------------------


@pytest.fixture
def planned(major):
    seed_limits()
    return major


def due(hazard):
    at = Hazard.objects.get(pk=hazard.pk).due_at
    return f"{at.astimezone(CITY):%m-%d %H:%M}" if at else None


def approved(cast, hazard, day=date(2026, 12, 20), at=NOON + timedelta(hours=1)):
    step(hazard, "plan", cast.handler, at, **{**PLAN, "finish_on": day})
    return step(hazard, "approve_plan", cast.supervisor, at)


def test_the_day_of_an_approved_plan_is_the_limit_and_is_explained(planned, client):
    hazard = taken(planned)
    mine = Hazard.objects.get(pk=hazard.pk).due_at
    approved(planned, hazard)
    assert due(hazard) == "12-21 00:00"  # the end of the 20th
    assert mark_overdue(at=mine + timedelta(days=1)) == 0
    assert mark_overdue(at=datetime(2026, 12, 21, 0, 1, tzinfo=CITY)) == 1
    answer = clock_answer(Hazard.objects.get(pk=hazard.pk), NOON + timedelta(hours=2))
    rows = {row["stage"]: row for row in answer["stages"] if row["running"]}
    assert (rows["rectify"]["due_at"], rows["rectify"]["gives_way"]) == (None, True)
    sums = rows["plan"]["arithmetic"]
    assert sums["used_before_s"] + sum(span["counted_s"] for span in sums["spans"]) == sums["limit_s"]
    client.force_login(planned.dispatcher)
    client.cookies["django_language"] = "en"
    page = client.get(f"/hazards/{hazard.pk}/").content.decode()
    assert "Limit by version 1 of the plan, until the end of 2026-12-20" in page
    assert "An approved plan sets the day" in page


def test_a_new_version_moves_the_limit_and_nothing_else_does(planned):
    hazard = taken(planned)
    approved(planned, hazard)
    with translation.override("en"), pytest.raises(StepNotAllowed, match="day of the approved plan"):
        step(hazard, "ask_extension", planned.handler, NOON + timedelta(hours=2), amount=1, words="再要")
    approved(planned, hazard, date(2026, 12, 10), NOON + timedelta(hours=3))
    assert due(hazard) == "12-11 00:00"
    # Laid in time, after the matter's own limit would have ended.
    approved(planned, hazard, date(2026, 12, 28), datetime(2026, 12, 10, 9, 0, tzinfo=CITY))
    assert due(hazard) == "12-29 00:00"
    assert ClockChange.objects.filter(hazard=hazard, kind="plan", ended_at=None).get().words == "3"


def test_a_pause_lets_the_day_of_a_plan_stand_and_a_failed_verification_goes_on_with_it(planned):
    hazard = taken(planned)
    approved(planned, hazard)
    at = NOON + timedelta(hours=2)
    step(hazard, "pause", planned.dispatcher, at, cause="weather", words="暴雨")
    step(hazard, "resume", planned.dispatcher, at + timedelta(days=3))
    assert due(hazard) == "12-24 00:00"
    planned.photo(hazard, "after", planned.handler)
    step(hazard, "rectify", planned.handler, at + timedelta(days=3), words="已清理")
    step(hazard, "fail", planned.neighbour, at + timedelta(days=4), words="还在")
    assert due(hazard) == "12-25 00:00"


def test_lowered_again_the_matter_s_limit_holds_with_all_that_was_used_up(planned):
    hazard = taken(planned)
    before = due(hazard)
    approved(planned, hazard)
    step(hazard, "lower", planned.supervisor, NOON + timedelta(hours=5), words="不构成重大")
    assert due(hazard) == before
    assert not Clock.objects.filter(hazard=hazard, stage="plan").exists()


def test_a_plan_lasts_no_longer_than_the_rule_says(planned):
    LimitRule.objects.filter(severity="major").update(most_plan_days=20)
    hazard = taken(planned)
    with pytest.raises(FieldsMissing) as refusal:
        step(hazard, "plan", planned.handler, **{**PLAN, "finish_on": NOON.date() + timedelta(days=21)})
    assert "20" in refusal.value.errors["finish_on"]
    step(hazard, "plan", planned.handler, **{**PLAN, "finish_on": NOON.date() + timedelta(days=20)})


def test_a_plan_laid_after_the_limit_does_not_undo_that_it_is_late(planned):
    hazard = taken(planned)
    before = due(hazard)
    late = Hazard.objects.get(pk=hazard.pk).due_at + timedelta(hours=3)
    mark_overdue(at=late)
    approved(planned, hazard, late.date() + timedelta(days=10), late)
    assert (due(hazard), Hazard.objects.get(pk=hazard.pk).overdue) == (before, True)


def test_a_plan_laid_in_time_and_approved_after_lifts_the_mark(planned):
    hazard = taken(planned)
    limit = Hazard.objects.get(pk=hazard.pk).due_at
    step(hazard, "plan", planned.handler, **{**PLAN, "finish_on": limit.date() + timedelta(days=10)})
    mark_overdue(at=limit + timedelta(hours=1))
    step(hazard, "approve_plan", planned.supervisor, limit + timedelta(hours=2))
    found = Hazard.objects.get(pk=hazard.pk)
    assert (found.overdue, found.late) == (False, True)


def test_a_plan_whose_day_has_passed_is_not_approved(planned):
    hazard = taken(planned)
    step(hazard, "plan", planned.handler, **PLAN)
    with pytest.raises(FieldsMissing) as refusal:
        step(hazard, "approve_plan", planned.supervisor, datetime(2026, 12, 21, 9, 0, tzinfo=CITY))
    assert list(refusal.value.errors) == ["finish_on"]


def test_the_limit_of_the_whole_case_grows_with_a_plan_and_shrinks_with_its_end(planned):
    Matter.objects.filter(code="XF-001").update(total_amount=10, total_unit="work_days")
    hazard = taken(planned)
    approved(planned, hazard)
    assert due(hazard) == "12-21 00:00"
    approved(planned, hazard, date(2026, 12, 28), datetime(2026, 12, 15, 9, 0, tzinfo=CITY))
    assert due(hazard) == "12-29 00:00"  # the ten days would have ended before this version was laid
    step(hazard, "lower", planned.supervisor, datetime(2026, 12, 15, 10, 0, tzinfo=CITY), words="不构成重大")
    assert Clock.objects.get(hazard=hazard, stage="total").amount == 10


def test_a_duplicate_merged_after_the_approval_still_brings_its_earlier_limit(planned):
    hazard, other = taken(planned), taken(planned)
    theirs = due(other)
    approved(planned, hazard)
    step(other, "merge", planned.dispatcher, NOON + timedelta(hours=2), into=hazard.number)
    assert due(hazard) == theirs
    approved(planned, hazard, date(2026, 12, 18), NOON + timedelta(hours=3))  # of both now
    assert due(hazard) == "12-19 00:00"


def test_what_was_late_when_it_was_merged_into_a_paused_case_does_not_give_way_to_its_plan(planned):
    Matter.objects.filter(code="XF-002").update(rectify_amount=1, rectify_unit="urgent_hours")
    hazard, other = taken(planned), taken(planned, matter="XF-002")
    theirs = due(other)
    step(hazard, "plan", planned.handler, NOON + timedelta(hours=2), **PLAN)
    step(hazard, "pause", planned.dispatcher, NOON + timedelta(hours=3), cause="weather", words="暴雨")
    step(other, "merge", planned.dispatcher, NOON + timedelta(hours=4), into=hazard.number)
    step(hazard, "approve_plan", planned.supervisor, NOON + timedelta(hours=5))
    step(hazard, "resume", planned.dispatcher, NOON + timedelta(hours=6))
    assert due(hazard) == theirs  # an hour before the plan was laid


def test_an_extension_that_waits_ends_with_the_approval(planned):
    hazard = taken(planned)
    step(hazard, "plan", planned.handler, **PLAN)
    step(hazard, "ask_extension", planned.handler, amount=1, words="配件")
    found = step(hazard, "approve_plan", planned.supervisor)
    assert found.extension_asked_at is None
    assert Step.objects.filter(hazard=hazard, action="lapse").count() == 1
