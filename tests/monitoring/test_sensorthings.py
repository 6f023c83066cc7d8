"""SensorThings 1.1: bodies of observations and query options; the examples follow OGC 18-088."""

import contextlib
import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.intake.sensorthings import (
    LONGEST_QUERY,
    And,
    BadQuery,
    Comparison,
    Distance,
    Expand,
    Geography,
    Interval,
    Not,
    Observation,
    Options,
    Or,
    Order,
    Path,
    Within,
    read_data_array,
    read_filter,
    read_observation,
    read_options,
)
from monitoring.intake.wire import Malformed

NOON = datetime(2026, 11, 23, 12, tzinfo=timezone(timedelta(hours=8)))
SAID = "2026-11-23T12:00:00+08:00"


def body(**said) -> bytes:
    return json.dumps(said).encode()


# --- observations


def test_an_observation_is_read():
    said = body(
        phenomenonTime=SAID,
        resultTime="2026-11-23T04:00:01.5Z",
        result=21.5,
        Datastream={"@iot.id": 7},
        parameters={"quality": "N", "unit": "mg/m3"},
    )

    assert read_observation(said) == Observation(
        7, 21.5, NOON, datetime(2026, 11, 23, 4, 0, 1, 500000, tzinfo=UTC), None, "N"
    )


@pytest.mark.parametrize("result", [0, -3, 1.25, "open", "", True, False])
def test_results_keep_their_kind(result):
    read = read_observation(body(result=result), datastream="a")

    assert (read.result, type(read.result), read.datastream, read.phenomenon_time) == (result, type(result), "a", None)


def test_an_interval_is_read():
    read = read_observation(body(result=1, phenomenonTime=f"{SAID}/2026-11-23T13:00:00+08:00"), datastream=1)

    assert read.phenomenon_time == Interval(NOON, NOON + timedelta(hours=1))


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (b"", "no JSON"),
        (b"\xff\xfe\x00", "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b'{"result": NaN}', "NaN is no number of JSON"),
        (b'{"result": 1e999}', "result: the number inf, expected a number"),
        (b"[1]", "an array, expected an object with a result"),
        (body(phenomenonTime=SAID), "no result"),
        (body(result=None), "result: nothing, expected a number, a text, true or false"),
        (body(result={"a": 1}), "result: an object"),
        (
            body(result=1, phenomenonTime="2026-11-23T12:00:00"),
            "phenomenonTime: '2026-11-23T12:00:00', expected a time with its offset",
        ),
        (body(result=1, phenomenonTime="2026-02-30T12:00:00Z"), "phenomenonTime: '2026-02-30"),
        (body(result=1, phenomenonTime=1700000000), "phenomenonTime: 1700000000"),
        (body(result=1, phenomenonTime=f"{SAID}/2026-11-23T11:00:00+08:00"), "ends before it begins"),
        (body(result=1, resultTime=f"{SAID}/{SAID}"), "resultTime: "),
        (body(result=1, parameters=[]), "parameters: an array, expected an object"),
        (body(result=1, parameters={"quality": 1}), "quality: the number 1, expected a text"),
        (body(result=1, Datastream={"@iot.id": 8}), "Datastream 8 under the address of 7"),
        (body(result=1, Datastream={"id": 7}), "no Datastream, expected"),
        (body(result=1, Datastream={"@iot.id": True}), "no Datastream, expected"),
    ],
)
def test_a_refusal_says_what_was_seen_and_what_was_expected(said, words):
    with pytest.raises(Malformed) as refusal:
        read_observation(said, datastream=7)

    assert words in str(refusal.value)


