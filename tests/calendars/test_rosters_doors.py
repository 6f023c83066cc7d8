"""Rosters at their doors: handovers, the API answered once, pages for each reader, and what they cost."""

import uuid
from datetime import timedelta

import pytest
from django.contrib.messages import get_messages
from django.db import DatabaseError, transaction
from django.test import Client
from django.utils import timezone

from citysafety.accounts.models import Department
from citysafety.accounts.tokens import issue
from citysafety.calendars import handovers
from citysafety.calendars.handovers import HandoverInput
from citysafety.calendars.models import CalendarYear, Handover, HandoverReceipt, Leave, Post, Shift, Swap
from citysafety.calendars.shifts import NotAllowed, Over, Refused
from citysafety.outbox.models import OutboxEntry
from hazards.models import Hazard
from tests.factories import file_hazard, make_city, person
from tests.grid.conftest import relay

from .conftest import CITY, COUNTY, DAY, FOREIGN, HOUR, make_post

pytestmark = pytest.mark.django_db


class Api:
    """Asks in a person's name, as a program does."""

    def __init__(self, user):
        self.client, self.headers = Client(), {"HTTP_AUTHORIZATION": f"Token {issue(user, 'test')}"}

    def get(self, path):
        return self.client.get(f"/api/v1/duty/{path}", **self.headers)

    def post(self, path, **body):
        body = {"id": str(uuid.uuid4()), **body}
        return self.client.post(f"/api/v1/duty/{path}", body, content_type="application/json", **self.headers)


def signed_in(user):
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def now():
    return timezone.now().replace(microsecond=0)


@pytest.fixture
def staffed(desk, now):
    """The desk with b on duty until an hour ahead, c after him, and a planning."""
    desk.first = Shift.objects.create(post=desk.post, person=desk.b, begins=now - 7 * HOUR, ends=now + HOUR)
    desk.second = Shift.objects.create(post=desk.post, person=desk.c, begins=now + HOUR, ends=now + 9 * HOUR)
    return desk


def give(desk, at, by=None, **more):
    given = HandoverInput(**{"matters": "YH-20261123-00001 待复查", **more})
    return handovers.give_handover(id=uuid.uuid4(), post=desk.post, given=given, by=by or desk.b, at=at)


# -- handover ------------------------------------------------------------------------------------------
def test_the_outgoing_writes_the_incoming_signs_and_both_are_told(staffed, now):
    handover = give(staffed, now, cases="YH-20261123-00002")
    assert handovers.is_late(handover, now + timedelta(minutes=30)) is False
    assert handovers.is_late(handover, now + timedelta(minutes=31)) is True

    receipt = handovers.receive_handover(id=uuid.uuid4(), handover=handover, by=staffed.c, at=now + HOUR)

    assert (receipt.received_by, receipt.received_at) == (staffed.c, now + HOUR)
    assert handovers.is_late(Handover.objects.get(), now + DAY) is False
    told = OutboxEntry.objects.filter(topic__startswith="duty.handover").order_by("pk")
    assert [(one.topic, one.subject_id, one.area_code) for one in told] == [
        ("duty.handover_given", str(handover.pk), COUNTY), ("duty.handover_received", str(handover.pk), COUNTY),
    ]  # fmt: skip
    assert "待复查" not in str([(one.live, one.payload) for one in told])
    with pytest.raises(Over):
        handovers.receive_handover(id=uuid.uuid4(), handover=handover, by=staffed.c, at=now + HOUR)


