"""Modbus registers to values by a table, and the reads that bring them."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.intake.modbus import (
    KINDS,
    ORDERS,
    Point,
    Read,
    WrongTable,
    plan,
    points,
    registers,
    value,
    values,
    words,
)
from monitoring.intake.wire import Malformed


def held(*numbers: int, at: int = 0) -> dict[tuple[str, int], int]:
    return registers(Read("holding", at, len(numbers)), numbers)


# 123.5 as a single is 42F7 0000; each order as makers' manuals draw it.
@pytest.mark.parametrize(
    ("order", "pair"),
    [("ABCD", (0x42F7, 0x0000)), ("CDAB", (0x0000, 0x42F7)), ("BADC", (0xF742, 0x0000)), ("DCBA", (0x0000, 0xF742))],
)
def test_a_float_is_read_in_the_order_of_its_maker(order, pair):
    assert value(Point("p", 0, "f32", order=order), held(*pair)) == 123.5


@pytest.mark.parametrize(
    ("point", "numbers", "said"),
    [
        (Point("p", 0, "u16"), (65535,), 65535),
        (Point("p", 0, "i16"), (65535,), -1),
        (Point("p", 0, "i16", scale=0.1, offset=-40), (253,), -14.7),
        (Point("p", 0, "u32"), (0x0001, 0x0002), 65538),
        (Point("p", 0, "i32", order="CDAB"), (0xFFFE, 0xFFFF), -2),
        (Point("p", 0, "u16", order="DCBA"), (0x3412,), 0x1234),
        (Point("p", 0, "bit", bit=0), (0x0001,), 1),
        (Point("p", 0, "bit", bit=15), (0x8000,), 1),
        (Point("p", 0, "bit", bit=3), (0xFFF7,), 0),
        (Point("p", 0, "bit", bit=8, order="DCBA"), (0x0001,), 1),
    ],
)
def test_registers_are_read_by_their_kind(point, numbers, said):
    assert value(point, held(*numbers)) == pytest.approx(said)


kinds = st.sampled_from(sorted(KINDS))


@given(kinds, st.sampled_from(sorted(ORDERS)), st.integers(0, 15), st.data())
def test_what_a_device_fills_in_is_what_is_read(kind, order, bit, data):
    point = Point("p", 5, kind, order=order, bit=bit)
    number = data.draw(
        {
            "bit": st.integers(0, 1),
            "u16": st.integers(0, 2**16 - 1),
            "i16": st.integers(-(2**15), 2**15 - 1),
            "u32": st.integers(0, 2**32 - 1),
            "i32": st.integers(-(2**31), 2**31 - 1),
            "f32": st.floats(width=32, allow_nan=False, allow_infinity=False),
        }[kind]
    )
    assert value(point, held(*words(point, number), at=5)) == number


@pytest.mark.parametrize(("kind", "number"), [("u16", -1), ("u16", 65536), ("i16", 40000), ("f32", 1e39)])
def test_a_number_that_does_not_fit_is_not_filled_in(kind, number):
    with pytest.raises(ValueError, match=f"p: .* does not fit {kind}"):
        words(Point("p", 0, kind), number)


@pytest.mark.parametrize("single", [float("nan"), float("inf"), float("-inf")])
def test_a_float_that_is_no_number_is_refused(single):
    high, low = struct.unpack(">HH", struct.pack(">f", single))
    with pytest.raises(Malformed, match=r"p: registers [0-9a-f]{8} are no number"):
        value(Point("p", 0, "f32"), held(high, low))


def test_one_point_that_fails_does_not_take_the_others_with_it():
    found = values([Point("a", 0, "u16"), Point("b", 1, "u32"), Point("c", 1, "u16", table="input")], held(7, 8))

    assert found["a"] == 7
    assert str(found["b"]) == "b: register holding 2 was not read"
    assert str(found["c"]) == "c: register input 1 was not read"


def test_an_answer_of_another_length_is_refused():
    with pytest.raises(Malformed, match="3 registers from holding 10, expected 2"):
        registers(Read("holding", 10, 2), [1, 2, 3])
    with pytest.raises(Malformed, match="holds 65536"):
        value(Point("p", 0, "u16"), held(65536))


# the plan


def test_points_that_are_near_are_read_at_once():
    table = [Point("a", 100, "f32"), Point("b", 0, "u16"), Point("c", 102, "u16"), Point("d", 1, "u16", table="input")]

    assert plan(table) == [Read("holding", 0, 103), Read("input", 1, 1)]
    assert plan(table, gap=0) == [Read("holding", 0, 1), Read("holding", 100, 3), Read("input", 1, 1)]


def test_no_read_is_longer_than_the_protocol_allows_and_no_point_is_torn():
    assert plan([Point("a", 0, "u16"), Point("b", 124, "f32")]) == [Read("holding", 0, 1), Read("holding", 124, 2)]
    assert plan([Point("a", 0, "u16"), Point("b", 123, "f32")]) == [Read("holding", 0, 125)]
    assert plan([]) == []


some_points = st.lists(
    st.builds(Point, st.just("p"), st.integers(0, 2000), kinds, table=st.sampled_from(["holding", "input"])),
    max_size=60,
)


@given(some_points, st.integers(0, 125))
def test_a_plan_brings_every_point_whole(table, gap):
    reads = plan(table, gap=gap)

    assert all(read.length <= 125 for read in reads)
    for point in table:
        assert any(
            read.table == point.table
            and read.address <= point.address
            and point.address + point.count <= read.address + read.length
            for read in reads
        )


@given(some_points)
def test_a_plan_is_never_longer_than_one_that_is_stricter(table):
    assert len(plan(table)) <= len(plan(table, gap=10)) <= len(plan(table, gap=0)) <= len(table)


# the table


def test_rows_of_a_sheet_become_points():
    rows = [
        {"name": "压力", "address": "10", "kind": "f32", "order": "CDAB", "unit": "kPa", "scale": "0.1", "offset": ""},
        {"name": "door", "address": 3, "kind": "bit", "bit": 2, "table": "input"},
    ]
    assert points(rows) == [
        Point("压力", 10, "f32", order="CDAB", scale=0.1, unit="kPa"),
        Point("door", 3, "bit", bit=2, table="input"),
    ]


def test_all_that_is_wrong_with_a_table_is_told_at_once_by_its_rows():
    rows = [
        {"name": "a", "address": "x", "kind": "u16"},
        {"name": "b", "address": "65535", "kind": "u32"},
        {"name": "c", "address": "1", "kind": "u8", "order": "ABDC", "scale": "0", "table": "coil", "bit": 16},
        {"name": "b", "address": "1", "kind": "u16", "offset": "inf"},
        {"address": "1", "kind": "u16"},
        {"name": "e", "address": "1", "kind": "u16", "adress": "1"},
        {"name": "f", "address": 1.5, "kind": "u16"},
    ]
    with pytest.raises(WrongTable) as refusal:
        points(rows)

    assert refusal.value.errors == [
        "row 1: address 'x', expected a number",
        "row 2: address 65535, expected 0…65534",
        "row 3: kind 'u8', expected one of bit, u16, i16, u32, i32, f32",
        "row 3: order 'ABDC', expected one of ABCD, CDAB, BADC, DCBA",
        "row 3: table 'coil', expected holding or input",
        "row 3: bit 16, expected 0…15",
        "row 3: scale 0.0, expected a number other than 0",
        "row 4: offset inf, expected a number",
        "row 4: name 'b' twice",
        "row 5: no name",
        "row 6: column 'adress' is not known",
        "row 7: address 1.5, expected a number",
    ]


@pytest.mark.parametrize(("gap", "reads"), [(0, 2), (1, 2), (2, 1)])
def test_a_read_passes_over_no_more_registers_than_it_may(gap, reads):
    assert len(plan([Point("a", 0, "u16"), Point("b", 3, "u16")], gap=gap)) == reads
