"""Notices are written once, delivered once in effect, and parked when they cannot be delivered."""

import os
import socket
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from email.header import decode_header, make_header

import pytest
from django.db import connection, connections
from django.utils import timezone

from citysafety.notices import egress, topics
from citysafety.notices.models import ATTEMPTS, LEASE, Channel, Delivery, Notice
from citysafety.notices.services import deliver, notify, waiting
from tests.accounts.people import person

from .receivers import http_receiver, mail_receiver

AT = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _a_topic(monkeypatch):
    """A topic as an app above registers it."""
    monkeypatch.setitem(topics.TOPICS, "test.late", None)
    topics.register(
        "test.late",
        label="Late",
        title="%(matter)s is late",
        body="Due %(due_at)s",
        path="/account/?case=%(subject_id)s",
    )


@pytest.fixture(autouse=True)
def _loopback_is_allowed(settings):
    settings.EGRESS_ALLOW = ["127.0.0.1"]


def write(*people, key="late:1", at=AT):
    return notify(
        recipients=people, topic="test.late", subject=("case", "c-1"), source_key=key, level=2, at=at,
        params={"matter": {"zh": "疏散通道堵塞", "en": "Blocked escape route"}, "due_at": "2026-11-23T05:00:00+00:00"},
    )  # fmt: skip


def hooked(user, address):
    return Channel.objects.create(user=user, kind="webhook", address=address)


@pytest.mark.django_db
def test_the_same_source_writes_to_a_person_once():
    first, second = person("dispatcher"), person("supervisor")
    assert write(first, first.pk) == 1
    assert write(first, second) == 1
    assert write(first, second) == 0
    assert Notice.objects.count() == 2
    assert write(first, key="late:2") == 1


@pytest.mark.django_db
@pytest.mark.parametrize("people", [1, 3])
def test_writing_costs_four_queries_whatever_the_number_of_people(django_assert_num_queries, people):
    users = [person("dispatcher") for _n in range(people)]
    for user in users:
        hooked(user, "https://hook.example/")
    with django_assert_num_queries(4 + 1 + 2):  # + deliveries, + the savepoint
        write(*users)
    assert Delivery.objects.count() == people


