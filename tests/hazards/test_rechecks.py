"""Random re-checks: drawn once and reproducibly, checked by who took no step, and what does not hold is open again."""

import hashlib
import json
import threading
import uuid
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.contrib.gis.geos import Point
from django.core.management import call_command
from django.db import IntegrityError, close_old_connections, connection, transaction
from django.db.utils import InternalError
from django.utils import timezone

from citysafety.evidence.models import Attachment
from citysafety.lifecycle import StepNotAllowed
from citysafety.notices.models import Notice
from grid.models import Matter
from hazards.evaluation import selectors as evaluation
from hazards.evaluation.seeds import seed_evaluation
from hazards.evaluation.spans import Days, counted
from hazards.models import Hazard, Step
from hazards.rechecks import drawing, services
from hazards.rechecks.listeners import follow_reopening
from hazards.rechecks.models import Recheck, RecheckDraw, RecheckRule, RecheckStep
from hazards.rechecks.rules import Closed, rule_of
from hazards.services import FieldsMissing, NotAllowed, take_step
from hazards.services.given import EvidenceMissing, StepInput
from tests.factories import AWAY, HOME, NOON, file_hazard, person

from .test_api import client_of

pytestmark = pytest.mark.django_db
CITY = ZoneInfo("Asia/Shanghai")
MONDAY = datetime(2026, 11, 30, 9, 0, tzinfo=CITY)  # after the week of NOON
HERE = {"lon": 118.53, "lat": 37.45, "accuracy_m": 5.0}


def closed(cast, *, at=NOON + timedelta(hours=1), verifier=None):
    """Bring a case of the neighbour's to its write-off."""
    hazard = cast.rectified()
    for action, by in (("verify", verifier or cast.dispatcher), ("write_off", cast.dispatcher)):
        given = StepInput(id=uuid.uuid4(), version=Hazard.objects.get(pk=hazard.pk).version, lon=118.53, lat=37.45)
        hazard = take_step(hazard_id=hazard.pk, action=action, given=given, actor=by, at=at)
    return hazard


def rule(**more):
    figures = {"percent": 50, "at_least": 1, "every": "week", "days": 7, "since": date(2026, 11, 23), **more}
    return RecheckRule.objects.create(**figures)


def drawn(cast, **more):
    """Draw one case that is checked by the worker, who took no step in it."""
    hazard = closed(cast)
    rule(percent=100, **more)
    services.draw_due(at=MONDAY)
    return Recheck.objects.get(hazard=hazard)


def given(recheck, **more):
    return services.RecheckInput(
        id=uuid.uuid4(), version=Recheck.objects.get(pk=recheck.pk).version, **{**HERE, **more}
    )


def show(cast, recheck, by=None):
    cast.photo(recheck, "after", by or cast.worker)
    Attachment.objects.filter(subject_id=str(recheck.pk)).update(kind="recheck")


def result(recheck, action, by, at=MONDAY, **more):
    return services.take_recheck_step(
        recheck_id=recheck.pk, action=action, given=given(recheck, **more), actor=by, at=at
    )


# -- the draw ------------------------------------------------------------------------------------


def test_a_sample_is_drawn_once_from_what_was_closed_in_the_period(cast):
    inside = {closed(cast).pk for _n in range(5)}
    before = closed(cast, at=NOON - timedelta(days=5))
    rule(percent=40)
    assert services.draw_due(at=MONDAY) == 2
    assert services.draw_due(at=MONDAY + timedelta(hours=1)) == 0
    row = RecheckDraw.objects.get(first=date(2026, 11, 23), last=date(2026, 11, 29))
    assert (row.size, row.drawn) == (5, 2)
    assert {one.hazard_id for one in row.rechecks.all()} <= inside
    assert not Recheck.objects.filter(draw=row, hazard=before).exists()


def test_cases_that_were_reopened_are_not_drawn_and_a_closing_is_never_drawn_twice(cast):
    again = closed(cast)
    cast.step(again, "reopen", cast.dispatcher, words="复发")
    first = rule(percent=100)
    services.draw_due(at=MONDAY)
    assert RecheckDraw.objects.get(first=date(2026, 11, 23)).size == 0
    first.active = False
    first.save()
    hazard = closed(cast)
    week, month = rule(percent=100, at_least=2), None
    services.draw_due(at=MONDAY)
    assert Recheck.objects.get().hazard_id == hazard.pk
    week.active = False
    week.save()
    month = rule(percent=100, every="month")
    services.draw_due(at=MONDAY + timedelta(days=2))  # December: November has ended
    assert RecheckDraw.objects.get(rule=month, first=date(2026, 11, 1)).size == 0
    one = Recheck.objects.get()
    one.pk = uuid.uuid4()
    with pytest.raises(IntegrityError), transaction.atomic():
        one.save(force_insert=True)


