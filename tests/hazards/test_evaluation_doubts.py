"""Detectors: each finds its pattern and keeps silent on honest work; doubts are found once, worded as such, and set aside."""

import hashlib
import io
import uuid
from datetime import timedelta

import pytest
from django.contrib.gis.geos import Point
from django.core.exceptions import ValidationError
from django.db import DatabaseError, transaction
from PIL import Image

from citysafety.evidence.services import attach
from grid.models import GridVersion, Succession
from hazards.evaluation import detectors, doubting, services
from hazards.evaluation.models import Detector, Finding, SetAside
from hazards.evaluation.words import THRESHOLDS
from hazards.models import Clock, Hazard, Merger, Step
from hazards.public.services import account
from tests.factories import AWAY, HOME, NOON, person

from .test_api import client_of
from .test_evaluation import World, _reader

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def world(db):
    return World()


def found(code):
    """Let all detectors look at the last weeks; return what one of them found."""
    services.seek(at=NOON)
    return list(Finding.objects.filter(detector__code=code))


def step(hazard, action, at, by=None, *, away_m=None):
    hazard.version += 1
    place = None if away_m is None else Point(hazard.location.x, hazard.location.y + away_m / 111_195)
    Step.objects.create(
        id=uuid.uuid4(), hazard=hazard, action=action, target=hazard.state, version=hazard.version, at=at, actor=by,
        department=hazard.department, location=place,
    )  # fmt: skip


def on_the_spot(world, worker, number, *, minutes):
    for n in range(number):
        at = NOON - DAY - timedelta(hours=n)
        hazard = world.case(at, reporter=worker, handled_on_spot=True, description=f"第{n}处", rectified_by=worker)
        step(hazard, "handle_on_spot", at + timedelta(minutes=minutes), worker)


def test_many_own_reports_closed_within_minutes(world):
    quick, slow, few = person("grid_worker"), person("grid_worker"), person("grid_worker")
    on_the_spot(world, quick, 10, minutes=3)
    on_the_spot(world, slow, 10, minutes=11)
    on_the_spot(world, few, 9, minutes=3)
    for n in range(2):
        world.case(NOON - DAY - timedelta(hours=30 + n), reporter=quick, description=f"其他{n}")
    [one] = found("on_the_spot")
    assert (one.kind, one.subject, one.figures, one.area_code) == ("worker", quick.pk, {"cases": 10, "of": 12}, HOME)
    assert len(one.cases) == 10


def test_who_handles_some_of_many_on_the_spot_gives_no_reason_to_ask(world):
    worker = person("grid_worker")
    on_the_spot(world, worker, 10, minutes=3)
    for n in range(3):
        world.case(NOON - DAY - timedelta(hours=30 + n), reporter=worker, description=f"其他{n}")
    assert found("on_the_spot") == []


@pytest.mark.parametrize(("reports", "before", "is_found"), [(10, True, True), (9, True, False), (10, False, False)])
def test_a_cell_without_reports_beside_cells_with_many(world, reports, before, is_found):
    if before:
        world.case(NOON - 60 * DAY, description="早")
    for n in range(reports):
        world.case(NOON - DAY * (1 + n), description=f"第{n}处", area=f"{HOME}001001001")
    silent = [one for one in found("silent_cell") if one.area_code.startswith(HOME)]
    assert [one.area_code for one in silent] == [f"{HOME}001001002"] * is_found
    assert all(one.figures == {"neighbours": 1, "reports": 10} for one in silent)


def test_a_cell_that_a_rezoning_began_within_the_days_is_not_silent(world):
    world.case(NOON - 60 * DAY, description="早")
    for n in range(10):
        world.case(NOON - DAY * (1 + n), description=f"件{n}", area=f"{HOME}001001001")
    old, new = world.city.cells[f"{HOME}001001001"], world.city.cells[f"{HOME}001001002"]
    version = GridVersion.objects.create(number=2, activated_at=NOON - DAY)
    type(new).objects.filter(pk=new.pk).update(version=version)
    Succession.objects.create(version=version, old=old, new=new, share=0.5)
    assert not [one for one in found("silent_cell") if one.area_code == new.code]


