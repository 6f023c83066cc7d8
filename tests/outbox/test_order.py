"""R4: no hole, no repeat, no other order, for any reader; and no relay is indispensable."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from django.db import connection, transaction

from citysafety.outbox.models import OutboxEntry
from citysafety.outbox.relay import Relay
from citysafety.outbox.selectors import entries_after, head
from citysafety.outbox.services import announce
from tests.running import scales, until

from .test_announce import announced, fact

pytestmark = pytest.mark.django_db(transaction=True)

RELAY = """
import sys
from django.conf import settings
settings.DATABASES["default"]["NAME"] = sys.argv[1]
import django
django.setup()
from django.core.management import call_command
call_command("relay")
"""


class Reader(threading.Thread):
    """Asks for what is new, by position, until it is told that no more comes."""

    def __init__(self, over: threading.Event) -> None:
        super().__init__()
        self.over, self.seen, self.position = over, [], 0

    def run(self) -> None:
        rnd = random.Random(id(self))
        while True:
            ending = self.over.is_set()
            last, entries = entries_after(self.position)
            self.seen += [(entry.position, entry.subject_id) for entry in entries]
            self.position = last
            if ending:
                break
            time.sleep(rnd.uniform(0.02, 0.15))
        connection.close()


def write(number: int, count: int) -> list[str]:
    """Announce ``count`` facts in transactions of one to four, some slow, some rolled back."""
    rnd, kept = random.Random(number), []
    while len(kept) < count:
        subjects = [f"{number}-{len(kept) + n}" for n in range(rnd.randint(1, min(4, count - len(kept))))]
        try:
            with transaction.atomic():
                for subject in subjects:
                    announce(fact(subject))
                    time.sleep(rnd.choice([0, 0, 0.001, 0.02]))
                if rnd.random() < 0.1:
                    raise InterruptedError
        except InterruptedError:
            continue
        kept += subjects
    connection.close()
    return kept


def run_r4(facts: int, say) -> None:
    over, started = threading.Event(), time.monotonic()
    relay = Relay(listen={}, project=[], city="3705")
    carrying = threading.Thread(target=relay.run)
    readers = [Reader(over) for _ in range(20)]
    writers = [threading.Thread(target=write, args=(n, facts // 8)) for n in range(8)]
    for thread in (carrying, *readers, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    while OutboxEntry.objects.filter(position=None).exists():
        time.sleep(0.05)
    over.set()
    for thread in readers:
        thread.join()
    relay.stop.set()
    carrying.join()

    truth = list(OutboxEntry.objects.order_by("position").values_list("position", "subject_id"))
    positions = [position for position, _ in truth]
    # The day's beginning may be among the facts: the relay announces it.
    told = facts + OutboxEntry.objects.filter(topic="day.began").count()
    assert positions == list(range(1, told + 1))
    ids = list(OutboxEntry.objects.order_by("position").values_list("pk", flat=True))
    late = sum(after < before for before, after in zip(ids, ids[1:], strict=False))
    missed = sum(len(set(truth) - set(reader.seen)) for reader in readers)
    repeated = sum(len(reader.seen) - len(set(reader.seen)) for reader in readers)
    disordered = sum(reader.seen != sorted(reader.seen) for reader in readers)
    say(
        f"R4: {told} facts, 8 writers, 20 readers, {time.monotonic() - started:.1f} s: skipped {missed}, "
        f"duplicates {repeated}, order errors {disordered} (ids dealt out of order {late})"
    )
    assert (missed, repeated, disordered) == (0, 0, 0)


@scales(short=2_000, long=20_000)
def test_r4_no_reader_misses_or_repeats_a_fact(scale, say):
    run_r4(scale, say)


@pytest.fixture
def start_relay(tmp_path):
    started = []

    def start() -> subprocess.Popen:
        # The relay is tried as the process it is; it works on the database of this test.
        process = subprocess.Popen(
            [sys.executable, "-c", RELAY, connection.settings_dict["NAME"]],
            cwd=Path(__file__).parents[2], stderr=(tmp_path / f"relay-{len(started)}.log").open("wb"),
        )  # fmt: skip
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()


def dealt_within(entry: OutboxEntry, seconds: float) -> float:
    """Return how long it took until a fact had its position."""
    started = time.monotonic()
    while time.monotonic() - started < seconds:
        if OutboxEntry.objects.filter(pk=entry.pk).exclude(position=None).exists():
            return time.monotonic() - started
        time.sleep(0.02)
    raise AssertionError(f"not dealt within {seconds} s")


def someone_waits_for_the_lead() -> bool:
    """Test whether another relay has started up and asks for the lead; who leads has gone on to other questions."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND query LIKE '%pg_try_advisory_lock%'"
        )
        return cursor.fetchone()[0] > 0


def test_another_relay_takes_over_when_the_leader_is_killed(start_relay, say):
    leader, tries, takes = start_relay(), 3, []
    dealt_within(announced("first")[0], 20)
    for n in range(tries):
        follower = start_relay()
        until(someone_waits_for_the_lead, 60)
        os.kill(leader.pid, signal.SIGKILL)
        takes.append(dealt_within(announced(f"after kill {n}")[0], 10))
        leader = follower

    rung = [dealt_within(announced("rung")[0], 10) for _ in range(20)]
    positions = list(OutboxEntry.objects.order_by("position").values_list("position", flat=True))
    assert positions == list(range(1, head().position + 1))
    say(f"relay: lead taken over after {max(takes):.2f} s at most; fact dealt after {sorted(rung)[10] * 1000:.0f} ms")
    assert max(takes) < 3
    assert sorted(rung)[10] < 0.3  # by the bell: the sweep alone would take half a second


def test_a_relay_ends_when_it_is_told_to(start_relay):
    leader = start_relay()
    dealt_within(announced("first")[0], 20)
    leader.terminate()
    assert leader.wait(5) == 0
