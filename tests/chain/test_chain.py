"""The evidence chain: everything that happened to a hazard and its notices on one page, for who may see it."""

import re

import pytest
from django.test import Client

from citysafety.evidence import chain as chains
from citysafety.evidence.chain import Event, Record
from hazards.models import Hazard
from tests.accounts.test_pages import INLINE
from tests.factories import AWAY, HOME, NOON, attach_to, file_hazard, person
from tests.projects.conftest import office
from tests.security.world import picture

__all__ = ["office"]


def signed_in(user, language="en"):
    client = Client()
    client.cookies["django_language"] = language
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def whole(office):
    """A hazard with a photo that a unit left overdue, its notice answered and accepted."""
    notice, at = office.drafted()
    attach_to(notice.hazard, "scene", picture(3), office.worker)
    office.issued(notice, office.supervisor, at)
    office.answered(notice, at)
    notice = office.step(notice, "accept_answer", office.supervisor, at)
    return notice


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_one_page_tells_filing_steps_photos_papers_and_the_end(office, whole, language):
    page = signed_in(office.leader, language).get(f"/chain/hazard/{whole.hazard_id}/").content.decode()
    document = whole.document

    assert not INLINE.search(page)
    assert page.count('data-kind="supervision"') == 5  # drafted, issued, received, answered, accepted
    assert page.count('data-kind="hazard"') == 5  # filed, photo, accepted, dispatched, overdue
    for words in (document.full_number, document.sealed_id, whole.hazard.number, office.handler.name_zh if language == "zh-hans" else office.handler.name_en):  # fmt: skip
        assert words in page
    times = re.findall(r'<time datetime="([^"]+)">\d{4}-\d\d-\d\d<br>', page)
    assert times == sorted(times)


def test_the_chain_of_a_notice_leads_to_its_hazard_and_back(office, whole):
    client = signed_in(office.supervisor)
    for kind, pk in (("supervision", whole.pk), ("hazard", whole.hazard_id)):
        page = client.get(f"/chain/{kind}/{pk}/").content.decode()
        assert set(re.findall(r'data-record="(\w+)"', page)) == {"hazard", "supervision"}
    for path in (f"/hazards/{whole.hazard_id}/", f"/supervision/notices/{whole.pk}/"):
        assert "/chain/" in client.get(path).content.decode()


def test_rights_are_those_of_the_record(office, whole):
    path = f"/chain/hazard/{whole.hazard_id}/"
    assert signed_in(person("operator", area=AWAY)).get(path).status_code == 404
    assert (
        signed_in(person("department_handler", department=office.city.departments["roads-02"])).get(path).status_code
        == 404
    )
    assert signed_in(office.handler).get(path).status_code == 200
    assert signed_in(person("kiosk", area=HOME)).get(path).status_code == 403
    assert Client().get(path).status_code == 302
    for unknown in (
        "/chain/alarm/00000000-0000-0000-0000-000000000000/",
        "/chain/hazard/00000000-0000-0000-0000-000000000000/",
    ):
        assert signed_in(office.leader).get(unknown).status_code == 404


def test_a_draft_is_no_part_of_the_chain_for_who_may_not_see_it(office):
    notice, _at = office.drafted()
    path = f"/chain/hazard/{notice.hazard_id}/"
    assert 'data-kind="supervision"' not in signed_in(person("dispatcher")).get(path).content.decode()
    assert 'data-kind="supervision"' in signed_in(office.supervisor).get(path).content.decode()


@pytest.mark.parametrize("number", [1, 3])
def test_the_page_costs_the_same_however_much_happened(office, django_assert_num_queries, number):
    hazard = file_hazard(office.worker)
    for n in range(number):
        attach_to(hazard, "scene", picture(n), office.worker)
    client = signed_in(office.leader)
    client.get(f"/chain/hazard/{hazard.pk}/")
    # session with user; hazard, photos, steps, marks, rungs; its duplicates, inspections that found it, re-checks, listings, alarms that it
    # came from; notices about it; unread notices of the bar
    with django_assert_num_queries(13):
        client.get(f"/chain/hazard/{hazard.pk}/")


def test_a_kind_that_registers_appears_without_the_page_knowing_it(office, monkeypatch):
    """An alarm of a later issue: it registers itself and that it is about a hazard."""
    hazard = file_hazard(office.worker)
    monkeypatch.setattr(chains, "_LOOKS", dict(chains._LOOKS))
    monkeypatch.setattr(chains, "_JOINS", {key: list(value) for key, value in chains._JOINS.items()})

    def look(user, ids):
        return [
            Record(
                kind="alarm", id=one, label="alarm", number="BJ-1", title="H2S", state="new", address="/x/", area=HOME,
                events=[Event(at=NOON.replace(hour=1), label="24.8 mg/m³")], bound=[("hazard", str(hazard.pk))],
            )
            for one in ids
        ]  # fmt: skip

    chains.register("alarm", look)
    chains.join("alarm", "hazard", lambda user, ids: ["7"])
    records = chains.chain(office.leader, "hazard", str(hazard.pk))
    assert [record.kind for record in records] == ["hazard", "alarm"]
    assert chains.timeline(records)[0][1].label == "24.8 mg/m³"


def test_a_merged_hazard_tells_of_the_one_it_went_into(office):
    first, second = file_hazard(office.worker), file_hazard(office.worker)
    Hazard.objects.filter(pk=second.pk).update(merged_into=first, state="merged", due_stage="", due_at=None)
    records = chains.chain(office.leader, "hazard", str(second.pk))
    assert [record.number for record in records] == [second.number, first.number]
