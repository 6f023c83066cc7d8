"""Which offices a dispatcher may choose from, and which one is proposed."""

import pytest

from citysafety.accounts.models import Department
from citysafety.accounts.selectors import office_choice

from .people import person

CELL = "370502001001001"


@pytest.fixture
def offices(db):
    made = {}
    for code, area, parent in (
        ("fire", "3705", None),
        ("fire-02", "370502", "fire"),
        ("fire-02-001", "370502001", "fire-02"),
        ("fire-03", "370503", "fire"),
        ("roads-02", "370502", None),
    ):
        made[code] = Department.objects.create(
            code=code, area_code=area, parent=made.get(parent), name_zh=code, name_en=code
        )
    return made


@pytest.mark.parametrize(
    ("area", "elsewhere"), [("3705", ["fire-03"]), ("370502", []), ("370503", ["fire-03"]), ("", [])]
)
def test_offices_of_the_place_come_first_then_those_of_the_own_area(offices, area, elsewhere):
    choice = office_choice(person("dispatcher", area=area), CELL, offices["fire"].pk)
    assert [office.code for office in choice.around] == ["fire", "fire-02", "fire-02-001", "roads-02"]
    assert [office.code for office in choice.elsewhere] == elsewhere


@pytest.mark.parametrize(
    ("home", "place", "proposed"),
    [
        ("fire", CELL, "fire-02-001"),
        ("fire", "370502002001001", "fire-02"),
        ("fire", "370505001001001", "fire"),
        ("roads-02", CELL, "roads-02"),
        ("roads-02", "370503001001001", ""),
    ],
)
def test_the_branch_nearest_to_the_place_is_proposed(offices, home, place, proposed):
    assert office_choice(person("dispatcher"), place, offices[home].pk).proposed == proposed
