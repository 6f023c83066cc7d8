"""Listed supervision: four eyes, clocks over working days, extensions in time, papers, the public page without persons."""

import re
import uuid
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation

from citysafety.calendars.models import CalendarYear, Day
from citysafety.calendars.services import forget
from citysafety.documents.models import Document, Number
from citysafety.documents.selectors import gaps
from citysafety.lifecycle import StepNotAllowed
from hazards.listings import clocks, services
from hazards.listings.papers import CLEARING, NOTICE
from hazards.models import Hazard, Listing, ListingClock, ListingRule, ListingStep
from hazards.services import FieldsMissing, NotAllowed, StaleVersion
from tests.factories import AWAY, HOME, NOON, file_hazard, person

from .test_api import client_of
from .test_majors import PLAN, major, relay, step, taken, told

__all__ = ["major"]
CITY = ZoneInfo("Asia/Shanghai")
REQUIREMENT = "立即停止使用二层，清理疏散通道，完成前派专人值守。"


@pytest.fixture
def office(major):
    """The people of a listing: one proposes, another signs."""
    forget()
    major.second, major.leader = person("supervisor", area="3705"), person("leader")
    major.auditor = person("auditor")
    yield major
    forget()


def proposal(**more):
    given = {"level": "county", "leader": "王副区长", "requirement_zh": REQUIREMENT, "finish_by": date(2027, 3, 31),
             "requirement_en": "Stop using the second floor."}  # fmt: skip
    return services.Proposal(**{**given, **more})


def proposed(office, *, at=NOON, **more):
    hazard = taken(office)
    return services.propose(hazard_id=hazard.pk, proposal=proposal(**more), by=office.supervisor, at=at)


def act(listing, action, by, at=NOON, **fields):
    now = Listing.objects.get(pk=listing.pk)
    given = services.ListingInput(id=uuid.uuid4(), version=now.version, **fields)
    return services.take_step(listing_id=listing.pk, action=action, given=given, actor=by, at=at)


def signed(listing, action, by, at=NOON):
    paper = services.prepare(listing_id=listing.pk, by=by, at=at)
    return act(listing, action, by, at, sha256=paper.sealed_id)


def listed(office, *, at=NOON, **more):
    return signed(proposed(office, at=at, **more), "list_it", office.second, at)


def due(listing, kind):
    clock = ListingClock.objects.get(listing=listing, kind=kind)
    return f"{clock.due_at.astimezone(CITY):%Y-%m-%d %H:%M}" if clock.due_at else clock.due_reason


def written_off(office, listing, at=NOON + timedelta(minutes=20)):
    """Bring the hazard of a listing to its write-off, verified by another."""
    hazard = listing.hazard
    step(hazard, "plan", office.handler, at, **PLAN)
    step(hazard, "approve_plan", office.supervisor, at)
    office.photo(hazard, "after", office.handler)
    step(hazard, "rectify", office.handler, at, words="已整改")
    step(hazard, "verify", office.worker, at, lon=118.53, lat=37.45)
    return step(hazard, "write_off", office.dispatcher, at)


# -- proposing and signing -------------------------------------------------------------------------


def test_who_proposes_does_not_sign(office):
    listing = proposed(office)
    assert (listing.state, listing.document.state, listing.document.full_number) == ("proposed", "draft", "")
    with pytest.raises(NotAllowed) as refusal:
        services.prepare(listing_id=listing.pk, by=office.supervisor, at=NOON)
    assert refusal.value.rule == "denied.two_signatures"
    with pytest.raises(NotAllowed):
        act(listing, "list_it", office.supervisor, sha256="x")
    assert signed(listing, "list_it", office.second).state == "listed"
    hazard = Hazard.objects.get(pk=listing.hazard_id)
    assert hazard.listed_at == NOON
    with translation.override("en"), pytest.raises(StepNotAllowed, match="under listed supervision"):
        step(hazard, "lower", office.supervisor, words="属一般")