def test_anybody_can_redo_a_draw_from_its_seed_and_nobody_can_change_it(cast, capsys):
    for _n in range(9):
        closed(cast)
    rule(percent=30)
    services.draw_due(at=MONDAY)
    row = RecheckDraw.objects.get(size=9)
    lots = {one: hashlib.sha256(f"{row.seed}:{one}".encode()).hexdigest() for one in row.population}
    smallest = sorted(lots, key=lambda one: lots[one])[:3]  # written down a second time: 30 % of 9, rounded up
    assert {one.closing_id for one in row.rechecks.all()} == set(smallest)
    assert len(bytes.fromhex(row.seed)) == 32
    call_command("verify_four_eyes")
    with pytest.raises(InternalError, match="Cannot update"), transaction.atomic():
        RecheckDraw.objects.update(seed="0" * 64)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")  # a superuser, past the triggers
        cursor.execute("UPDATE hazards_recheckdraw SET seed = repeat('0', 64) WHERE size = 9")
    with pytest.raises(SystemExit):
        call_command("verify_four_eyes")
    assert "does not match" in capsys.readouterr().out


def test_another_seed_draws_others():
    population = [uuid.UUID(int=n) for n in range(200)]
    draws = {tuple(drawing.chosen(population, drawing.fresh_seed(), 5)) for _n in range(20)}
    assert len(draws) == 20


@pytest.mark.parametrize(("size", "percent", "at_least", "number"), [
    (0, 50, 3, 0), (2, 1, 3, 2), (100, 1, 3, 3), (1000, 1, 3, 10), (101, 1, 0, 2), (10, 100, 0, 10),
])  # fmt: skip
def test_how_many_are_drawn(size, percent, at_least, number):
    assert drawing.wanted(size, percent, at_least) == number


def test_weeks_and_months_end_on_their_last_day():
    assert drawing.ended("week", date(2026, 11, 30))[-1] == (date(2026, 11, 23), date(2026, 11, 29))
    assert drawing.ended("week", date(2026, 11, 29))[-1] == (date(2026, 11, 16), date(2026, 11, 22))
    assert drawing.ended("month", date(2027, 1, 1)) == [
        (date(2026, 11, 1), date(2026, 11, 30)), (date(2026, 12, 1), date(2026, 12, 31))
    ]  # fmt: skip


def test_of_the_rules_that_fit_the_one_that_says_most_holds(cast):
    matter = Matter.objects.get(code="XF-001")
    plain, county = rule(), rule(area_code=HOME)
    of_class, of_matter = rule(matter_class=matter.matter_class), rule(matter=matter)
    grave, sampled = rule(severity="major"), rule(sampled=True)
    rules = [plain, county, of_class, of_matter, grave, sampled]

    def case(**more):
        fields = {"matter": matter.pk, "matter_class": matter.matter_class_id, "severity": "general", "area": "370502001001001",
                  "sampled": False, "closing": uuid.uuid4(), "hazard": uuid.uuid4(), **more}  # fmt: skip
        return Closed(**fields)

    assert rule_of(case(), rules) == of_matter
    assert rule_of(case(matter=0), rules) == of_class
    assert rule_of(case(matter=0, matter_class=0), rules) == county
    assert rule_of(case(matter=0, matter_class=0, area="370503"), rules) == plain
    assert rule_of(case(matter=0, matter_class=0, severity="major"), rules) == grave
    assert rule_of(case(sampled=True), rules) == sampled
    assert rule_of(case(matter=0, matter_class=0), [of_matter]) is None


