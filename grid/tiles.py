"""Vector tiles of the cells and the layers under them. An address holds its grid version, so answers are kept for ever."""

import gzip
import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Generator, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import brotli
from django.core.cache import cache
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from citysafety.accounts.callers import LIVE_TOKENS
from citysafety.accounts.tokens import live_token

from . import selectors
from .models import BaseLayer

FOR_EVER = "private, max-age=31536000, immutable"
FOR_EVERYBODY = "public, max-age=31536000, immutable"
KEPT_S = 7 * 24 * 3600
MOST_ZOOM = 18
TILE_TYPE = "application/vnd.mapbox-vector-tile"
EXTENT, BUFFER = 4096, 32  # units of a tile, GeoServer's and Mapbox's habit
MOST_KEPT = 64 * 1024 * 1024  # bytes, in each process
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "br": lambda body: brotli.compress(body, quality=7),
    "gzip": gzip.compress,
}


# All that is asked of the database, in one statement: which of some tokens may be used now, which version is active, and
# tiles. Their box is widened by the buffer, so that outlines meet across tiles, and worked out once a tile, not once a
# cell. What is under half a tile unit at a low zoom has no shape left and is skipped by ST_AsMVT.
LOOK = f"""
SELECT 1, live.digest, 0, NULL::bytea FROM ({LIVE_TOKENS}) live
UNION ALL
(SELECT 2, id::text, number, NULL FROM grid_gridversion WHERE activated_at IS NOT NULL ORDER BY number DESC LIMIT 1)
UNION ALL
SELECT 3, '', place::int, (
  SELECT ST_AsMVT(shapes, 'cells', {EXTENT}, 'geom', 'id') FROM (
    SELECT c.id, c.code, c.kind, ST_AsMVTGeom(c.mercator, box.tile, {EXTENT}, {BUFFER}, true) AS geom
    FROM grid_cell c WHERE c.active AND c.mercator && box.wide
  ) shapes
)
FROM unnest(%s::int[], %s::int[], %s::int[]) WITH ORDINALITY AS asked(z, x, y, place), LATERAL (
  SELECT ST_TileEnvelope(z, x, y) AS tile, ST_TileEnvelope(z, x, y, margin => {BUFFER / EXTENT}) AS wide OFFSET 0
) box"""

DIVISIONS = """
SELECT json_build_object('type', 'FeatureCollection', 'features', coalesce(json_agg(json_build_object(
  'type', 'Feature',
  'properties', json_build_object('code', code, 'name_zh', name_zh, 'name_en', name_en, 'synthetic', synthetic),
  'geometry', ST_AsGeoJSON(outline, 5)::json) ORDER BY code), '[]'::json))::text
FROM grid_division WHERE level = %s AND outline IS NOT NULL"""
LEVELS = {"counties": "county", "townships": "township"}
GEOGRAPHY = (*LEVELS, "sea", "river")  # what any map of the city shows: no cell, nobody, nothing that is watched


def _signed_in(request: HttpRequest) -> bool:
    """Test for a session, a screen's among them, or a program's token."""
    if request.user.is_authenticated:
        return True
    scheme, _space, key = request.headers.get("Authorization", "").partition(" ")
    return scheme == "Token" and live_token(key) is not None


def encoding_of(accepted: str) -> str:
    """Return how a reader that accepts these encodings is answered."""
    return next((name for name in PACKERS if name in accepted), "")


class Memory:
    """What this process has made, the least asked for dropped first. Addresses hold the version, so nothing grows old."""

    def __init__(self, most: int) -> None:
        self._most, self._bytes = most, 0
        self._kept: OrderedDict[Hashable, bytes] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> bytes | None:
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def keep(self, key: Hashable, body: bytes) -> None:
        with self._lock:
            self._bytes += len(body) - len(self._kept.pop(key, b""))
            self._kept[key] = body
            while self._bytes > self._most:
                self._bytes -= len(self._kept.popitem(last=False)[1])


memory = Memory(MOST_KEPT)


class Asked(NamedTuple):
    """A tile as a reader wants it; a tuple, which is looked up by the dozen."""

    version: int
    z: int
    x: int
    y: int
    encoding: str = ""

    def exists(self) -> bool:
        return self.z <= MOST_ZOOM and 0 <= self.x < 2**self.z and 0 <= self.y < 2**self.z


