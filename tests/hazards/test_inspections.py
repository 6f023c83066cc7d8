"""Inspections through the API: what fails becomes a hazard once, versions are frozen, what failed is looked at again."""

import hashlib
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest
from django.db import InternalError, connection, transaction
from django.test import Client
from django.utils import timezone, translation

from citysafety.accounts.models import Department, User
from citysafety.calendars import services as calendars
from citysafety.evidence.chain import chain
from citysafety.notices.models import Notice
from citysafety.notices.topics import words
from grid import locate
from grid.models import Centre, Matter, Posting, PremisesKind, Worker
from hazards.inspections.models import Checklist, ChecklistVersion, Inspection, InspectionPlan, Item, Result
from hazards.inspections.planning import replan
from hazards.inspections.reminders import remind
from hazards.inspections.seeds import CAMPUS_ITEMS, TEN_POINTS, seed_inspections
from hazards.models import Hazard, Step
from tests.factories import AWAY, HOME, person

from .inspecting import Town, make_town, make_version
from .test_api import client_of, picture, step

pytestmark = pytest.mark.django_db
API = "/api/v1/inspections/"


@pytest.fixture
def town() -> Town:
    return make_town()


def test_an_inspection_is_recorded_and_the_day_of_the_next_one_follows(town):
    answer = town.send(town.visit(na=("b",)))

    said = answer.json()
    assert answer.status_code == 201
    assert said["number"].startswith(f"JC-{timezone.localdate():%Y%m%d}-")
    assert (said["result"], said["passed"], said["failed"], said["not_applicable"]) == ("pass", 2, 0, 1)
    assert [row["hazard"] for row in said["results"]] == [None, None, None]
    plan = InspectionPlan.objects.get(premises=town.shop)
    assert plan.last_id == uuid.UUID(said["id"])
    assert (plan.score, plan.colour, plan.due_on) == (20, 3, timezone.localdate() + timedelta(days=90))
    assert not Hazard.objects.exists()


def test_what_fails_becomes_a_hazard_at_the_premises_with_its_matter_and_words(town):
    mine = str(uuid.uuid4())
    body = town.visit("a", "c")
    body["results"][0] |= {"words": "纸箱堆放", "hazard": mine}
    said = town.send(body).json()

    first, _passed, third = said["results"]
    assert first["hazard"] == {
        "id": mine, "number": Hazard.objects.get(pk=mine).number, "state": "reported", "department": None
    }  # fmt: skip
    hazard, other = Hazard.objects.get(pk=mine), Hazard.objects.get(pk=third["hazard"]["id"])
    assert (hazard.matter.code, other.matter.code) == ("XF-001", "SZ-001")
    assert (hazard.location.x, hazard.location.y) == (town.shop.location.x, town.shop.location.y)
    assert hazard.area_code == town.shop.area_code
    for words in ("纸箱堆放", "通道畅通", "天天粮油店", "CS1", said["number"]):
        assert words in hazard.description
    assert hazard.reporter == town.worker
    assert [row.action for row in Step.objects.filter(hazard=hazard)] == ["report"]


def test_a_repeat_gets_the_same_answer_and_files_nothing_twice(town):
    client, body = client_of(town.worker), town.visit("a")
    first = client.post(API, body, format="json")
    again = client.post(API, body, format="json")

    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert (Inspection.objects.count(), Hazard.objects.count()) == (1, 1)
    assert client.post(API, {**body, "words": "x"}, format="json").status_code == 422


def test_an_item_whose_hazard_is_open_is_linked_to_it(town):
    first = town.send(town.visit("a")).json()
    second = town.send(town.visit("a", "b"), by=town.dispatcher).json()

    assert [row["was_open"] for row in second["results"]] == [True, False, False]
    assert second["results"][0]["hazard"]["id"] == first["results"][0]["hazard"]["id"]
    assert Hazard.objects.count() == 2
    assert Inspection.objects.get(pk=first["id"]).settled_by_id == uuid.UUID(second["id"])
    plan = InspectionPlan.objects.get(premises=town.shop)
    # the kind 10, nearly at its limit 10, three items failed 25, a hazard open 10
    assert (plan.score, plan.colour) == (55, 1)


