"""Who has which case open at a console: a small room in Redis that forgets (ADR 0016).

An entry lives :data:`LASTS_S` and is renewed while the page is open. It holds a masked name, the case and its area, and
goes only to consoles whose area covers the case: never to a wall.
"""

import json
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

import redis
from django.db import connection
from redis.backoff import NoBackoff
from redis.retry import Retry

from citysafety.accounts.marks import mark_of
from citysafety.areas import covers
from grid.rules import masked
from hazards.models import Hazard
from projects.models import OverdueNotice

from . import bus
from .frames import text

LASTS_S = 20  # without being renewed: a browser that was killed is gone after this
FORGOTTEN_S = 3600
CASES = {"hazard": Hazard, "supervision": OverdueNotice}

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Entry:
    """Somebody at a case. ``desk`` is one page of one person, its part before the dot the person's mark."""

    desk: str
    kind: str
    id: str
    area: str
    who: str
    who_en: str
    until: float  # of the server's clock, seconds


def room() -> str:
    """Return the key of our room; named after the database, as the channel is."""
    return f"citysafety.room.{connection.settings_dict['NAME']}"


def area_of(user: Any, kind: str, subject_id: UUID) -> str | None:
    """Return the area of a case, None where there is none that the user may see. Queries: 1."""
    if kind not in CASES:
        return None
    found = CASES[kind].objects.visible_to(user).filter(pk=subject_id).values_list("area_code", flat=True)
    area: str | None = found.first()
    return area


def enter(user: Any, page: UUID, kind: str, subject_id: UUID, area: str) -> bool:
    """Say that a person has a case open on a page. Return whether the room could be reached."""
    names = {"who": masked(user.name_zh or user.name), "who_en": _masked_english(user.name_en or user.name)}
    entry = Entry(_desk(user.pk, page), kind, str(subject_id), area, **names, until=time.time() + LASTS_S)
    with _redis() as line:
        before = _read(line.hget(room(), entry.desk))
        if before is not None and (before.kind, before.id) != (entry.kind, entry.id):
            _tell(line, before, here=False)
        line.hset(room(), entry.desk, text(asdict(entry)))
        line.expire(room(), FORGOTTEN_S)
        _tell(line, entry, here=True)
        return True
    return False


def leave(user_id: int, page: UUID) -> bool:
    """Say that a page has no case open any more, or is gone. Return whether the room could be reached."""
    desk = _desk(user_id, page)
    with _redis() as line:
        before = _read(line.hget(room(), desk))
        if before is not None:
            line.hdel(room(), desk)
            _tell(line, before, here=False)
        return True
    return False


def here(area: str) -> list[Entry]:
    """Return who is at which case of an area now; those not renewed are left out and forgotten."""
    now = time.time()
    with _redis() as line:
        entries = [entry for raw in line.hvals(room()) if (entry := _read(raw))]
        if gone := [entry.desk for entry in entries if entry.until < now]:
            line.hdel(room(), *gone)
        return [entry for entry in entries if entry.until >= now and covers(area, entry.area)]
    return []


def item(entry: Entry, *, here: bool) -> dict[str, Any]:
    """Return what a console hears of an entry."""
    return {
        "desk": entry.desk, "kind": entry.kind, "id": entry.id, "area": entry.area, "who": entry.who,
        "who_en": entry.who_en, "here": here, "for_s": LASTS_S,
    }  # fmt: skip


def _desk(user_id: int, page: UUID) -> str:
    return f"{mark_of(user_id)}.{page}"


def _masked_english(name: str) -> str:
    return f"{name.split()[0]} *" if name.split() else ""


def _read(raw: bytes | None) -> Entry | None:
    try:
        return Entry(**json.loads(raw)) if raw else None
    except (ValueError, TypeError):  # of another version of the code
        return None


def _tell(line: redis.Redis, entry: Entry, *, here: bool) -> None:
    line.publish(bus.channel(), text({"presence": item(entry, here=here)}))


@contextmanager
def _redis() -> Iterator[redis.Redis]:
    """Open the line; a Redis that does not answer costs a second and no case: the console then shows nobody."""
    client = redis.Redis.from_url(
        bus.address(), retry=Retry(NoBackoff(), 0), socket_timeout=1, socket_connect_timeout=1
    )
    try:
        yield client
    except redis.RedisError as error:
        logger.warning("live: the room of the console is not to be had (%s)", error)
    finally:
        client.close()
