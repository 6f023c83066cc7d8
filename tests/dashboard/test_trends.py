"""Trends of an area: sums of kept figures that agree with the lists behind them, at a fixed number of queries."""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from citysafety.dashboard import trends
from citysafety.outbox.relay import relay_waiting
from citysafety.tallies.models import Tally
from citysafety.tallies.services import fold
from hazards.models import Hazard
from hazards.services.overdue import mark_overdue
from hazards.services.steps import StepInput, take_step
from tests.factories import AWAY, HOME, person

TOWN = f"{HOME}001"
VILLAGE = f"{TOWN}001"


@pytest.fixture(autouse=True)
def _warm(happen):
    happen(0)


@pytest.fixture
def dispatched(happen, city):
    """So many hazards of today that were dispatched to one office."""

    def act(count: int, **more):
        now = timezone.now()
        office, dispatcher = city.departments["fire-02"], person("dispatcher", level="county")
        cases = happen(count, at=now, **more)
        for case in cases:
            for action, given in (("accept", {}), ("dispatch", {"department": office.code})):
                version = Hazard.objects.get(pk=case.pk).version
                step = StepInput(id=uuid.uuid4(), version=version, **given)
                take_step(hazard_id=case.pk, action=action, given=step, actor=dispatcher, at=now)
        while relay_waiting(listen={}, project=(fold,)):
            pass
        return cases, office

    return act


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize(
    ("area", "more", "queries"),
    [
        ("3705", {}, 7), (HOME, {}, 7), (TOWN, {}, 6), (VILLAGE, {}, 6),
        ("3705", {"category": "XF"}, 6), (HOME, {"unit": "fire-02"}, 5),
    ],
)  # fmt: skip
def test_a_trend_costs_the_same_however_much_there_is(happen, django_assert_num_queries, area, more, queries, count):
    happen(count)
    with django_assert_num_queries(queries):
        look = trends.trends(area, 30, **more)
    assert len(look["days"]) == 30


def test_days_classes_and_parts_say_what_happened(happen):
    now = timezone.now()
    happen(2, at=now)
    happen(1, at=now, lon=118.72)
    look = trends.trends("3705", 30)
    assert look["total"].found == look["days"][-1]["found"] == 3
    assert {row.key: row.found for row in look["parts"]} == {HOME: 2, AWAY: 1}
    assert {row.key: row.found for row in look["kinds"] if row.found} == {"XF": 3}
    narrowed = trends.trends("3705", 30, category="XF")
    assert (narrowed["total"].found, narrowed["days"][-1]["found"]) == (3, 3)
    assert {row.key: row.found for row in narrowed["parts"]} == {HOME: 2, AWAY: 1}


def test_a_department_has_what_was_dispatched_to_it(dispatched):
    _cases, office = dispatched(2)
    for area in ("3705", HOME):
        [row] = trends.trends(area, 30)["offices"]
        assert (row.key, row.dispatched, row.cleared, row.share) == (f"@{office.code}", 2, 0, None)
    assert trends.trends("3705", 30, unit=office.code)["days"][-1]["dispatched"] == 2
    assert not Tally.objects.filter(category=f"@{office.code}", area=TOWN).exists()


def test_what_runs_out_is_counted_on_its_day_and_for_its_department(dispatched):
    [case], office = dispatched(1)
    mark_overdue(at=Hazard.objects.get(pk=case.pk).due_at + timedelta(seconds=1))
    while relay_waiting(listen={}, project=(fold,)):
        pass
    assert Tally.objects.filter(figure="hazards.marked_today", category=f"@{office.code}", area=HOME).exists()