def rectified(world, office, number, *, left, amount=2, unit="work_days"):
    """Close cases whose rectification ended so many minutes before its limit."""
    for n in range(number):
        at = NOON - DAY * 2 - timedelta(hours=n)
        hazard = world.case(at - DAY, office=office, closed=at, description=f"{office}{left}{n}")
        step(hazard, "write_off", at)
        Clock.objects.create(
            hazard=hazard, stage="rectify", unit=unit, amount=amount, started_at=at - DAY, stopped_at=at,
            due_at=at + timedelta(minutes=left),
        )  # fmt: skip


def test_work_that_is_reported_in_the_last_hour(world):
    rectified(world, "fire-02", 10, left=30)
    rectified(world, "fire-02", 5, left=600)
    rectified(world, "roads-02", 20, left=600)
    rectified(world, "roads-02", 2, left=30)
    [one] = found("last_hour")
    assert one.subject == world.offices["fire-02"].pk
    assert one.figures == {"cases": 10, "of": 15, "others": 2, "others_of": 22}
    assert "10" in detectors.sentence("last_hour", one.figures, THRESHOLDS["last_hour"])


def test_a_limit_of_two_hours_and_what_came_too_late_are_no_last_hour(world):
    rectified(world, "fire-02", 12, left=30, amount=2, unit="work_hours")
    rectified(world, "fire-02", 12, left=-30)
    rectified(world, "roads-02", 20, left=600)
    assert found("last_hour") == []


@pytest.mark.parametrize(("paused", "is_found"), [(5, True), (4, False)])
def test_extensions_and_pauses_far_above_others(world, paused, is_found):
    for office, number in (("fire-02", 10), ("roads-02", 30)):
        for n in range(number):
            hazard = world.case(NOON - 3 * DAY, office=office, description=f"{office}{n}")
            step(hazard, "dispatch", NOON - 2 * DAY)
            if (office == "fire-02" and n < paused) or (office == "roads-02" and n < 2):
                step(hazard, "pause" if n % 2 else "grant_extension", NOON - DAY)
    assert [one.figures["cases"] for one in found("more_time")] == [5] * is_found


@pytest.mark.parametrize(("metres", "number", "is_found"), [(600, 3, True), (600, 2, False), (480, 3, False)])
def test_verifications_from_far_away(world, metres, number, is_found):
    checker = person("dispatcher")
    for n in range(number):
        hazard = world.case(NOON - 3 * DAY, closed=NOON - DAY, description=f"第{n}处")
        step(hazard, "verify", NOON - DAY, checker, away_m=metres)
        step(hazard, "write_off", NOON - DAY, checker)
    rows = found("far_verified")
    assert [(one.subject, one.figures["cases"]) for one in rows] == [(checker.pk, 3)] * is_found
    assert all(abs(one.figures["metres"] - 600) < 3 for one in rows)


@pytest.mark.parametrize(("unlike", "number", "is_found"), [("matter", 3, True), ("matter", 2, False), ("", 4, False)])
def test_cases_merged_into_unlike_ones(world, unlike, number, is_found):
    dispatcher = person("dispatcher")
    original = world.case(NOON - 3 * DAY, description="原")
    for n in range(number):
        hazard = world.case(NOON - 2 * DAY, description=f"并{n}", **({"matter": "SZ-001"} if unlike else {}))
        Merger.objects.create(
            duplicate=hazard, into=original, stage="accept", due_at=None, merged_by=dispatcher, merged_at=NOON - DAY
        )
    rows = found("merged")
    assert [(one.subject, one.figures["cases"], one.figures["matters"]) for one in rows] == [
        (dispatcher.pk, 3, 3)
    ] * is_found