def test_a_hazard_merged_into_an_open_one_is_that_one(town):
    first = town.send(town.visit("a", "b")).json()
    one, other = (first["results"][n]["hazard"]["id"] for n in (0, 1))
    into = Hazard.objects.get(pk=one).number
    assert step(client_of(town.dispatcher), other, "merge", into=into).status_code == 200
    town.relay()

    second = town.send(town.visit("b")).json()
    assert (second["results"][1]["was_open"], second["results"][1]["hazard"]["id"]) == (True, one)


def test_what_failed_is_inspected_again_once_its_hazards_are_closed(town):
    first = town.send(town.visit("a", "b")).json()
    hazards = [row["hazard"]["id"] for row in first["results"] if row["hazard"]]
    again = town.visit(of=first["id"], items=("a", "b"))
    assert town.send(again).status_code == 409

    town.close(hazards[0])
    assert Inspection.objects.get(pk=first["id"]).reinspect_on is None
    town.close(hazards[1])
    due = timezone.localdate() + timedelta(days=town.checklist.reinspect_days)
    assert Inspection.objects.get(pk=first["id"]).reinspect_on == due
    plan = InspectionPlan.objects.get(premises=town.shop)
    assert (plan.due_on, str(plan.reinspects_id)) == (due, first["id"])

    whole = town.send(town.visit(of=first["id"]))
    assert (whole.status_code, "c" in whole.json()["errors"][0]["detail"]) == (400, True)
    answer = town.send(again)
    said = answer.json()
    assert (answer.status_code, said["result"], said["round"], said["of"]) == (201, "pass", 2, first["id"])
    assert [row["item"] for row in said["results"]] == ["a", "b"]
    plan.refresh_from_db()
    assert (plan.last_id, plan.reinspects_id) == (uuid.UUID(said["id"]), None)
    assert plan.due_on > due
    rounds = client_of(town.worker).get(f"{API}{first['id']}/history/").json()["results"]
    assert [row["id"] for row in rounds] == [first["id"], said["id"]]
    assert client_of(town.worker).get(f"{API}{first['id']}/history/count/").json() == {"count": 2}
    assert town.send(town.visit(of=first["id"], items=("a", "b"))).status_code == 409


def test_what_fails_again_is_a_new_hazard_and_waits_anew(town):
    first = town.send(town.visit("a")).json()
    town.close(first["results"][0]["hazard"]["id"])
    second = town.send(town.visit("a", of=first["id"], items=("a",))).json()

    assert second["results"][0]["was_open"] is False
    assert second["results"][0]["hazard"]["id"] != first["results"][0]["hazard"]["id"]
    town.close(second["results"][0]["hazard"]["id"])
    assert Inspection.objects.get(pk=second["id"]).reinspect_on is not None


def test_a_hazard_that_is_opened_again_takes_the_re_inspection_back(town):
    first = town.send(town.visit("a")).json()
    hazard = first["results"][0]["hazard"]["id"]
    town.close(hazard)
    assert step(client_of(town.dispatcher), hazard, "reopen", reason="又堆上了").status_code == 200
    town.relay()

    assert Inspection.objects.get(pk=first["id"]).reinspect_on is None
    assert InspectionPlan.objects.get(premises=town.shop).reinspects_id is None


