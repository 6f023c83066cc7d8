"""Vector tiles of the cells and the layers under them. An address holds its grid version, so answers are kept for ever."""

import gzip
import json
from collections.abc import Callable
from typing import Any

import brotli
from django.core.cache import cache
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from citysafety.accounts.tokens import live_token

from . import selectors
from .models import BaseLayer

FOR_EVER = "private, max-age=31536000, immutable"
KEPT_S = 7 * 24 * 3600
MOST_ZOOM = 18
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "br": lambda body: brotli.compress(body, quality=7),
    "gzip": gzip.compress,
}
EXTENT, BUFFER = 4096, 32  # units of a tile, GeoServer's and Mapbox's habit

# One statement a tile; the box is widened by the buffer so that outlines meet across tiles. Low zooms drop what is
# under half a tile unit, which keeps the first paint of all cells small.
TILE = """
WITH box AS (SELECT ST_TileEnvelope(%(z)s, %(x)s, %(y)s) AS tile),
shapes AS (
  SELECT c.id, c.code, c.kind,
    ST_AsMVTGeom(c.mercator, box.tile, %(extent)s, %(buffer)s, true) AS geom
  FROM grid_cell c, box
  WHERE c.active AND c.mercator && ST_Expand(box.tile, (ST_XMax(box.tile) - ST_XMin(box.tile)) * %(buffer)s / %(extent)s)
)
SELECT ST_AsMVT(shapes, 'cells', %(extent)s, 'geom', 'id') FROM (SELECT * FROM shapes WHERE geom IS NOT NULL ORDER BY id) shapes"""

DIVISIONS = """
SELECT json_build_object('type', 'FeatureCollection', 'features', coalesce(json_agg(json_build_object(
  'type', 'Feature',
  'properties', json_build_object('code', code, 'name_zh', name_zh, 'name_en', name_en, 'synthetic', synthetic),
  'geometry', ST_AsGeoJSON(outline, 5)::json) ORDER BY code), '[]'::json))::text
FROM grid_division WHERE level = %s AND outline IS NOT NULL"""
LEVELS = {"counties": "county", "townships": "township"}


def _signed_in(request: HttpRequest) -> bool:
    """Test for a session, a screen's among them, or a program's token."""
    if request.user.is_authenticated:
        return True
    scheme, _space, key = request.headers.get("Authorization", "").partition(" ")
    return scheme == "Token" and live_token(key) is not None


def _encoding(request: HttpRequest) -> str:
    accepted = request.headers.get("Accept-Encoding", "")
    return next((name for name in PACKERS if name in accepted), "")


def _answer(request: HttpRequest, key: str, kind: str, make: Callable[[], bytes]) -> HttpResponse:
    """Answer with what is kept under a key, packed as the caller reads it; made and packed at most once each."""
    encoding = _encoding(request)
    body = cache.get(f"{key}:{encoding}")
    if body is None:
        plain = make()
        body = PACKERS[encoding](plain) if encoding else plain
        cache.set(f"{key}:{encoding}", body, KEPT_S)
    response = HttpResponse(body, content_type=kind)
    response["Cache-Control"] = FOR_EVER
    response["Vary"] = "Accept-Encoding"
    if encoding:
        response["Content-Encoding"] = encoding
    return response


@require_safe
def tile(request: HttpRequest, version: int, z: int, x: int, y: int) -> HttpResponse:
    """GET /tiles/{version}/cells/{z}/{x}/{y}.mvt: layer `cells` with id, code and kind; for anyone signed in.

    Outlines are no secret inside the city; what weighs on them is.
    """
    if not _signed_in(request):
        return HttpResponse(status=401)
    if z > MOST_ZOOM or not (0 <= x < 2**z and 0 <= y < 2**z) or version != selectors.active_version():
        raise Http404

    def make() -> bytes:
        with connection.cursor() as cursor:
            cursor.execute(TILE, {"z": z, "x": x, "y": y, "extent": EXTENT, "buffer": BUFFER})
            return bytes(cursor.fetchone()[0])

    return _answer(request, f"tile:{version}:{z}:{x}:{y}", "application/vnd.mapbox-vector-tile", make)


@require_safe
def base(request: HttpRequest, version: int, layer: str) -> HttpResponse:
    """GET /tiles/{version}/base/{layer}.geojson: counties, townships, sea or river; for anyone signed in."""
    if not _signed_in(request):
        return HttpResponse(status=401)
    if version != selectors.active_version():
        raise Http404
    return _answer(request, f"base:{version}:{layer}", "application/geo+json", lambda: _layer(layer))


def _layer(layer: str) -> bytes:
    if layer in LEVELS:
        with connection.cursor() as cursor:
            cursor.execute(DIVISIONS, [LEVELS[layer]])
            return cursor.fetchone()[0].encode()
    kept: Any = BaseLayer.objects.filter(key=layer).first()
    if kept is None:
        raise Http404
    return json.dumps(kept.geojson, ensure_ascii=False, separators=(",", ":")).encode()
