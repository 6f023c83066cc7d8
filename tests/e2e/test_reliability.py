"""R1, R2, R3, R5: nothing that was acknowledged is lost or doubled, whatever is killed or cut, and every screen ends right.

Each prints its figure in a line. Short forms run with the other tests; ``bin/test --long R1`` runs the full one.
"""

import asyncio
import hashlib
import json
import random
import threading
import time
import urllib.error
import uuid
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from http.client import HTTPException
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidHandshake, WebSocketException

from tests.running import Api, Instance, percentile, scales, until

from .faults import Proxy, losing_proxy

FILING = "/api/v1/hazards/"
LINE_ERRORS = (urllib.error.URLError, HTTPException, OSError)  # the answer did not come, or not whole


def filing(place: dict[str, float], words: str, **more: Any) -> dict[str, Any]:
    """Return the body of a filing at a place, some metres around it."""
    near = {"lon": place["lon"] + random.uniform(-2e-4, 2e-4), "lat": place["lat"] + random.uniform(-2e-4, 2e-4)}
    return {
        "id": str(uuid.uuid4()), "matter": "XF-001", "severity": "general", "description": words,
        "location": {**near, "accuracy_m": 8, "datum": "wgs84"}, "cell": None,
        "occurred_at": datetime.now(UTC).isoformat(), "handled_on_spot": False, **more,
    }  # fmt: skip


@pytest.fixture(scope="module")
def cell(site: Instance) -> dict[str, Any]:
    """A cell of the worker's county, with its centre."""
    _status, body = site.api("grid_worker").get("/api/v1/cells/?page_size=1&kind=base")
    return body["results"][0]


def threads_of(number: int, work: Any) -> list[threading.Thread]:
    started = [threading.Thread(target=work, args=(n,)) for n in range(number)]
    for thread in started:
        thread.start()
    return started


# -- R1 -----------------------------------------------------------------------------------------


class Filers:
    """Phones that send each filing until it is answered, and then again one to four times, at once and later."""

    def __init__(self, url: str, token: str, bodies: list[dict[str, Any]]) -> None:
        self.url, self.token = url, token
        self.first: dict[str, Any] = {}
        self.created: dict[str, int] = {}
        self.lost = 0
        self.wrong: list[str] = []
        self.replays_ms: list[float] = []
        self._lock = threading.Lock()
        self._jobs = [body for body in bodies for _ in range(random.randint(2, 5))]
        random.shuffle(self._jobs)
        # One of each at once, from two threads: a double tap.
        self._jobs += [body for body in bodies[::5] for _ in range(2)]

    def work(self, _number: int) -> None:
        api = Api(self.url, self.token)
        while True:
            with self._lock:
                if not self._jobs:
                    return
                body = self._jobs.pop()
            while not self._sent(api, body):
                time.sleep(random.uniform(0, 0.05))

    def _sent(self, api: Api, body: dict[str, Any]) -> bool:
        started = time.monotonic()
        try:
            status, answer = api.call("POST", FILING, body, timeout_s=60)
        except LINE_ERRORS:
            with self._lock:
                self.lost += 1
            return False
        if isinstance(answer, bytes) and status in (200, 201):
            return False  # cut in the middle, where the library does not notice
        took = (time.monotonic() - started) * 1000
        with self._lock:
            self._judge(body["id"], status, answer, took)
        return True

    def _judge(self, id: str, status: int, answer: Any, took_ms: float) -> None:
        known = self.first.setdefault(id, answer)
        self.created[id] = self.created.get(id, 0) + (status == 201)
        if status == 200:
            self.replays_ms.append(took_ms)
        if status not in (200, 201) or answer != known or answer["id"] != id or self.created[id] > 1:
            self.wrong.append(f"{id}: {status} {answer}"[:300])


