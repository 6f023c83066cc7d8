"""Supervision through the API: who sees what, drafts, the bytes to be signed, repeats, the order of refusals."""

import hashlib
import io
import uuid
from datetime import timedelta

import pytest
import time_machine
from PIL import Image
from rest_framework.test import APIClient

from citysafety.accounts.tokens import issue
from citysafety.documents.models import Document, Number
from citysafety.evidence.models import Trust
from hazards.models import Hazard
from projects.models import OverdueNotice
from tests.factories import AWAY, person

BASE = "/api/v1/supervision/"


def client_of(user):
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {issue(user, 'test')}")
    return client


@pytest.fixture
def case(office):
    """A drafted notice, at a time when it stands; yields it with the clients of who has to do with it."""
    notice, at = office.drafted()
    with time_machine.travel(at, tick=False) as clock:
        yield (
            notice,
            {name: client_of(getattr(office, name)) for name in ("supervisor", "second", "handler", "leader")},
            clock,
        )


def step(client, notice, action, **fields):
    notice.refresh_from_db()
    body = {"id": str(uuid.uuid4()), "version": notice.version, **fields}
    return client.post(f"{BASE}{notice.pk}/{action}/", body, format="json")


def issued(client, notice):
    sha256 = client.post(f"{BASE}{notice.pk}/prepare/").json()["document"]["sha256"]
    return step(client, notice, "issue", sha256=sha256)


def send_photo(client, notice, claim=""):
    out = io.BytesIO()
    Image.effect_noise((32, 32), 50).save(out, "PNG")
    name = hashlib.sha256(out.getvalue()).hexdigest()
    return client.put(f"{BASE}{notice.pk}/photos/{name}/?role=answer{claim}", out.getvalue(), content_type="image/png")


def test_a_notice_from_its_draft_to_the_accepted_answer(case):
    notice, by, _clock = case
    supervisor, handler = by["supervisor"], by["handler"]
    assert handler.get(f"{BASE}{notice.pk}/").status_code == 404  # a draft is the supervisors' own
    assert [s["action"] for s in supervisor.get(f"{BASE}{notice.pk}/steps/").json()] == ["issue", "discard"]
    done = issued(supervisor, notice).json()
    assert (done["state"], done["number"]) == ("issued", "东安办督〔2026〕1 号")
    assert handler.get(BASE).json()["results"][0]["number"] == done["number"]
    assert step(handler, notice, "receive").json()["state"] == "received"
    assert step(handler, notice, "answer", words="已整改").status_code == 422
    assert send_photo(handler, notice, "&lon=118.53").json()["errors"][0]["attr"] == "lat"
    assert send_photo(handler, notice, "&lon=118.53&lat=37.45&accuracy_m=9").status_code == 201
    assert {"place_fits", "stripped"} <= {reason["code"] for reason in Trust.objects.get().reasons}, "near its hazard"
    assert step(handler, notice, "answer").status_code == 400
    assert step(handler, notice, "answer", words="已整改").json()["state"] == "answered"
    assert step(handler, notice, "accept_answer").status_code == 403
    assert step(supervisor, notice, "accept_answer").json()["state"] == "closed"
    rows = supervisor.get(f"{BASE}{notice.pk}/history/").json()["results"]
    assert [row["action"] for row in rows] == ["draft", "issue", "receive", "answer", "accept_answer"]
    assert supervisor.get(f"{BASE}{notice.pk}/history/count/").json() == {"count": 5}


def test_the_bytes_that_are_shown_are_the_bytes_that_are_signed(case):
    notice, by, clock = case
    supervisor = by["supervisor"]
    draft = supervisor.get(f"{BASE}{notice.pk}/document.pdf")
    assert (draft.status_code, draft["Content-Type"]) == (200, "application/pdf")
    first, again = (supervisor.post(f"{BASE}{notice.pk}/prepare/").json() for _ in range(2))
    assert first == again
    shown = supervisor.get(f"{BASE}{notice.pk}/document.pdf").content
    assert hashlib.sha256(shown).hexdigest() == first["document"]["sha256"]
    assert step(supervisor, notice, "issue", sha256="0" * 64).status_code == 409
    assert step(supervisor, notice, "issue", sha256=first["document"]["sha256"]).status_code == 200
    clock.shift(timedelta(days=3))
    assert supervisor.get(f"{BASE}{notice.pk}/document.pdf").content == shown
    picture = supervisor.get(f"{BASE}{notice.pk}/pages/1.png")
    assert (picture.content[:4], picture["X-Pages"]) == (b"\x89PNG", "1")
    assert supervisor.get(f"{BASE}{notice.pk}/pages/9.png").status_code == 404


