"""R7, R8, R9, R13: what Celery carries is done once in effect, whatever is killed, repeated, emptied or paused.

Workers, beat and Redis are the real processes, on the database of the test. The subjects are what exists: deliveries
of notices to a receiver of ours, pictures made of photos, and marks on what is overdue.
"""

import hashlib
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
from celery import current_app
from django.db import connection, transaction
from django.db.models import Max
from django.utils import timezone
from PIL import Image

from citysafety.evidence import services as evidence
from citysafety.evidence.models import Photo
from citysafety.health import lags
from citysafety.notices import topics
from citysafety.notices.models import LEASE, Channel, Delivery, Notice
from citysafety.notices.services import notify
from citysafety.outbox.models import OutboxEntry
from citysafety.outbox.selectors import head
from hazards.models import Hazard, Mark
from tests.factories import file_hazard, make_city, person
from tests.notices.receivers import Hook, http_receiver
from tests.running import ROOT, RedisServer, children, scales, until

pytestmark = pytest.mark.django_db(transaction=True)

CELERY = [sys.executable, "-m", "celery", "-A", "citysafety"]
TELLING = """
import logging, sys
from celery.__main__ import main
from celery.signals import celeryd_after_setup
celeryd_after_setup.connect(lambda **_: logging.getLogger("celery").setLevel(logging.INFO), weak=False)
sys.exit(main())
"""  # the tests count what a worker takes, which it does not say in service
WORKER = [sys.executable, "-c", TELLING, "-A", "citysafety", "worker", "-Q", "alarm,notice,media,report,celery",
          "-c", "2", "-l", "info", "--without-gossip"]  # fmt: skip
VISIBLE_AGAIN_S = 8