@scales(short=120, long=1000)
def test_r1_a_report_filed_once_is_stored_once(site: Instance, cell: dict[str, Any], scale: int, say) -> None:
    mark = f"R1 {uuid.uuid4()}"
    bodies = [filing(cell["centre"], mark) for _ in range(scale)]
    with losing_proxy(site.port, lose=0.3) as (proxy, port):
        filers = Filers(f"http://127.0.0.1:{port}", site.account("grid_worker")["token"], bodies)
        for thread in threads_of(8, filers.work):
            thread.join()
    [(rows, hazards)] = site.query(
        "SELECT count(*), count(DISTINCT id) FROM hazards_hazard WHERE description = %s", mark
    )
    ids = [body["id"] for body in bodies]
    until(lambda: not site.query("SELECT 1 FROM outbox_outboxentry WHERE position IS NULL LIMIT 1"), 60)
    [(steps,)] = site.query("SELECT count(*) FROM hazards_step WHERE hazard_id = ANY(%s::uuid[])", ids)
    [(facts,)] = site.query(
        "SELECT count(*) FROM outbox_outboxentry WHERE kind = 'hazard' AND subject_id = ANY(%s)"
        " AND payload->>'action' = 'report'", ids,
    )  # fmt: skip
    say(
        f"R1: client UUIDs {scale}, rows {rows}, duplicates {rows - hazards}, history rows {steps}, facts {facts}, "
        f"answers lost after the commit {proxy.lost}, wrong answers {len(filers.wrong)}, "
        f"replays {len(filers.replays_ms)}, replay p95 {percentile(filers.replays_ms, 0.95):.0f} ms"
    )
    assert filers.wrong == []
    assert (rows, hazards, steps, facts) == (scale, scale, scale, scale)
    assert proxy.lost > scale / 4
    assert {id for id, body in filers.first.items() if body["id"] == id} == set(ids)


# -- R2 -----------------------------------------------------------------------------------------

words = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=40)
others = {
    "matter": st.sampled_from(["XF-002", "SZ-001", "no-such"]),
    "severity": st.sampled_from(["", "major", "enormous", None]),
    "description": words,
    "location.lon": st.floats(118.4, 118.9),
    "location.lat": st.floats(37.3, 37.9),
    "location.accuracy_m": st.floats(9, 500) | st.none(),
    "location.datum": st.sampled_from(["gcj02", "bd09", "utm"]),
    "cell": st.from_regex(r"\A3705\d{11}\Z"),
    "occurred_at": st.integers(1, 200).map(lambda days: (datetime.now(UTC) - timedelta(days=days)).isoformat()),
    "handled_on_spot": st.sampled_from([True, None, "yes"]),
    "extra": words,
}


@st.composite
def changes(draw: st.DrawFn) -> dict[str, Any]:
    """Changes of one to three fields of a filing, each to a value it does not have, or away."""
    names = draw(st.lists(st.sampled_from(sorted(others)), min_size=1, max_size=3, unique=True))
    return {name: draw(st.just("gone") | others[name]) if "." not in name else draw(others[name]) for name in names}


