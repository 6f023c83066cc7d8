"""Modbus: what the registers of a device mean, told by a table (MODBUS Application Protocol V1.1b3, clauses 4.3 and 6).

Pure: who polls asks by the reads of `plan`, and gives what it got to `values`. Registers are 16 bits, high byte first; which of
two registers is the upper one differs by maker, so each point tells its order.
"""

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from math import isfinite
from typing import Any, NamedTuple

from monitoring.intake.wire import Malformed

TABLES = ("holding", "input")  # function codes 3 and 4
MOST_REGISTERS = 125  # of one read, clauses 6.3 and 6.4
KINDS = {"bit": "", "u16": ">H", "i16": ">h", "u32": ">I", "i32": ">i", "f32": ">f"}
ORDERS = {
    "ABCD": (0, 1, 2, 3),
    "CDAB": (2, 3, 0, 1),
    "BADC": (1, 0, 3, 2),
    "DCBA": (3, 2, 1, 0),
}  # A is the highest byte

Registers = Mapping[tuple[str, int], int]  # by table and address


class WrongTable(ValueError):
    """A table of points that cannot be read; its errors name the row, what was seen and what was expected."""

    def __init__(self, errors: list[str]) -> None:
        super().__init__("; ".join(errors))
        self.errors = errors


@dataclass(frozen=True, slots=True)
class Point:
    """A quantity in the registers: (the number there) × scale + offset, in a unit."""

    name: str
    address: int  # counted from 0, as in the message; "40001" of a manual is 0
    kind: str
    order: str = "ABCD"
    scale: float = 1.0
    offset: float = 0.0
    unit: str = ""
    bit: int = 0  # of kind bit: 0 is the lowest
    table: str = "holding"

    @property
    def count(self) -> int:
        """Return how many registers it takes."""
        return 2 if self.kind in ("u32", "i32", "f32") else 1

    def faults(self) -> list[str]:
        """Return what is wrong with it, in an operator's words."""
        checks = (
            (bool(self.name), "no name"),
            (self.kind in KINDS, f"kind {self.kind!r}, expected one of {', '.join(KINDS)}"),
            (self.order in ORDERS, f"order {self.order!r}, expected one of {', '.join(ORDERS)}"),
            (self.table in TABLES, f"table {self.table!r}, expected holding or input"),
            (0 <= self.address <= 65536 - self.count, f"address {self.address}, expected 0…{65536 - self.count}"),
            (0 <= self.bit <= 15, f"bit {self.bit}, expected 0…15"),
            (isfinite(self.scale) and self.scale != 0, f"scale {self.scale}, expected a number other than 0"),
            (isfinite(self.offset), f"offset {self.offset}, expected a number"),
        )
        return [said for holds, said in checks if not holds]


class Read(NamedTuple):
    """One request: so many registers of a table from an address on."""

    table: str
    address: int
    length: int


def points(rows: Iterable[Mapping[str, Any]]) -> list[Point]:
    """Return the points of a table's rows; empty cells take the default. :raises WrongTable: with all that is wrong."""
    found: list[Point] = []
    errors: list[str] = []
    names: set[str] = set()
    for number, row in enumerate(rows, start=1):
        try:
            point = _point(row)
        except ValueError as error:
            errors.append(f"row {number}: {error}")
            continue
        faults = point.faults() + ([f"name {point.name!r} twice"] if point.name in names else [])
        errors += [f"row {number}: {fault}" for fault in faults]
        names.add(point.name)
        found.append(point)
    if errors:
        raise WrongTable(errors)
    return found


_NUMBERS = {"address": int, "bit": int, "scale": float, "offset": float}