def test_the_paper_says_what_is_asked_of_whom_until_when(office):
    listing = listed(office)
    paper = Document.objects.get(pk=listing.document_id)
    assert (paper.kind_id, paper.full_number, paper.addressee) == (NOTICE, "东安办挂〔2026〕1 号", "东营区消防大队")
    for words in (listing.hazard.number, REQUIREMENT, "2027 年 3 月 31 日", "王副区长", "GB35181-6.5", "青岛市"):
        assert words in paper.body
    assert bytes(paper.sealed.data).startswith(b"%PDF")
    assert Number.objects.get().state == "used"


def test_only_an_open_major_hazard_with_a_unit_is_listed_once(office):
    general, loose = (
        file_hazard(office.neighbour),
        file_hazard(office.neighbour, severity="major", criterion="other: 判定标准第五条第一款"),
    )
    for hazard in (general, loose):
        with pytest.raises(services.NotListable):
            services.propose(hazard_id=hazard.pk, proposal=proposal(), by=office.supervisor, at=NOON)
    listing = proposed(office)
    with pytest.raises(services.NotListable):
        services.propose(hazard_id=listing.hazard_id, proposal=proposal(), by=office.second, at=NOON)
    for by in (office.dispatcher, office.handler, person("supervisor", area=AWAY)):
        with pytest.raises(NotAllowed):
            services.propose(hazard_id=listing.hazard_id, proposal=proposal(), by=by, at=NOON)


def test_what_was_lowered_meanwhile_is_not_put_on_the_list_any_more(office):
    listing = proposed(office)
    paper = services.prepare(listing_id=listing.pk, by=office.second, at=NOON)
    step(listing.hazard, "lower", office.supervisor, words="属一般")
    with pytest.raises(StepNotAllowed):
        act(listing, "list_it", office.second, sha256=paper.sealed_id)
    with pytest.raises(StepNotAllowed):
        services.prepare(listing_id=listing.pk, by=office.second, at=NOON)
    assert "list_it" not in {one.action for one in services.steps_open_to(office.second, Listing.objects.get())}
    assert act(listing, "withdraw", office.second, words="不属重大").state == "withdrawn"


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"finish_by": date(2026, 11, 23)}, "finish_by"),
        ({"finish_by": date(2027, 11, 24)}, "finish_by"),  # more than a year
        ({"leader": " "}, "leader"),
        ({"requirement_zh": ""}, "requirement_zh"),
        ({"requirement_zh": "联系 13812345678"}, "requirement_zh"),
        ({"requirement_zh": "由王副区长督办"}, "requirement_zh"),
    ],
)
def test_a_proposal_says_what_it_must(office, more, field):
    hazard = taken(office)
    with pytest.raises(FieldsMissing) as refusal:
        services.propose(hazard_id=hazard.pk, proposal=proposal(**more), by=office.supervisor, at=NOON)
    assert set(refusal.value.errors) == {field}
    assert not Listing.objects.exists() and not Document.objects.exists()


def test_a_year_is_the_longest_limit(office):
    assert proposed(office, finish_by=date(2027, 11, 23)).finish_by == date(2027, 11, 23)


def test_who_signs_names_the_bytes_and_the_version_that_were_seen(office):
    listing = proposed(office)
    with pytest.raises(FieldsMissing) as refusal:
        act(listing, "list_it", office.second)
    assert set(refusal.value.errors) == {"sha256"}
    stale = services.ListingInput(id=uuid.uuid4(), version=7, sha256="x")
    with pytest.raises(StaleVersion):
        services.take_step(listing_id=listing.pk, action="list_it", given=stale, actor=office.second, at=NOON)


# -- clocks ----------------------------------------------------------------------------------------


def test_clocks_run_in_working_days_from_the_signature(office):
    listing = listed(office, at=datetime(2026, 11, 27, 10, 0, tzinfo=CITY))  # Friday
    assert (due(listing, "file"), due(listing, "publish")) == ("2026-12-02 10:00", "2026-12-04 10:00")
    assert due(listing, "rectify") == "2027-04-01 00:00"