def test_a_data_array_is_read_and_each_bad_row_refused_in_its_place():
    group = {
        "Datastream": {"@iot.id": 1},
        "components": ["phenomenonTime", "result", "FeatureOfInterest/id"],
        "dataArray@iot.count": 3,
        "dataArray": [["2010-12-23T10:20:00-0700", 20, 1], ["then", 65, 1], ["2010-12-23T10:21:00-0700", 30]],
    }
    other = {"Datastream": {"@iot.id": "b"}, "components": ["result"], "dataArray": [[True]]}

    rows = read_data_array(json.dumps([group, other]).encode())

    when = datetime(2010, 12, 23, 17, 20, tzinfo=UTC)
    assert (rows[0], rows[3]) == (Observation(1, 20, when), Observation("b", True))
    assert str(rows[1]).startswith("phenomenonTime: 'then', expected a time")
    assert str(rows[2]) == "row: 2 values, expected 3 values"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"Datastream": None}, "group 1: no Datastream"),
        ({"components": "result"}, "group 1: components a text, expected an array of names"),
        ({"components": ["phenomenonTime"]}, "expected each once and result among them"),
        ({"components": ["result", "result"]}, "expected each once"),
        ({"components": ["result", "colour"]}, "component 'colour', expected phenomenonTime"),
        ({"dataArray": {}}, "group 1: dataArray an object, expected an array of rows"),
        ({"dataArray@iot.count": 5}, "dataArray@iot.count 5, counted 1"),
        ({"dataArray": [[1]] * 100_001}, "more than 100000 rows in one body"),
    ],
)
def test_a_data_array_that_is_none_is_refused_as_a_whole(change, words):
    group = {"Datastream": {"@iot.id": 1}, "components": ["result"], "dataArray": [[1]], **change}

    with pytest.raises(Malformed) as refusal:
        read_data_array(json.dumps([group]).encode())

    assert words in str(refusal.value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["Datastream", "@iot.id", "components", "dataArray", "result", "phenomenonTime"]), inner
        )
    ),
)


@given(JSON)
def test_no_json_raises_anything_but_malformed(value):
    said = json.dumps(value).encode()
    for read in (read_observation, read_data_array):
        with contextlib.suppress(Malformed):
            read(said)


@given(st.binary(max_size=60))
def test_no_bytes_raise_anything_but_malformed(said):
    with contextlib.suppress(Malformed):
        read_observation(said)


@given(st.lists(st.tuples(st.datetimes(timezones=st.just(UTC)), st.floats(allow_nan=False, allow_infinity=False))))
def test_any_rows_come_back(rows):
    array = [[time.isoformat(), result] for time, result in rows]
    group = {"Datastream": {"@iot.id": 1}, "components": ["phenomenonTime", "result"], "dataArray": array}

    read = read_data_array(json.dumps([group]).encode())

    assert [(row.phenomenon_time, row.result) for row in read] == rows


# --- query options

RESULT, TIME = Path(("result",)), Path(("phenomenonTime",))


def over(value: float) -> Comparison:
    return Comparison(RESULT, "gt", value)


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("result gt 5", over(5)),
        ("result gt -5.5e2", over(-550.0)),
        ("5 lt result", over(5)),
        ("result eq 'it''s'", Comparison(RESULT, "eq", "it's")),
        ("result ne null", Comparison(RESULT, "ne", None)),
        ("result eq true", Comparison(RESULT, "eq", True)),
        (f"phenomenonTime ge {SAID}", Comparison(TIME, "ge", NOON)),
        ("phenomenonTime lt 2026-11-23T04:00:00Z", Comparison(TIME, "lt", NOON)),
        (f"{SAID} gt phenomenonTime", Comparison(TIME, "lt", NOON)),
        (f"phenomenonTime eq {SAID}/{SAID}", Comparison(TIME, "eq", Interval(NOON, NOON))),
        ("Datastream/id eq 7", Comparison(Path(("Datastream", "id")), "eq", 7)),
        ("Thing/@iot.id eq 'a'", Comparison(Path(("Thing", "@iot.id")), "eq", "a")),
        ("result gt 1 or result gt 2 and result gt 3", Or((over(1), And((over(2), over(3)))))),
        ("(result gt 1 or result gt 2) and result gt 3", And((Or((over(1), over(2))), over(3)))),
        ("not result gt 1 and result gt 2", And((Not(over(1)), over(2)))),
        ("not (result gt 1 and not result gt 2)", Not(And((over(1), Not(over(2)))))),
        (
            "st_within(Thing/Locations/location, geography'POLYGON((118 37, 119 37, 119 38.5, 118 37))')",
            Within(
                Path(("Thing", "Locations", "location")),
                Geography("POLYGON", (((118.0, 37.0), (119.0, 37.0), (119.0, 38.5), (118.0, 37.0)),)),
            ),
        ),
        (
            "geo.distance(location,geography'POINT (118.5 37.4)') le 500",
            Comparison(Distance(Path(("location",)), Geography("POINT", (((118.5, 37.4),),))), "le", 500),
        ),
    ],
)
def test_a_filter_is_read(text, tree):
    assert read_filter(text) == tree


