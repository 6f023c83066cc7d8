"""Figures of the evaluation against a plain recount, their lists, rights, and what they cost."""

import random
import uuid
from collections import defaultdict
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.contrib.gis.geos import Point
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hazards import tasks
from hazards.evaluation import keeping, selectors
from hazards.evaluation.models import EvaluationRule, Indicator
from hazards.evaluation.seeds import seed_evaluation
from hazards.evaluation.spans import Days, days_of
from hazards.evaluation.words import COUNTS, formula_words, summed
from hazards.models import Clock, ClockChange, FormerPlace, Hazard, LimitRule, Mark, Step
from hazards.seeds import seed_limits
from tests.factories import AWAY, HOME, make_city, person
from tests.sheets import csv_rows

from .test_api import client_of

pytestmark = pytest.mark.django_db
CITY = ZoneInfo("Asia/Shanghai")
MARCH = Days(date(2026, 3, 1), date(2026, 3, 31))
START = datetime(2026, 3, 1, tzinfo=CITY)
ACTIONS = ("accept", "dispatch", "return", "fail", "reopen", "ask_extension", "grant_extension", "write_off")


class World:
    """A small city, people, and cases whose history is written down as it stands, without asking the table of steps."""

    def __init__(self) -> None:
        self.city = make_city()
        seed_limits()
        seed_evaluation()
        self.offices = self.city.departments
        self.handlers = {code: person("department_handler", department=one) for code, one in self.offices.items()}
        self.workers = [person("grid_worker") for _ in range(2)]
        self.numbers = 0

    def case(self, at: datetime, *, office: str = "fire-02", late=False, pinned=False, area=f"{HOME}001001001", **more):
        self.numbers += 1
        closed = more.pop("closed", None)
        return Hazard.objects.create(
            id=uuid.uuid4(), number=f"YH-E-{self.numbers}", matter=self.city.matters[more.pop("matter", "XF-001")],
            area_code=area, cell=self.city.cells.get(area), department=self.offices.get(office), severity="general",
            reporter=more.pop("reporter", self.workers[0]), location=Point(118.53, 37.45), occurred_at=at, received_at=at,
            changed_at=at, late=late, pinned_at=at if pinned else None, state="written_off" if closed else "taken",
            written_off_at=closed, **more,
        )  # fmt: skip

    def step(self, hazard: Hazard, action: str, at: datetime, by=None) -> None:
        version = hazard.version = hazard.version + 1
        Step.objects.create(
            id=uuid.uuid4(), hazard=hazard, action=action, target=hazard.state, version=version, at=at, actor=by,
            department=hazard.department,
        )  # fmt: skip
        self.changed(hazard, at)

    def changed(self, hazard: Hazard, at: datetime, **how: object) -> None:
        hazard.changed_at = max(hazard.changed_at, at)
        Hazard.objects.filter(pk=hazard.pk).update(changed_at=hazard.changed_at, **how)

    def mark(self, hazard: Hazard, at: datetime, stage: str = "rectify") -> None:
        Mark.objects.create(hazard=hazard, stage=stage, version=hazard.version, due_at=at, at=at)
        self.changed(hazard, at, late=True)

    def pause(
        self, hazard: Hazard, at: datetime, ended: datetime | None = None, *, granted: bool | None = True
    ) -> None:
        ClockChange.objects.create(
            hazard=hazard, kind="pause", stage="rectify", asked_at=at, decided_at=at, is_granted=granted, ended_at=ended
        )


@pytest.fixture
def world(db):
    cache.clear()
    return World()


def day(n: float) -> datetime:
    return START + timedelta(days=n)


def counts_of(world, by="department", key="fire-02", area="3705"):
    [row] = [row for row in selectors.evaluate(area, by, MARCH).rows if row.key == key]
    return row


# -- figures ---------------------------------------------------------------------------------------


