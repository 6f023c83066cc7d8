"""The desk's pages of hazards: lists with their filters in the address, cases with their steps, and who may see them."""

import re
import uuid
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from citysafety.accounts.models import Role
from grid.finding import PLACES, letters
from hazards import desk, pages
from hazards.models import Hazard
from hazards.present import clock_answer
from tests.factories import AWAY, HOME, NOON, file_hazard, person

pytestmark = pytest.mark.django_db
LIST = "/hazards/"


def signed_in(user, language="en"):
    client = Client()
    client.force_login(user)
    client.cookies["django_language"] = language
    return client


def numbers(answer):
    """Return the numbers of the rows, in their order."""
    return re.findall(r'<a href="/hazards/[0-9a-f-]+/">(YH-[^<]+)</a>', answer.content.decode())


def see(user, **filters):
    return signed_in(user).get(LIST, filters)


@pytest.mark.parametrize("rows", [1, 3])
def test_the_list_takes_the_same_queries_whatever_its_length(cast, rows, django_assert_num_queries):
    for _n in range(rows):
        file_hazard(cast.worker)
    client = signed_in(cast.dispatcher)
    client.get(LIST)

    with django_assert_num_queries(8):
        assert len(numbers(client.get(LIST))) == rows
    with django_assert_num_queries(3):
        assert len(numbers(client.get(LIST, headers={"HX-Request": "true", "HX-Target": "div#list"}))) == rows


@pytest.mark.parametrize("photos", [1, 3])
def test_a_case_takes_the_same_queries_whatever_happened_to_it(cast, photos, django_assert_num_queries):
    hazard = cast.rectified()
    for _n in range(photos - 1):
        cast.step(hazard, "fail", cast.dispatcher, words="没有清理干净")
        cast.photo(hazard, "after", cast.handler)
        cast.step(hazard, "rectify", cast.handler, words="又清理了")
    client = signed_in(cast.dispatcher)
    client.get(f"{LIST}{hazard.pk}/")

    # … what was changed of its clocks, cases near by that may be the same, others that have to do with it
    with django_assert_num_queries(14):
        answer = client.get(f"{LIST}{hazard.pk}/")
    assert answer.content.decode().count('<li class="is-done">') == 5 + 2 * (photos - 1)


def test_filters_stand_in_the_address_and_cut_the_list(cast):
    fire = file_hazard(cast.worker)
    road = file_hazard(cast.worker, matter="SZ-001", description="井盖没了")
    cast.step(road, "accept", cast.dispatcher)
    elsewhere = file_hazard(cast.neighbour, lon=118.73)
    whole = person("operator", area="3705")

    def found(**filters):
        return set(numbers(see(whole, **filters)))

    assert found() == {fire.number, road.number, elsewhere.number}
    assert found(state="accepted") == {road.number}
    assert found(state=["accepted", "reported"], category="SZ") == {road.number}
    assert found(area=AWAY) == found(area="370503") == {elsewhere.number}
    assert found(search="井盖") == {road.number}
    assert found(search=fire.number.lower()) == {fire.number}
    assert found(search=road.matter.code) == {road.number}  # SZ-001
    PLACES.forget()  # the names of this test's city
    initials, pinyin = letters(road.matter.name_zh)
    assert found(search=initials) == found(search=pinyin) == {road.number}
    assert found(severity="major") == set()
    assert found(received="2026-11-23") == {fire.number, road.number, elsewhere.number}
    assert found(received_after="2026-11-24") == set()
    assert found(open="1", matter="XF-001") == {fire.number, elsewhere.number}
    assert set(numbers(see(cast.worker, mine="true"))) == {fire.number, road.number}


def test_a_link_keeps_the_filters_that_have_no_field_of_their_own_and_each_can_be_taken_away(cast):
    file_hazard(cast.worker)
    page = see(cast.dispatcher, cell=f"{HOME}001001001", state="reported").content.decode()

    assert 'href="?state=reported"' in page
    assert '<input type="hidden" name="cell"' in page
    assert '<input type="checkbox" name="state" value="reported" checked>' in page


