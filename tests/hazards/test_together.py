"""Hazards that are filed at the same moment share a transaction: each is whole, each says whose it was."""

import threading
import uuid

import pytest
from django.db import connection, connections, transaction
from pghistory.models import Context

from citysafety.outbox.models import OutboxEntry, Receipt
from hazards import api
from hazards.models import Clock, Hazard, Step
from tests.factories import NOON, file_hazard, make_city, person

from .test_api import client_of, filing

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def groups(monkeypatch):
    """Hold the first group until the others wait; note how many each carried."""
    sizes, carry = [], api.filings._carry
    api.filings.first, api.filings.go_on = threading.Event(), threading.Event()

    def held(loads):
        sizes.append(len(loads))
        if not api.filings.first.is_set():
            api.filings.first.set()
            assert api.filings.go_on.wait(10)
        return carry(loads)

    monkeypatch.setattr(api.filings, "_carry", held)
    return sizes


def file_all(asked):
    """File the first; once it is under way all others; return the answers in order."""
    answers = [None] * len(asked)

    def send(n):
        client, body = asked[n]
        answers[n] = client.post("/api/v1/hazards/", body, format="json")
        connections.close_all()

    threads = [threading.Thread(target=send, args=[n]) for n in range(len(asked))]
    threads[0].start()
    assert api.filings.first.wait(10)
    [thread.start() for thread in threads[1:]]
    while len(api.filings._waiting) < len(asked) - 1:
        pass
    api.filings.go_on.set()
    [thread.join(10) for thread in threads]
    return answers


def test_those_who_wait_are_filed_in_one_transaction_and_each_change_says_who_made_it(groups):
    make_city()
    workers = [person("grid_worker") for _ in range(4)]
    asked = [(client_of(worker), filing(description=worker.username)) for worker in workers]
    answers = file_all(asked)

    assert [answer.status_code for answer in answers] == [201] * 4
    assert groups == [1, 3]
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(DISTINCT xmin::text) FROM hazards_hazard")
        assert cursor.fetchone() == (2,)
    for worker, answer in zip(workers, answers, strict=True):
        hazard = Hazard.objects.get(pk=answer.json()["id"])
        assert (hazard.reporter, hazard.description, hazard.number) == (
            worker,
            worker.username,
            answer.json()["number"],
        )
        assert Step.objects.get(pk=hazard.pk).actor == worker
        assert Clock.objects.get(hazard=hazard).due_at == hazard.due_at
        assert OutboxEntry.objects.get(subject_id=str(hazard.pk)).payload["reporter_id"] == worker.pk
        assert hazard.period.entry.subject_id == str(hazard.pk)
        log = Hazard.pgh_event_model.objects.get(pgh_obj=hazard)
        assert Context.objects.get(pk=log.pgh_context_id).metadata["user"] == worker.pk
        assert Receipt.objects.get(pk=hazard.pk).answer == answer.json()


def test_the_same_report_twice_in_one_group_is_one_hazard(groups):
    make_city()
    worker, body = client_of(person("grid_worker")), filing()
    answers = file_all([(client_of(person("grid_worker")), filing()), (worker, body), (worker, body)])

    assert sorted(answer.status_code for answer in answers) == [200, 201, 201]
    assert answers[1].json() == answers[2].json()
    assert Hazard.objects.count() == 2


def test_an_id_that_is_somebody_elses_refuses_that_one_only(groups):
    make_city()
    taken = file_hazard(person("grid_worker"))  # as an import does: no receipt
    bad, good = filing(id=str(taken.pk)), filing()
    answers = file_all([(client_of(person("grid_worker")), body) for body in (filing(), bad, good)])

    assert [answer.status_code for answer in answers] == [201, 422, 201]
    assert Hazard.objects.count() == 3
    assert not Receipt.objects.filter(pk=taken.pk).exists()


def test_a_report_that_was_taken_is_answered_again_though_it_would_be_refused_today(groups):
    city = make_city()
    api.filings.first.set()
    client, body = client_of(person("grid_worker")), filing()
    first = client.post("/api/v1/hazards/", body, format="json")
    matter = city.matters[body["matter"]]
    matter.active = False
    matter.save()

    assert client.post("/api/v1/hazards/", body, format="json").json() == first.json()
    refused = client.post("/api/v1/hazards/", filing(), format="json")
    assert (refused.status_code, refused.json()["errors"][0]["attr"]) == (400, "matter")


def test_what_fails_in_the_middle_leaves_nothing(monkeypatch):
    make_city()
    before = OutboxEntry.objects.count()
    body = filing(id=str(uuid.uuid4()))
    monkeypatch.setattr(api.filings, "_carry", lambda loads: (_ for _ in ()).throw(RuntimeError("disk")))
    client = client_of(person("grid_worker"))
    client.raise_request_exception = False
    assert client.post("/api/v1/hazards/", body, format="json").status_code == 500
    monkeypatch.undo()

    with pytest.raises(ZeroDivisionError), transaction.atomic():
        file_hazard(person("grid_worker"), at=NOON)
        1 / 0  # noqa: B018
    assert (Hazard.objects.count(), Step.objects.count(), Clock.objects.count()) == (0, 0, 0)
    assert OutboxEntry.objects.count() == before