def test_a_version_that_was_used_does_not_change_and_old_inspections_keep_it(town):
    item = town.version.items.first()
    item.name_zh = "改过的"
    item.save()
    first = town.send(town.visit("a")).json()
    town.version.refresh_from_db()
    assert town.version.frozen_at is not None
    for change in (
        lambda: Item.objects.filter(pk=item.pk).update(name_zh="又改"),
        lambda: Item.objects.filter(pk=item.pk)._raw_delete("default"),
        lambda: Item.objects.create(
            version=town.version, code="d", position=9, matter=item.matter, name_zh="新", name_en="new"
        ),
        lambda: ChecklistVersion.objects.filter(pk=town.version.pk).update(number=7),
        lambda: Result.objects.filter(result="fail").update(words="x"),
    ):
        with pytest.raises(InternalError, match="pgtrigger"), transaction.atomic():
            change()
    newer = make_version(town.city, town.checklist, 2)
    offered = client_of(town.worker).get(f"{API}checklist/?premises=CS1").json()
    assert (offered["checklist_version"], offered["version"]) == (newer.pk, 2)
    second = town.send(town.visit("a", checklist_version=newer.pk)).json()
    assert (first["version"], second["version"]) == (1, 2)
    assert second["results"][0]["was_open"] is True  # the same thing in other words


def test_a_version_that_is_not_in_force_yet_is_refused(town):
    newer = make_version(town.city, town.checklist, 2)
    ChecklistVersion.objects.filter(pk=newer.pk).update(in_force_from=date(2099, 1, 1))
    assert town.send(town.visit(checklist_version=newer.pk)).json()["errors"][0]["attr"] == "checklist_version"
    assert client_of(town.worker).get(f"{API}checklist/?premises=CS1").json()["version"] == 1


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"results": [{"item": "a", "result": "pass"}]}, "results"),
        ({"results": [{"item": code, "result": "pass"} for code in "aabc"]}, "results"),
        ({"results": [{"item": "a", "result": "na"}, *({"item": c, "result": "pass"} for c in "bc")]}, "results.a"),
        ({"checklist_version": 999999}, "checklist_version"),
        ({"inspected_at": "2099-01-01T00:00:00+08:00"}, "inspected_at"),
        ({"position": {"lon": 100, "lat": 20}}, "position"),
        ({"of": str(uuid.uuid4())}, "of"),
        ({"results": [{"item": "a", "result": "maybe"}]}, "results.0.result"),
    ],
)
def test_what_cannot_be_is_refused_at_its_field_and_nothing_is_kept(town, wrong, field):
    answer = town.send(town.visit(**wrong))
    assert answer.status_code == 400
    assert [error["attr"] for error in answer.json()["errors"]] == [field]
    assert not Inspection.objects.exists()


def test_a_hazard_id_that_is_taken_is_refused_without_a_trace(town):
    body = town.visit("a")
    body["results"][0]["hazard"] = town.send(town.visit("b")).json()["results"][1]["hazard"]["id"]
    assert town.send(body).status_code == 422
    assert (Inspection.objects.count(), Hazard.objects.count()) == (1, 1)


def test_a_grade_is_explained_by_its_rules(town):
    town.send(town.visit("a"))
    plan = InspectionPlan.objects.get(premises=town.shop)
    assert (plan.score, plan.colour) == (40, 1)
    assert sorted((row["value"], row["points"]) for row in plan.reasons) == [(0, 10), (1, 10), (1, 10), (93, 10)]
    client = client_of(town.worker)
    client.force_login(town.worker)
    page = client.get("/inspections/premises/CS1/").content.decode()
    for words in ("小商店", "接近限值", "有不合格", "未销号", "40"):
        assert words in page


def test_failed_items_are_forgotten_after_a_year(town):
    town.send(town.visit("a"))
    town.close(str(Hazard.objects.get().pk))
    replan(at=timezone.now() + timedelta(days=366))
    assert InspectionPlan.objects.get(premises=town.shop).score == 20


def test_premises_that_close_leave_the_plan_and_are_not_inspected(town):
    town.shop.active = False
    town.shop.save()
    replan(at=timezone.now())
    assert not InspectionPlan.objects.filter(premises=town.shop).exists()
    assert town.send(town.visit()).json()["errors"][0]["attr"] == "premises"


def test_premises_registered_since_the_last_look_are_inspected(town):
    InspectionPlan.objects.all().delete()
    assert town.send(town.visit()).status_code == 201
    assert InspectionPlan.objects.filter(premises=town.shop).exists()