def recount(world, by):
    """Count the slow way, from rows, as the rules in words say."""
    inside = lambda at: at is not None and MARCH.start <= at < MARCH.end  # noqa: E731
    found = defaultdict(lambda: [defaultdict(int), defaultdict(int)])
    weights = {rule.severity: rule.pin_weight for rule in LimitRule.objects.all()}
    for hazard in Hazard.objects.select_related("department", "matter__matter_class", "reporter"):
        steps = [one for one in hazard.steps.select_related("actor__department") if inside(one.at)]
        did = {one.action for one in steps}
        marks = [one for one in hazard.marks.all() if by != "department" or one.stage == "rectify"]
        marked = any(inside(one.at) for one in marks)
        was_late = any(one.at < MARCH.end for one in marks)
        stood = any(
            one.kind == "pause" and one.is_granted and one.decided_at < MARCH.end
            and not any(mark.at < one.decided_at for mark in hazard.marks.all())
            and one.decided_at >= MARCH.start - timedelta(days=366) and (one.ended_at is None or one.ended_at >= MARCH.start)
            for one in hazard.clock_changes.all()
        )  # fmt: skip
        closed = "write_off" in did
        held = {
            "received": inside(hazard.received_at), "accepted": "accept" in did, "dispatched": "dispatch" in did,
            "should_close": closed or marked or stood, "deferred": stood and not closed, "closed": closed,
            "closed_on_time": closed and not was_late, "overdue": marked, "reworked": "fail" in did,
            "returned": "return" in did, "reopened": "reopen" in did, "extension_asked": "ask_extension" in did,
            "extension_granted": "grant_extension" in did,
        }  # fmt: skip
        before = [one for one in hazard.steps.order_by("version") if one.at < MARCH.end]
        had = hazard.department
        if hazard.changed_at >= MARCH.end:
            had = before[-1].department if before else None
        own = {
            "department": had and had.code, "county": hazard.area_code[:6],
            "township": hazard.area_code[:9], "class": hazard.matter.matter_class.code, "matter": hazard.matter.code,
            "worker": str(hazard.reporter_id),
        }[by]  # fmt: skip
        returners = {one.actor.department.code for one in steps if one.action == "return"}
        weight = weights[hazard.severity] if hazard.pinned_at else 1
        for count, is_in in held.items():
            keys = returners if by == "department" and count == "returned" else {own} if is_in else set()
            for key in keys - {None}:
                found[key][0][count] += 1
                found[key][1][count] += weight
    return {key: pair for key, pair in found.items() if any(pair[0].values())}


def live(world, seed: int) -> None:
    """Write down some cases with anything that may happen to them, before, within and after the days."""
    rnd = random.Random(seed)
    for _n in range(14):
        at = day(rnd.choice([rnd.uniform(-40, 45), rnd.uniform(-450, -350)]))
        hazard = world.case(
            at, office=rnd.choice(["fire-02", "roads-02", "fire-03", ""]),
            pinned=rnd.random() < 0.3, area=rnd.choice([f"{HOME}001001001", f"{AWAY}001001002"]),
            matter=rnd.choice(["XF-001", "SZ-001"]), reporter=rnd.choice(world.workers),
        )  # fmt: skip
        for action in rnd.choices(ACTIONS, k=rnd.randint(0, 7)):
            by = rnd.choice(list(world.handlers.values()))
            world.step(hazard, action, max(at, day(rnd.uniform(-20, 45))), by)
        if rnd.random() < 0.4:
            world.mark(hazard, max(at, day(rnd.uniform(-20, 45))), rnd.choice(["accept", "rectify", "verify"]))
        if rnd.random() < 0.4:
            begun = max(at, day(rnd.uniform(-400, 45)))
            ended = begun + timedelta(days=rnd.uniform(0, 60)) if rnd.random() < 0.7 else None
            world.pause(hazard, begun, ended, granted=rnd.choice([True, True, False, None]))


@given(seed=st.integers(0, 10_000), by=st.sampled_from(list(selectors.DIMENSIONS)))
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_figures_are_those_of_a_plain_recount(world, seed, by):
    with transaction.atomic():
        live(world, seed)
        expected = recount(world, by)
        table = selectors.evaluate("3705", by, MARCH)
        assert {row.key for row in table.rows} == set(expected)
        for row in table.rows:
            assert row.counts == {key: expected[row.key][0][key] for key in COUNTS}, row.key
            assert row.weighed == {key: expected[row.key][1][key] for key in COUNTS}, row.key
        transaction.set_rollback(True)