def test_at_the_turn_of_the_year_holidays_and_make_up_days_count_as_the_calendar_says(office):
    for day, working in ((date(2027, 1, 1), False), (date(2027, 1, 2), True)):
        Day.objects.create(date=day, working=working, name_zh="元旦", name_en="New Year", source="test")
    forget()
    listing = listed(office, at=datetime(2026, 12, 30, 10, 0, tzinfo=CITY))  # Wednesday
    # Thursday; not Friday; the Saturday that is worked; Monday.
    assert due(listing, "file") == "2027-01-04 10:00"
    assert due(listing, "publish") == "2027-01-06 10:00"


def test_a_missing_year_is_said_and_computed_when_its_rows_arrive(office):
    CalendarYear.objects.filter(year=2027).delete()
    forget()
    listing = listed(office, at=datetime(2026, 12, 30, 10, 0, tzinfo=CITY))
    assert "2027" in due(listing, "file")
    assert clocks.mark_missed(at=datetime(2027, 3, 1, tzinfo=CITY)) == 0
    CalendarYear.objects.create(year=2027, status="announced", source="test")
    forget()
    assert clocks.recompute() == 2
    assert due(listing, "file") == "2027-01-04 10:00"  # Thursday, Friday, Monday


def test_a_county_files_with_the_city_and_the_city_with_nobody(office):
    listing = listed(office, level="city")
    assert set(listing.clocks.values_list("kind", flat=True)) == {"publish", "rectify"}
    with pytest.raises(StepNotAllowed):
        act(listing, "file", office.supervisor)


def test_what_is_missed_is_marked_once_told_and_lifted_when_done(office):
    listing = listed(office)
    late = NOON + timedelta(days=30)
    assert [clocks.mark_missed(at=at) for at in (NOON, late, late)] == [0, 2, 0]
    listing.refresh_from_db()
    assert listing.missed
    assert act(listing, "file", office.supervisor, late).missed
    assert not act(listing, "publish", office.supervisor, late).missed
    with pytest.raises(StepNotAllowed):
        act(listing, "publish", office.supervisor, late)
    relay()
    assert told("listing.missed") == sorted(["department_handler", "leader", "supervisor", "supervisor"] * 2)
    assert (told("listing.to_sign"), told("listing.listed")) == (
        ["leader", "supervisor"],
        ["department_handler", "leader"],
    )


def test_a_rule_is_data(office):
    ListingRule.objects.filter(level="county").update(publish_days=1, most_days=30)
    hazard = taken(office)
    with pytest.raises(FieldsMissing):
        services.propose(hazard_id=hazard.pk, proposal=proposal(), by=office.supervisor, at=NOON)
    given = proposal(finish_by=date(2026, 12, 20))
    listing = services.propose(hazard_id=hazard.pk, proposal=given, by=office.supervisor, at=NOON)
    signed(listing, "list_it", office.second, datetime(2026, 11, 23, 10, tzinfo=CITY))
    assert due(listing, "publish") == "2026-11-24 10:00"


# -- extensions ------------------------------------------------------------------------------------


def test_an_extension_is_asked_twenty_working_days_before_the_end_and_not_later(office):
    listing = listed(office)  # until Wednesday, 31 March 2027
    # The last 20 working days, 4 weeks, begin on Thursday 4 March.
    too_late = datetime(2027, 3, 4, 10, 0, tzinfo=CITY)
    with translation.override("en"), pytest.raises(FieldsMissing) as refusal:
        act(listing, "ask_extension", office.handler, too_late, until_day=date(2027, 6, 30), words="设备采购")
    assert "Too late" in refusal.value.errors["until_day"] and "20" in refusal.value.errors["until_day"]
    in_time = datetime(2027, 3, 3, 17, 0, tzinfo=CITY)
    asked = act(listing, "ask_extension", office.handler, in_time, until_day=date(2027, 6, 30), words="设备采购")
    assert (asked.state, asked.extension_until) == ("listed", date(2027, 6, 30))
    assert due(listing, "decide") == "2027-03-17 17:00"  # ten working days


