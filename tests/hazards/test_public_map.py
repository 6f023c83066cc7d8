"""The map of the public: plain geography for everybody, nothing else; and where cases are shown to lie."""

import gzip
import json
import re

import pytest
from django.test import Client
from django.utils import timezone

from grid.models import BaseLayer, Cell, Division
from tests.factories import box, file_hazard

from .reporting import filed, text_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nobody_asked_yet")]
LAYER = "/public/map/1/{}.geojson"


@pytest.fixture
def sea(cast):
    BaseLayer.objects.update_or_create(key="sea", defaults={"geojson": {"type": "FeatureCollection", "features": []}})
    Division.objects.filter(level__in=("county", "township")).update(outline=box(118.4, 37.4, 118.6, 37.6))


@pytest.mark.parametrize("layer", ["counties", "townships", "sea"])
def test_plain_geography_is_open_to_everybody_and_may_be_kept(sea, layer):
    answer = Client().get(LAYER.format(layer), headers={"Accept-Encoding": "gzip"})
    found = json.loads(gzip.decompress(answer.content))
    assert (answer.status_code, found["type"]) == (200, "FeatureCollection")
    assert answer["Cache-Control"] == "public, max-age=31536000, immutable"
    assert "Set-Cookie" not in answer
    properties = {name for one in found["features"] for name in one["properties"]}
    assert properties <= {"code", "name_zh", "name_en", "synthetic"}


def test_nothing_but_plain_geography_is_at_the_open_address(sea):
    BaseLayer.objects.create(key="shelters", geojson={"type": "FeatureCollection", "features": []})
    for layer in ("shelters", "cells", "premises", "workers", "hazards", "villages"):
        assert Client().get(LAYER.format(layer)).status_code == 404, layer
    assert Client().get("/public/map/2/counties.geojson").status_code == 404, "another version than the active one"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/tiles/1/base/counties.geojson", 401), ("/tiles/1/cells/8/212/99.mvt", 401), ("/api/v1/grid/", 401),
        ("/api/v1/cells/", 401), ("/api/v1/cells/state/?area=3705", 401), ("/api/v1/cells/locate/?lon=118.53&lat=37.45", 401),
        ("/api/v1/hazards/", 401), ("/api/v1/premises/", 401), ("/api/v1/workers/", 401), ("/grid/", 302),
    ],
)  # fmt: skip
def test_what_lies_on_that_ground_stays_closed(sea, path, status):
    answer = Client().get(path)
    assert answer.status_code == status and (status != 302 or "/login/" in answer["Location"])


def test_the_open_layers_are_counted_with_the_pages(sea):
    client = Client()
    answers = [client.get(LAYER.format("sea")).status_code for _n in range(121)]
    assert answers == [200] * 120 + [429]
    assert client.get("/public/report/").status_code == 429


def test_the_place_can_be_chosen_on_a_map_and_without_one(sea):
    page = text_of(Client().get("/public/report/"))
    assert 'data-base="/public/map/1/"' in page and 'id="map-dialog"' in page
    [west_south, east_north] = json.loads(re.search(r'data-frame="([^"]+)"', page)[1])
    assert west_south[0] < 118.53 < east_north[0] and west_south[1] < 37.45 < east_north[1]
    for name in ("lat", "lon"):
        assert re.search(rf'<input type="number" name="{name}"', page)
    assert re.search(r"data-on-map hidden", page), "without JavaScript there is no button for what it does"


def test_each_case_of_the_list_has_its_place_on_the_map_and_leads_to_itself(cast):
    hazard = file_hazard(cast.worker, at=timezone.now(), lon=118.534567)
    page = text_of(Client().get("/public/cases/"))
    row = re.search(r'<li data-lon="([^"]+)" data-lat="([^"]+)"[^>]*>.*?</li>', page, re.DOTALL)
    assert (row[1], row[2]) == ("118.535", "37.45")
    assert f'href="/public/cases/?number={hazard.number}"' in row[0]
    assert not {code for code in Cell.objects.values_list("code", flat=True) if code in page}


def test_the_page_of_a_report_shows_the_place_as_it_is_published(cast):
    address = filed(where="/public/report/?matter=XF-001&lat=37.450123&lon=118.530456")
    page = text_of(Client().get(address))
    assert 'data-lon="118.53" data-lat="37.45" data-accuracy="75"' in page and "37.450, 118.530" in page
    assert "37.4501" not in page and "118.5304" not in page