def test_the_denominator_leaves_out_what_stood_by_a_granted_pause(world):
    EvaluationRule.objects.update(least=1)
    for n in range(3):
        world.step(world.case(day(1), closed=day(5)), "write_off", day(5 + n))
    world.mark(world.case(day(1), late=True), day(9))
    waits = world.case(day(1))
    before = counts_of(world).shares[0]
    world.pause(waits, day(3))
    refused = world.case(day(1))
    world.pause(refused, day(3), granted=False)
    row = counts_of(world)
    assert (row.counts["should_close"], row.counts["deferred"]) == (5, 1)
    assert before.value == row.shares[0].value == 3 / 4  # 3 on time ÷ (5 − 1)


def test_a_department_answers_for_what_was_late_while_it_rectified_and_the_city_for_all(world):
    EvaluationRule.objects.update(least=1)
    for stage in ("accept", "rectify", "verify"):
        hazard = world.case(day(1), closed=day(8))
        world.mark(hazard, day(3), stage)
        world.step(hazard, "write_off", day(8))
    department, city = counts_of(world), selectors.evaluate("3705", "department", MARCH).total
    assert (department.counts["overdue"], department.counts["closed_on_time"], department.counts["closed"]) == (1, 2, 3)
    assert (city.counts["overdue"], city.counts["closed_on_time"], city.counts["closed"]) == (3, 0, 3)
    assert counts_of(world, by="county", key=HOME).counts["overdue"] == 3


def test_a_pause_of_what_was_late_already_subtracts_nothing(world):
    late = world.case(day(1))
    world.mark(late, day(3))
    world.pause(late, day(4))
    row = counts_of(world)
    assert (row.counts["should_close"], row.counts["deferred"]) == (1, 0)


def test_what_happens_after_the_days_changes_nothing_of_them(world):
    """Closed in March by one department; in April late, reopened, with another department, in another cell."""
    EvaluationRule.objects.update(least=1)
    hazard = world.case(day(1), closed=day(5))
    world.step(hazard, "dispatch", day(2))
    world.step(hazard, "write_off", day(5))
    before = {by: selectors.evaluate("3705", by, MARCH) for by in selectors.DIMENSIONS}
    here = selectors.evaluate(hazard.area_code, "department", MARCH)

    FormerPlace.objects.create(hazard=hazard, area_code=hazard.area_code, until=day(40))
    hazard.department, hazard.state, hazard.written_off_at = world.offices["roads-02"], "taken", None
    hazard.area_code, hazard.cell, hazard.changed_at = f"{HOME}001001002", world.city.cells[f"{HOME}001001002"], day(41)
    hazard.pinned_at = day(41)
    hazard.save()
    world.step(hazard, "reopen", day(41))
    world.mark(hazard, day(42))

    for by, table in before.items():
        after = selectors.evaluate("3705", by, MARCH)
        assert [(row.key, row.counts, row.weighed) for row in after.rows] == [
            (row.key, row.counts, row.weighed) for row in table.rows
        ], by
    assert [row.counts for row in selectors.evaluate(here.area, "department", MARCH).rows] == [
        row.counts for row in here.rows
    ]
    new = selectors.evaluate(f"{HOME}001001002", "department", MARCH)
    assert new.rows == [] and not any(new.total.counts.values())
    supervisor = _reader("supervisor")
    for line in supervisor.get("/hazards/evaluation/", _march(area=here.area)).context["rows"]:
        for _key, number, _weighed, href in line["figures"]:
            count = supervisor.get(href.replace("/hazards/?", "/api/v1/hazards/count/?")).json()
            assert count == {"count": number}, href
            assert supervisor.get(href).context["count"] == number, href


