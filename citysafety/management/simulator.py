"""Invented working days through the real API: phones that file, offices that handle, others that verify."""

import hashlib
import heapq
import http.client
import io
import itertools
import json
import random
import threading
import time
import uuid
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.db import DatabaseError, close_old_connections
from PIL import Image

from . import phrases
from .offices import NEXT, Offices, due_case
from .pictures import picture

MOST_OPEN = 2000  # cases in hand; while the site is slower than the rate, no new ones are filed
RETRY_S, MOST_TRIES = 2.0, 30
IDLE_S = 3  # a server lets go of a silent connection after five
SCENES = 60
DOUBTED = 0.02  # share of photos, at the demo's pace, that something speaks against
SPOT, REFUSED, LEFT = 0.22, 0.05, 0.35  # shares of filings; what is left waits until the offices find it due
OFFICES_EVERY_S = 20  # a step of a case that comes due


class Refused(Exception):
    """The API answered with an error; what it said is in the message."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Away(Exception):
    """Nobody answered, or the answer was cut off: the same request may be sent again."""


class Door:
    """Speaks to one instance over HTTP, as one account at a time; each thread keeps its connection."""

    def __init__(self, base: str, timeout_s: float = 30) -> None:
        parts = urlsplit(base)
        self.host, self.port, self.timeout_s = parts.hostname or "127.0.0.1", parts.port or 80, timeout_s
        self.here = threading.local()
        self.spent: dict[str, list[float]] = defaultdict(lambda: [0, 0.0])  # by kind of request: number, seconds
        self.lock = threading.Lock()

    def call(
        self, method: str, path: str, token: str, body: Any = None, raw: bytes | None = None, *, kind: str = "read"
    ) -> Any:
        """Send a request and return its JSON. :raises Refused: an answer of 400 or more. :raises Away: none."""
        data = raw if raw is not None else None if body is None else json.dumps(body).encode()
        headers = {
            "Authorization": f"Token {token}", "Accept": "application/json",
            "Content-Type": "application/json" if raw is None else "image/jpeg",
        }  # fmt: skip
        began = time.monotonic()
        try:
            if began - getattr(self.here, "used", began) > IDLE_S:
                self.hang_up()  # the server has closed it, or is about to
            if getattr(self.here, "line", None) is None:
                self.here.line = http.client.HTTPConnection(self.host, self.port, timeout=self.timeout_s)
            self.here.line.request(method, path, data, headers)
            answer = self.here.line.getresponse()
            text = answer.read()
            self.here.used = time.monotonic()
        except (OSError, http.client.HTTPException) as error:
            self.hang_up()
            raise Away(f"{method} {path}: {error!r}") from error
        with self.lock:
            spent = self.spent[kind]
            spent[0], spent[1] = spent[0] + 1, spent[1] + time.monotonic() - began
        if answer.status >= 400:
            raise Refused(answer.status, f"{method} {path}: {answer.status} {text[:300].decode(errors='replace')}")
        return json.loads(text or b"null")

    def hang_up(self) -> None:
        if getattr(self.here, "line", None) is not None:
            self.here.line.close()
            self.here.line = None


def small_picture(rnd: random.Random) -> bytes:
    """Return a small picture that costs little: blocks of grey, different each time."""
    image = Image.new("L", (8, 6))
    image.putdata([rnd.randrange(60, 200) for _ in range(48)])
    out = io.BytesIO()
    image.resize((64, 48), Image.Resampling.BICUBIC).save(out, "JPEG", quality=60)
    return out.getvalue()


@dataclass(order=True)
class Turn:
    """A hazard's next step and when it is its turn (monotonic seconds)."""

    at: float
    order: int
    hazard: str = field(compare=False)
    version: int = field(compare=False)
    todo: list[str] = field(compare=False)
    place: dict[str, float] = field(compare=False)
    crew: "Crew" = field(compare=False)
    category: str = field(compare=False)
    scene: int = field(compare=False)
    step_id: str = field(compare=False, default="")
    tries: int = field(compare=False, default=0)


@dataclass(frozen=True, slots=True)
class Crew:
    """Who works on the cases of a county: accounts of the demo. Without a handler all is put right on the spot."""

    area: str
    reporters: list[dict[str, Any]]
    handler: dict[str, Any] | None
    verifiers: list[dict[str, Any]]
    dispatcher: dict[str, Any]

    def who(self, action: str, reporter: dict[str, Any]) -> dict[str, Any]:
        if action in ("take", "rectify"):
            return self.handler or self.dispatcher
        if action == "verify":
            return next((one for one in self.verifiers if one is not reporter), self.dispatcher)
        return reporter if action == "handle_on_spot" else self.dispatcher


def crews(accounts: dict[str, list[dict[str, Any]]], counties: list[str]) -> list[Crew]:
    """Return a crew for each county, as far as the demo's accounts allow."""
    workers, handlers = accounts["grid_worker"], accounts["department_handler"]
    city = next(account for account in accounts["dispatcher"] if account["level"] == "city")
    return [
        Crew(
            area=county,
            reporters=[w for w in workers if w["area"] == county] or workers,
            handler=next((h for h in handlers if h["area"] == county), None),
            verifiers=[w for w in workers if w["area"] == county],
            dispatcher=next((d for d in accounts["dispatcher"] if d["area"] == county), city),
        )
        for county in counties
    ]


