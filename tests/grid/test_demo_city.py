"""The demo city has the city's real size (design: demo city), and its catalogue is whole."""

import csv
from collections import Counter
from pathlib import Path

import pytest
from django.db.models import Count, Sum
from django.utils import timezone

from citysafety.tallies.selectors import board
from grid.models import Cell, Centre, Matter, Posting, Premises, Worker
from grid.services import load_city

from .conftest import NOON, relay

DEMO = Path(__file__).resolve().parents[2] / "demo" / "dongying"


def rows(name: str) -> list[dict[str, str]]:
    with (DEMO / name).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_the_catalogue_has_229_matters_in_7_classes_each_with_its_own_two_names():
    matters = rows("matters.csv")

    assert Counter(row["class"] for row in matters) == {
        "XF": 41,
        "WH": 33,
        "JZ": 36,
        "JT": 28,
        "SZ": 39,
        "XY": 27,
        "HJ": 25,
    }
    assert len({row["name_zh"] for row in matters}) == len({row["name_en"] for row in matters}) == 229
    assert all(row["basis"] and row["standard_code"] and row["icon"] for row in matters)


def test_a_matter_limits_the_whole_case_to_less_than_its_stages_together():
    [matter] = [row for row in rows("matters.csv") if row["total"]]
    (whole, unit), stages = (
        matter["total"].split(),
        [matter[stage].split() for stage in ("accept", "rectify", "verify")],
    )
    assert unit == "work_days"
    assert int(whole) < sum(int(amount) for amount, one in stages if one == "work_days")


def test_matters_that_ask_more_are_said_to_be_special():
    for row in rows("matters.csv"):
        asks_more = row["photos_before"] != "0" or row["photos_after"] != "1" or row["sample_recheck"] == "1"
        assert bool(asks_more) == (row["special"] == "1"), row["code"]


def test_every_matter_says_how_near_it_is_verified_or_that_it_has_no_place():
    within = {row["code"]: row["verify_within_m"] for row in rows("matters.csv")}

    assert set(within.values()) == {"100", "300", "1000", "anywhere"}
    placeless = [code for code, distance in within.items() if distance == "anywhere"]
    assert placeless == ["WH-014", "WH-027", "JZ-036", "JT-015", "JT-016", "JT-020", "JT-021", "JT-022", "HJ-012"]


@pytest.mark.django_db
def test_the_demo_city_loads_whole_and_every_cell_has_somebody(settings):
    report = load_city(DEMO, at=NOON)
    relay()

    kinds = dict(Cell.objects.values_list("kind").annotate(n=Count("pk")).order_by())
    assert kinds == {"base": 4010, "dedicated": 2060, "sea": 28}
    assert (Centre.objects.count(), Centre.objects.aggregate(posts=Sum("posts"))["posts"]) == (47, 752)
    assert (Worker.objects.count(), Matter.objects.count()) == (6100, 229)
    assert list(Matter.objects.exclude(total_amount=None).values_list("code", "total_unit")) == [
        ("XF-035", "work_days")
    ]
    assert Matter.objects.filter(verify_within_m=None).count() == 9
    assert Premises.objects.filter(kind__nine_small=True).count() == 6000
    assert Premises.objects.filter(kind__nine_small=True).values("kind").distinct().count() == 9
    assert board("3705").figures["premises.area_m2"] == 700_000
    assert board("3705").figures["cells.active"] == 6098
    on = timezone.localdate(NOON)
    assert board("3705").figures["workers.assigned"] == Worker.objects.assigned(on).count()
    served = Posting.objects.on(on).filter(worker__state="on_duty").values("cell").distinct().count()
    assert served == 6098
    assert report.notes == []