class Hall:
    """Workers and beats at work on the test's database and Redis; each may be killed, stopped and started again."""

    def __init__(self, broker: RedisServer, folder: Path, media: Path) -> None:
        self.broker, self.folder = broker, folder
        self.running: dict[str, subprocess.Popen] = {}
        base, _slash, _name = os.environ["DATABASE_URL"].rpartition("/")
        self.env = os.environ | {
            "DATABASE_URL": f"{base}/{connection.settings_dict['NAME']}",
            "REDIS_URL": broker.address,
            "CITYSAFETY_MEDIA": str(media),
            "EGRESS_ALLOW": "127.0.0.1",
            "CELERY_VISIBILITY_TIMEOUT": str(VISIBLE_AGAIN_S),
            "CELERY_BROKER_URL": "",
        }

    def start(self, name: str, command: list[str]) -> None:
        with self.log_of(name).open("ab") as log:
            self.running[name] = subprocess.Popen(
                command,
                cwd=ROOT,
                env=self.env,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    def worker(self, name: str = "worker") -> None:
        """Start a worker and wait until it takes work."""
        before = self.said(name, r"celery@\S+ ready")
        self.start(name, [*WORKER, "-n", f"{name}@%h"])
        until(lambda: self.said(name, rf"{name}@\S+ ready") > before, 120)

    def beat(self, name: str = "beat") -> None:
        schedule = str(self.folder / name)
        self.start(name, [*CELERY, "beat", "-l", "info", "-s", schedule, "--pidfile", ""])

    def relay(self) -> None:
        self.start("relay", [sys.executable, "manage.py", "relay"])

    def signal(self, name: str, what: int) -> None:
        os.killpg(self.running[name].pid, what)

    def kill(self, name: str) -> None:
        """End a process with all it started, as a crash of its host does."""
        self.signal(name, signal.SIGKILL)
        self.running.pop(name).wait()

    def log_of(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def said(self, name: str, pattern: str) -> int:
        """Count what a process has said so far."""
        path = self.log_of(name)
        return len(re.findall(pattern, path.read_text(errors="replace"))) if path.exists() else 0

    def end(self) -> None:
        for name in list(self.running):
            with suppress(ProcessLookupError):
                self.kill(name)


@pytest.fixture
def hall(transactional_db, tmp_path, settings, monkeypatch) -> Iterator[Hall]:
    monkeypatch.setitem(topics.TOPICS, "test.late", None)
    topics.register("test.late", label="Late", title="Late", body="Late")
    broker = RedisServer(ROOT / "deploy" / "redis.conf")
    # The test writes notices too; its own messages go to this Redis.
    monkeypatch.setenv("CELERY_BROKER_URL", f"redis+socket://{broker.folder}/redis.sock?virtual_host=0")
    current_app.__dict__.pop("amqp", None)
    made = Hall(broker, tmp_path, Path(settings.MEDIA_ROOT))
    yield made
    made.end()
    broker.end()
    current_app.__dict__.pop("amqp", None)


@contextmanager
def slow_receiver(seconds: float) -> Iterator[tuple[Hook, str]]:
    """A receiver that takes its time, so that kills find deliveries under way."""
    with http_receiver() as (hook, url):
        hook.pause_s = seconds
        yield hook, url


def write_notices(url: str, number: int, key: str) -> None:
    """Write notices that go to a webhook, one delivery each."""
    reader = person("dispatcher")
    Channel.objects.create(user=reader, kind="webhook", address=url)
    for n in range(number):
        notify(recipients=[reader], topic="test.late", params={}, source_key=f"{key}:{n}", at=timezone.now())


def receive_photos(number: int) -> list[str]:
    """Seal photos that have no pictures yet; return their hashes."""
    made = []
    for n in range(number):
        out = BytesIO()
        noise = Image.effect_noise((96, 96), 40 + n % 50).resize((2400, 1800))
        noise.save(out, "JPEG", comment=f"{n} {random.random()}".encode())
        sha256 = hashlib.sha256(out.getvalue()).hexdigest()
        evidence.seal(sha256, out.getvalue())
        Photo.objects.create(
            sha256=sha256, size=out.tell(), mime="image/jpeg", width=2400, height=1800, received_at=timezone.now()
        )
        made.append(sha256)
    return made


def make_overdue(number: int, *, within_s: float = 0) -> None:
    """File hazards whose time runs out now, or spread over the next seconds."""
    reporter = person("grid_worker")
    for n in range(number):
        hazard = file_hazard(reporter, at=timezone.now())
        due_at = timezone.now() + timedelta(seconds=within_s * n / number - 1)
        Hazard.objects.filter(pk=hazard.pk).update(due_at=due_at)
        hazard.clocks.update(due_at=due_at)


def repeats(hook: Hook) -> int:
    return len(hook.ids) - len(set(hook.ids))


# -- R7 -----------------------------------------------------------------------------------------


@scales(short=(16, 4), long=(100, 20))
def test_r7_a_task_survives_its_worker(hall: Hall, scale: tuple[int, int], say) -> None:
    number, kills = scale
    is_long = number == 100
    photos = receive_photos(number)
    took: dict[str, list[float]] = {"child": [], "worker": []}
    hall.worker()
    with slow_receiver(0.2) as (hook, url):
        write_notices(url, number, "r7")
        for sha256 in photos:
            current_app.send_task("citysafety.evidence.tasks.derive", kwargs={"sha256": sha256})
        victims: dict[str, tuple[str, float]] = {}
        for n in range(kills):
            until(lambda: under_way() or not left(photos), 60, 0.02)
            kind, struck = ("child", "worker")[n % 2], under_way()
            if kind == "child":
                [os.kill(pid, signal.SIGKILL) for pid in children(hall.running["worker"].pid)[:1]]
            else:
                hall.kill("worker")
            victims |= {sha256: (kind, time.time()) for sha256 in struck}
            if kind == "worker":
                hall.worker()
            # Work goes on in between: three kills of one and the same picture would park it, as they should.
            before = len(left(photos))
            until(lambda before=before: len(left(photos)) <= max(0, before - 2), 120)
            time.sleep(random.uniform(0, 0.5))
        until(lambda: not left(photos), 300)
        for sha256, (kind, at) in victims.items():
            made_at = Photo.objects.get(pk=sha256).derived_at
            if made_at and made_at.timestamp() > at:
                took[kind].append(made_at.timestamp() - at)
        if is_long:
            hall.beat()  # its sweep finds the deliveries whose worker died, once their lease has run out
        until(lambda: (sent if is_long else swept_later)() == number, 600, 1)
        done = set(map(str, Delivery.objects.exclude(sent_at=None).values_list("pk", flat=True)))
        lease = "waited for" if is_long else "moved on by the test"
        say(
            f"R7: {number} pictures and {number} deliveries, {kills} kills; pictures made {made_of(photos)}, given up after "
            f"three kills {given_up()}, "
            f"deliveries sent {len(done)}, received {len(set(hook.ids))} different, received twice with the same id "
            f"{repeats(hook)}; a picture is made after its pool child was killed within "
            f"{max(took['child'], default=0):.1f} s, after its worker was killed within {max(took['worker'], default=0):.1f} s "
            f"(visibility timeout {VISIBLE_AGAIN_S} s); lease of deliveries {LEASE.seconds} s {lease}"
        )
        assert set(hook.ids) == done
    assert len(done) == number
    assert Notice.objects.count() == number
    assert made_of(photos) == number - given_up()
    assert given_up() <= 1
    for sha256 in Photo.objects.exclude(derived_at=None).values_list("pk", flat=True):
        assert {p.name for p in evidence.folder(sha256).iterdir()} >= {"original", "view.jpg", "thumb.jpg"}


def under_way() -> set[str]:
    """Return the photos that a worker has begun and not finished, but for those that were given up."""
    return set(Photo.objects.waiting().filter(deriving__gt=0).values_list("pk", flat=True))


def left(photos: list[str]) -> list[str]:
    return list(Photo.objects.waiting().filter(pk__in=photos).values_list("pk", flat=True))


def made_of(photos: list[str]) -> int:
    return Photo.objects.filter(pk__in=photos).exclude(derived_at=None).count()


def given_up() -> int:
    return Photo.objects.parked().count()


def sent() -> int:
    return Delivery.objects.exclude(sent_at=None).count()


def swept() -> int:
    """Sweep, as beat does once a minute, and return how many deliveries are sent."""
    with suppress(Exception):  # Redis may be down just now
        current_app.send_task("citysafety.notices.tasks.sweep", retry=False)
    return sent()


def swept_later() -> int:
    """Sweep as if the leases of dead workers had run out; return how many deliveries are sent."""
    at = timezone.now()
    Delivery.objects.filter(sent_at=None, claimed_at__lt=at - timedelta(seconds=10)).update(
        claimed_at=at - LEASE - timedelta(seconds=1)
    )
    return swept()


# -- R8 -----------------------------------------------------------------------------------------


@scales(short=12, long=50)
def test_r8_a_task_that_runs_twice_at_once_acts_once(hall: Hall, scale: int, say) -> None:
    make_city()
    make_overdue(scale)
    hall.env["CELERY_VISIBILITY_TIMEOUT"] = "2"
    hall.worker("first")
    hall.worker("second")
    task = r"Task (?:hazards\.tasks\.mark_overdue|citysafety\.notices\.tasks\.deliver)\[\S+\] received"
    with http_receiver() as (hook, url):
        # The rows that the tasks need are held for longer than the broker waits for an answer.
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("LOCK TABLE hazards_mark, notices_delivery IN SHARE MODE")
            current_app.send_task("hazards.tasks.mark_overdue")
            until(lambda: hall.said("first", task) + hall.said("second", task) >= 2, 60)
        marked = hall.said("first", task) + hall.said("second", task)
        write_notices(url, scale, "r8")
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("LOCK TABLE notices_delivery IN SHARE MODE")
            time.sleep(12)
        until(lambda: sent() == scale, 180, 1)
        until(lambda: Mark.objects.count() == scale, 60)
        starts = hall.said("first", task) + hall.said("second", task)
        facts = OutboxEntry.objects.filter(payload__action="mark_overdue").count()
        say(
            f"R8: the task that marks, started {marked} times at once: marks {Mark.objects.count()} of {scale}, facts {facts}; "
            f"{scale} deliveries on two workers, tasks started {starts - marked}: received {len(hook.ids)}, "
            f"twice {repeats(hook)}; visibility timeout 2 s"
        )
        assert len(hook.ids) == len(set(hook.ids)) == scale
    assert marked >= 2
    assert Mark.objects.values("hazard").distinct().count() == Mark.objects.count() == facts == scale
    assert Notice.objects.count() == Delivery.objects.exclude(sent_at=None).count() == scale


# -- R9 -----------------------------------------------------------------------------------------


def killed_and_back(broker: RedisServer) -> None:
    broker.kill()
    broker.start()


def killed_three_times(broker: RedisServer) -> None:
    for _ in range(3):
        broker.kill()
        time.sleep(1)
        broker.start()
        time.sleep(1)


def restarted(broker: RedisServer) -> None:
    broker.cli("shutdown")
    broker.process.wait()
    broker.start()


def emptied(broker: RedisServer) -> None:
    broker.cli("flushall")


FAULTS = {"killed": killed_and_back, "killed 3×": killed_three_times, "restarted": restarted, "emptied": emptied}


@scales(short=(8, ("killed", "emptied")), long=(40, tuple(FAULTS)))
def test_r9_a_broker_that_dies_or_forgets_loses_nothing(hall: Hall, scale: tuple[int, tuple[str, ...]], say) -> None:
    number, faults = scale
    is_long = number == 40
    hall.worker()
    if is_long:
        hall.beat()
    took, total = {}, 0
    with slow_receiver(0.3) as (hook, url):
        for fault in faults:
            write_notices(url, number, fault)
            total += number
            until(lambda: Delivery.objects.exclude(claimed_at=None, sent_at=None).exists(), 120)
            at = timezone.now()
            FAULTS[fault](hall.broker)
            until(lambda total=total: (sent if is_long else swept)() == total, 600, 1)
            first = min(time for time in hook.times if time > at.timestamp())
            last = Delivery.objects.aggregate(last=Max("sent_at"))["last"]
            took[fault] = first - at.timestamp(), (last - at).total_seconds()
        how = "beat sweeps once a minute" if is_long else "swept by the test"
        say(
            f"R9: {total} deliveries over {len(faults)} faults ({how}): lost {total - len(set(hook.ids))}, received twice "
            f"{repeats(hook)}; "
            + ", ".join(f"{fault}: moves after {a:.1f} s, all done after {b:.1f} s" for fault, (a, b) in took.items())
        )
        assert len(set(hook.ids)) == total
    assert Notice.objects.count() == total == Delivery.objects.exclude(sent_at=None).count()


# -- R13 ----------------------------------------------------------------------------------------


@scales(short=(12, 6), long=(200, 180))
def test_r13_two_beats_mark_and_tell_once_and_what_came_late_too(hall: Hall, scale: tuple[int, int], say) -> None:
    number, paused_s = scale
    make_city()
    person("dispatcher"), person("supervisor")
    hall.worker()
    hall.relay()
    hall.beat("first")
    hall.beat("second")
    make_overdue(number, within_s=8)
    until(lambda: Mark.objects.exists(), 120)
    for name in ("first", "second"):
        hall.signal(name, signal.SIGSTOP)
    time.sleep(2)  # what was on its way
    unmarked_before = number - Mark.objects.count()
    make_overdue(number, within_s=min(paused_s, 5))
    time.sleep(paused_s)
    late = 2 * number - Mark.objects.count()
    silent_s = lags()["overdue"]  # what /metrics says meanwhile
    for name in ("first", "second"):
        hall.signal(name, signal.SIGCONT)
    since = time.monotonic()
    hall.kill("second")
    hall.beat("second")
    until(lambda: Mark.objects.count() == 2 * number, 180)
    caught_up_s = time.monotonic() - since
    time.sleep(12 if paused_s < 60 else 40)  # more sweeps of both
    until(lambda: not OutboxEntry.objects.filter(position=None).exists(), 60)
    sweeps = hall.said("worker", r"Task hazards\.tasks\.mark_overdue\[\S+\] received")
    facts = OutboxEntry.objects.filter(payload__action="mark_overdue")
    subjects = facts.values("subject_id").distinct().count()
    notices = Notice.objects.count()
    told = Notice.objects.values("recipient", "source_key").distinct().count()
    say(
        f"R13: two beats, {sweeps} sweeps; overdue {2 * number}, marks {Mark.objects.count()}, "
        f"marked twice {Mark.objects.count() - Mark.objects.values('hazard').distinct().count()}, "
        f"facts {facts.count()}, doubled {facts.count() - subjects}, notices {notices}, doubled {notices - told}; "
        f"{late} came due while beat was paused for {paused_s} s ({unmarked_before} of them before), all marked "
        f"{caught_up_s:.1f} s after it went on; meanwhile citysafety_overdue_unmarked_seconds said {silent_s:.0f}, then "
        f"{lags()['overdue']:.0f}"
    )
    assert late > 0
    assert silent_s > paused_s / 2 > lags()["overdue"]
    assert sweeps >= 2
    assert Mark.objects.values("hazard").distinct().count() == Mark.objects.count() == facts.count() == 2 * number
    assert notices == told == 4 * number  # of each: the dispatcher and the supervisor


def test_a_beat_that_was_killed_is_missed_and_after_its_return_nobody_is_told_of_silence(hall: Hall) -> None:
    hall.worker()
    hall.beat()
    begin = timezone.now()
    until(lambda: (news := head()).worked_at and news.worked_at > begin, 60)  # by beat, Redis and a worker
    hall.kill("beat")
    time.sleep(2)  # what was on its way
    last = head().worked_at
    assert head().idle_since(last + timedelta(minutes=6)) == last
    hall.beat("again")
    until(lambda: head().worked_at > last, 60)
    assert head().idle_since(last + timedelta(minutes=5)) is None