@pytest.mark.django_db(transaction=True)
def test_two_that_draw_at_once_draw_once(cast):
    for _n in range(6):
        closed(cast)
    rule(percent=50)
    start, made, wrong = threading.Barrier(4), [], []

    def beat():
        try:
            start.wait()
            made.append(services.draw_due(at=MONDAY))
        except Exception as error:
            wrong.append(error)
        finally:
            close_old_connections()
            connection.close()

    threads = [threading.Thread(target=beat) for _n in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert not wrong
    assert sorted(made) == [0, 0, 0, 3]
    assert Recheck.objects.count() == 3
    assert RecheckDraw.objects.filter(first=date(2026, 11, 23)).count() == 1


# -- who checks ----------------------------------------------------------------------------------


def test_the_checker_took_no_step_in_the_case_and_is_of_the_area(cast):
    person("grid_worker", area=AWAY)
    person("supervisor")
    person("grid_worker", is_active=False)
    one = drawn(cast)
    assert one.checker == cast.worker  # neither who found, nor who accepted, verified and wrote off
    assert not {cast.neighbour.pk, cast.handler.pk, cast.dispatcher.pk} - one.party_ids
    [notice] = Notice.objects.filter(topic="recheck.drawn")
    assert (notice.recipient, notice.subject_id) == (cast.worker, str(one.pk))
    services.draw_due(at=MONDAY)
    assert Notice.objects.filter(topic="recheck.drawn").count() == 1


def test_who_has_fewest_to_do_gets_the_next_and_workers_come_before_dispatchers(cast):
    person("dispatcher")
    second = person("grid_worker")
    for _n in range(4):
        closed(cast)
    rule(percent=100)
    services.draw_due(at=MONDAY)
    dealt = list(Recheck.objects.values_list("checker", flat=True))
    assert sorted(dealt) == sorted([cast.worker.pk, second.pk] * 2)


def test_without_anybody_it_stays_with_the_supervisor_who_gives_it_to_another(cast):
    boss, far = person("supervisor"), person("supervisor", area=AWAY)
    closed(cast, verifier=cast.worker)  # the only other worker verified it
    rule(percent=100)
    services.draw_due(at=MONDAY)
    one = Recheck.objects.get()
    assert one.checker is None
    assert list(Notice.objects.filter(topic="recheck.nobody").values_list("recipient", flat=True)) == [boss.pk]
    fresh = person("dispatcher")
    for nobody in (cast.worker, cast.handler, boss):
        with pytest.raises(FieldsMissing) as refusal:
            result(one, "assign", boss, checker=nobody.username)
        assert list(refusal.value.errors) == ["checker"]
    for other in (far, cast.dispatcher, cast.worker):
        with pytest.raises(NotAllowed):
            result(one, "assign", other, checker=fresh.username)
    one = result(one, "assign", boss, checker=fresh.username)
    assert one.checker == fresh
    assert Notice.objects.filter(topic="recheck.drawn", recipient=fresh).count() == 1
    assert [step.checker for step in RecheckStep.objects.order_by("version")] == [None, fresh]


# -- the result ----------------------------------------------------------------------------------


def test_it_holds_with_a_place_and_a_photo_and_nothing_happens_to_the_case(cast):
    one = drawn(cast)
    before = Hazard.objects.get(pk=one.hazard_id)
    with pytest.raises(EvidenceMissing):
        result(one, "holds", cast.worker)
    show(cast, one)
    for by in (cast.dispatcher, cast.neighbour, cast.handler, person("grid_worker"), person("supervisor")):
        with pytest.raises(NotAllowed):
            result(one, "holds", by)
    one = result(one, "holds", cast.worker)
    assert (one.state, one.done_by, one.done_at) == ("holds", cast.worker, MONDAY)
    step = RecheckStep.objects.get(action="holds")
    assert Attachment.objects.get(subject_id=str(one.pk)).used_by == step.pk
    now = Hazard.objects.get(pk=one.hazard_id)
    assert (now.state, now.version) == ("written_off", before.version)
    with pytest.raises(StepNotAllowed):
        result(one, "fails", cast.worker, words="再看一次")
    with pytest.raises(InternalError, match="Cannot update"), transaction.atomic():
        RecheckStep.objects.filter(pk=step.pk).update(words="x")


def test_it_is_checked_within_the_metres_of_the_matter(cast):
    one = drawn(cast)
    show(cast, one)
    Matter.objects.filter(code="XF-001").update(verify_within_m=50)
    with pytest.raises(FieldsMissing) as refusal:
        result(one, "holds", cast.worker, lon=118.54)
    assert "location" in refusal.value.errors
    with pytest.raises(FieldsMissing):
        result(one, "holds", cast.worker, lon=None, lat=None)
    assert result(one, "holds", cast.worker).state == "holds"


def test_what_does_not_hold_is_reopened_in_the_same_transaction_and_counts_as_rework(cast):
    seed_evaluation()
    one = drawn(cast)
    show(cast, one)
    with pytest.raises(FieldsMissing) as refusal:
        result(one, "fails", cast.worker)
    assert list(refusal.value.errors) == ["reason"]
    late = MONDAY + timedelta(days=40)  # past the days in which others may reopen
    one = result(one, "fails", cast.worker, at=late, words="纸箱又堆回来了")
    hazard = Hazard.objects.get(pk=one.hazard_id)
    assert (one.state, hazard.state, hazard.department, hazard.rectified_by) == ("fails", "accepted", None, None)
    step = Step.objects.get(hazard=hazard, action="reopen")
    assert (step.actor, step.words) == (cast.worker, "纸箱又堆回来了")
    assert step.location == Point(118.53, 37.45, srid=4326)
    day = timezone.localdate(late)
    total = evaluation.evaluate(HOME, "county", Days(day, day)).total
    assert (total.counts["reworked"], total.counts["reopened"]) == (1, 1)
    assert list(counted(Hazard.objects.all(), "reworked", Days(day, day))) == [hazard]


def test_nothing_is_kept_of_a_result_whose_case_cannot_be_reopened(cast):
    one = drawn(cast)
    show(cast, one)
    Step.objects.create(  # the version that reopening needs is taken: it fails in the database
        id=uuid.uuid4(),
        hazard=one.hazard,
        action="remark",
        target="written_off",
        version=one.hazard.version + 1,
        at=MONDAY,
    )
    with pytest.raises(IntegrityError), transaction.atomic():
        result(one, "fails", cast.worker, words="不成立")
    assert Recheck.objects.get().state == "due"
    assert RecheckStep.objects.count() == 1


def test_the_right_to_reopen_comes_with_the_recheck_alone(cast):
    one = drawn(cast)
    step = StepInput(id=uuid.uuid4(), version=one.hazard.version, words="我要重开")
    with pytest.raises(NotAllowed):
        take_step(hazard_id=one.hazard_id, action="reopen", given=step, actor=cast.worker, at=MONDAY)
    body = {"id": str(uuid.uuid4()), "version": one.hazard.version, "reason": "我要重开", "checker": cast.worker.pk}
    assert (
        client_of(cast.worker).post(f"/api/v1/hazards/{one.hazard_id}/reopen/", body, format="json").status_code == 403
    )


def test_a_case_that_was_reopened_before_lets_the_recheck_lapse(cast):
    one = drawn(cast)
    show(cast, one)
    cast.step(one.hazard, "reopen", cast.dispatcher, words="复发")
    with pytest.raises(StepNotAllowed):
        result(one, "holds", cast.worker)

    class Entry:
        subject_id, at = str(one.hazard_id), MONDAY

    follow_reopening(Entry)
    follow_reopening(Entry)
    one.refresh_from_db()
    assert one.state == "lapsed"
    assert RecheckStep.objects.filter(action="lapse").count() == 1


def test_news_of_a_reopening_that_is_heard_late_leaves_a_recheck_be_that_was_drawn_since(cast):
    one = drawn(cast)
    assert services.lapse(one.hazard_id, at=MONDAY) == 0
    one.refresh_from_db()
    assert (one.state, one.version) == ("due", 1)
    cast.step(one.hazard, "reopen", cast.dispatcher, words="复发")
    assert services.lapse(one.hazard_id, at=MONDAY) == 1


def test_who_is_late_is_told_once(cast):
    one = drawn(cast)
    assert services.remind_late(at=MONDAY + timedelta(days=7)) == 0
    late = MONDAY + timedelta(days=8)
    assert services.remind_late(at=late) == 1
    assert services.remind_late(at=late + timedelta(days=1)) == 0
    assert Notice.objects.get(topic="recheck.late").recipient == cast.worker
    assert one.is_overdue(timezone.localdate(late))


# -- left to sampling ----------------------------------------------------------------------------


def on_spot(cast):
    hazard = file_hazard(cast.neighbour)
    for role in ("before", "after"):
        cast.photo(hazard, role, cast.neighbour)
    return cast.step(hazard, "handle_on_spot", cast.neighbour)


def test_what_was_handled_on_the_spot_is_left_to_sampling_where_the_matter_and_a_rule_say_so(cast):
    hazard = on_spot(cast)
    with pytest.raises(StepNotAllowed):
        cast.step(hazard, "pass_by_sample", cast.dispatcher)
    Matter.objects.filter(code="XF-001").update(sample_recheck=True)
    with pytest.raises(FieldsMissing):  # nothing would ever be drawn
        cast.step(hazard, "pass_by_sample", cast.dispatcher)
    rule(sampled=True, percent=100)
    for nobody in (cast.neighbour, cast.worker, cast.handler):
        with pytest.raises(NotAllowed):
            cast.step(hazard, "pass_by_sample", nobody)
    hazard = cast.step(hazard, "pass_by_sample", cast.dispatcher)
    assert hazard.state == "verified"
    cast.step(hazard, "write_off", cast.dispatcher)
    closed(cast)  # verified on site: not of that rule
    services.draw_due(at=MONDAY)
    assert [one.hazard_id for one in Recheck.objects.all()] == [hazard.pk]
    rectified = cast.rectified()
    with pytest.raises(StepNotAllowed):
        cast.step(rectified, "pass_by_sample", cast.dispatcher)


# -- doors ---------------------------------------------------------------------------------------


def test_the_api_gives_it_and_takes_the_result_once(cast):
    one = drawn(cast)
    api = client_of(cast.worker)
    path = f"/api/v1/rechecks/{one.pk}/"
    assert api.get("/api/v1/rechecks/?mine=true&state=due").json()["results"][0]["id"] == str(one.pk)
    assert api.get("/api/v1/rechecks/count/?overdue=true").json() == {"count": int(one.is_overdue())}
    assert [row["action"] for row in api.get(f"{path}steps/").json()] == ["holds", "fails"]
    body = {"id": str(uuid.uuid4()), "version": 1, "location": {"lon": 118.53, "lat": 37.45}, "reason": "又堵了"}
    assert api.post(f"{path}fails/", body, format="json").status_code == 422
    show(cast, one)
    stale = {**body, "id": str(uuid.uuid4()), "version": 7}
    answer = api.post(f"{path}fails/", stale, format="json")
    assert (answer.status_code, answer.json()["present"]["version"]) == (409, 1)
    first, again = (api.post(f"{path}fails/", body, format="json") for _n in range(2))
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json() == again.json()
    assert first.json()["hazard"]["state"] == "accepted"
    assert Step.objects.filter(action="reopen").count() == 1
    assert [row["action"] for row in api.get(f"{path}history/").json()["results"]] == ["draw", "fails"]
    assert client_of(cast.neighbour).get(path).status_code == 404
    assert client_of(person("auditor")).get(path).status_code == 200
    assert client_of(person("auditor", area=AWAY)).get(path).status_code == 404
    assert client_of(person("operator")).get("/api/v1/rechecks/").status_code == 403


@pytest.mark.parametrize("number", [1, 4])
def test_pages_cost_the_same_however_long(cast, client, number, django_assert_num_queries):
    for _n in range(number):
        closed(cast)
    rule(percent=100)
    services.draw_due(at=MONDAY)
    one = Recheck.objects.first()
    show(cast, one)
    boss = person("supervisor")
    for who, path, queries in (
        (cast.worker, "/hazards/rechecks/?mine=true&state=due", 5), (boss, "/hazards/rechecks/", 6),
        (cast.worker, f"/hazards/rechecks/{one.pk}/", 5), (boss, f"/hazards/rechecks/{one.pk}/", 6),
    ):  # fmt: skip
        client.force_login(who)
        client.get(path)
        with django_assert_num_queries(queries):
            assert client.get(path).status_code == 200, path
    page = client.get("/hazards/rechecks/?state=due").content.decode()
    assert page.count("data-href") == number
    assert 'state=due" aria-current="true">' in page or "aria-current" in page
    assert client.get("/hazards/rechecks/?state=gone").content.decode().count('role="alert"') == 1


def test_the_page_has_the_forms_of_who_may_act(cast, client):
    one = drawn(cast)
    boss = person("supervisor")
    for who, actions in ((cast.worker, ["holds", "fails"]), (boss, ["assign"]), (cast.dispatcher, [])):
        client.force_login(who)
        page = client.get(f"/hazards/rechecks/{one.pk}/").content.decode()
        assert [a for a in ("holds", "fails", "assign") if f'data-step="{a}"' in page] == actions
    client.force_login(cast.neighbour)
    assert client.get(f"/hazards/rechecks/{one.pk}/").status_code == 404
    client.force_login(cast.handler)
    assert client.get("/hazards/rechecks/").status_code == 403
    client.force_login(boss)
    chain = client.get(f"/chain/recheck/{one.pk}/")
    assert chain.status_code == 200
    assert one.hazard.number in chain.content.decode()
    assert json.dumps("due") in client.get(f"/hazards/rechecks/{one.pk}/").content.decode()