def test_an_extension_is_decided_by_another_and_given_once(office):
    listing = listed(office)
    with pytest.raises(NotAllowed):
        act(listing, "ask_extension", office.supervisor, until_day=date(2027, 6, 30), words="x")
    for wrong in (None, date(2027, 3, 31), date(2028, 4, 1)):
        with pytest.raises(FieldsMissing):
            act(listing, "ask_extension", office.handler, until_day=wrong, words="设备采购")
    with pytest.raises(StepNotAllowed):
        act(listing, "grant_extension", office.leader)
    act(listing, "ask_extension", office.handler, until_day=date(2027, 6, 30), words="设备采购")
    with pytest.raises(NotAllowed):
        act(listing, "grant_extension", office.handler)
    act(listing, "deny_extension", office.leader, words="理由不足")
    act(listing, "ask_extension", office.handler, until_day=date(2027, 5, 31), words="设备到货推迟，附合同")
    extended = act(listing, "grant_extension", office.leader)
    assert (extended.state, extended.finish_by, due(listing, "rectify")) == (
        "extended",
        date(2027, 5, 31),
        "2027-06-01 00:00",
    )
    assert ListingClock.objects.get(listing=listing, kind="decide").done_at == NOON
    with pytest.raises(StepNotAllowed):
        act(listing, "ask_extension", office.handler, until_day=date(2027, 7, 31), words="再延")
    relay()
    assert told("listing.decided") == ["department_handler", "department_handler"]


def test_a_plan_ends_no_later_than_the_listing(office):
    listing = listed(office, finish_by=date(2026, 12, 10))
    with pytest.raises(FieldsMissing) as refusal:
        step(listing.hazard, "plan", office.handler, **PLAN)
    assert set(refusal.value.errors) == {"finish_on"}


# -- off the list ----------------------------------------------------------------------------------


def test_it_is_taken_off_only_after_another_verified_the_hazard_and_it_was_written_off(office):
    listing = listed(office)
    act(listing, "publish", office.supervisor)
    with pytest.raises(StepNotAllowed):
        services.prepare(listing_id=listing.pk, by=office.supervisor, at=NOON)
    with translation.override("en"), pytest.raises(StepNotAllowed, match="verified by another"):
        act(listing, "clear", office.supervisor, sha256="x")
    written_off(office, listing)
    cleared = signed(listing, "clear", office.supervisor)
    assert (cleared.state, cleared.clearing.full_number) == ("cleared", "东安办摘〔2026〕1 号")
    assert "东安办挂〔2026〕1 号" in cleared.clearing.body
    assert Hazard.objects.get(pk=listing.hazard_id).listed_at is None
    assert not ListingClock.objects.filter(listing=listing, done_at=None).exclude(kind="clearing").exists()
    closed = act(listing, "publish_clearing", office.supervisor)
    assert (closed.state, closed.clearing_published_at) == ("closed", NOON)
    assert (gaps(NOTICE, 2026), gaps(CLEARING, 2026)) == ([], [])
    assert list(ListingStep.objects.order_by("version").values_list("action", flat=True)) == [
        "propose", "list_it", "publish", "clear", "publish_clearing",
    ]  # fmt: skip


def test_signing_a_clearing_with_the_bytes_of_the_notice_is_refused(office):
    listing = listed(office)
    written_off(office, listing)
    services.prepare(listing_id=listing.pk, by=office.supervisor, at=NOON)
    with pytest.raises(services.documents.OtherBytes):
        act(listing, "clear", office.supervisor, sha256=listing.document.sealed_id)


def test_what_is_withdrawn_keeps_its_number_and_leaves_room_for_another(office):
    listing = listed(office)
    act(listing, "withdraw", office.second, words="责任单位有误")
    assert Document.objects.get(pk=listing.document_id).state == "withdrawn"
    assert Hazard.objects.get(pk=listing.hazard_id).listed_at is None
    other = services.propose(hazard_id=listing.hazard_id, proposal=proposal(), by=office.supervisor, at=NOON)
    act(other, "withdraw", office.leader, words="不挂牌")
    assert Document.objects.get(pk=other.document_id).state == "discarded"
    assert not Listing.objects.live().exists()


# -- doors -----------------------------------------------------------------------------------------