def test_a_case_set_by_a_leader_counts_as_often_as_the_rule_says_and_is_one_case(world):
    LimitRule.objects.filter(severity="general").update(pin_weight=3)
    EvaluationRule.objects.update(least=1)
    world.step(world.case(day(1), closed=day(5), pinned=True), "write_off", day(5))
    world.mark(world.case(day(1), late=True), day(9))
    row = counts_of(world)
    assert (row.counts["closed_on_time"], row.weighed["closed_on_time"], row.counts["should_close"]) == (1, 3, 2)
    assert row.shares[0].value == 3 / 4


def test_too_few_cases_are_shown_and_neither_ranked_nor_coloured(world):
    for office, number in (("fire-02", 10), ("roads-02", 9)):
        for _n in range(number):
            world.step(world.case(day(1), office=office, closed=day(5)), "write_off", day(5))
    many, few = counts_of(world, key="fire-02"), counts_of(world, key="roads-02")
    assert (many.rank, many.is_small, many.score, many.shares[0].look) == (1, False, 100, "good")
    assert (few.rank, few.is_small, few.score, few.shares[0].look) == (None, True, None, "")
    assert few.shares[0].value == 1
    page = _reader("supervisor", "en").get("/hazards/evaluation/", _march()).content.decode()
    assert "With fewer than 10 cases that should be closed nobody is ranked or coloured" in page
    assert 'data-row="roads-02" class="is-small"' in page


def test_equal_scores_share_a_rank_and_the_better_one_is_first(world):
    for office in ("fire-02", "roads-02", "fire-03"):
        for n in range(10):
            hazard = world.case(day(1), office=office, closed=day(5))
            if office == "roads-02" and n < 3:
                world.mark(hazard, day(4))
            world.step(hazard, "write_off", day(5))
    rows = selectors.evaluate("3705", "department", MARCH).rows
    assert [(row.key, row.rank) for row in rows if row.rank == 3] == [("roads-02", 3)]
    assert sorted(row.rank for row in rows) == [1, 1, 3]


def test_formulas_are_data_that_name_counts_and_nothing_else(world):
    indicator = Indicator.objects.get(code="on_time")
    assert summed(["should_close", "-deferred"], {"should_close": 7, "deferred": 2}) == 5
    assert formula_words(["should_close", "-deferred"]).endswith(str(COUNTS["deferred"].label))
    for wrong in (["__import__('os')"], ["closed", "--deferred"], ["lost"]):
        indicator.numerator = wrong
        with pytest.raises(ValidationError, match=r"lost|import|deferred"):
            indicator.full_clean()
    Indicator.objects.update(active=False)
    Indicator.objects.create(
        code="own", name_zh="自定", numerator=["received", "-closed"], denominator=["received"], weight=1, full_at=0,
        none_at=1, basis="x",
    )  # fmt: skip
    for n in range(10):
        hazard = world.case(day(2), closed=day(3) if n < 4 else None)
        if n < 4:
            world.step(hazard, "write_off", day(3))
    [share] = counts_of(world).shares
    assert (share.value, share.look) == (0.6, "fair")


def test_working_time_is_what_was_used_before_and_what_ran_last(world):
    hazard = world.case(day(1), closed=day(5))
    world.step(hazard, "write_off", day(5))
    begun = datetime(2026, 3, 3, 9, tzinfo=CITY)
    for stage, unit, before, hours in (("accept", "work_hours", 0, 1), ("rectify", "urgent_hours", 3600, 2)):
        Clock.objects.create(
            hazard=hazard, stage=stage, unit=unit, amount=4, started_at=begun, consumed_s=before,
            stopped_at=begun + timedelta(hours=hours),
        )  # fmt: skip
    [row] = selectors.evaluate("3705", "department", MARCH, with_times=True).rows
    assert row.times == {"accept": 1.0, "rectify": 3.0}


@pytest.mark.parametrize(
    ("period", "first", "last"),
    [
        ("day", "2026-12-31", "2026-12-31"), ("week", "2026-12-28", "2027-01-03"), ("month", "2026-12-01", "2026-12-31"),
        ("quarter", "2026-10-01", "2026-12-31"),
    ],
)  # fmt: skip
def test_periods_are_days_of_the_city(period, first, last):
    assert str(days_of(period, date(2026, 12, 31))) == f"{first}..{last}"


# -- every figure is a list -------------------------------------------------------------------------