def test_the_days_of_a_department_open_what_it_had_then(dispatched, happen, watcher):
    """One case ran out with it; one ran out before it was accepted, came to it later and is not its lateness."""
    [own], office = dispatched(1)
    [slow] = happen(1, at=timezone.now())
    Hazard.objects.filter(pk__in=(own.pk, slow.pk)).update(due_at=timezone.now() - timedelta(seconds=1))
    mark_overdue(at=timezone.now())
    for action, given in (("accept", {}), ("dispatch", {"department": office.code})):
        step = StepInput(id=uuid.uuid4(), version=Hazard.objects.get(pk=slow.pk).version, **given)
        take_step(hazard_id=slow.pk, action=action, given=step, actor=person("dispatcher"), at=timezone.now())
    while relay_waiting(listen={}, project=(fold,)):
        pass
    client = watcher("supervisor")
    days = trends.trends("3705", 30, unit=office.code)["days"]
    for name, number in (("settled", "cleared"), ("late", "marked"), ("sent", "dispatched")):
        assert [client.get(day["lists"][name]).context["count"] for day in days] == [day[number] for day in days]
    assert (sum(day["marked"] for day in days), trends.trends("3705", 30)["total"].marked) == (1, 2)
    assert client.get(f"/hazards/?unit={office.code}").context["count"] == 2


@pytest.mark.parametrize(("closed", "share"), [(19, None), (20, 90.0), (0, None)])
def test_no_share_is_made_of_few_cases(closed, share):
    row = trends.Row("x", "x", {"cleared": closed, "on_time": int(closed * 0.9)})
    assert row.share == share
    assert row.is_small == (closed == 19)


def test_every_number_leads_to_the_list_that_makes_it(dispatched, watcher):
    dispatched(2)
    client = watcher("supervisor")
    look = trends.trends("3705", 30)
    today = look["days"][-1]
    for name, number in (("received", "found"), ("settled", "cleared"), ("late", "marked"), ("sent", "dispatched")):
        assert client.get(today["lists"][name]).context["count"] == today[number]
    assert client.get(look["total"].list_href).context["count"] == look["total"].found
    for row in (*look["parts"], *look["kinds"]):
        assert client.get(row.list_href).context["count"] == row.found
        assert client.get(row.href).context["total"].found == row.found


def test_a_figure_of_a_year_ago_is_in_the_year_but_not_in_the_month(happen, watcher):
    happen(1)
    long_ago = timezone.localdate() - timedelta(days=300)
    for area in ("3705", HOME):
        Tally.objects.create(figure=trends.FOUND, area=area, day=long_ago, value=7, since=0)
    client = watcher("leader")
    assert (
        client.get("/trends/", {"days": 365}).context["total"].found - client.get("/trends/").context["total"].found
        >= 7
    )


def test_villages_and_cells_have_a_month_only(happen, watcher):
    happen(1, at=timezone.now())
    client = watcher("leader")
    assert [row.found for row in client.get("/trends/", {"area": TOWN}).context["parts"]] == [1]
    assert client.get("/trends/", {"area": TOWN, "days": 365}).context["parts"] == []
    assert client.get("/trends/", {"area": VILLAGE}).context["spans"] == (30,)
    assert client.get("/trends/", {"area": VILLAGE, "days": 365}).status_code == 404


@pytest.mark.parametrize(
    "asked", ["days=7", "days=x", "category=ZZ", "unit=ZZ", "area=370599", f"area={TOWN}&unit=fire-02"]
)
def test_what_is_not_kept_is_not_there(watcher, asked):
    assert watcher("leader").get(f"/trends/?{asked}").status_code == 404


def test_without_anything_the_page_says_so(watcher):
    page = watcher("leader", language="en").get("/trends/").content.decode()
    assert "Nothing was reported, closed or overdue in these days." in page
    assert 'id="chart"' not in page


@pytest.mark.parametrize(
    ("role", "status"),
    [
        ("dispatcher", 200), ("operator", 200), ("supervisor", 200), ("leader", 200), ("auditor", 200),
        ("grid_worker", 403), ("department_handler", 403), ("kiosk", 403), ("administrator", 403),
        ("security_officer", 403),
    ],
)  # fmt: skip
def test_those_who_steer_and_those_who_watch_see_trends(watcher, role, status):
    client = watcher(role)
    assert client.get("/trends/").status_code == status
    menu = client.get("/account/").content.decode()
    assert ('href="/trends/"' in menu) == (status == 200)


def test_another_area_is_not_there(watcher):
    assert watcher("dispatcher", HOME).get("/trends/", {"area": AWAY}).status_code == 404