def test_handovers_and_receipts_are_never_changed_or_deleted(staffed, now):
    handover = give(staffed, now)
    receipt = handovers.receive_handover(id=uuid.uuid4(), handover=handover, by=staffed.c, at=now)
    for change in (
        lambda: Handover.objects.update(matters="nothing"),
        lambda: HandoverReceipt.objects.update(received_at=now - DAY),
        receipt.delete,
        handover.delete,
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()
    assert Handover.objects.get().matters == "YH-20261123-00001 待复查"


def test_only_who_stands_at_the_post_writes_and_only_another_signs(staffed, now):
    for stranger in (staffed.a, staffed.c, person("dispatcher", area=COUNTY)):
        with pytest.raises(NotAllowed):
            give(staffed, now, by=stranger)
    give(staffed, now + 3 * HOUR - timedelta(seconds=1))  # two hours after the shift, one may still
    with pytest.raises(NotAllowed):
        give(staffed, now + 3 * HOUR)
    handover = give(staffed, now)
    for stranger in (staffed.a, staffed.b):
        with pytest.raises(NotAllowed):
            handovers.receive_handover(id=uuid.uuid4(), handover=handover, by=stranger, at=now)


def test_a_handover_says_something_and_what_is_broken(staffed, now):
    for wrong, field in (({"matters": " "}, "matters"), ({"equipment_ok": False}, "equipment")):
        with pytest.raises(Refused) as refusal:
            give(staffed, now, **wrong)
        assert set(refusal.value.errors) == {field}
    assert give(staffed, now, equipment_ok=False, equipment="3 号屏黑屏").equipment == "3 号屏黑屏"


def test_the_figures_of_the_moment_go_with_it_in_both_languages_and_numbers_lead_to_cases(staffed, now):
    CalendarYear.objects.all().delete()
    make_city()
    file_hazard(person("grid_worker"))
    Hazard.objects.update(number="YH-20261123-00001")
    relay()
    handover = give(staffed, now)

    assert {line.key: line.number for line in handovers.figures_of(handover)} == {
        "hazards.open": 1, "hazards.overdue": 0, "hazards.major_open": 0,
    }  # fmt: skip
    assert {row["key"]: row["label"]["en"] for row in handover.figures}["hazards.open"] == "Open hazards"
    assert all(set(row["label"]) == {"zh-hans", "en"} for row in handover.figures)
    assert handover.figures[0]["path"] == f"/hazards/?open=true&area={COUNTY}"

    file_hazard(person("grid_worker"))
    relay()
    then, since = handovers.figures_since(handover)[0]
    assert since is not None
    assert (then.number, since.number) == (1, 2)
    words = signed_in(staffed.b).get(f"/duty/handovers/{handover.pk}/").content.decode()
    assert f'<a class="figure" href="{since.path.replace("&", "&amp;")}">2</a>' in words
    assert f'href="{since.path.replace("&", "&amp;")}">1</a>' not in words  # its list no longer has the one of then

    assert handovers.linked("看 YH-20261123-00001。") == [
        ("看 ", ""), ("YH-20261123-00001", "/hazards/?search=YH-20261123-00001"), ("。", ""),
    ]  # fmt: skip


# -- the API -----------------------------------------------------------------------------------------
def test_a_shift_is_posted_once_however_often_it_is_sent(desk, now):
    api = Api(desk.a)
    body = {
        "id": str(uuid.uuid4()), "post": desk.post.pk, "person": desk.b.username, "deputy": desk.c.username,
        "begins": (now + DAY).isoformat(), "ends": (now + DAY + 12 * HOUR).isoformat(),
    }  # fmt: skip

    first, again = api.post("shifts/", **body), api.post("shifts/", **body)

    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert first.json()["deputy"] == {"username": desk.c.username, "name": desk.c.name}
    assert Shift.objects.count() == 1
    assert api.post("shifts/", **{**body, "note": "other"}).status_code == 422


def test_an_id_that_is_a_row_already_is_used_for_nothing_else(staffed, now):
    api = Api(staffed.a)
    times = {"begins": (now + DAY).isoformat(), "ends": (now + DAY + HOUR).isoformat()}
    answer = api.post("shifts/", id=str(staffed.first.pk), post=staffed.post.pk, person=staffed.c.username, **times)
    assert answer.status_code == 422
    assert Shift.objects.get(pk=staffed.first.pk).person == staffed.b


def test_what_is_wrong_is_told_at_its_field_and_in_words(staffed, now):
    api = Api(staffed.a)
    good = {
        "post": staffed.post.pk, "person": staffed.b.username, "begins": (now + DAY).isoformat(),
        "ends": (now + DAY + HOUR).isoformat(),
    }  # fmt: skip

    def told(**wrong):
        answer = api.post("shifts/", **{**good, **wrong})
        assert answer.status_code == 400, answer.content
        return {error["attr"] for error in answer.json()["errors"]}

    foreign = person("dispatcher", area=FOREIGN)
    assert told(person=foreign.username) == told(person="nobody") == {"person"}
    assert told(begins="0001-01-01T00:00:00+14:00") == {"begins"}
    assert told(begins="9999-12-31T23:59:59Z", ends="9999-12-31T22:00:00Z") == {"begins", "ends"}
    assert told(kind="x") == {"kind"}
    assert told(begins=now.isoformat()) == {"person"}  # he is there already
    assert foreign.name not in api.post("shifts/", **{**good, "person": foreign.username}).content.decode()


def test_foreign_posts_are_not_there_and_who_does_not_plan_is_told_so(staffed, now):
    foreign = make_post(FOREIGN)
    body = {"person": staffed.b.username, "begins": (now + DAY).isoformat(), "ends": (now + 2 * DAY).isoformat()}
    operator = Api(person("operator", area=COUNTY))

    assert Api(staffed.a).post("shifts/", post=foreign.pk, **body).status_code == 404
    assert operator.post("shifts/", post=staffed.post.pk, **body).status_code == 403
    assert operator.post(f"shifts/{staffed.second.pk}/cancel/").status_code == 403
    assert operator.get("shifts/").json()["results"] != []
    assert Api(person("dispatcher", area=FOREIGN)).post(f"shifts/{staffed.second.pk}/cancel/").status_code == 404
    assert Api(person("grid_worker", area=COUNTY)).get("shifts/").status_code == 403
    assert Api(person("kiosk", area=CITY)).get("now/?role=dispatcher").status_code == 403


def test_lists_have_their_filters_and_twins(staffed, now):
    api = Api(staffed.a)
    Shift.objects.filter(pk=staffed.second.pk).update(cancelled_at=now)
    later = (now + 2 * HOUR).isoformat()

    def both(query):
        rows = api.get(f"shifts/?{query}").json()["results"]
        assert api.get(f"shifts/count/?{query}").json() == {"count": len(rows)}
        return [row["id"] for row in rows]

    first, second = str(staffed.first.pk), str(staffed.second.pk)
    assert both("") == [first]
    assert both("cancelled=true") == [second]
    assert both(f"person={staffed.b.username}") == both(f"area={COUNTY}") == both(f"post={staffed.post.pk}") == [first]
    assert both("person=nobody") == []
    assert both(f"from={later}".replace("+", "%2B")) == []
    assert both(f"to={later}") == [first]  # with its plus sign as it is
    assert api.get("shifts/?from=yesterday").status_code == 400
    assert api.get("shifts/?lost=1").status_code == 400
    assert api.get(f"shifts/?area={FOREIGN}").status_code == 404


@pytest.mark.parametrize("rows", [1, 4])
@pytest.mark.parametrize(("path", "queries"), [("shifts/", 2), ("posts/", 2), ("handovers/", 2), ("gaps/", 4)])
def test_lists_cost_the_same_however_long(staffed, now, rows, path, queries, django_assert_num_queries):
    for n in range(rows):
        post = make_post()
        who = person("dispatcher", area=COUNTY)
        Shift.objects.create(post=post, person=who, begins=now + n * DAY, ends=now + n * DAY + HOUR, deputy=staffed.b)
        handover = Handover.objects.create(
            pk=uuid.uuid4(), post=post, given_by=who, given_at=now, matters="x", equipment_ok=True
        )
        HandoverReceipt.objects.create(pk=uuid.uuid4(), handover=handover, received_by=staffed.b, received_at=now)
    api = Api(staffed.a)
    api.get(path)
    with django_assert_num_queries(queries):
        assert api.get(path).json()["results"]


def test_now_says_who_is_on_duty_and_whom_to_turn_to(staffed, now):
    api = Api(staffed.a)

    here = api.get("now/?role=dispatcher").json()
    later = api.get(f"now/?role=dispatcher&at={(now + 2 * DAY).isoformat()}").json()

    assert [row["person"]["username"] for row in here["people"]] == [staffed.b.username]
    assert here["people"][0]["phone"] == staffed.post.phone
    assert (later["nobody"], later["reason"]) == (True, "no_shift")
    assert staffed.city.username in {row["username"] for row in later["others"]}
    for wrong in ("role=x", "role=", "role=department_handler", "role=dispatcher&at=x", "role=dispatcher&department=x"):
        assert api.get(f"now/?{wrong}").status_code == 400


def test_a_pattern_is_dry_first_then_written(desk):
    api, day = Api(desk.a), timezone.localdate() + DAY
    body = {
        "post": desk.post.pk, "slots": "08:00-20:00 20:00-08:00", "teams": [[desk.a.username], [desk.b.username]],
        "first": day.isoformat(), "last": (day + DAY).isoformat(),
    }  # fmt: skip

    dry = api.post("shifts/pattern/", **body).json()
    assert (dry["dry"], dry["written"], len(dry["rows"]), Shift.objects.count()) == (True, 0, 4, 0)
    assert api.post("shifts/pattern/", **body, dry=False).json()["written"] == 4
    assert Shift.objects.count() == 4
    copied = {"post": desk.post.pk, "source": day.isoformat(), "target": (day + 7 * DAY).isoformat(), "dry": False}
    assert api.post("shifts/copy/", **copied).json()["written"] >= 1
    for wrong in ({"slots": "8-20"}, {"teams": [["nobody"], [desk.a.username]]}, {"teams": [[desk.a.username]]}):
        assert api.post("shifts/pattern/", **{**body, **wrong}).status_code == 400


def test_a_swap_is_proposed_and_agreed_to_by_program(staffed):
    b, c = Api(staffed.b), Api(staffed.c)
    made = b.post("swaps/", first=str(staffed.first.pk), second=str(staffed.second.pk))
    assert made.status_code == 201, made.content

    assert b.get("swaps/count/").json() == {"count": 1}
    assert Api(person("operator", area=COUNTY)).get("swaps/count/").json() == {"count": 0}
    assert c.post(f"swaps/{made.json()['id']}/agree/").json()["state"] == "done"
    assert c.post(f"swaps/{made.json()['id']}/refuse/").status_code == 409
    assert Shift.objects.get(pk=staffed.first.pk).person == staffed.c


def test_leave_is_entered_for_oneself_and_its_reason_is_read_by_few(staffed, now):
    times = {"begins": now.isoformat(), "ends": (now + DAY).isoformat(), "reason": "SECRET"}
    b = Api(staffed.b)
    made = b.post("leaves/", **times)
    assert made.status_code == 201, made.content

    assert b.post("leaves/", **times, person=person("operator", area=COUNTY).username).status_code == 201  # b plans
    operator = Api(person("operator", area=COUNTY))
    assert operator.post("leaves/", **times, person=staffed.b.username).status_code == 400
    assert operator.get("leaves/").json()["results"] == []
    assert operator.get(f"leaves/{made.json()['id']}/").status_code == 404
    assert operator.get("now/?role=dispatcher").json()["reason"] == "on_leave"
    assert b.post(f"leaves/{made.json()['id']}/cancel/").status_code == 200
    assert operator.get("now/?role=dispatcher").json()["reason"] == ""


def test_a_handover_is_given_and_received_by_program(staffed):
    made = Api(staffed.b).post("handovers/", post=staffed.post.pk, matters="无")
    assert made.status_code == 201, made.content
    path = f"handovers/{made.json()['id']}/receive/"
    assert Api(staffed.b).post(path).status_code == 403
    assert Api(staffed.c).get("handovers/?unsigned=true").json()["results"] != []
    assert Api(staffed.c).post(path).json()["received_by"]["username"] == staffed.c.username
    assert Api(staffed.c).post(path).status_code == 409


# -- pages ---------------------------------------------------------------------------------------------
def test_the_page_shows_who_is_there_the_week_the_gaps_and_the_holidays(staffed, now):
    Leave.objects.create(
        person=staffed.b, begins=now - HOUR, ends=now + HOUR, reason="SECRET", entered_by=staffed.b, entered_at=now
    )
    page = signed_in(person("leader", area=COUNTY)).get("/duty/").content.decode()

    assert "0546-8000110" in page
    assert "SECRET" not in page
    assert 'class="gap"' in page
    assert staffed.b.name in page


def test_who_stands_in_no_roster_has_no_part_in_the_page(desk):
    for role in ("grid_worker", "kiosk", "administrator", "security_officer"):
        assert signed_in(person(role, area=CITY)).get("/duty/").status_code == 403
    assert signed_in(person("auditor", area=CITY)).get("/duty/").status_code == 200
    assert signed_in(person("dispatcher", area=FOREIGN)).get(f"/duty/posts/{desk.post.pk}/").status_code == 404
    assert "370502" not in signed_in(person("dispatcher", area=FOREIGN)).get("/duty/").content.decode()


def test_a_handler_sees_the_posts_of_the_own_department_alone(desk):
    fire = Department.objects.create(code="fire", area_code=COUNTY, name_zh="消防")
    own = make_post(role="department_handler", department=fire)
    Post.objects.filter(pk=own.pk).update(name_zh="消防值班室", name_en="Fire desk")
    page = signed_in(person("department_handler", area=COUNTY, department=fire)).get("/duty/").content.decode()

    assert "消防值班室" in page
    assert desk.post.name not in page
    assert "消防值班室" not in signed_in(person("department_handler", area=COUNTY)).get("/duty/").content.decode()


@pytest.mark.parametrize("posts", [1, 4])
def test_the_page_costs_the_same_however_many_posts(staffed, now, posts, django_assert_num_queries):
    for _ in range(posts):
        post = make_post()
        Shift.objects.create(post=post, person=staffed.b, begins=now, ends=now + HOUR, deputy=staffed.c)
        Handover.objects.create(
            pk=uuid.uuid4(), post=post, given_by=staffed.b, given_at=now - HOUR, matters="x", equipment_ok=True
        )
    client = signed_in(person("operator", area=COUNTY))
    client.get("/duty/")
    with django_assert_num_queries(12):
        client.get("/duty/")


def test_a_shift_is_entered_on_its_page_once_and_what_is_wrong_stands_at_its_field(desk, now):
    client, path = signed_in(desk.a), f"/duty/posts/{desk.post.pk}/shift/"
    assert client.get(path).status_code == 200
    day = timezone.localdate() + DAY
    body = {
        "id": str(uuid.uuid4()), "person": desk.b.pk, "deputy": "", "begins": f"{day}T20:00", "ends": f"{day + DAY}T08:00",
        "kind": "primary", "note": "",
    }  # fmt: skip

    wrong = client.post(path, {**body, "ends": f"{day}T19:00"})
    assert wrong.status_code == 200
    assert 'href="#id_ends"' in wrong.content.decode()
    assert [client.post(path, body).status_code for _ in range(2)] == [302, 302]
    shift = Shift.objects.get()
    assert timezone.localtime(shift.begins).hour == 20
    assert client.post(path, {**body, "id": str(uuid.uuid4())}).status_code == 200  # he is there already
    assert client.get(f"/duty/shifts/{shift.pk}/").status_code == 200
    assert client.post(f"/duty/shifts/{shift.pk}/cancel/").status_code == 302
    assert Shift.objects.get().cancelled_at is not None


def test_a_pattern_is_looked_at_and_then_written_on_its_page(desk):
    client, path = signed_in(desk.a), f"/duty/posts/{desk.post.pk}/pattern/"
    day = timezone.localdate() + DAY
    body = {
        "id": str(uuid.uuid4()), "slots": "08:00-20:00 20:00-08:00", "first": day, "last": day + DAY,
        f"team-{desk.a.pk}": 1, f"team-{desk.b.pk}": 2, f"team-{desk.c.pk}": 3,
    }  # fmt: skip

    assert client.get(path).status_code == 200
    assert client.post(path, {**body, "act": "trial"}).context["count"] == 4
    assert not Shift.objects.exists()
    assert 'href="#id_slots"' in client.post(path, {**body, "slots": "8-20"}).content.decode()
    assert client.post(path, {**body, "act": "write"}).status_code == 302
    assert Shift.objects.count() == 4
    copy = client.post(path, {"id": str(uuid.uuid4()), "target": day + 7 * DAY, "act": "trial"})
    assert copy.context["is_copy"]


def test_swaps_leave_and_handovers_go_through_their_pages(staffed, now):
    b, c = signed_in(staffed.b), signed_in(staffed.c)
    proposal = {"id": str(uuid.uuid4()), "second": staffed.second.pk, "words": "谢谢"}
    assert b.get(f"/duty/shifts/{staffed.first.pk}/swap/").status_code == 200
    assert b.post(f"/duty/shifts/{staffed.first.pk}/swap/", proposal).status_code == 302
    swap = Swap.objects.get()
    assert "谢谢" in c.get("/duty/").content.decode()
    assert c.post(f"/duty/swaps/{swap.pk}/refuse/").status_code == 302
    assert Swap.objects.get().state == "refused"
    answer = c.post(f"/duty/swaps/{swap.pk}/agree/")
    assert [message.level_tag for message in get_messages(answer.wsgi_request)] == ["success", "error"]

    written = {"id": str(uuid.uuid4()), "matters": "YH-20261123-00001", "equipment_ok": "on"}
    assert b.get(f"/duty/posts/{staffed.post.pk}/handover/").status_code == 200
    assert b.post(f"/duty/posts/{staffed.post.pk}/handover/", written).status_code == 302
    path = f"/duty/handovers/{written['id']}/"
    assert 'href="/hazards/?search=YH-20261123-00001"' in c.get(path).content.decode()
    assert signed_in(staffed.a).post(path, {"id": str(uuid.uuid4())}).status_code == 403
    assert c.post(path, {"id": str(uuid.uuid4()), "words": "已阅"}).status_code == 302
    assert "已阅" in b.get(path).content.decode()

    day = timezone.localdate() + DAY
    leave = {
        "id": str(uuid.uuid4()), "person": staffed.b.pk, "begins": f"{day}T00:00", "ends": f"{day}T23:59", "reason": "公休",
    }  # fmt: skip
    assert b.post("/duty/leave/", leave).status_code == 302
    assert "公休" in c.get("/duty/leave/").content.decode()  # a dispatcher plans
    assert c.post(f"/duty/leave/{leave['id']}/cancel/").status_code == 302
    assert Leave.objects.get().cancelled_at is not None
    refused = signed_in(person("operator", area=COUNTY)).post("/duty/leave/", {**leave, "id": str(uuid.uuid4())})
    assert 'href="#id_person"' in refused.content.decode()


def test_a_post_is_made_inside_the_own_area_and_keeps_its_role_once_it_has_shifts(staffed):
    client = signed_in(staffed.a)
    body = {
        "name_zh": "新岗", "name_en": "", "role": "operator", "area_code": COUNTY, "department": "", "phone": "1", "minimum": 1,
        "staffed": "hours", "begins": "20:00", "ends": "06:00", "warn_hours": 4, "receipt_minutes": 15, "active": "on",
    }  # fmt: skip

    assert client.post("/duty/posts/new/", {**body, "area_code": FOREIGN}).status_code == 200
    assert client.post("/duty/posts/new/", {**body, "ends": ""}).status_code == 200
    assert client.post("/duty/posts/new/", body).status_code == 302
    made = Post.objects.get(name_zh="新岗")
    assert (made.area_code, made.receipt_minutes) == (COUNTY, 15)
    client.post(f"/duty/posts/{staffed.post.pk}/edit/", {**body, "staffed": "always", "begins": "", "ends": ""})
    staffed.post.refresh_from_db()
    assert (staffed.post.name_zh, staffed.post.role) == ("新岗", "dispatcher")