class Simulator:
    """Files hazards at a rate and takes each through its life; safe to stop at any moment.

    What it holds is bounded, and a site that is away is waited for: a step is sent again with the same id.
    """

    def __init__(
        self, door: Door, accounts: dict[str, list[dict]], cells: dict[str, list[tuple[float, float]]], *,
        a_day: float, pause_s: float, seed: int, most: int | None, offices: Offices | None = None,
    ) -> None:  # fmt: skip
        self.door, self.cells, self.rnd = door, cells, random.Random(seed)
        self.every_s, self.pause_s, self.left = 86_400 / a_day, pause_s, most
        self.crews = crews(accounts, sorted(cells))
        self.offices, self.next_tending = offices, 0.0  # with them some filings are left to be worked in their own time
        # Counties whose cases the accounts can take through the whole life get most of them.
        self.shares = list(itertools.accumulate(4 if crew.handler else 1 for crew in self.crews))
        self.turns: list[Turn] = []
        self.reporters: dict[str, dict[str, Any]] = {}  # by hazard in hand
        self.last_photo = b""
        self.let_go: set[str] = set()  # hazards whose step was refused: not tried again
        self.lock, self.order, self.next_filing = threading.Lock(), itertools.count(), 0.0
        self.filed = self.stepped = self.refused = self.ended = self.repeated = 0
        self.matters: list[tuple[str, str]] = []

    def learn(self, stop: threading.Event) -> None:
        """Read the catalogue; wait for a site that is not there yet."""
        token = self.crews[0].dispatcher["token"]
        while not self.matters and not stop.is_set():
            try:
                page = self.door.call("GET", "/api/v1/matters/?page_size=1000", token)
                self.matters = [(m["code"], m["class"]["code"]) for m in page["results"] if not m["special"]]
            except Away:
                stop.wait(RETRY_S)

    def photo(self, hazard: str, role: str, who: dict, category: str, scene: int, place: dict[str, float]) -> None:
        """Send a photo as a phone at the place does; now and then one that was sent before, or from far away."""
        if self.pause_s:
            data = picture(category, scene, mended=role == "after", view=self.rnd.random())
        else:
            data = small_picture(self.rnd)
        away = self.rnd.gauss(0, 2e-4)  # degrees, about 20 m
        if self.pause_s and self.rnd.random() < DOUBTED:
            data, away = self.rnd.choice([(self.last_photo or data, away), (data, 0.02)])
        self.last_photo = data
        claim = {
            "role": role, "taken_at": datetime.now(UTC).isoformat(), "accuracy_m": round(self.rnd.uniform(4, 20), 1),
            "lon": round(place["lon"] + away, 6), "lat": round(place["lat"] + away, 6), "datum": "wgs84",
        }  # fmt: skip
        name = hashlib.sha256(data).hexdigest()
        self.door.call(
            "PUT", f"/api/v1/hazards/{hazard}/photos/{name}?{urlencode(claim)}", who["token"], raw=data, kind="photo"
        )

    def file(self) -> None:
        """File one hazard and put its life on the list."""
        crew = self.rnd.choices(self.crews, cum_weights=self.shares)[0]
        lon, lat = self.rnd.choice(self.cells[crew.area])
        place = {
            "lon": round(lon + self.rnd.uniform(-2e-3, 2e-3), 6),
            "lat": round(lat + self.rnd.uniform(-2e-3, 2e-3), 6),
        }
        (code, category), scene = self.rnd.choice(self.matters), self.rnd.randrange(SCENES)
        reporter, spot = self.rnd.choice(crew.reporters), crew.handler is None or self.rnd.random() < SPOT
        body = {
            "id": str(uuid.uuid4()), "matter": code, "severity": "general",
            "description": self.rnd.choice(phrases.FOUND), "occurred_at": datetime.now(UTC).isoformat(),
            "location": {**place, "accuracy_m": round(self.rnd.uniform(4, 20), 1), "datum": "wgs84"},
            "handled_on_spot": spot,
        }  # fmt: skip
        hazard = self.door.call("POST", "/api/v1/hazards/", reporter["token"], body, kind="file")
        if self.offices and self.rnd.random() < LEFT:
            todo = []
        elif spot:
            todo = ["handle_on_spot", "verify", "write_off"]
        elif self.rnd.random() < REFUSED:
            todo = ["refuse"]
        else:
            todo = ["accept", "dispatch", "take", "rectify", "verify", "write_off"]
        with self.lock:
            self.filed += 1
            if todo:
                self.reporters[hazard["id"]] = reporter
                self.put(Turn(0, 0, hazard["id"], hazard["version"], todo, place, crew, category, scene))
        self.photo(hazard["id"], "before" if spot else "scene", reporter, category, scene, place)

    def tend(self) -> None:
        """Put the next step of the case that most needs one on the list, as the step of the office whose it is."""
        with self.lock:
            leave_out = [*self.reporters, *self.let_go]
        try:
            close_old_connections()
            hazard = due_case(datetime.now(UTC), leave_out)
            if hazard is None:
                return
            action = NEXT[hazard.state]
            account = self.offices.account_for(action, hazard)
            if account is None:  # nobody is left in that office: people must see to it
                with self.lock:
                    self.let_go.add(str(hazard.pk))
                return
        except DatabaseError as error:
            raise Away(f"the database: {error!r}") from error
        crew = Crew(area=hazard.area_code, reporters=[], handler=account, verifiers=[], dispatcher=account)
        place = {"lon": hazard.location.x, "lat": hazard.location.y}
        category, scene = hazard.matter.matter_class.code, self.rnd.randrange(SCENES)
        with self.lock:
            self.reporters[str(hazard.pk)] = {}
            self.put(Turn(0, 0, str(hazard.pk), hazard.version, [action], place, crew, category, scene), after_s=0)

    def put(self, turn: Turn, after_s: float | None = None) -> None:
        """Put a turn on the list; call it with the lock held."""
        if after_s is None:
            after_s = self.rnd.expovariate(1 / self.pause_s) if self.pause_s else 0
        turn.at, turn.order = time.monotonic() + after_s, next(self.order)
        heapq.heappush(self.turns, turn)

    def step(self, turn: Turn) -> None:
        """Take the next step of one hazard by the account whose step it is."""
        action, crew = turn.todo[0], turn.crew
        who = crew.who(action, self.reporters[turn.hazard])
        fields: dict[str, Any] = {
            "dispatch": {"department": (crew.handler or {}).get("department")},
            "refuse": {"reason": phrases.REFUSED[0]},
            "rectify": {"words": phrases.DONE[turn.scene % len(phrases.DONE)]},
            "verify": {"location": {**turn.place, "accuracy_m": 8, "datum": "wgs84"}},
        }.get(action, {})
        if action in ("rectify", "handle_on_spot"):
            if action == "handle_on_spot" and turn.tries:
                self.photo(
                    turn.hazard, "before", who, turn.category, turn.scene, turn.place
                )  # the first may have been cut off
            self.photo(turn.hazard, "after", who, turn.category, turn.scene, turn.place)
        turn.step_id = turn.step_id or str(uuid.uuid4())
        body = {"id": turn.step_id, "version": turn.version, **fields}
        path = f"/api/v1/hazards/{turn.hazard}/{action}/"
        answer = self.door.call("POST", path, who["token"], body, kind=action)
        with self.lock:
            self.stepped += 1
            turn.version, turn.todo, turn.step_id, turn.tries = answer["version"], turn.todo[1:], "", 0
            self.ended += answer["state"] in ("written_off", "refused")
            if turn.todo:
                self.put(turn)
            else:
                self.reporters.pop(turn.hazard, None)

    def work(self, stop: threading.Event) -> None:
        """Do what is due until told to stop, or until all that was to be filed has ended."""
        while not stop.is_set():
            job = self.next_job()
            if job is None:
                return
            if job == "wait":
                stop.wait(min(0.5, self.every_s))
                continue
            try:
                if job == "file":
                    self.file()
                elif job == "tend":
                    self.tend()
                else:
                    self.step(job)
            except Away as error:
                self.again(job, error)
                stop.wait(RETRY_S)
            except Refused as error:
                if error.status >= 500 or error.status == 422:  # a photo that was cut off is sent again with the step
                    self.again(job, error)
                else:
                    self.drop(job, error)

    def again(self, job: Any, error: Exception) -> None:
        """Try a step again later with the same id; a filing that was cut off is let go."""
        with self.lock:
            self.repeated += 1
            if isinstance(job, Turn) and job.tries < MOST_TRIES:
                job.tries += 1
                self.put(job, RETRY_S * job.tries)
                return
        self.drop(job, error)

    def drop(self, job: Any, error: Exception) -> None:
        """Let a case go: people took it over, or the site does not want it."""
        with self.lock:
            self.refused += 1
            if isinstance(job, Turn):
                self.reporters.pop(job.hazard, None)
                self.let_go.add(job.hazard)
        print(error, flush=True)  # noqa: T201  a simulation's log is its standard output

    def next_job(self) -> Any:
        with self.lock:
            now = time.monotonic()
            if self.turns and self.turns[0].at <= now:
                return heapq.heappop(self.turns)
            if self.offices and now >= self.next_tending:
                self.next_tending = now + OFFICES_EVERY_S
                return "tend"
            if self.left != 0 and now >= self.next_filing and len(self.reporters) < MOST_OPEN:
                self.next_filing = now + (self.rnd.expovariate(1 / self.every_s) if self.pause_s else 0)
                if self.left is not None:
                    self.left -= 1
                return "file"
            return None if self.left == 0 and not self.reporters else "wait"