@pytest.mark.parametrize(
    ("filters", "words"),
    [
        ({"state": "lost"}, "state: “lost” was not understood; expected one of reported, accepted, dispatched"),
        ({"severity": "awful"}, "severity: “awful” was not understood; expected one of general, major"),
        ({"received_after": "yesterday"}, "from: “yesterday” was not understood; expected a day as YYYY-MM-DD"),
        ({"received": "23.11."}, "received on: “23.11.” was not understood; expected a day as YYYY-MM-DD, or today."),
        (
            {"received": "9999-12-31"},
            "received on: “9999-12-31” was not understood; expected a day as YYYY-MM-DD, or today.",
        ),
        ({"open": "perhaps"}, "open: “perhaps” was not understood; expected true or false"),
        ({"stat": "reported"}, "There is no filter “stat”."),
        ({"figure": "hazards.open", "at": "12345678"}, "The news has not come to position 12345678 yet; the last is "),
        ({"figure": "hazards.open", "at": "noon"}, "position: “noon” was not understood; expected a whole number"),
        ({"figure": "hazards.nonsense"}, "There is no such figure."),
    ],
)
def test_a_filter_that_is_not_understood_says_what_was_seen_and_expected(cast, filters, words):
    file_hazard(cast.worker)
    answer = see(cast.dispatcher, **filters)

    assert answer.status_code == 200
    assert words in answer.content.decode()
    assert numbers(answer) == []


@pytest.mark.parametrize("filters", [{"area": AWAY}, {"area": "99"}, {"before": "x"}, {"before": "1.y"}])
def test_foreign_areas_and_broken_marks_answer_404(cast, filters):
    assert see(cast.dispatcher, **filters).status_code == 404


def test_an_empty_list_says_why(cast):
    assert "No hazards yet" in see(cast.dispatcher).content.decode()
    assert "No hazard fits these filters." in see(cast.dispatcher, state="accepted").content.decode()


def test_pages_stay_right_while_rows_arrive(cast, monkeypatch):
    monkeypatch.setattr(pages, "ROWS", 2)
    filed = [file_hazard(cast.worker, at=NOON - timedelta(minutes=n)).number for n in (4, 3, 2, 1)]
    client = signed_in(cast.dispatcher)
    first = client.get(LIST)
    file_hazard(cast.worker, at=NOON)
    older = re.search(r'rel="next" href="([^"]+)"', first.content.decode())[1]
    second = client.get(LIST + older)

    assert [*numbers(first), *numbers(second)] == filed[::-1]
    assert 'rel="next"' not in second.content.decode()


@pytest.mark.parametrize("count", [2, 3])
def test_rows_of_the_same_moment_are_neither_lost_nor_shown_twice(cast, monkeypatch, count):
    monkeypatch.setattr(pages, "ROWS", 1)
    filed = {file_hazard(cast.worker).number for _n in range(count)}
    client, seen, address = signed_in(cast.dispatcher), [], LIST
    while address:
        answer = client.get(address)
        seen += numbers(answer)
        older = re.search(r'rel="next" href="([^"]+)"', answer.content.decode())
        address = LIST + older[1] if older else ""

    assert sorted(seen) == sorted(filed)


def test_htmx_gets_the_list_alone_and_nothing_of_it_is_kept(cast):
    answer = signed_in(cast.dispatcher).get(LIST, headers={"HX-Request": "true", "HX-Target": "div#list"})

    assert "<html" not in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.parametrize(
    ("role", "tabs"),
    [
        ("dispatcher", ["To accept", "To dispatch", "To verify", "To write off", "To decide"]),
        ("department_handler", ["To take over", "In work"]),
        ("grid_worker", ["To verify", "Reported by me"]),
        ("supervisor", ["Overdue", "Major open", "Open", "To decide", "Contested"]),
        ("leader", ["Overdue", "Major open", "Open", "Set by a leader"]),
    ],
)
def test_each_role_has_its_queues_and_the_number_is_that_of_the_list_behind(cast, role, tabs):
    cast.rectified()
    file_hazard(cast.worker)
    done = cast.rectified()
    cast.step(done, "verify", cast.worker, lon=118.53, lat=37.45)
    user = {"dispatcher": cast.dispatcher, "department_handler": cast.handler, "grid_worker": cast.worker}.get(
        role, person(role)
    )
    client = signed_in(user)
    page = client.get(LIST).content.decode()
    found = re.findall(r'<a class="chip" href="(\?[^"]+)">([^<]+) <b>(\d+)</b>', page)

    assert [label for _address, label, _n in found] == tabs
    for address, label, n in found:
        behind = client.get(LIST + address.replace("&amp;", "&"))
        assert len(numbers(behind)) == int(n), label
        assert re.search(rf'aria-current="true">{label}', behind.content.decode())