def _reader(role: str, language: str = "zh-hans", area: str = "3705", **more) -> Client:
    client = Client()
    client.cookies["django_language"] = language
    client.force_login(person(role, area=area, **more), backend="django.contrib.auth.backends.ModelBackend")
    return client


def _march(**more: str) -> dict[str, str]:
    return {"from": "2026-03-01", "to": "2026-03-31", **more}


@pytest.mark.parametrize("by", list(selectors.DIMENSIONS))
def test_every_figure_of_the_page_is_as_long_as_its_list(world, by):
    live(world, 7)
    live(world, 8)
    supervisor = _reader("supervisor")
    page = supervisor.get("/hazards/evaluation/", _march(by=by))
    assert page.status_code == 200
    lines = [*page.context["rows"], page.context["total"]]
    assert len(lines) > 1
    seen = 0
    for line in lines:
        for _key, number, _weighed, href in line["figures"]:
            count = supervisor.get(href.replace("/hazards/?", "/api/v1/hazards/count/?"))
            assert (count.status_code, count.json()) == (200, {"count": number}), href
            seen += number
    assert seen > 20
    [(_key, number, _w, href)] = [one for one in lines[-1]["figures"] if one[0] == "should_close"]
    assert supervisor.get(href).context["count"] == number


def test_the_api_says_the_same_and_names_its_lists(world):
    live(world, 9)
    client = client_of(person("supervisor", area="3705"))
    answer = client.get("/api/v1/evaluation/", _march(by="county")).json()
    for row in answer["rows"]:
        for figure in row["counts"].values():
            path, _question, asked = figure["list"].partition("?")
            assert client.get(f"{path}count/?{asked}").json()["count"] == figure["value"]
    assert {one["key"] for one in answer["counts"]} == set(COUNTS)


@pytest.mark.parametrize("asked", ["counted=closed", "counted=lost:2026-03-01..2026-03-02", "counted=closed:2026-03-02..2026-03-01",
                                   "counted=closed:2020-01-01..2026-03-01"])  # fmt: skip
def test_a_count_that_is_none_is_refused_with_what_is_expected(world, asked):
    answer = client_of(person("supervisor")).get(f"/api/v1/hazards/?{asked}")
    assert answer.status_code == 400
    assert "closed:2026-11-01..2026-11-30" in answer.content.decode()


def test_the_file_has_the_rows_of_the_page(world):
    live(world, 7)
    client = _reader("supervisor", "en")
    page = client.get("/hazards/evaluation/", _march())
    rows = csv_rows(client.get("/hazards/evaluation/export.csv", _march()))
    names = [line["row"].name for line in page.context["rows"]]
    assert [row[0] for row in rows[-len(names) - 1 :]] == [*names, "All cases"]


# -- who sees what ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "status"),
    [
        ("supervisor", 200), ("leader", 200), ("dispatcher", 200), ("auditor", 200), ("department_handler", 200),
        ("operator", 403), ("grid_worker", 403), ("kiosk", 403), ("administrator", 403), ("security_officer", 403),
    ],
)  # fmt: skip
def test_who_reads_an_evaluation(world, role, status):
    assert _reader(role).get("/hazards/evaluation/").status_code == status


def test_a_foreign_area_is_not_there(world):
    client = _reader("dispatcher", area=HOME)
    assert client.get("/hazards/evaluation/", {"area": AWAY}).status_code == 404
    assert client.get("/api/v1/evaluation/", {"area": AWAY}).status_code == 404
    assert client.get("/hazards/evaluation/doubts/", {"area": AWAY}).status_code == 404


def test_workers_are_named_to_those_who_answer_for_them_alone(world):
    world.case(day(1))
    for role, is_seen in (("supervisor", True), ("dispatcher", True), ("auditor", True), ("leader", False)):
        client = _reader(role, "en")
        page = client.get("/hazards/evaluation/", _march(by="worker"))
        assert (world.workers[0].name_en in page.content.decode()) == is_seen
        assert (client.get("/api/v1/evaluation/", _march(by="worker")).status_code == 200) == is_seen


