"""The map of the public: plain geography at an address of its own, open to everybody. No cell, no case, nobody is on it."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from grid import locate, tiles

from .access import counted


@require_safe
@counted
def layer(request: HttpRequest, version: int, layer: str) -> HttpResponse:
    """GET /public/map/<version>/<layer>.geojson: counties, townships, sea or river. Queries: 1, 2 when first asked for.

    The address holds the version, so anybody may keep the answer for ever.
    """
    return tiles.geography(request, version, layer)


def frame() -> list[list[float]]:
    """Return the south-western and the north-eastern corner of where a report may come from; empty before a city is loaded.

    No query, but for the look at the grid version every two seconds.
    """
    outline = locate.current().frame
    west, south, east, north = outline.bounds
    return [] if outline.is_empty else [[west, south], [east, north]]