def test_a_dispatcher_s_finding_goes_to_the_closing_department_at_once_where_the_checklist_says_so(town):
    Checklist.objects.update(auto_dispatch=True)
    said = town.send(town.visit("c"), by=town.dispatcher).json()
    hazard = Hazard.objects.get(pk=said["results"][2]["hazard"]["id"])
    # the matter is the roads office's; the checklist names the fire brigade
    assert (hazard.state, hazard.department.code) == ("dispatched", "fire-02")
    steps = Step.objects.filter(hazard=hazard).order_by("version")
    assert [(row.action, row.actor) for row in steps] == [
        ("report", town.dispatcher), ("accept", town.dispatcher), ("dispatch", town.dispatcher)
    ]  # fmt: skip
    assert "消防检查" in steps[2].words


def test_who_inspects_and_who_reads(town):
    body = town.visit("a")
    done = town.send(body).json()
    allowed = {"grid_worker", "dispatcher"}
    for role in ("supervisor", "leader", "auditor", "operator", "administrator", "department_handler"):
        office = town.city.departments["fire-02"] if role == "department_handler" else None
        assert town.send(town.visit(), by=person(role, department=office)).status_code == 403
    for role in (*allowed, "supervisor", "leader", "auditor"):
        own, foreign = client_of(person(role)), client_of(person(role, area=AWAY))
        assert own.get(f"{API}{done['id']}/").status_code == 200
        assert foreign.get(f"{API}{done['id']}/").status_code == 404
        assert foreign.get(f"{API}count/").json() == {"count": 0}
        assert [row["premises"]["code"] for row in foreign.get(f"{API}due/").json()["results"]] == ["CS2"]
        assert own.get(f"{API}due/?area={AWAY}").status_code == 404
    for role in ("operator", "administrator", "security_officer"):
        assert client_of(person(role)).get(f"{API}{done['id']}/").status_code == 403
    for code, sees in (("fire-02", 200), ("roads-02", 404)):
        handler = client_of(person("department_handler", department=town.city.departments[code]))
        assert handler.get(f"{API}{done['id']}/").status_code == sees
    assert town.send(town.visit(place=town.away)).status_code == 404
    assert town.send(town.visit(premises="NONE")).status_code == 404


def test_a_department_sees_an_inspection_once_a_hazard_of_it_is_dispatched_to_it(town):
    done = town.send(town.visit("a")).json()
    hazard = done["results"][0]["hazard"]["id"]
    roads = client_of(person("department_handler", department=town.city.departments["roads-02"]))
    step(client_of(town.dispatcher), hazard, "accept")
    step(client_of(town.dispatcher), hazard, "dispatch", department="roads-02")
    assert roads.get(f"{API}{done['id']}/").json()["results"][0]["hazard"]["id"] == hazard


def test_photos_of_what_failed_come_from_the_inspector_and_are_seen_with_the_inspection(town):
    done = town.send(town.visit("a")).json()
    data = picture()
    name = hashlib.sha256(data).hexdigest()

    def put(user, role):
        return client_of(user).put(f"{API}{done['id']}/photos/{name}?role={role}", data, content_type="image/png")

    assert put(town.worker, "b").status_code == 400  # it passed
    assert put(town.dispatcher, "a").status_code == 403
    assert (put(town.worker, "a").status_code, put(town.worker, "a").status_code) == (201, 200)
    client = client_of(town.worker)
    assert client.get(f"{API}{done['id']}/photos/count/").json() == {"count": 1}
    photo = client.get(f"{API}{done['id']}/photos/").json()["results"][0]
    for user, status in ((town.worker, 200), (person("supervisor"), 200), (person("supervisor", area=AWAY), 404)):
        client.force_login(user)
        assert client.get(f"/evidence/{_pk(photo)}/thumb.jpg").status_code == status