def show(hazard, by, colour_of):
    out = io.BytesIO()
    Image.effect_noise((64, 64), 40 + colour_of).save(out, "PNG")
    data = out.getvalue()
    _attach(hazard, by, data)
    return data


def _attach(hazard, by, data):
    attach(
        kind="hazard", subject_id=str(hazard.pk), role="scene", sha256=hashlib.sha256(data).hexdigest(), data=data,
        by_id=by.pk, at=NOON - DAY, step_id=None,
    )  # fmt: skip


def test_photos_that_show_what_other_cases_show(world):
    again, honest = person("grid_worker"), person("grid_worker")
    cases = [world.case(NOON - DAY - timedelta(hours=n), reporter=again, description=f"再{n}") for n in range(3)]
    data = show(cases[0], again, 1)
    for hazard in cases[1:]:
        _attach(hazard, again, data)
    for n in range(3):
        show(world.case(NOON - DAY - timedelta(hours=n), reporter=honest, description=f"诚{n}"), honest, 2 + n)
    [one] = found("photos")
    assert (one.subject, one.figures) == (again.pk, {"cases": 3, "again": 3, "far": 0})


@pytest.mark.parametrize(
    ("number", "apart_s", "words", "apart_m", "same"),
    [
        (8, 60, "同", 50, "words"),
        (8, 60, "", 0, "place"),
        (7, 60, "同", 0, None),
        (8, 120, "同", 50, None),
        (8, 60, "", 50, None),
    ],
)
def test_batches_with_the_same_words_or_at_the_same_place(world, number, apart_s, words, apart_m, same):
    worker = person("grid_worker")
    for n in range(number):
        hazard = world.case(
            NOON - DAY + timedelta(seconds=apart_s * n), reporter=worker, description=words or f"第{n}处"
        )
        Hazard.objects.filter(pk=hazard.pk).update(location=Point(118.53, 37.45 + n * apart_m / 111_195, srid=4326))
    assert [(one.subject, one.figures["same"]) for one in found("batch")] == [(worker.pk, same)] * (same is not None)


def test_what_many_people_of_the_public_report_at_one_place_is_no_batch_of_one(world):
    public = account()
    for n in range(9):
        world.case(NOON - DAY + timedelta(seconds=60 * n), reporter=public, description="同")
    assert found("batch") == []


# -- what becomes of a doubt -------------------------------------------------------------------------


def test_a_pattern_is_found_once_a_week_however_often_it_is_looked_for(world):
    on_the_spot(world, person("grid_worker"), 12, minutes=3)
    assert [services.seek(at=NOON), services.seek(at=NOON), services.seek(at=NOON + DAY)] == [1, 0, 0]
    assert services.seek(at=NOON + 7 * DAY) == 1
    Detector.objects.update(active=False)
    assert services.seek(at=NOON + 14 * DAY) == 0


@pytest.fixture
def doubt(world):
    on_the_spot(world, person("grid_worker"), 12, minutes=3)
    [one] = found("on_the_spot")
    return one


def test_a_doubt_names_figures_and_cases_and_judges_nobody(doubt):
    page = _reader("supervisor", "en").get("/hazards/evaluation/doubts/").content.decode()
    assert "12 of 12 own reports were handled on the spot by the same person within 10 minutes." in page
    assert "None of them proves anything" in page
    assert page.count("YH-E-") == 12
    assert not any(word in page.lower() for word in ("guilt", "cheat", "fraud"))


def test_the_cases_of_a_doubt_are_those_that_the_reader_may_see(doubt):
    Hazard.objects.filter(pk__in=doubt.cases[:5]).update(area_code=f"{AWAY}001001001")
    [shown] = doubting.shown([doubt], person("dispatcher", area=HOME))
    assert len(shown.cases) == 7