def _point(row: Mapping[str, Any]) -> Point:
    given = {name: value for name, value in row.items() if value not in ("", None)}
    unknown = sorted(given.keys() - {field.name for field in fields(Point)})
    if unknown:
        raise ValueError(f"column {unknown[0]!r} is not known")
    for name in ("name", "address", "kind"):
        if name not in given:
            raise ValueError(f"no {name}")
    for name, kind in _NUMBERS.items():
        if name in given:
            try:
                given[name] = kind(str(given[name]))
            except ValueError as error:
                raise ValueError(f"{name} {given[name]!r}, expected a number") from error
    cells: dict[str, Any] = {name: cell if name in _NUMBERS else str(cell) for name, cell in given.items()}
    return Point(**cells)


def plan(wanted: Iterable[Point], *, gap: int = MOST_REGISTERS) -> list[Read]:
    """Return the fewest reads that bring all points, none torn in two.

    ``gap`` is how many unasked registers a read may pass over: 0 for devices that refuse to read what they do not have.
    """
    reads: list[Read] = []
    for point in sorted(wanted, key=lambda point: (point.table, point.address)):
        end = point.address + point.count
        if reads:
            table, start, length = reads[-1]
            reached = max(end, start + length)
            if table == point.table and reached - start <= MOST_REGISTERS and point.address - (start + length) <= gap:
                reads[-1] = Read(table, start, reached - start)
                continue
        reads.append(Read(point.table, point.address, point.count))
    return reads


def registers(read: Read, words: Sequence[int]) -> dict[tuple[str, int], int]:
    """Return the registers that answered a read, by table and address. :raises Malformed: not those that were asked."""
    if len(words) != read.length:
        raise Malformed(f"{len(words)} registers from {read.table} {read.address}, expected {read.length}")
    return {(read.table, read.address + number): word for number, word in enumerate(words)}


def value(point: Point, held: Registers) -> float:
    """Return what a point says; of a bit 0 or 1. :raises Malformed: a register is missing, or it is no number."""
    data = b"".join(_bytes(point, point.address + number, held) for number in range(point.count))
    if point.kind == "bit":
        return float(int.from_bytes(_ordered(data, point)) >> point.bit & 1)
    number = float(struct.unpack(KINDS[point.kind], _ordered(data, point))[0]) * point.scale + point.offset
    if not isfinite(number):
        raise Malformed(f"{point.name}: registers {data.hex()} are no number")
    return number


def values(wanted: Iterable[Point], held: Registers) -> dict[str, float | Malformed]:
    """Return what each point says, or why it says nothing: one that fails does not take the others with it."""
    found: dict[str, float | Malformed] = {}
    for point in wanted:
        try:
            found[point.name] = value(point, held)
        except Malformed as error:
            found[point.name] = error
    return found


def words(point: Point, number: float) -> list[int]:
    """Return the registers of a point that say a number, as a device fills them. :raises ValueError: it does not fit."""
    raw = (number - point.offset) / point.scale
    if point.kind == "bit":
        return [int.from_bytes(_ordered((int(bool(number)) << point.bit).to_bytes(2), point))]
    try:
        data = struct.pack(KINDS[point.kind], raw if point.kind == "f32" else round(raw))
    except (struct.error, OverflowError) as error:
        raise ValueError(f"{point.name}: {number} does not fit {point.kind}") from error
    data = _ordered(data, point)  # each order undoes itself
    return [int.from_bytes(data[at : at + 2]) for at in range(0, len(data), 2)]


def _bytes(point: Point, address: int, held: Registers) -> bytes:
    word = held.get((point.table, address))
    if word is None:
        raise Malformed(f"{point.name}: register {point.table} {address} was not read")
    if not 0 <= word <= 0xFFFF:
        raise Malformed(f"{point.name}: register {point.table} {address} holds {word}, expected 0…65535")
    return word.to_bytes(2)


def _ordered(data: bytes, point: Point) -> bytes:
    """Put the highest byte first; of one register only BADC and DCBA, which turn its bytes, change anything."""
    if len(data) == 2:
        return data[::-1] if point.order in ("BADC", "DCBA") else data
    return bytes(data[at] for at in ORDERS[point.order])