@pytest.mark.parametrize(
    ("text", "position", "words"),
    [
        ("", 0, "$filter, character 1: the end, expected phenomenonTime"),
        ("result", 6, "character 7: the end, expected one of eq, ne, gt, ge, lt, le"),
        ("result gt", 9, "the end, expected a number, a 'text', a time, true, false or null"),
        ("result is 5", 7, "'is', expected one of eq"),
        ("colour eq 5", 0, "'colour', expected phenomenonTime, resultTime"),
        ("Owner/name eq 'x'", 0, "'Owner/name', expected"),
        ("location eq 5", 0, "'location', expected"),
        ("result gt 5 result", 12, "'result', expected and, or, or the end"),
        ("(result gt 5", 12, "the end, expected ')'"),
        ("result gt 5 & name", 12, "'& name', expected a property, a value"),
        ("name eq 'x", 8, '"\'x", expected'),
        ("name gt 5", 8, "a value of another kind, 5, expected a text"),
        ("name eq result", 8, "'result', expected a number, a 'text'"),
        ("phenomenonTime gt '2026'", 18, "expected a time"),
        ("phenomenonTime gt 2026-13-23T12:00:00Z", 18, "expected a time such as"),
        ("result lt null", 7, "'lt', expected eq or ne before null"),
        ("5 gt 4", 5, "'4', expected phenomenonTime"),
        ("st_within(location, geography'POINT(1 1)')", 20, "expected geography'POLYGON"),
        ("st_within(location, geography'POLYGON((1 1, 2 2, 1 1))')", 20, "expected geography'POLYGON"),
        ("geo.distance(location, geography'POINT(1 91)') lt 5", 23, "expected geography'POINT"),
        ("not " * 30 + "result gt 5", 80, "at most 20 levels"),
        ("(" * 1000 + "result gt 5", 20, "at most 20 levels"),
        ("result gt 5 or " * 200, LONGEST_QUERY, "3000 characters, expected at most 2000"),
    ],
)
def test_a_filter_that_is_not_understood_is_refused_with_its_place(text, position, words):
    with pytest.raises(BadQuery) as refusal:
        read_filter(text)

    assert words in str(refusal.value)
    assert refusal.value.position == position