Active = tuple[int, int]  # id and number of a grid version
Place = tuple[int, int, int]
Rows = list[tuple[int, str, int, Any]]
# Left to itself PostgreSQL plans the statement anew each time, since it cannot know how few tiles are asked for; planning
# takes as long as a tile.
BEGIN = (
    "SET plan_cache_mode = force_generic_plan",
    "PREPARE tiles_look (text[], int[], int[], int[]) AS " + LOOK.replace("%s", "$%d") % (1, 2, 3, 4),
)
EXECUTE = "EXECUTE tiles_look (%s, %s, %s, %s)"
_last_seen: Active | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """What a look found: tiles as they are wanted, those that have still to be packed, and which tokens may be used now."""

    version: Active | None
    found: dict[Asked, bytes]
    plain: dict[Asked, bytes]
    live: set[str]

    def packed(self) -> dict[Asked, bytes]:
        """Return all that was found, packed and kept for the next who asks."""
        for one, body in self.plain.items():
            self.found[one] = PACKERS[one.encoding](body) if one.encoding else body
            memory.keep((self.version, one), self.found[one])
        return self.found


def looking(asked: Sequence[Asked], digests: Sequence[str] = ()) -> Generator[tuple[list, ...], Rows, Look]:
    """Look for tiles of the active version: yields the values of EXECUTE and is sent its rows, mostly once; once more
    after another version was activated.
    """
    global _last_seen
    while True:
        assumed = _last_seen
        there = {one for one in asked if assumed and one.version == assumed[1] and one.exists()}
        found = {one: body for one in there if (body := memory.get((assumed, one))) is not None}
        places: list[Place] = list({(one.z, one.x, one.y) for one in there - found.keys()})
        rows = yield list(digests), *([place[n] for place in places] for n in range(3))
        active = next(((int(text), number) for kind, text, number, _body in rows if kind == 2), None)
        if active == assumed:
            break
        _last_seen = active
    made = {places[number - 1]: bytes(body) for kind, _text, number, body in rows if kind == 3}
    plain = {one: made[one.z, one.x, one.y] for one in there - found.keys()}
    return Look(assumed, found, plain, {text for kind, text, _number, _body in rows if kind == 1})


def tile_now(asked: Asked) -> bytes | None:
    """Return one tile, None where it does not exist or not in the active version. Queries: 1, seldom 2."""
    steps = looking([asked])
    values = next(steps)
    while True:
        with connection.cursor() as cursor:
            cursor.execute(LOOK, values)
            rows = cursor.fetchall()
        try:
            values = steps.send(rows)
        except StopIteration as end:
            return end.value.packed().get(asked)


@require_safe
def tile(request: HttpRequest, version: int, z: int, x: int, y: int) -> HttpResponse:
    """GET /tiles/{version}/cells/{z}/{x}/{y}.mvt: layer `cells` with id, code and kind; for anyone signed in.

    Outlines are no secret inside the city; what weighs on them is. Most requests are answered before they come here, by
    ``grid/tile_door.py``; all that it does not answer is.
    """
    if not _signed_in(request):
        return HttpResponse(status=401)
    encoding = encoding_of(request.headers.get("Accept-Encoding", ""))
    body = tile_now(Asked(version, z, x, y, encoding))
    if body is None:
        raise Http404
    return _answered(body, TILE_TYPE, encoding)


def _answered(body: bytes, kind: str, encoding: str, kept: str = FOR_EVER) -> HttpResponse:
    response = HttpResponse(body, content_type=kind)
    response["Cache-Control"] = kept
    response["Vary"] = "Accept-Encoding"
    if encoding:
        response["Content-Encoding"] = encoding
    return response


@require_safe
def base(request: HttpRequest, version: int, layer: str) -> HttpResponse:
    """GET /tiles/{version}/base/{layer}.geojson: counties, townships, sea or river; for anyone signed in."""
    if not _signed_in(request):
        return HttpResponse(status=401)
    return _base(request, version, layer)


def geography(request: HttpRequest, version: int, layer: str) -> HttpResponse:
    """Answer with a layer of plain geography, for a door that is open to everybody. :raises Http404: it is none of these."""
    if layer not in GEOGRAPHY:
        raise Http404
    return _base(request, version, layer, FOR_EVERYBODY)


def _base(request: HttpRequest, version: int, layer: str, kept: str = FOR_EVER) -> HttpResponse:
    """Return a base layer of the active version. Queries: 1, one more when the layer is not at hand."""
    if version != selectors.active_version():
        raise Http404
    encoding = encoding_of(request.headers.get("Accept-Encoding", ""))
    key = f"base:{version}:{layer}:{encoding}"
    body = cache.get(key)
    if body is None:
        plain = _layer(layer)
        body = PACKERS[encoding](plain) if encoding else plain
        cache.set(key, body, KEPT_S)
    return _answered(body, "application/geo+json", encoding, kept)


def _layer(layer: str) -> bytes:
    if layer in LEVELS:
        with connection.cursor() as cursor:
            cursor.execute(DIVISIONS, [LEVELS[layer]])
            return cursor.fetchone()[0].encode()
    kept: Any = BaseLayer.objects.filter(key=layer).first()
    if kept is None:
        raise Http404
    return json.dumps(kept.geojson, ensure_ascii=False, separators=(",", ":")).encode()
