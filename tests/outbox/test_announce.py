"""Facts on their way: announced with the change, dealt in order, heard by all, seen by no one too early."""

import logging
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from citysafety.outbox.models import Head, OutboxEntry
from citysafety.outbox.relay import at_once, begin_day, relay_waiting
from citysafety.outbox.selectors import PositionAhead, PositionGone, entries_after, head
from citysafety.outbox.services import announce, announce_all, prune_relayed
from tests.tallies.probes import ProbeMoved


def fact(subject: str = "p1", area: str = "370502001001001") -> ProbeMoved:
    return ProbeMoved(area_code=area, subject_id=subject, state="open", lon=118.5, lat=37.4)


def announced(*subjects: str) -> list[OutboxEntry]:
    with transaction.atomic():
        return announce_all([fact(subject) for subject in subjects])


@pytest.mark.django_db(transaction=True)
def test_a_fact_outside_a_transaction_is_refused():
    with pytest.raises(RuntimeError, match="inside the transaction"):
        announce(fact())
    assert not OutboxEntry.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_change_that_is_rolled_back_was_never_announced():
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        announce(fact())
        1 / 0  # noqa: B018
    assert relay_waiting(listen={}) == []


def test_announcing_takes_two_statements_and_gives_the_time_of_the_database(db, django_assert_num_queries):
    with django_assert_num_queries(2):
        entry = announce(fact())
    assert abs(entry.at - timezone.now()) < timedelta(minutes=1)
    assert entry.position is None


def test_screens_are_told_nothing_but_the_wall_safe_item(db):
    announce(fact())
    [entry] = relay_waiting(listen={})

    assert entry.item() == {
        "position": 1, "topic": "probe.moved", "area": "370502001001001", "kind": "probe", "id": "p1",
        "state": "open", "level": "", "lon": 118.5, "lat": 37.4, "at": entry.at.isoformat(),
    }  # fmt: skip
    assert entry.payload == {"secret": "张三 13800000000"}


def test_positions_go_on_where_they_stopped_even_after_every_fact_was_pruned(db):
    announced("a", "b")
    relay_waiting(listen={})
    assert prune_relayed(before=timezone.now() + timedelta(days=91)) == 2
    announced("c")

    assert [entry.position for entry in relay_waiting(listen={})] == [3]


def test_only_what_was_relayed_long_ago_is_pruned(db):
    announced("a", "b")
    relay_waiting(listen={}, limit=1)
    assert prune_relayed(before=timezone.now() - timedelta(days=90)) == 0
    OutboxEntry.objects.filter(position=1).update(relayed_at=timezone.now() - timedelta(days=91))

    assert prune_relayed(before=timezone.now() - timedelta(days=90)) == 1
    assert [entry.position for entry in relay_waiting(listen={})] == [2]


def test_a_batch_is_no_longer_than_its_limit_and_the_rest_follows(db):
    announced(*"abcde")
    assert [e.position for e in relay_waiting(listen={}, limit=3)] == [1, 2, 3]
    assert [e.position for e in relay_waiting(listen={}, limit=3)] == [4, 5]
    assert relay_waiting(listen={}, limit=3) == []
    assert head().position == 5


def test_a_listener_that_fails_is_rolled_back_alone_and_its_fact_is_marked(db, caplog):
    heard = []

    def break_after_writing(entry):
        announce(fact("half done"))
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 / 0")

    def note(entry):
        heard.append(entry.subject_id)
        if entry.subject_id == "a":
            announce(fact("from a listener"))

    announced("a", "b")
    with caplog.at_level(logging.CRITICAL):
        entries = relay_waiting(listen={"probe.moved": [break_after_writing, note]})

    assert heard == ["a", "b"]
    assert [(e.position, e.failed) for e in entries] == [(1, True), (2, True)]
    assert OutboxEntry.objects.filter(failed=True).count() == 2
    assert [e.subject_id for e in relay_waiting(listen={})] == ["from a listener"]


def test_what_is_heard_at_once_is_heard_alone_where_it_fails(db, caplog):
    heard = []

    @at_once
    def note(entries):
        heard.append([entry.subject_id for entry in entries])
        if any(entry.subject_id == "b" for entry in entries):
            raise ZeroDivisionError

    announced("a", "c")
    relay_waiting(listen={"probe.moved": [note]})
    announced("a", "b", "c")
    with caplog.at_level(logging.CRITICAL):
        entries = relay_waiting(listen={"probe.moved": [note]})

    assert heard == [["a", "c"], ["a", "b", "c"], ["a"], ["b"], ["c"]]
    assert [(e.subject_id, e.failed) for e in entries] == [("a", False), ("b", True), ("c", False)]


def test_a_projection_that_fails_leaves_the_batch_waiting_as_a_whole(db):
    announced("a")

    def broken(entries):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        relay_waiting(listen={}, project=[broken])
    assert head().position == 0
    assert [e.position for e in relay_waiting(listen={})] == [1]


def test_readers_get_what_is_new_in_their_area_in_order(db, django_assert_num_queries):
    with transaction.atomic():
        announce_all([fact("a", "370502"), fact("b", "370503"), fact("c", "370502001")])
    relay_waiting(listen={})

    with django_assert_num_queries(3):
        last, entries = entries_after(0, "370502")
    assert (last, [e.subject_id for e in entries]) == (3, ["a", "c"])
    assert entries_after(3, "370502") == (3, [])


def test_who_is_too_far_behind_or_ahead_is_told_so(db):
    announced("a", "b")
    relay_waiting(listen={})
    with pytest.raises(PositionAhead):
        entries_after(3)
    OutboxEntry.objects.filter(position=1).delete()
    with pytest.raises(PositionGone):
        entries_after(0)
    assert entries_after(1)[0] == 2
    Head.objects.update(position=1002)
    with pytest.raises(PositionGone):
        entries_after(1)


def test_a_day_begins_once(db):
    now = timezone.now()
    assert begin_day(city="3705", at=now).topic == "day.began"
    assert begin_day(city="3705", at=now) is None
    relay_waiting(listen={})
    assert begin_day(city="3705", at=now) is None
    assert begin_day(city="3705", at=now + timedelta(days=1)).area_code == "3705"
