"""Invented working days through the real API: phones that file, offices that handle, others that verify."""

import hashlib
import heapq
import io
import itertools
import json
import random
import threading
import time
import urllib.error
import urllib.request
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from PIL import Image

WORDS = [
    "楼道堆放纸箱",
    "电动车在楼道充电",
    "井盖松动",
    "灭火器压力不足",
    "占用消防车道",
    "燃气软管老化",
    "护栏缺失",
    "配电箱未上锁",
]


class Refused(Exception):
    """The API answered with an error; what it said is in the message."""


class Door:
    """Speaks to one instance over HTTP, as one account at a time."""

    def __init__(self, base: str, timeout_s: float = 30) -> None:
        self.base, self.timeout_s = base.rstrip("/"), timeout_s

    def call(self, method: str, path: str, token: str, body: Any = None, raw: bytes | None = None) -> Any:
        data = raw if raw is not None else None if body is None else json.dumps(body).encode()
        kind = "application/json" if raw is None else "image/jpeg"
        request = urllib.request.Request(
            self.base + path, data=data, method=method,
            headers={"Authorization": f"Token {token}", "Content-Type": kind, "Accept": "application/json"},
        )  # fmt: skip
        try:
            with urllib.request.urlopen(request, timeout=self.timeout_s) as answer:
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            raise Refused(f"{method} {path}: {error.code} {error.read()[:300].decode(errors='replace')}") from error


def picture(rnd: random.Random) -> bytes:
    """Return a small drawn picture: blocks of grey, different each time."""
    image = Image.new("L", (8, 6))
    image.putdata([rnd.randrange(60, 200) for _ in range(48)])
    out = io.BytesIO()
    image.resize((320, 240), Image.Resampling.BICUBIC).save(out, "JPEG", quality=60)
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


class Simulator:
    """Files hazards at a rate and takes each through its life; safe to stop at any moment."""

    def __init__(
        self, door: Door, accounts: dict[str, list[dict]], cells: list[tuple[float, float]], *,
        a_day: float, pause_s: float, seed: int, most: int | None,
    ) -> None:  # fmt: skip
        self.door, self.cells, self.rnd = door, cells, random.Random(seed)
        self.every_s, self.pause_s, self.left = 86_400 / a_day, pause_s, most
        self.workers = [a for a in accounts["grid_worker"] if a["area"] == accounts["grid_worker"][0]["area"]]
        self.dispatcher = next(a for a in accounts["dispatcher"] if a["level"] == "city")
        self.handlers = accounts["department_handler"]
        self.turns: list[Turn] = []
        self.lock, self.order = threading.Lock(), itertools.count()
        self.filed = self.stepped = self.refused = self.ended = 0
        page = door.call("GET", "/api/v1/matters/?page_size=1000", self.dispatcher["token"])
        self.matters = [matter["code"] for matter in page["results"] if not matter["special"]]

    def file(self) -> None:
        """File one hazard and put its life on the list."""
        lon, lat = self.rnd.choice(self.cells)
        place = {
            "lon": round(lon + self.rnd.uniform(-2e-3, 2e-3), 6),
            "lat": round(lat + self.rnd.uniform(-2e-3, 2e-3), 6),
        }
        worker, spot = self.workers[0], self.rnd.random() < 0.2
        body = {
            "id": str(uuid.uuid4()), "matter": self.rnd.choice(self.matters), "severity": "general",
            "description": self.rnd.choice(WORDS), "occurred_at": datetime.now(UTC).isoformat(),
            "location": {**place, "accuracy_m": round(self.rnd.uniform(4, 20), 1), "datum": "wgs84"},
            "handled_on_spot": spot,
        }  # fmt: skip
        hazard = self.door.call("POST", "/api/v1/hazards/", worker["token"], body)
        self.photo(hazard["id"], "before" if spot else "scene", worker)
        if spot:
            todo = ["handle_on_spot", "verify", "write_off"]
        elif self.rnd.random() < 0.05:
            todo = ["refuse"]
        else:
            todo = ["accept", "dispatch", "take", "rectify", "verify", "write_off"]
        with self.lock:
            self.filed += 1
            self.put(Turn(0, 0, hazard["id"], hazard["version"], todo, place))

    def put(self, turn: Turn) -> None:
        turn.at = time.monotonic() + self.rnd.expovariate(1 / self.pause_s) if self.pause_s else time.monotonic()
        turn.order = next(self.order)
        heapq.heappush(self.turns, turn)

    def photo(self, hazard: str, role: str, who: dict) -> None:
        data = picture(self.rnd)
        name = hashlib.sha256(data).hexdigest()
        self.door.call("PUT", f"/api/v1/hazards/{hazard}/photos/{name}?role={role}", who["token"], raw=data)

    def step(self, turn: Turn) -> None:
        """Take the next step of one hazard by the account whose step it is."""
        action, handler = turn.todo[0], self.handlers[0]
        who = {"take": handler, "rectify": handler, "verify": self.workers[-1], "handle_on_spot": self.workers[0]}.get(
            action, self.dispatcher
        )
        fields: dict[str, Any] = {
            "dispatch": {"department": handler["department"]}, "refuse": {"reason": "不属于安全隐患"},
            "rectify": {"words": "已整改，现场恢复"},
            "verify": {"location": {**turn.place, "accuracy_m": 8, "datum": "wgs84"}},
        }.get(action, {})  # fmt: skip
        if action in ("rectify", "handle_on_spot"):
            self.photo(turn.hazard, "after", who)
        body = {"id": str(uuid.uuid4()), "version": turn.version, **fields}
        answer = self.door.call("POST", f"/api/v1/hazards/{turn.hazard}/{action}/", who["token"], body)
        with self.lock:
            self.stepped += 1
            turn.version, turn.todo = answer["version"], turn.todo[1:]
            if turn.todo:
                self.put(turn)
            else:
                self.ended += 1

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
                self.file() if job == "file" else self.step(job)
            except (Refused, OSError) as error:
                with self.lock:
                    self.refused += 1
                print(error, flush=True)  # noqa: T201  a simulation's log is its standard output
                stop.wait(1)

    def next_job(self) -> Any:
        with self.lock:
            now = time.monotonic()
            if self.turns and self.turns[0].at <= now:
                return heapq.heappop(self.turns)
            if self.left != 0 and now >= getattr(self, "next_filing", 0):
                self.next_filing = now + (self.rnd.expovariate(1 / self.every_s) if self.pause_s else 0)
                if self.left is not None:
                    self.left -= 1
                return "file"
            return None if self.left == 0 and not self.turns else "wait"