def test_a_handler_sees_the_row_of_the_own_department_alone(world):
    for office in ("fire-02", "roads-02"):
        for _n in range(12):
            hazard = world.case(day(1), office=office, closed=day(5), party_departments=[world.offices[office].pk])
            world.step(hazard, "write_off", day(5))
    client = _reader("department_handler", area=HOME, department=world.offices["fire-02"])
    page = client.get("/hazards/evaluation/", _march())
    assert [line["row"].key for line in page.context["rows"]] == ["fire-02"]
    assert page.context["total"] is None
    for _key, number, _weighed, href in page.context["rows"][0]["figures"]:
        assert client.get(href.replace("/hazards/?", "/api/v1/hazards/count/?")).json()["count"] == number
    assert client.get("/api/v1/evaluation/", _march(by="county")).status_code == 400


@pytest.mark.parametrize(
    "asked", ["by=moon", "period=year", "on=x", "from=2026-03-01", "from=2024-01-01&to=2026-01-01", "x=1"]
)
def test_what_is_not_understood_is_said(world, asked):
    page = _reader("supervisor").get(f"/hazards/evaluation/?{asked}")
    assert page.status_code == 200
    assert 'role="alert"' in page.content.decode()
    assert client_of(person("supervisor")).get(f"/api/v1/evaluation/?{asked}").status_code == 400


# -- what it costs ----------------------------------------------------------------------------------


@pytest.mark.parametrize("by", list(selectors.DIMENSIONS))
def test_an_evaluation_costs_the_same_however_many_rows(world, by, django_assert_num_queries):
    for seed in (1, 2, 3):
        live(world, seed)
        with django_assert_num_queries(4):
            selectors.evaluate("3705", by, MARCH)


def test_a_month_is_read_by_indexes_and_never_the_whole_table(world):
    rnd = random.Random(1)
    base = world.case(day(-400))
    cases = [
        Hazard(
            id=uuid.uuid4(), number=f"YH-P-{n}", matter=base.matter, area_code=base.area_code, cell=base.cell,
            department=base.department, severity="general", reporter=base.reporter, location=base.location,
            occurred_at=day(-400 + n / 10), received_at=day(-400 + n / 10), changed_at=day(-400 + n / 10),
        )
        for n in range(6000)
    ]  # fmt: skip
    Hazard.objects.bulk_create(cases)
    Step.objects.bulk_create(
        Step(id=uuid.uuid4(), hazard=case, action=action, target="taken", version=2 + n, at=case.received_at)
        for case in cases
        for n, action in enumerate(("accept", "dispatch", "verify", "write_off", rnd.choice(ACTIONS)))
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE hazards_hazard, hazards_step")
    with CaptureQueriesContext(
        connection,
    ) as asked:
        table = selectors.evaluate("3705", "department", MARCH)
    assert table.total.counts["received"] > 200
    [sql] = [query["sql"] for query in asked.captured_queries if "WITH happened" in query["sql"]]
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {sql}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "Seq Scan on hazards_hazard" not in plan, plan
    assert "Seq Scan on hazards_step" not in plan, plan
    for index in ("step_of_day", "step_weighed", "hazard_newest"):
        assert index in plan, plan


def test_many_days_are_worked_out_beside_the_page_and_kept(world):
    world.step(world.case(day(1), closed=day(5)), "write_off", day(5))
    year = {"from": "2026-01-01", "to": "2026-12-31"}
    client = _reader("supervisor")
    for _n in range(2):
        page = client.get("/hazards/evaluation/", year)
        assert (page.status_code, page["Refresh"]) == (200, "3")
        assert client.get("/api/v1/evaluation/", year).status_code == 202
    assert "table" not in page.context
    tasks.evaluate("3705", "department", "2026-01-01..2026-12-31", with_times=False)  # as the worker does
    page = client.get("/hazards/evaluation/", year)
    assert page.context["table"].total.counts["closed"] == 1
    assert "Refresh" not in page
    Indicator.objects.filter(code="reopened").update(weight=9)
    assert keeping.looked_up("3705", "department", Days(date(2026, 1, 1), date(2026, 12, 31))) is None