def test_a_repeat_gets_the_stored_answer_and_another_body_none(case):
    notice, by, _clock = case
    body = {"id": str(uuid.uuid4()), "version": 1, "reason": "单位已申请延期"}
    first = by["supervisor"].post(f"{BASE}{notice.pk}/discard/", body, format="json")
    again = by["supervisor"].post(f"{BASE}{notice.pk}/discard/", body, format="json")
    other = by["supervisor"].post(f"{BASE}{notice.pk}/discard/", {**body, "reason": "x"}, format="json")
    assert (first.status_code, again.status_code, other.status_code) == (200, 200, 422)
    assert first.json() == again.json()


def test_who_is_late_sees_the_present_notice(case):
    notice, by, _clock = case
    answer = by["supervisor"].post(
        f"{BASE}{notice.pk}/discard/", {"id": str(uuid.uuid4()), "version": 9, "reason": "x"}, format="json"
    )
    assert (answer.status_code, answer.json()["present"]["version"]) == (409, 1)
    assert step(by["supervisor"], notice, "accept_answer").status_code == 409
    assert step(by["supervisor"], notice, "discard").status_code == 400


@pytest.mark.parametrize(
    ("role", "area", "status"),
    [("supervisor", AWAY, 404), ("dispatcher", "3705", 404), ("grid_worker", "370502", 404), ("leader", "370502", 403)],
)
def test_a_notice_is_the_business_of_few(case, role, area, status):
    notice, _by, _clock = case
    client = client_of(person(role, area=area))
    assert step(client, notice, "discard", reason="x").status_code == status
    assert OverdueNotice.objects.get().state == "draft"


def test_words_of_a_draft_are_changed_and_a_character_without_a_face_is_named(case):
    notice, by, _clock = case
    words = {"version": 1, "title": "关于整改逾期的督办单", "body": "**一、事由。**逾期。", "addressee": "某单位"}
    assert by["leader"].post(f"{BASE}{notice.pk}/words/", words, format="json").status_code == 403
    changed = by["supervisor"].post(f"{BASE}{notice.pk}/words/", words, format="json")
    assert changed.json()["document"]["title"] == "关于整改逾期的督办单"
    rare = by["supervisor"].post(f"{BASE}{notice.pk}/words/", {**words, "body": "\U00031350"}, format="json")
    assert rare.status_code == 200
    refused = by["supervisor"].post(f"{BASE}{notice.pk}/prepare/")
    assert (refused.status_code, "U+31350" in refused.json()["errors"][0]["detail"]) == (422, True)
    assert not Number.objects.exists()
    assert by["supervisor"].get(f"{BASE}{notice.pk}/document.pdf").status_code == 422


def test_overdue_hazards_come_with_how_much_they_are_over_and_their_notice(case, office):
    notice, by, _clock = case
    [row] = by["supervisor"].get(f"{BASE}overdue/").json()["results"]
    assert (row["notice"]["id"], row["unit"], row["over_s"] > 0) == (str(notice.pk), "work_days", True)
    assert client_of(office.dispatcher).get(f"{BASE}overdue/").status_code == 403


def test_a_trial_says_what_signing_would_do_and_writes_nothing(case, office):
    notice, by, _clock = case
    asked = {"hazards": [str(notice.hazard_id), str(uuid.uuid4())]}

    def verdicts(who):
        rows = by[who].post(f"{BASE}trial/", asked, format="json").json()["rows"]
        return [(row["verdict"], row["reason"]) for row in rows]

    assert verdicts("supervisor") == [("issue", "")]
    issued(by["supervisor"], notice)
    assert verdicts("supervisor") == [("refused", "stands_issued")]
    assert by["leader"].post(f"{BASE}trial/", asked, format="json").status_code == 403
    Hazard.objects.update(overdue=False)
    assert verdicts("supervisor") == [("refused", "not_overdue")]
    assert Document.objects.filter(number__isnull=False).count() == 1


def test_a_notice_is_drafted_by_a_person_where_there_is_none(case):
    notice, by, _clock = case
    body = {"id": str(uuid.uuid4()), "hazard": str(notice.hazard_id)}
    assert by["supervisor"].post(BASE, body, format="json").status_code == 409
    step(by["supervisor"], notice, "discard", reason="x")
    first = by["supervisor"].post(BASE, body, format="json")
    again = by["supervisor"].post(BASE, body, format="json")
    assert (first.status_code, again.status_code, first.json()["id"]) == (201, 200, again.json()["id"])
    assert by["handler"].post(BASE, {**body, "id": str(uuid.uuid4())}, format="json").status_code == 403


def test_lists_have_their_twin_and_refuse_what_they_do_not_know(case):
    _notice, by, _clock = case
    supervisor = by["supervisor"]
    assert supervisor.get(f"{BASE}?state=draft&live=true").json()["results"][0]["state"] == "draft"
    assert supervisor.get(f"{BASE}count/?state=draft").json() == {"count": 1}
    for wrong in ("state=nonsense", "live=maybe", "bogus=1", "issued=2026-13-01"):
        assert supervisor.get(f"{BASE}?{wrong}").status_code == 400
