"""Search of the console: number, place, words, pinyin whole and by initials."""

import pytest

from grid import finding
from tests.factories import AWAY, HOME, file_hazard, person

SEARCH = "/api/v1/centre/search/"


def names(client, text):
    found = client.get(SEARCH, {"q": text}).json()
    return [place["name"] for place in found["places"]]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("第一小学", "第一小学"), ("dyxx", "第一小学"), ("diyixiaoxue", "第一小学"), ("First Primary", "第一小学"), ("primary", "第一小学"),
        ("jgqs", "井盖缺失"), ("jinggai", "井盖缺失"), ("XF-002", "电动自行车违规充电"), ("dyqjd", "东营区街道"), (f"{HOME}001001002", "东营区第2网格"),
        ("dongyingqu jiedao", "东营区街道"),
    ],
)  # fmt: skip
def test_places_and_matters_are_found_by_any_spelling(city, at_desk, text, name):
    assert name in names(at_desk(language="zh-hans"), text)


def test_a_beginning_stands_before_a_middle(city):
    assert finding.find("东营区", "3705")[0].name_zh == "东营区"
    assert next(one.kind for one in finding.find("dyq", "3705")) == "county"


def test_only_places_of_the_own_area_are_found_and_matters_by_everybody(city, at_desk):
    client = at_desk("operator", HOME, language="zh-hans")
    assert names(client, "hekou") == []
    assert names(client, "井盖") == ["井盖缺失"]
    assert client.get(SEARCH, {"q": "hekou", "area": AWAY}).status_code == 404


def test_open_cases_are_found_by_number_words_matter_and_place(cases, at_desk):
    client = at_desk(language="zh-hans")
    hazard = cases["reported"]

    def found(text):
        return {row["id"] for row in client.get(SEARCH, {"q": text}).json()["cases"]}

    for text in (hazard.number, hazard.number[-5:], "纸箱", "stdds", "shusantongdao", "东营区第1网格"):
        assert str(hazard.pk) in found(text), text
    assert found("井盖") == set()


def test_a_closed_case_is_found_by_its_number_only(cases, at_desk, take):
    hazard = cases["reported"]
    take(hazard, "refuse", words="不属实")
    client = at_desk(language="zh-hans")
    assert [row["id"] for row in client.get(SEARCH, {"q": hazard.number}).json()["cases"]] == [str(hazard.pk)]
    assert str(hazard.pk) not in {row["id"] for row in client.get(SEARCH, {"q": "纸箱"}).json()["cases"]}


def test_a_foreign_case_is_not_found_by_its_number(city, at_desk):
    away = file_hazard(person("grid_worker", area=AWAY), lon=118.73)
    assert at_desk("operator", HOME).get(SEARCH, {"q": away.number}).json()["cases"] == []


@pytest.mark.parametrize("text", ["", " ", "x", "%", "'; --", "网" * 500, "(" * 40])
def test_whatever_is_typed_is_answered(city, at_desk, text):
    assert at_desk().get(SEARCH, {"q": text}).status_code == 200


def test_a_search_costs_the_same_however_much_is_found(cases, at_desk, django_assert_max_num_queries):
    client = at_desk()
    client.get(SEARCH, {"q": "纸箱"})
    with django_assert_max_num_queries(5):  # session with user; version of the grid twice; cases, names of townships
        client.get(SEARCH, {"q": "纸箱"})


@pytest.mark.parametrize(
    ("name", "expected"),
    [("胜利街道第12网格", ("sljdd12wg", "shenglijiedaodi12wangge")), ("重庆路", ("cql", "chongqinglu")), ("A座3层", ("az3c", "azuo3ceng"))],
)  # fmt: skip
def test_letters_of_a_name(name, expected):
    assert finding.letters(name) == expected