def changed(body: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    other = json.loads(json.dumps(body))
    for name, value in changes.items():
        target, key = (other["location"], name.split(".")[1]) if "." in name else (other, name)
        if value == "gone":
            target.pop(key, None)
        else:
            target[key] = value
    return other


def respelled(body: dict[str, Any], rnd: random.Random) -> bytes:
    """Return the same body in other bytes: keys in another order, other blanks, characters escaped or not."""

    def shuffled(value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        keys = list(value)
        rnd.shuffle(keys)
        return {key: shuffled(value[key]) for key in keys}

    return json.dumps(
        shuffled(body),
        ensure_ascii=rnd.random() < 0.5,
        indent=rnd.choice([None, None, 1, 4]),
        separators=rnd.choice([(",", ":"), (", ", ": "), (" ,\t", "\r\n: ")]),
    ).encode()


def send(api: Api, raw: bytes) -> tuple[int, Any]:
    """POST bytes as JSON."""
    return api.call("POST", FILING, raw=raw, kind="application/json")


@scales(short=50, long=500)
def test_r2_the_same_id_with_another_body_is_refused(site: Instance, cell: dict[str, Any], scale: int, say) -> None:
    api, mark = site.api("grid_worker"), f"R2 {uuid.uuid4()}"
    counts = {"cases": 0, "refused": 0, "same": 0}

    @settings(
        max_examples=scale, deadline=None, database=None, derandomize=False, suppress_health_check=list(HealthCheck)
    )
    @given(changes(), st.integers(0, 2**32))
    def run(asked: dict[str, Any], seed: int) -> None:
        body = filing(cell["centre"], mark)
        other = changed(body, asked)
        if other == body:
            return
        status, first = api.post(FILING, body)
        assert status == 201, first
        counts["cases"] += 1
        status, answer = api.post(FILING, other)
        assert status == 422, (asked, status, answer)
        assert first["number"] not in json.dumps(answer) and mark not in json.dumps(answer)
        counts["refused"] += 1
        status, again = send(api, respelled(body, random.Random(seed)))
        assert (status, again) == (200, first)
        counts["same"] += 1

    run()
    [(rows,)] = site.query("SELECT count(*) FROM hazards_hazard WHERE description = %s", mark)
    say(
        f"R2: cases {counts['cases']}, refused with 422 {counts['refused']}, "
        f"same answer to the same body spelled otherwise {counts['same']}, rows {rows}"
    )
    assert rows == counts["cases"] == counts["refused"] == counts["same"]
    assert counts["cases"] >= scale * 0.8


# -- R3 -----------------------------------------------------------------------------------------


class Stubborn:
    """Phones that file one hazard after another and send each until it is taken."""

    def __init__(self, site: Instance, place: dict[str, float], mark: str) -> None:
        self.site, self.place, self.mark = site, place, mark
        self.over = threading.Event()
        self.taken: list[tuple[float, str]] = []  # when, id
        self.wrong: list[str] = []
        self.failures = 0

    def work(self, _number: int) -> None:
        api = self.site.api("grid_worker")
        while not self.over.is_set():
            body = filing(self.place, self.mark)
            while True:
                try:
                    status, answer = api.call("POST", FILING, body, timeout_s=20)
                except LINE_ERRORS:
                    self.failures += 1
                    time.sleep(0.1)
                    continue
                if status in (200, 201) and isinstance(answer, dict):
                    self.taken.append((time.monotonic(), answer["id"]))
                    if answer["id"] != body["id"]:
                        self.wrong.append(f"{body['id']} got {answer['id']}")
                elif isinstance(answer, bytes):  # cut in the middle
                    continue
                else:
                    self.wrong.append(f"{status} {answer}"[:300])
                break


def kills(site: Instance, seconds: float, says: Stubborn) -> tuple[list[float], list[float]]:
    """Kill web, and every third time the relay, for so long; return the moments of each."""
    web: list[float] = []
    relay: list[float] = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(random.uniform(2, 5))
        web.append(site.kill_again("web"))
        if len(web) % 3 == 1:
            relay.append(site.kill_again("relay"))
        # The next kill comes two to five seconds after the city takes filings again.
        until(lambda killed=web[-1]: any(at > killed for at, _id in says.taken[-20:]), 120)
    return web, relay


@scales(short=12, long=180)
def test_r3_no_accepted_report_is_lost_when_processes_are_killed(
    site: Instance, cell: dict[str, Any], scale: int, say
) -> None:
    phones = Stubborn(site, cell["centre"], f"R3 {uuid.uuid4()}")
    [(before,)] = site.query("SELECT coalesce(max(position), 0) FROM outbox_outboxentry")
    running = threads_of(6, phones.work)
    try:
        web, relay = kills(site, scale, phones)
    finally:
        phones.over.set()
        for thread in running:
            thread.join(120)
    until(lambda: not site.query("SELECT 1 FROM outbox_outboxentry WHERE position IS NULL LIMIT 1"), 120)
    ids = [id for _at, id in phones.taken]
    [(rows, histories, facts)] = site.query(
        "SELECT count(DISTINCT h.id), count(DISTINCT s.hazard_id), count(DISTINCT o.subject_id)"
        " FROM unnest(%s::uuid[]) asked(id)"
        " LEFT JOIN hazards_hazard h ON h.id = asked.id"
        " LEFT JOIN hazards_step s ON s.hazard_id = asked.id AND s.version = 1"
        " LEFT JOIN outbox_outboxentry o ON o.subject_id = asked.id::text AND o.position IS NOT NULL", ids,
    )  # fmt: skip
    [(stored,)] = site.query("SELECT count(*) FROM hazards_hazard WHERE description = %s", phones.mark)
    [(first, last, positions)] = site.query(
        "SELECT min(position), max(position), count(*) FROM outbox_outboxentry WHERE position > %s", before
    )
    dealt = [
        time.monotonic() - age
        for (age,) in site.query(
            "SELECT DISTINCT extract(epoch FROM clock_timestamp() - relayed_at)::float8"
            " FROM outbox_outboxentry WHERE position > %s", before,
        )
    ]  # fmt: skip
    recovered = [min(at for at, _id in phones.taken if at > killed) - killed for killed in web]
    dealing = [min((at for at in dealt if at > killed), default=killed) - killed for killed in relay]
    holes = last - first + 1 - positions
    say(
        f"R3: web killed {len(web)} times, relay {len(relay)} times; acknowledged {len(ids)}, lost {len(ids) - rows}, "
        f"without history {len(ids) - histories}, without a dealt fact {len(ids) - facts}, doubled {stored - len(ids)}, "
        f"holes in positions {holes}, wrong answers {len(phones.wrong)}, requests that failed meanwhile {phones.failures}; "
        f"filing again after p50 {percentile(recovered, 0.5):.1f} s, at most {max(recovered):.1f} s; "
        f"facts dealt again after at most {max(dealing, default=0):.1f} s"
    )
    assert phones.wrong == []
    assert len(set(ids)) == len(ids) == rows == histories == facts == stored
    assert holes == 0


# -- R5 -----------------------------------------------------------------------------------------


class Screen:
    """A client as the wall's page is one: applies facts by position, comes back by position, loads afresh on reset."""

    def __init__(self, room: "Room", dead_after_s: float) -> None:
        self.room, self.dead_after_s = room, dead_after_s
        self.rows: dict[str, str] = {}
        self.position: int | None = None
        self.port = 0
        self.hurt_at: float | None = None
        self.backwards = 0
        self.reloads = 0

    async def run(self) -> None:
        pause = 0.25
        while not self.room.over.is_set():
            try:
                if self.position is None:
                    await self._load()
                await self._listen()
                pause = 0.25
            except (OSError, WebSocketException, InvalidHandshake, TimeoutError, EOFError):
                self._noticed()
                await asyncio.sleep(random.uniform(0.5, 1.0) * pause)
                pause = min(pause * 2, 4)

    def _noticed(self) -> None:
        if self.hurt_at is not None:
            self.room.noticed_s.append(time.monotonic() - self.hurt_at)
            self.hurt_at = None

    async def _load(self) -> None:
        self.reloads += 1
        self.position, self.rows = await asyncio.to_thread(self.room.snapshot)

    async def _listen(self) -> None:
        began, target = time.monotonic(), self.room.head
        url = f"ws://127.0.0.1:{self.room.port}/ws/live/?area={self.room.area}&after={self.position}"
        headers = {"Authorization": f"Token {self.room.token}"}
        async with connect(
            url, additional_headers=headers, ping_interval=None, compression=None, open_timeout=30, close_timeout=1, max_size=None
        ) as line:  # fmt: skip
            self.port = line.transport.get_extra_info("sockname")[1]
            filled = False
            while not self.room.over.is_set():
                frame = json.loads(await asyncio.wait_for(line.recv(), self.dead_after_s))
                if frame["type"] == "reset":
                    self.position = None
                    return
                if frame["type"] == "facts":
                    self._apply(frame)
                    filled_now = "of" not in frame or frame["position"] >= frame["of"]
                else:
                    filled_now = True
                if filled_now and not filled and (self.position or 0) >= target:
                    filled = True
                    self.room.backfill_s.append(time.monotonic() - began)

    def _apply(self, frame: dict[str, Any]) -> None:
        for item in frame["items"]:
            if item["position"] <= self.position:
                self.backwards += 1
                continue
            self.position = item["position"]
            if item["kind"] == "hazard":
                self.rows[item["id"]] = f"{item['state']} {item['level']}"
        self.position = max(self.position, frame["position"])

    @property
    def hash(self) -> str:
        return hashed(self.rows)


def hashed(rows: dict[str, str]) -> str:
    return hashlib.sha256(json.dumps(sorted(rows.items())).encode()).hexdigest()[:16]


class Room:
    """Fifty screens of one township behind a proxy, and what they were through."""

    def __init__(self, site: Instance, area: str) -> None:
        self.site, self.area = site, area
        self.token = site.account("operator")["token"]
        self.over = asyncio.Event()
        self.port = 0
        self.head = 0  # the last position that a screen has seen
        self.noticed_s: list[float] = []
        self.backfill_s: list[float] = []

    def snapshot(self) -> tuple[int, dict[str, str]]:
        """Return a position and the state of every hazard, read after it: at least as new."""
        api = Api(self.site.url, self.token)
        while True:
            try:
                status, board = api.get(f"/api/v1/figures/?area={self.area}")
                assert status == 200, board
                rows: dict[str, str] = {}
                path = f"{FILING}?area={self.area}&page_size=1000"
                while path:
                    status, page = api.get(path)
                    assert status == 200, page
                    rows |= {row["id"]: f"{row['state']} {row['severity']}" for row in page["results"]}
                    path = (page["next"] or "").removeprefix(self.site.url)
                return board["position"], rows
            except LINE_ERRORS:
                time.sleep(0.3)


class Life:
    """Hazards that come and move on, at a gentle rate, while things break."""

    def __init__(self, site: Instance, place: dict[str, float], per_second: float) -> None:
        self.site, self.place, self.pause_s = site, place, 1 / per_second
        self.over = threading.Event()
        self.done = 0
        self.wrong: list[str] = []

    def work(self, _number: int) -> None:
        worker, dispatcher = self.site.api("grid_worker"), self.site.api("dispatcher")
        while not self.over.is_set():
            hazard = self._sent(worker, FILING, filing(self.place, "R5"))
            if random.random() < 0.6 and hazard:
                step = {"id": str(uuid.uuid4()), "version": 1, "reason": "R5"}
                self._sent(dispatcher, f"{FILING}{hazard['id']}/{random.choice(['accept', 'refuse'])}/", step)
            time.sleep(self.pause_s)

    def _sent(self, api: Api, path: str, body: dict[str, Any]) -> dict[str, Any] | None:
        while True:
            try:
                status, answer = api.post(path, body)
            except LINE_ERRORS:
                time.sleep(0.2)
                continue
            if status in (200, 201):
                self.done += 1
                return answer
            self.wrong.append(f"{path} {status} {answer}"[:300])
            return None


async def break_lines(proxy: Proxy, screens: list[Screen], seconds: float, silence_s: float) -> dict[str, int]:
    """Hurt a random line every now and then: RST, half open for ever, or silent for a while; each kind twice at least."""
    hurt = {"reset": 0, "half open": 0, "silent": 0}
    end = time.monotonic() + seconds
    while time.monotonic() < end or (min(hurt.values()) < 2 and time.monotonic() < end + 60):
        await asyncio.sleep(random.uniform(0.1, 0.6))
        screen = random.choice(screens)
        line = proxy.lines.get(screen.port)
        if line is None or screen.hurt_at is not None or not line.speaks.is_set():  # one hurt at a time
            continue
        kind = random.choice(sorted(hurt))
        hurt[kind] += 1
        if kind == "reset":
            screen.hurt_at = time.monotonic()
            line.reset()
            continue
        line.speaks.clear()
        if kind == "half open":
            screen.hurt_at = time.monotonic()
        else:
            asyncio.get_running_loop().call_later(silence_s, line.speaks.set)
    return hurt


async def r5(
    site: Instance, cell: dict[str, Any], seconds: float, silence_s: float, dead_after_s: float
) -> tuple[Room, list[Screen], dict, dict]:
    area = cell["code"][:9]
    room, proxy, killed = Room(site, area), Proxy(site.port), {"web": 0, "relay": 0}
    room.port = await proxy.start()
    screens = [Screen(room, dead_after_s) for _ in range(50)]
    tasks = [asyncio.ensure_future(screen.run()) for screen in screens]
    life = Life(site, cell["centre"], per_second=2)
    running = threads_of(2, life.work)

    async def kill() -> None:
        for name in ["web", "relay"] * max(1, int(seconds // 60)):
            await asyncio.sleep(min(30.0, seconds / 3) * random.uniform(0.6, 1))
            await asyncio.to_thread(site.kill_again, name)
            killed[name] += 1

    until_open = time.monotonic() + 120
    while sum(screen.port in proxy.lines for screen in screens) < len(screens) and time.monotonic() < until_open:
        await asyncio.sleep(0.2)
    killing = asyncio.ensure_future(kill())
    try:
        hurt = await break_lines(proxy, screens, seconds, silence_s)
        await killing
        life.over.set()
        for thread in running:
            await asyncio.to_thread(thread.join, 60)
        await asyncio.to_thread(
            until, lambda: not site.query("SELECT 1 FROM outbox_outboxentry WHERE position IS NULL LIMIT 1"), 60
        )
        # Every screen is given the time to notice a dead line, come back and catch up.
        end = time.monotonic() + 120
        while time.monotonic() < end:
            _position, fresh = await asyncio.to_thread(room.snapshot)
            if all(screen.hash == hashed(fresh) for screen in screens) and all(s.hurt_at is None for s in screens):
                break
            await asyncio.sleep(1)
    finally:
        life.over.set()
        room.over.set()
        for task in [*tasks, killing]:
            task.cancel()
        await asyncio.gather(*tasks, killing, return_exceptions=True)
    assert life.wrong == []
    return room, screens, hurt | {"changes": life.done}, killed


@scales(
    short=(10, 4, 17.0), long=(300, 40, 28.0)
)  # seconds; of a silence; of silence until a line is dead, as in live.js
def test_r5_every_screen_ends_like_a_fresh_one(
    site: Instance, cell: dict[str, Any], scale: tuple[float, float, float], say
) -> None:
    with suppress(asyncio.CancelledError):
        room, screens, hurt, killed = asyncio.run(r5(site, cell, *scale))
    _position, fresh = room.snapshot()
    equal = sum(screen.hash == hashed(fresh) for screen in screens)
    say(
        f"R5: screens equal to a fresh load {equal}/{len(screens)} ({len(fresh)} hazards, {hurt['changes']} changes); "
        f"lines reset {hurt['reset']}, half open {hurt['half open']}, silent {scale[1]} s {hurt['silent']}; "
        f"web killed {killed['web']}, relay {killed['relay']}; facts sent twice {sum(s.backwards for s in screens)}; "
        f"loss noticed p95 {percentile(room.noticed_s, 0.95):.1f} s, at most {max(room.noticed_s, default=0):.1f} s; "
        f"back and filled p95 {percentile(room.backfill_s, 0.95):.2f} s"
    )
    assert equal == len(screens) == 50
    assert min(hurt[kind] for kind in ("reset", "half open", "silent")) >= 1
    assert max(room.noticed_s, default=0) <= 30