def _pk(photo):
    from citysafety.evidence.models import Attachment  # noqa: PLC0415

    return Attachment.objects.get(kind="inspection", photo_id=photo["sha256"]).pk


def test_the_chain_leads_from_the_hazard_to_the_inspection_and_back(town):
    done = town.send(town.visit("a")).json()
    hazard = done["results"][0]["hazard"]["id"]
    town.close(hazard)
    again = town.send(town.visit(of=done["id"], items=("a",))).json()
    whole = {("hazard", hazard), ("inspection", done["id"]), ("inspection", again["id"])}
    for kind, subject in whole:
        assert {(row.kind, row.id) for row in chain(town.worker, kind, subject)} == whole
    assert chain(person("supervisor", area=AWAY), "inspection", done["id"]) == []


def test_the_page_of_a_hazard_says_by_which_inspection_it_was_found(town):
    done = town.send(town.visit("a")).json()
    client = client_of(town.dispatcher)
    client.force_login(town.dispatcher)
    page = client.get(f"/hazards/{done['results'][0]['hazard']['id']}/").content.decode()
    assert done["number"] in page
    assert f"/inspections/{done['id']}/" in page


@pytest.mark.parametrize("failed", [(), ("a",), ("a", "b", "c")], ids=["none", "one", "three"])
def test_what_an_inspection_costs(town, failed, monkeypatch, django_assert_num_queries):
    monkeypatch.setattr(locate, "CHECK_EVERY_S", 3600)
    monkeypatch.setattr(calendars, "KEPT_FOR_S", 3600)
    locate.locate(118.53, 37.45)
    calendars.calendar()
    town.send(town.visit())
    client, body = client_of(town.worker), town.visit(*failed)
    with django_assert_num_queries(COSTS[len(failed)]):
        assert client.post(API, body, format="json").status_code == 201


# token, receipt, premises; receipt and transactions; plan held, version, items, number; inspection, results, what it settles;
# the plan anew (9 with its transaction); the answer (2). What fails: what is open, all hazards at once, what may be seen;
# each hazard one more to draft it.
COSTS = {0: 32, 1: 35, 3: 37}


@pytest.mark.parametrize("rows", [1, 3])
def test_lists_cost_the_same_however_long(town, rows, django_assert_num_queries):
    for _n in range(rows):
        town.send(town.visit("a"))
    client = client_of(town.worker)
    client.get(API)
    with django_assert_num_queries(2):  # token, rows
        assert len(client.get(API).json()["results"]) == rows
    with django_assert_num_queries(2):
        assert client.get(f"{API}due/").json()["results"][0]["premises"]["code"] == "CS1"
    with django_assert_num_queries(2):
        assert client.get(f"{API}count/").json() == {"count": rows}
    one = Inspection.objects.latest("received_at")
    with django_assert_num_queries(5):  # token, the inspection, results, photos, which hazards may be seen
        client.get(f"{API}{one.pk}/")


def test_lists_are_filtered_alike(town):
    passed, failed = town.send(town.visit()).json(), town.send(town.visit("a"), by=town.dispatcher).json()
    client = client_of(town.worker)

    def ids(asked):
        rows = client.get(f"{API}?{asked}").json()["results"]
        assert client.get(f"{API}count/?{asked}").json() == {"count": len(rows)}
        return {row["id"] for row in rows}

    both = {passed["id"], failed["id"]}
    assert ids("result=fail") == ids("waiting=true") == {failed["id"]}
    assert ids("mine=true") == ids(f"search={passed['number']}") == {passed["id"]}
    assert ids("premises=CS1") == ids("inspected=today") == ids("search=粮油") == ids(f"area={HOME}") == both
    assert ids("reinspection=true") == ids("premises=CS2") == set()
    assert client.get(f"{API}?nonsense=1").status_code == 400