@pytest.mark.parametrize("role", [role for role in Role.values if role != "kiosk"])
def test_a_case_of_elsewhere_is_not_found_whatever_the_role(cast, role):
    hazard = file_hazard(cast.worker)
    department = cast.city.departments["fire-03"] if role == "department_handler" else None
    stranger = signed_in(person(role, area=AWAY, department=department))

    assert stranger.get(f"{LIST}{hazard.pk}/").status_code == 404
    assert numbers(stranger.get(LIST)) == []


def test_a_handler_sees_the_department_s_cases_from_the_dispatch_on(cast):
    hazard = file_hazard(cast.worker)
    client = signed_in(cast.handler)
    before = client.get(f"{LIST}{hazard.pk}/").status_code
    cast.step(hazard, "accept", cast.dispatcher)
    cast.step(hazard, "dispatch", cast.dispatcher, department="fire-02")

    assert (before, client.get(f"{LIST}{hazard.pk}/").status_code) == (404, 200)


def test_a_wall_screen_sees_no_words_of_reporters(cast):
    hazard = file_hazard(cast.worker)
    screen = signed_in(person("kiosk", area="3705"))

    assert screen.get(LIST).status_code == 403
    assert screen.get(f"{LIST}{hazard.pk}/").status_code == 403


def test_strangers_are_led_to_the_door_and_unknown_cases_are_not_found(cast, client):
    assert client.get(LIST)["Location"] == f"/login/?next={LIST}"
    assert signed_in(cast.dispatcher).get(f"{LIST}{uuid.uuid4()}/").status_code == 404
    assert signed_in(cast.dispatcher).post(LIST).status_code == 405


def steps_on(answer):
    return re.findall(r'data-step="(\w+)"', answer.content.decode())


def test_a_case_offers_each_reader_the_steps_that_the_api_allows_and_no_other(cast):
    hazard = file_hazard(cast.neighbour)
    page = f"{LIST}{hazard.pk}/"

    def offered(user):
        client = signed_in(user)
        answer, allowed = client.get(page), client.get(f"/api/v1/hazards/{hazard.pk}/steps/").json()
        assert sorted(steps_on(answer)) == sorted(row["action"] for row in allowed)
        return steps_on(answer)

    assert offered(cast.dispatcher) == ["accept", "refuse", "change_matter", "raise", "correct_cell", "merge"]
    assert offered(cast.neighbour) == ["handle_on_spot", "correct_cell", "remark"]
    assert offered(person("auditor")) == []
    assert offered(person("leader")) == ["pin"]
    cast.step(hazard, "accept", cast.dispatcher)
    assert offered(cast.dispatcher) == ["dispatch", "pause", "change_matter", "raise", "correct_cell", "merge"]
    cast.step(hazard, "dispatch", cast.dispatcher, department="fire-02")
    assert offered(cast.handler) == ["take", "return", "ask_extension", "ask_pause"]
    cast.step(hazard, "take", cast.handler)
    assert offered(cast.handler) == ["rectify", "ask_extension", "ask_pause"]


def test_the_dispatch_suggests_the_matter_s_department(cast):
    hazard = file_hazard(cast.worker)
    cast.step(hazard, "accept", cast.dispatcher)
    page = signed_in(cast.dispatcher).get(f"{LIST}{hazard.pk}/").content.decode()

    assert re.findall(r'<option value="([^"]+)" selected>', page) == ["fire-02"]
    assert "fire-03" not in page


def test_four_eyes_are_told_in_words_to_who_rectified(cast):
    hazard = file_hazard(cast.worker)
    for role in ("before", "after"):
        cast.photo(hazard, role, cast.worker)
    cast.step(hazard, "handle_on_spot", cast.worker)
    answer = signed_in(cast.worker).get(f"{LIST}{hazard.pk}/")

    assert steps_on(answer) == ["remark"]
    assert "Four eyes: who rectified may not verify." in answer.content.decode()
    assert steps_on(signed_in(cast.neighbour).get(f"{LIST}{hazard.pk}/")) == ["verify", "fail"]