def test_a_listing_is_proposed_signed_and_published_through_the_api_once(office):
    hazard, client = taken(office), client_of(office.supervisor)
    body = {"id": str(uuid.uuid4()), "hazard": str(hazard.pk), "level": "county", "leader": "王副区长",
            "requirement_zh": REQUIREMENT, "finish_by": str(timezone.localdate() + timedelta(days=90))}  # fmt: skip
    first = client.post("/api/v1/listings/", body, content_type="application/json")
    again = client.post("/api/v1/listings/", body, content_type="application/json")
    assert (first.status_code, again.status_code, first.json()) == (201, 200, again.json()), first.json()
    address = f"/api/v1/listings/{first.json()['id']}/"
    assert client.post(f"{address}prepare/").status_code == 403
    signer = client_of(office.leader)
    assert [one["action"] for one in signer.get(f"{address}steps/").json()] == ["list_it", "withdraw"]
    assert signer.get(f"{address}document.pdf").content.startswith(b"%PDF")
    ready = signer.post(f"{address}prepare/").json()
    sign = {"id": str(uuid.uuid4()), "version": ready["version"], "sha256": ready["document"]["sha256"]}
    done = signer.post(f"{address}list_it/", sign, content_type="application/json")
    assert (done.status_code, done.json()["state"]) == (200, "listed"), done.json()
    assert signer.post(f"{address}list_it/", sign, content_type="application/json").json() == done.json()
    stale = {"id": str(uuid.uuid4()), "version": 1}
    refused = client.post(f"{address}publish/", stale, content_type="application/json")
    assert (refused.status_code, refused.json()["present"]["version"]) == (409, 2)
    assert client.get(f"{address}history/count/").json() == {"count": 2}
    assert [row["action"] for row in client.get(f"{address}history/").json()["results"]] == ["propose", "list_it"]
    assert client.get("/api/v1/listings/count/?state=listed&missed=false&level=county").json() == {"count": 1}
    page = signer.get(f"{address}pages/1.png")
    assert (page.status_code, page["Content-Type"]) == (200, "image/png")


def test_who_sees_what(office):
    listing = proposed(office)
    address, page = f"/api/v1/listings/{listing.pk}/", f"/hazards/listed/{listing.pk}/"
    watchers = [office.supervisor, office.second, office.leader, office.auditor]
    others = [office.handler, office.dispatcher, office.worker]
    strangers = [person("supervisor", area=AWAY), person("leader", area=AWAY), person("kiosk")]
    status = {user: client_of(user).get(address).status_code for user in (*watchers, *others, *strangers)}
    assert {user.username: code for user, code in status.items()} == {
        **{user.username: 200 for user in watchers}, **{user.username: 404 for user in (*others, *strangers)},
    }  # fmt: skip
    signed(listing, "list_it", office.second)
    for user in others:
        assert client_of(user).get(address).status_code == 200
    elsewhere = person("department_handler", department=office.city.departments["roads-02"])
    for user in (*strangers, elsewhere):
        assert client_of(user).get(address).status_code == 404
        assert client_of(user).get("/api/v1/listings/count/").json() == {"count": 0}
    assert client_of(strangers[0]).get(f"/api/v1/listings/?area={HOME}").status_code == 404
    client = client_of(strangers[0])
    client.force_login(strangers[0])
    assert client.get(page).status_code == 404


def test_lists_cost_the_same_however_many_rows(office, django_assert_num_queries, client):
    for _ in range(3):
        listed(office)
    client.force_login(office.supervisor)
    client.get("/hazards/listed/")
    with django_assert_num_queries(4):  # account and what the page around asks; listings, their clocks
        page = client.get("/hazards/listed/").content.decode()
    assert page.count('data-href="/hazards/listed/') == 3
    api = client_of(office.supervisor)
    api.get("/api/v1/listings/")
    with CaptureQueriesContext(connection) as queries:
        assert len(api.get("/api/v1/listings/").json()["results"]) == 3
    assert sum('"hazards_listing' in one["sql"] for one in queries.captured_queries) == 2


