"""The queue: what stands in it and in which order, counts that equal their lists, who may read it, what it costs."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from citysafety.accounts.roles import CONSOLE, Role
from hazards.models import Hazard
from projects.services import mark_unanswered
from tests.factories import AWAY, HOME, NOON, file_hazard, person

from .conftest import MAJOR

QUEUE = "/api/v1/centre/queue/"
FILTERS = ("all", "accept", "dispatch", "returned", "overdue", "major", "notices")


def ids(page):
    return [row["id"] for row in page["results"]]


def test_each_filter_shows_what_its_name_says(cases, at_desk):
    client = at_desk()
    found = {key: set(ids(client.get(f"{QUEUE}?filter={key}").json())) for key in FILTERS}
    pk = {name: str(hazard.pk) for name, hazard in cases.items()}

    assert found == {
        "all": {pk[name] for name in ("reported", "accepted", "returned", "overdue", "major")},
        "accept": {pk["reported"]},
        "dispatch": {pk["accepted"], pk["returned"]},
        "returned": {pk["returned"]},
        "overdue": {pk["overdue"]},
        "major": {pk["major"]},
        "notices": set(),
    }


@pytest.mark.parametrize("asked", ["", f"area={HOME}", "matter=XF-001", f"area={AWAY}", "matter=SZ-001"])
def test_every_count_is_the_length_of_its_list_and_of_its_twin(cases, at_desk, asked):
    client = at_desk()
    counts = client.get(f"{QUEUE}?{asked}").json()["counts"]

    for key in FILTERS:
        rows = ids(client.get(f"{QUEUE}?filter={key}&{asked}").json())
        assert counts[key] == len(rows) == len(set(rows))
        assert client.get(f"{QUEUE}count/?filter={key}&{asked}").json() == {"count": len(rows)}


def test_late_comes_first_then_major_then_the_oldest_whatever_the_size_of_a_page(city, at_desk, take):
    worker = person("grid_worker")
    made = [file_hazard(worker, at=NOON + timedelta(minutes=n), **(MAJOR if n % 3 == 0 else {})) for n in range(12)]
    Hazard.objects.filter(pk__in=[made[n].pk for n in (2, 3, 7)]).update(overdue=True)
    client, gathered, after = at_desk(), [], ""
    while True:
        page = client.get(f"{QUEUE}?page_size=5&after={after}").json()
        assert len(page["results"]) <= 5
        gathered += ids(page)
        if not page["next"]:
            break
        after = page["next"]

    expected = [3, 2, 7, 0, 6, 9, 1, 4, 5, 8, 10, 11]
    assert gathered == [str(made[n].pk) for n in expected]


def test_an_unanswered_notice_stands_among_what_is_late_and_leads_to_its_own_page(office, at_desk):
    notice, at = office.drafted()
    notice = office.issued(notice, office.supervisor, at)
    office.step(notice, "receive", office.handler, at)
    notice.refresh_from_db()
    mark_unanswered(at=notice.reply_due_at + timedelta(minutes=1))
    with time_machine.travel(notice.reply_due_at + timedelta(minutes=2), tick=False):
        client = at_desk("supervisor", HOME)
        page = client.get(f"{QUEUE}?filter=notices").json()
        assert client.get(QUEUE).json()["counts"]["all"] == 2  # the notice, and the hazard that is overdue

    [row] = page["results"]
    assert (row["kind"], row["id"], row["overdue"]) == ("supervision", str(notice.pk), True)
    assert page["counts"]["notices"] == 1


def test_nobody_of_the_case_is_named_in_a_row(cases, at_desk):
    text = at_desk(language="zh-hans").get(QUEUE).content.decode()
    for hazard in Hazard.objects.select_related("reporter"):
        assert hazard.reporter.name_zh not in text
        assert hazard.description not in text


@pytest.mark.parametrize("role", sorted(Role.values))
def test_only_those_of_the_command_centre_have_a_queue(city, at_desk, role):
    client = at_desk(role, HOME)
    expected = 200 if role in CONSOLE else 403
    for path in (QUEUE, f"{QUEUE}count/", "/api/v1/centre/search/?q=xx", "/api/v1/centre/dispatches/", "/centre/"):
        assert client.get(path).status_code == expected, path


def test_a_foreign_area_is_not_there_and_what_was_not_understood_is_told(city, at_desk):
    client = at_desk("operator", HOME)
    assert client.get(f"{QUEUE}?area={AWAY}").status_code == 404
    assert client.get(f"{QUEUE}?area=x").status_code == 404
    for asked, name in (
        ("filter=mine", "filter"),
        ("fliter=all", "fliter"),
        ("after=x", "after"),
        ("page_size=1001", "page_size"),
    ):
        answer = client.get(f"{QUEUE}?{asked}")
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["attr"] == name


def test_a_case_acted_on_elsewhere_is_not_in_the_queue_of_the_own_area(city, at_desk, take):
    away = file_hazard(person("grid_worker", area=AWAY), lon=118.73)
    boss = person("dispatcher", area="3705")
    take(away, "accept", by=boss)
    boss.area_code = HOME
    boss.save()
    page = at_desk(who=boss).get(QUEUE).json()
    assert (page["results"], page["counts"]["all"]) == ([], 0)


@pytest.mark.parametrize("number", [1, 3])
def test_a_page_costs_the_same_however_many_rows(city, at_desk, django_assert_num_queries, number):
    worker, client = person("grid_worker"), at_desk()
    for _ in range(number):
        file_hazard(worker)
    client.get(QUEUE)
    # session with user; head, counts of hazards, of notices; rows of hazards, of notices; names of townships
    with django_assert_num_queries(7):
        assert len(client.get(QUEUE).json()["results"]) == number


def test_words_of_the_due_time_are_of_now(city, at_desk):
    with time_machine.travel(NOON, tick=False):
        hazard = file_hazard(person("grid_worker"), at=timezone.now())
        [row] = at_desk().get(QUEUE).json()["results"]
        assert (row["due"]["kind"], row["due"]["words"]) == ("left", "4 work h 0 min left")
        assert row["version"] == hazard.version