def test_a_reader_without_steps_is_told_whose_turn_it_is(cast):
    hazard = file_hazard(cast.worker)

    assert "Accept: Dispatcher" in signed_in(person("leader")).get(f"{LIST}{hazard.pk}/").content.decode()


def test_a_clock_shows_its_arithmetic(cast):
    hazard = file_hazard(cast.worker, at=NOON)  # Monday 12:00: 4 working hours from 14:00 end at 18:00
    page = signed_in(cast.dispatcher).get(f"{LIST}{hazard.pk}/").content.decode()

    assert "4 working hours" in page
    assert "11-23 18:00" in page
    assert "Working days: 1" in page
    assert "2026: test" in page


def test_what_fell_due_as_the_office_closed_is_over_though_no_minute_of_work_has_passed(cast):
    hazard = file_hazard(cast.worker, at=NOON)  # due at 18:00
    clock = desk.clock_rows(clock_answer(hazard, NOON + timedelta(hours=7)), NOON + timedelta(hours=7))[0]
    assert (clock["late"], clock["words"], desk.due_words(hazard, NOON + timedelta(hours=7)).words) == (
        True,
        "已超期",
        "已超期",
    )
    later = NOON + timedelta(hours=21)  # an hour into the next morning
    assert desk.due_words(hazard, later).words == desk.clock_rows(clock_answer(hazard, later), later)[0]["words"]


def test_a_missing_calendar_is_said_and_no_due_time_is_invented(cast):
    hazard = file_hazard(cast.worker)
    Hazard.objects.filter(pk=hazard.pk).update(due_at=None, due_reason="calendar 2027 missing")
    hazard.clocks.update(due_at=None, due_reason="calendar 2027 missing")
    client = signed_in(cast.dispatcher)

    for address in (LIST, f"{LIST}{hazard.pk}/"):
        assert "The calendar of 2027 is missing." in client.get(address).content.decode()


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_no_page_has_a_script_or_style_of_its_own(cast, language):
    hazard = cast.rectified()
    client = signed_in(cast.dispatcher, language)
    for address in (LIST, reverse("hazard-page", args=[hazard.pk])):
        page = client.get(address).content.decode()
        assert " style=" not in page
        assert " onclick=" not in page
        for script in page.split("<script")[1:]:
            assert " src=" in script.split(">")[0] or "application/json" in script.split(">")[0]


def test_a_very_long_list_says_more_than_instead_of_counting_on(cast, monkeypatch):
    for _n in range(3):
        file_hazard(cast.worker)
    whole = person("operator", area="3705")
    assert "3 hazards" in see(whole).content.decode()
    monkeypatch.setattr(pages, "MOST_COUNTED", 2)
    assert "more than 2 hazards" in see(whole).content.decode()
    # What does not grow with the years is counted whole: its list says what the figure says that led to it.
    assert ">3 hazards" in see(whole, open="true").content.decode()
    assert ">3 hazards" in see(whole, received="2026-11-23").content.decode()
    assert "more than 2 hazards" in see(whole, overdue="false").content.decode()
    monkeypatch.setattr(pages, "MOST_COUNTED_NOW", 2)
    assert "more than 2 hazards" in see(whole, open="true").content.decode()


def test_words_are_looked_for_in_six_weeks_and_in_all_years_when_asked(cast):
    long_ago = file_hazard(cast.worker, at=timezone.now() - timedelta(days=pages.WORDS_DAYS + 2), description="旧井盖")
    lately = file_hazard(cast.worker, description="新井盖")
    whole = person("operator", area="3705")

    short = see(whole, search="井盖")
    assert numbers(short) == [lately.number]
    assert "Only hazards received since" in short.content.decode()
    further = re.search(r'href="([^"]+)">Search all years', short.content.decode())[1].replace("&amp;", "&")
    everything = signed_in(whole).get(f"{LIST}{further}")
    assert numbers(everything) == [lately.number, long_ago.number]
    assert "Search all years" not in everything.content.decode()
    # Numbers, chosen days and open cases are found without reading years.
    assert numbers(see(whole, search=long_ago.number)) == [long_ago.number]
    assert numbers(see(whole, search="井盖", received_after="2000-01-01")) == [lately.number, long_ago.number]
    assert numbers(see(whole, search="井盖", open="true")) == [lately.number, long_ago.number]
    nothing = see(whole, search="绝无此词").content.decode()
    assert "No hazard fits these filters" in nothing
    assert "Search all years" in nothing