def test_the_pages_lead_from_the_case_to_the_paper(office, client):
    hazard = taken(office)
    client.force_login(office.supervisor)
    address = f"/hazards/{hazard.pk}/list/"
    assert address in client.get(f"/hazards/{hazard.pk}/").content.decode()
    last = timezone.localdate() + timedelta(days=60)
    given = {"level": "county", "leader": "王副区长", "requirement_zh": REQUIREMENT, "finish_by": f"{last}"}
    assert client.post(address, {**given, "finish_by": "2020-01-01"}).status_code == 400
    answer = client.post(address, given)
    listing = Listing.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, f"/hazards/listed/{listing.pk}/")
    assert client.post(address, given).status_code == 409
    assert "data-prepare" not in client.get(answer["Location"]).content.decode()
    client.force_login(office.second)
    assert "data-prepare" in client.get(answer["Location"]).content.decode()
    services.prepare(listing_id=listing.pk, by=office.second, at=timezone.now())
    assert 'data-step="list_it"' in client.get(answer["Location"]).content.decode()
    assert client.get(f"/chain/listing/{listing.pk}/").status_code == 200
    client.force_login(office.dispatcher)
    assert client.get(address).status_code == 403
    assert client.get("/hazards/listed/?state=lost").status_code == 200


# -- the public page -------------------------------------------------------------------------------


def test_the_public_page_shows_what_was_published_and_nothing_personal(office, client):
    cache.clear()
    listing = listed(office)
    assert client.get("/public/listed.json").json() == {"count": 0, "next": None, "results": []}
    act(listing, "publish", office.supervisor)
    answers = [client.get("/public/listed/"), client.get("/public/listed.json")]
    [row] = answers[1].json()["results"]
    assert row == {
        "number": "东安办挂〔2026〕1 号", "matter": "疏散通道堵塞", "unit": "东营区消防大队", "place": "东营区 东营区街道",
        "level": "county", "requirement_zh": REQUIREMENT, "requirement_en": "Stop using the second floor.",
        "finish_by": "2027-03-31", "state": "listed", "listed_on": "2026-11-23", "cleared_on": None,
    }  # fmt: skip
    people = (
        office.supervisor,
        office.second,
        office.worker,
        office.neighbour,
        office.handler,
        office.dispatcher,
        office.leader,
    )
    hidden = [
        listing.leader,
        listing.hazard.number,
        str(listing.pk),
        str(listing.hazard_id),
        listing.hazard.description,
    ]
    hidden += [listing.hazard.cell.code, listing.hazard.cell.name_zh, "118.53", "37.45"]
    hidden += [word for user in people for word in (user.username, user.name_zh, user.name_en)]
    for answer in answers:
        text = answer.content.decode()
        assert REQUIREMENT in text
        assert [word for word in hidden if word in text] == []
        assert not re.search(r"\d{11}", re.sub(r"[0-9a-f]{12,}", "", text))
        assert "public" in answer["Cache-Control"] and "max-age=300" in answer["Cache-Control"]
        assert not answer.cookies


def test_a_clearing_is_public_once_it_is_published_and_a_withdrawal_takes_the_row_away(office, client):
    cache.clear()
    one, other = listed(office), listed(office)
    for listing in (one, other):
        act(listing, "publish", office.supervisor)
    written_off(office, one)
    signed(one, "clear", office.leader)

    def public():
        rows = client.get("/public/listed.json").json()["results"]
        return sorted((row["number"], row["state"], row["cleared_on"]) for row in rows)

    assert [state for _number, state, _day in public()] == ["listed", "listed"]
    act(one, "publish_clearing", office.supervisor)
    act(other, "withdraw", office.leader, words="有误")
    assert public() == [("东安办挂〔2026〕1 号", "cleared", "2026-11-23")]


def test_the_public_page_is_read_a_bounded_number_of_times_and_costs_three_queries(
    office, client, django_assert_num_queries
):
    cache.clear()
    for _ in range(2):
        act(listed(office), "publish", office.supervisor)
    with django_assert_num_queries(3):
        client.get("/public/listed/")
    with django_assert_num_queries(3):
        client.get("/public/listed.json")
    answers = [client.get("/public/listed.json").status_code for _ in range(121)]
    assert answers.count(429) >= 1 and answers[0] == 200
    refused = client.get("/public/listed.json")
    assert refused.status_code == 429 and int(refused["Retry-After"]) >= 1
    assert client.get("/public/listed.json", REMOTE_ADDR="10.9.8.7").status_code == 200
    assert client.post("/public/listed/").status_code == 405
    cache.clear()