def test_what_is_due_is_filtered_and_marked(town):
    InspectionPlan.objects.filter(premises=town.shop).update(due_on=timezone.localdate() - timedelta(days=1))
    client = client_of(town.worker)
    row = client.get(f"{API}due/?overdue=true").json()["results"][0]
    assert (row["premises"]["code"], row["overdue"], row["colour"]) == ("CS1", True, 3)
    for asked, number in (
        ("overdue=false", 0), ("soon=true", 1), ("colour=3", 1), ("colour=1", 0), ("kind=shop", 1),
        ("reinspection=true", 0), ("search=天天", 1), ("search=none", 0),
    ):  # fmt: skip
        assert client.get(f"{API}due/count/?{asked}").json() == {"count": number}, asked
    InspectionPlan.objects.filter(premises=town.shop).update(due_on=timezone.localdate())
    assert client.get(f"{API}due/count/?overdue=true").json() == {"count": 0}  # the day itself is not late


def test_seeds_speak_both_languages_and_are_made_once(town):
    Checklist.objects.filter(pk=town.checklist.pk).update(code="other")
    PremisesKind.objects.create(code="hotel", name_zh="小旅馆", name_en="Small hotel", nine_small=True)
    PremisesKind.objects.create(code="school", name_zh="学校", name_en="School")
    Department.objects.create(code="3705-XF", name_zh="消防", name_en="Fire", area_code="3705")
    pattern = Matter.objects.get(code="SZ-001")
    for code in {row[1] for row in (*TEN_POINTS, *CAMPUS_ITEMS)} - {"XF-001", "XF-002"}:
        pattern.pk, pattern.code = None, code
        pattern.save()

    assert (seed_inspections(), seed_inspections()) == (2, 0)
    for code, rows in (("ten-point", TEN_POINTS), ("campus", CAMPUS_ITEMS)):
        version = ChecklistVersion.objects.get(checklist__code=code)
        assert version.items.count() == len(rows) == 10
        assert "示例" in version.basis
        for language, field in (("zh-hans", "name_zh"), ("en", "name_en")):
            with translation.override(language):
                names = [item.name for item in version.items.order_by("position")]
            assert names == list(version.items.order_by("position").values_list(field, flat=True))
            assert all(names)
    ten, campus = Checklist.objects.get(code="ten-point"), Checklist.objects.get(code="campus")
    assert (ten.closing_department.code, ten.synthetic, campus.auto_dispatch) == ("3705-XF", True, True)
    # a kind that is inspected by another checklist keeps it
    assert list(ten.kinds.values_list("kind", flat=True)) == ["hotel"]
    assert list(campus.kinds.values_list("kind", flat=True)) == ["school"]


def test_numbers_begin_again_before_a_day_could_use_all():
    with connection.cursor() as cursor:
        cursor.execute("SELECT last_value, max_value FROM pg_sequences WHERE sequencename = 'inspection_number'")
        assert cursor.fetchone()[1] == 99999


# -- who is reminded of a re-inspection ------------------------------------------------------------


def told_again():
    rows = Notice.objects.filter(topic__startswith="inspection.again").order_by("pk")
    return [(row.topic, row.recipient, row.params["due_on"]) for row in rows]


def waiting_again(town):
    """A failed inspection whose hazard is closed; return it, and the day until which it is looked at again."""
    first = town.send(town.visit("a")).json()
    assert remind(at=timezone.now()) == 0  # its hazard is open
    town.close(first["results"][0]["hazard"]["id"])
    return Inspection.objects.get(pk=first["id"])


def test_who_inspected_is_told_once_that_it_is_due_and_once_that_it_is_overdue(town, django_assert_num_queries):
    first = waiting_again(town)
    now, day = timezone.now(), f"{first.reinspect_on:%F}"
    last_day = now + timedelta(days=town.checklist.reinspect_days)
    assert [remind(at=at) for at in (now, now, last_day)] == [1, 0, 0]
    assert told_again() == [("inspection.again", town.worker, day)]
    late = last_day + timedelta(days=1)
    assert [remind(at=at) for at in (late, late, late + timedelta(days=30))] == [1, 0, 0]
    assert told_again() == [("inspection.again", town.worker, day), ("inspection.again_late", town.worker, day)]
    with translation.override("en"):
        said = words(Notice.objects.filter(topic="inspection.again_late").get())
    assert (first.number in said.body, day in said.body, town.shop.name in said.title) == (True,) * 3
    page = Client()
    page.force_login(town.worker)
    assert page.get(said.path).status_code == 200
    with django_assert_num_queries(2):
        remind(at=late)