def test_options_are_read():
    query = {
        "$filter": "result gt 5",
        "$orderby": "phenomenonTime desc,id asc,result",
        "$top": "100",
        "$skip": "20",
        "$count": "true",
        "$select": "id,result,@iot.selfLink",
        "$expand": "Datastream($select=name;$expand=Thing/Locations),FeatureOfInterest($filter=name eq 'a;b)';$top=1)",
        "$resultFormat": "dataArray",
        "token": "passed over",
    }

    assert read_options(query) == Options(
        filter=over(5),
        orderby=(Order(TIME, True), Order(Path(("id",))), Order(RESULT)),
        top=100,
        skip=20,
        count=True,
        select=("id", "result", "@iot.selfLink"),
        expand=(
            Expand(Path(("Datastream",)), Options(select=("name",), expand=(Expand(Path(("Thing", "Locations"))),))),
            Expand(Path(("FeatureOfInterest",)), Options(filter=Comparison(Path(("name",)), "eq", "a;b)"), top=1)),
        ),
        data_array=True,
    )
    assert read_options({}) == Options()


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"$top": "-1"}, "$top, character 1: '-1', expected a whole number from 0"),
        ({"$top": "1.5"}, "'1.5', expected a whole number"),
        ({"$top": "99999999999"}, "expected a whole number"),
        ({"$top": "5 5"}, "$top, character 3: '5', expected the end"),
        ({"$skip": ""}, "$skip, character 1: the end, expected a whole number"),
        ({"$count": "yes"}, "'yes', expected true or false"),
        ({"$orderby": "colour"}, "'colour', expected phenomenonTime"),
        ({"$orderby": "result down"}, "'down', expected the end"),
        ({"$select": "a/b"}, "'a/b', expected the name of a property"),
        ({"$expand": "Owner"}, "'Owner', expected one of Datastream"),
        ({"$expand": "Thing(name)"}, "'name', expected an option such as $select"),
        ({"$expand": "Thing($top)"}, "')', expected '='"),
        ({"$expand": "Thing($top=1"}, "the end, expected ')'"),
        ({"$expand": "Thing($expand=" * 5 + "Thing" + ")" * 5}, "at most 4 entities in one another"),
        ({"$apply": "x"}, "the option '$apply', expected $filter"),
        ({"$expand": "Thing($search=x)"}, "the option '$search', expected $filter"),
        ({"$resultFormat": "csv"}, "'csv', expected dataArray"),
    ],
)
def test_options_that_are_not_understood_are_refused(query, words):
    with pytest.raises(BadQuery) as refusal:
        read_options(query)

    assert words in str(refusal.value)


PIECES = [
    "result",
    "name",
    "Datastream/id",
    "eq",
    "gt",
    "and",
    "or",
    "not",
    "(",
    ")",
    ",",
    ";",
    "=",
    "5",
    "'a'",
    "null",
    "$top",
]
PIECES += [SAID, "st_within", "geo.distance", "geography'POINT(1 1)'", "Thing", "desc", "'", "\x00", "１"]


@given(
    st.dictionaries(
        st.sampled_from(
            ["$filter", "$orderby", "$top", "$skip", "$count", "$select", "$expand", "$resultFormat", "$x"]
        ),
        st.lists(st.sampled_from(PIECES), max_size=12).map(" ".join) | st.text(max_size=40),
    )
)
def test_no_query_raises_anything_but_a_refusal_with_its_place(query):
    places = []
    try:
        read_options(query)
    except BadQuery as refusal:
        places.append(refusal.position)
    assert all(0 <= place <= max(map(len, query.values())) for place in places)


EXPRESSIONS = st.recursive(
    st.builds(over, st.integers(-(10**9), 10**9))
    | st.builds(lambda text: Comparison(Path(("Thing", "name")), "ne", text), st.text(max_size=10)),
    lambda inner: (
        st.builds(Not, inner)
        | st.lists(inner, min_size=2, max_size=3).map(lambda terms: And(tuple(terms)))
        | st.lists(inner, min_size=2, max_size=3).map(lambda terms: Or(tuple(terms)))
    ),
    max_leaves=8,
)


def written(tree) -> str:
    match tree:
        case Not(term):
            return f"not ({written(term)})"
        case And(terms):
            return " and ".join(f"({written(term)})" for term in terms)
        case Or(terms):
            return " or ".join(f"({written(term)})" for term in terms)
        case Comparison(left, operator, value):
            literal = "'" + value.replace("'", "''") + "'" if isinstance(value, str) else value
            return f"{left} {operator} {literal}"


@given(EXPRESSIONS)
def test_any_filter_comes_back(tree):
    assert read_filter(written(tree)) == tree