def test_a_supervisor_sets_a_doubt_aside_with_a_reason_that_stays(doubt):
    address = f"/hazards/evaluation/doubts/{doubt.pk}/set-aside/"
    supervisor = _reader("supervisor", area=HOME)
    supervisor.post(address, {"reason": " "})
    assert not SetAside.objects.exists()
    supervisor.post(address, {"reason": "集中整治行动，已核实。"})
    kept = SetAside.objects.get()
    assert (kept.finding, kept.reason) == (doubt, "集中整治行动，已核实。")
    supervisor.post(address, {"reason": "再说一次"})
    assert SetAside.objects.get().reason == kept.reason
    for change in (
        lambda: SetAside.objects.update(reason="x"),
        SetAside.objects.all().delete,
        Finding.objects.all().delete,
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()
    assert supervisor.get("/hazards/evaluation/doubts/").context["page"].paginator.count == 0
    page = supervisor.get("/hazards/evaluation/doubts/", {"set_aside": "true"})
    assert "集中整治行动，已核实。" in page.content.decode()


@pytest.mark.parametrize(
    ("role", "area", "status"),
    [
        ("supervisor", HOME, 302), ("dispatcher", HOME, 403), ("auditor", "3705", 403), ("leader", "3705", 404),
        ("supervisor", AWAY, 404), ("grid_worker", HOME, 404), ("kiosk", "3705", 403),
    ],
)  # fmt: skip
def test_nobody_else_sets_it_aside(doubt, role, area, status):
    answer = _reader(role, area=area).post(f"/hazards/evaluation/doubts/{doubt.pk}/set-aside/", {"reason": "x"})
    assert answer.status_code == status
    assert SetAside.objects.exists() == (status == 302)


def test_the_api_lists_counts_and_sets_aside(doubt):
    supervisor = client_of(person("supervisor"))
    [row] = supervisor.get("/api/v1/evaluation/doubts/?detector=on_the_spot").json()["results"]
    assert (row["id"], row["figures"], row["set_aside"]) == (doubt.pk, {"cases": 12, "of": 12}, None)
    assert supervisor.get("/api/v1/evaluation/doubts/count/?set_aside=false").json() == {"count": 1}
    address = f"/api/v1/evaluation/doubts/{doubt.pk}/set-aside/"
    assert client_of(person("dispatcher")).post(address, {"reason": "x"}, format="json").status_code == 403
    assert client_of(person("supervisor", area=AWAY)).post(address, {"reason": "x"}, format="json").status_code == 404
    assert supervisor.post(address, {}, format="json").status_code == 400
    assert supervisor.post(address, {"reason": "核实"}, format="json").json()["set_aside"]["reason"] == "核实"
    assert supervisor.post(address, {"reason": "x"}, format="json").status_code == 409
    assert supervisor.get("/api/v1/evaluation/doubts/count/?set_aside=true").json() == {"count": 1}
    assert client_of(person("leader")).get("/api/v1/evaluation/doubts/").status_code == 403


@pytest.mark.parametrize("number", [1, 4])
def test_the_page_costs_the_same_however_many_doubts(world, number, django_assert_num_queries):
    for _n in range(number):
        on_the_spot(world, person("grid_worker"), 10, minutes=3)
    assert len(found("on_the_spot")) == number
    reader = person("supervisor")
    with django_assert_num_queries(3):
        assert len(doubting.shown(doubting.seen_by(reader), reader)) == number


@pytest.mark.parametrize(
    "limits",
    [
        {},
        {"days": 28},
        {**THRESHOLDS["batch"], "least": 0},
        {**THRESHOLDS["batch"], "x": 1},
        {**THRESHOLDS["batch"], "days": "28"},
    ],
)
def test_limits_of_a_detector_are_checked(world, limits):
    detector = Detector.objects.get(code="batch")
    detector.thresholds = limits
    with pytest.raises(ValidationError, match="within_minutes"):
        detector.full_clean()


def test_limits_are_data(world):
    Detector.objects.filter(code="on_the_spot").update(thresholds={**THRESHOLDS["on_the_spot"], "least": 3})
    on_the_spot(world, person("grid_worker"), 3, minutes=3)
    assert len(found("on_the_spot")) == 1