@pytest.mark.django_db(transaction=True)
def test_two_sweeps_at_once_tell_once(town):
    waiting_again(town)
    start = threading.Barrier(2)

    def sweep(_n):
        start.wait()
        try:
            return remind(at=timezone.now())
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(sweep, range(2)))
    assert len(told_again()) == 1


def test_in_place_of_who_left_the_workers_of_the_cell_are_told_and_without_any_the_dispatchers(town):
    waiting_again(town)
    User.objects.filter(pk=town.worker.pk).update(is_active=False)
    now = timezone.now()
    other = person("grid_worker")
    centre = Centre.objects.create(code="C1", level="township", division_id=f"{HOME}001", name_zh="网格中心")
    worker = Worker.objects.create(user=other, number="W77", centre=centre, area_code=town.shop.area_code)
    Posting.objects.create(worker=worker, cell=town.shop.cell, role="primary", since=timezone.localdate(now))
    assert remind(at=now) == 1
    assert [recipient for _topic, recipient, _day in told_again()] == [other]
    Posting.objects.all().delete()
    assert remind(at=now + timedelta(days=30)) >= 1
    assert {recipient.role for topic, recipient, _day in told_again() if topic.endswith("late")} == {"dispatcher"}


def test_a_hazard_that_is_opened_again_begins_it_anew(town):
    first = waiting_again(town)
    assert remind(at=timezone.now()) == 1
    Inspection.objects.filter(pk=first.pk).update(reinspect_on=None)
    replan(at=timezone.now(), premises=[town.shop.pk])
    assert remind(at=timezone.now() + timedelta(days=30)) == 0  # nothing is due


# -- on site ---------------------------------------------------------------------------------------

FAR = {"lon": 118.9, "lat": 37.45, "accuracy_m": 9, "datum": "wgs84"}
NEXT_DOOR = {"lon": 118.53, "lat": 37.4535, "accuracy_m": 100, "datum": "wgs84"}  # 389 m, and as good as 289


def _ways(town):
    """Return bodies of inspections that do not show that the inspector was there, by why."""
    month_ago = (timezone.now() - timedelta(days=28)).isoformat()
    return {
        "far": town.visit(position=FAR), "no_position": town.visit(position=None), "late": town.visit(inspected_at=month_ago)
    }  # fmt: skip


def test_what_is_not_on_site_is_marked_and_is_not_the_planned_inspection(town):
    due = InspectionPlan.objects.get(premises=town.shop).due_on
    for why, body in _ways(town).items():
        said = town.send(body).json()
        assert (said["on_site"], said["off_site"]) == (False, why)
        assert InspectionPlan.objects.get(premises=town.shop).last_id is None
    assert InspectionPlan.objects.get(premises=town.shop).due_on == due
    there = town.send(town.visit(position=NEXT_DOOR)).json()

    assert (there["on_site"], there["off_site"], round(there["distance_m"])) == (True, None, 389)
    assert str(InspectionPlan.objects.get(premises=town.shop).last_id) == there["id"]
    client = client_of(town.dispatcher)
    assert client.get(f"{API}count/?on_site=false").json() == {"count": 3}
    assert [row["id"] for row in client.get(f"{API}?on_site=true").json()["results"]] == [there["id"]]


def test_the_page_says_that_an_inspection_was_not_on_site(town):
    away = town.send(town.visit(position=FAR)).json()["id"]
    there = town.send(town.visit()).json()["id"]
    client = Client()
    client.cookies["django_language"] = "en"
    client.force_login(town.dispatcher)

    assert "Not on site" in client.get(f"/inspections/{away}/").content.decode()
    assert "Not on site" not in client.get(f"/inspections/{there}/").content.decode()