@pytest.mark.django_db
def test_an_unknown_topic_is_refused_and_writes_nothing():
    with pytest.raises(KeyError):
        notify(recipients=[person("dispatcher")], topic="no.such", params={}, source_key="x")
    assert not Notice.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_four_sweeps_at_once_write_one_notice_and_one_delivery():
    user = person("dispatcher")
    hooked(user, "https://hook.example/")
    start, counts = threading.Barrier(4), []

    def sweep():
        start.wait()
        counts.append(write(user))
        connections.close_all()

    threads = [threading.Thread(target=sweep) for _n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Notice.objects.count() == 1
    assert Delivery.objects.count() == 1


@pytest.mark.django_db
def test_a_mail_arrives_in_the_language_of_its_reader(settings):
    with mail_receiver() as (post, port):
        settings.NOTICE_MAIL_SERVER = f"mailto://127.0.0.1:{port}?from=notice@city.example&mode=insecure"
        for language in ("en", ""):
            user = person("dispatcher", language=language)
            Channel.objects.create(user=user, kind="email", address=f"{language or 'zh'}@city.example")
            write(user)
        for delivery_id in waiting(AT):
            assert deliver(delivery_id, at=AT)
    subjects = {mail["To"]: str(make_header(decode_header(mail["Subject"]))) for mail in post.mails}
    assert any("Blocked escape route is late" in subject for to, subject in subjects.items() if "en@" in to)
    assert any("疏散通道堵塞" in subject for to, subject in subjects.items() if "zh@" in to)
    assert "2026-11-23 13:00" in post.mails[0].get_payload(decode=True).decode(), "times are the city's"
    assert {mail["X-CitySafety-Delivery"] for mail in post.mails} == {
        str(pk) for pk in Delivery.objects.values_list("pk", flat=True)
    }


@pytest.mark.django_db
def test_a_webhook_gets_the_notice_once_with_the_id_of_its_delivery():
    user = person("dispatcher", language="en")
    with http_receiver() as (hook, address):
        hooked(user, f"{address}?key=abc&verify=no")
        write(user)
        (delivery_id,) = waiting(AT)
        assert deliver(delivery_id, at=AT)
        assert not deliver(delivery_id, at=AT), "what is sent is not sent again"
        assert not deliver(delivery_id, at=AT + timedelta(days=1))
    ((_headers, body),) = hook.taken
    assert body["title"] == "Blocked escape route is late"
    assert hook.ids == [body["id"]] == [delivery_id]
    assert Delivery.objects.get().sent_at
    assert waiting(AT + timedelta(days=1)) == []


@pytest.mark.django_db
def test_a_channel_at_rest_gets_nothing():
    user = person("dispatcher")
    channel = hooked(user, "https://hook.example/")
    Channel.objects.filter(pk=channel.pk).update(enabled=False)
    write(user)
    assert not Delivery.objects.exists()


@pytest.mark.django_db
def test_a_refusing_receiver_is_tried_again_later_and_later_then_parked_and_shown(client):
    user = person("dispatcher")
    with http_receiver() as (hook, address):
        hook.status = 503
        hooked(user, address)
        write(user)
        delivery, at, waits = Delivery.objects.get(), AT, []
        for _n in range(ATTEMPTS):
            assert waiting(at - timedelta(seconds=1)) == [], "not before its time"
            assert not deliver(delivery.pk, at=at)
            delivery.refresh_from_db()
            waits.append(delivery.next_try_at - at)
            at = delivery.next_try_at
        assert len(hook.taken) == ATTEMPTS
        assert len(set(hook.ids)) == 1
        assert waits == sorted(waits)
        assert delivery.parked_at
        assert "503" in delivery.reason
        assert waiting(at + timedelta(days=9)) == []
        client.force_login(user)
        assert "503" in client.get("/notices/channels/").content.decode()
        hook.status = 200
        client.post("/notices/channels/retry/")
        assert deliver(delivery.pk, at=timezone.now() + timedelta(seconds=1))


@pytest.mark.django_db
@pytest.mark.parametrize(
    "address",
    ["http://127.0.0.1:1/", "http://169.254.169.254/latest/", "http://10.1.2.3/", "http://localhost:1/",
     "http://[::1]:1/", "http://[::ffff:10.0.0.1]/", "http://0.0.0.0:1/", "http://0x7f000001:1/", "ftp://example.com/"],
)  # fmt: skip
def test_private_addresses_are_refused_before_anything_is_sent(settings, address):
    settings.EGRESS_ALLOW = []
    user = person("dispatcher")
    hooked(user, address)
    write(user)
    assert not deliver(Delivery.objects.get().pk, at=AT)
    reason = Delivery.objects.get().reason
    assert "EGRESS_ALLOW" in reason or "http or https" in reason


@pytest.mark.django_db
def test_a_redirect_into_the_house_is_not_followed(settings):
    user = person("dispatcher")
    with http_receiver() as (inner, inside), http_receiver() as (outer, outside):
        outer.status, outer.location = 307, inside
        settings.EGRESS_ALLOW = [outside.removeprefix("http://").partition("/")[0]]
        hooked(user, f"{outside}?redirect=yes")
        write(user)
        assert not deliver(Delivery.objects.get().pk, at=AT)
    assert len(outer.taken) == 1
    assert inner.taken == []


@pytest.mark.django_db(transaction=True)
def test_two_workers_on_the_same_fifty_deliveries_send_each_once():
    with http_receiver() as (hook, address):
        for _n in range(50):
            user = person("dispatcher")
            hooked(user, address)
            write(user)
        ids = waiting(AT)

        def work(order):
            for delivery_id in order:
                deliver(delivery_id, at=AT)
            connections.close_all()

        threads = [threading.Thread(target=work, args=(order,)) for order in (ids, ids, ids[::-1])]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    print(f"deliveries 50, workers 3, requests at the receiver {len(hook.taken)}")
    assert sorted(hook.ids) == sorted(ids)
    assert Delivery.objects.exclude(sent_at=None).count() == 50


WORKER = """
import sys, django
django.setup()
from django.db import connections
connections.databases["default"]["NAME"] = sys.argv[1]
from django.utils import timezone
from citysafety.notices import egress, topics
from citysafety.notices.services import deliver
topics.register("test.late", label="Late", title="%(matter)s is late")
deliver(sys.argv[2], at=timezone.now())
"""


@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_in_the_middle_of_a_delivery_leaves_exactly_one_effect():
    user = person("dispatcher")
    with http_receiver() as (hook, address):
        hooked(user, address)
        write(user)
        delivery_id = str(Delivery.objects.get().pk)
        hook.answer.clear()  # the receiver took it and keeps the worker waiting
        worker = subprocess.Popen(
            [sys.executable, "-c", WORKER, connection.settings_dict["NAME"], delivery_id],
            env={**os.environ, "EGRESS_ALLOW": "127.0.0.1"},
        )
        assert hook.came.wait(30)
        worker.kill()
        worker.wait()
        hook.answer.set()
        now = timezone.now()
        assert Delivery.objects.get().sent_at is None
        assert waiting(now) == [], "the dead worker's claim still holds"
        later = now + LEASE + timedelta(seconds=1)
        assert waiting(later) == [delivery_id]
        assert deliver(delivery_id, at=later)
        assert not deliver(delivery_id, at=later + LEASE)
    row = Delivery.objects.get()
    assert row.sent_at
    assert row.attempts == 2
    assert Notice.objects.count() == 1
    assert hook.ids == [delivery_id] * 2, "the outside receiver can tell the repeat by its id"


@pytest.mark.django_db
def test_a_delivery_that_kills_every_worker_is_parked_without_being_sent_again():
    user = person("dispatcher")
    with http_receiver() as (hook, address):
        hooked(user, address)
        write(user)
        Delivery.objects.update(attempts=ATTEMPTS, claimed_at=AT)
        assert not deliver(Delivery.objects.get().pk, at=AT + LEASE + timedelta(seconds=1))
    assert Delivery.objects.get().parked_at
    assert hook.taken == []


def test_the_check_sits_in_the_connection_itself_and_covers_this_thread_only(settings):
    settings.EGRESS_ALLOW = []
    with http_receiver() as (_hook, address):
        port = int(address.rpartition(":")[2].partition("/")[0])
        with egress.guarded(), pytest.raises(egress.EgressRefused):
            socket.create_connection(("localhost", port), timeout=2)
        settings.EGRESS_ALLOW = [f"127.0.0.1:{port}"]
        with egress.guarded():
            socket.create_connection(("127.0.0.1", port), timeout=2).close()
        settings.EGRESS_ALLOW = []
        socket.create_connection(("127.0.0.1", port), timeout=2).close()