def test_where_the_checklist_demands_presence_nothing_else_is_taken(town):
    Checklist.objects.update(must_be_on_site=True)
    for why, body in _ways(town).items():
        refused = town.send(body)
        assert refused.status_code == 400
        assert refused.json()["errors"][0]["attr"] == ("inspected_at" if why == "late" else "position")
    assert not Inspection.objects.exists()
    Checklist.objects.update(within_m=50_000)  # data of the checklist, as the hours are
    assert town.send(town.visit(position=FAR)).status_code == 201
    Checklist.objects.update(offline_hours=24 * 30)
    assert town.send(town.visit(inspected_at=(timezone.now() - timedelta(days=28)).isoformat())).status_code == 201


def test_from_elsewhere_nobody_settles_what_failed(town):
    first = town.send(town.visit("a")).json()
    town.send(town.visit(position=FAR))
    assert Inspection.objects.get(pk=first["id"]).settled_by_id is None
    town.close(first["results"][0]["hazard"]["id"])

    again = town.visit(of=first["id"], items=("a",), position=FAR)
    refused = town.send(again)
    assert (refused.status_code, refused.json()["errors"][0]["attr"]) == (400, "position")
    assert town.send(town.visit(of=first["id"], items=("a",))).status_code == 201


def test_an_inspection_counts_once_the_photos_that_are_asked_are_there_or_while_they_may_come(town):
    said = town.send(town.visit("a", "c")).json()
    assert said["photos_missing"] == ["a", "c"]
    later = timezone.now() + timedelta(hours=73)
    replan(at=later)
    assert InspectionPlan.objects.get(premises=town.shop).last_id is None  # nothing was shown in time

    client, data = client_of(town.worker), picture(3)
    sha256 = hashlib.sha256(data).hexdigest()
    for role in ("a", "c"):
        sent = client.put(f"{API}{said['id']}/photos/{sha256}?role={role}", data, content_type="image/png")
        assert sent.status_code == 201
    assert client.get(f"{API}{said['id']}/").json()["photos_missing"] == []
    replan(at=later)
    assert str(InspectionPlan.objects.get(premises=town.shop).last_id) == said["id"]


def test_photos_that_come_after_the_hours_without_a_net_are_refused(town):
    said = town.send(town.visit("a")).json()
    Inspection.objects.update(received_at=timezone.now() - timedelta(hours=73))
    data = picture(4)
    address = f"{API}{said['id']}/photos/{hashlib.sha256(data).hexdigest()}?role=a"
    assert client_of(town.worker).put(address, data, content_type="image/png").status_code == 409
    assert client_of(town.dispatcher).get(f"{API}count/?incomplete=true").json() == {"count": 1}


def test_a_worker_s_finding_goes_to_the_closing_department_by_the_rule_of_the_checklist(town):
    home = Department.objects.create(code="3705-JY", name_zh="教育局", name_en="Education", area_code="3705")
    office = Department.objects.create(
        code="370502-JY", name_zh="区教育局", name_en="District", area_code=HOME, parent=home
    )
    Checklist.objects.update(auto_dispatch=True, closing_department=home)
    said = town.send(town.visit("a")).json()["results"][0]["hazard"]
    hazard = Hazard.objects.get(pk=said["id"])

    assert (said["state"], said["department"], hazard.department) == ("dispatched", "370502-JY", office)
    steps = Step.objects.filter(hazard=hazard).order_by("version")
    assert [(row.action, row.actor) for row in steps] == [("report", town.worker), ("accept", None), ("dispatch", None)]
    assert all("消防检查" in row.words for row in steps[1:])
    teacher = person("department_handler", department=office)
    assert client_of(teacher).get(f"/api/v1/hazards/{hazard.pk}/").status_code == 200
    assert step(client_of(teacher), hazard.pk, "take").json()["state"] == "taken"
