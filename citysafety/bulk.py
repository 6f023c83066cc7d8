"""Copy many rows in at once: indexes and foreign keys are laid aside meanwhile."""

import csv
import io
import itertools
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy
from django.db import connection

KEYS = """
SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
WHERE contype = 'f' AND conrelid = ANY (%s::regclass[])"""
INDEXES = """
SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid) FROM pg_index i
WHERE i.indrelid = ANY (%s::regclass[]) AND NOT EXISTS (SELECT 1 FROM pg_constraint c WHERE c.conindid = i.indexrelid)"""
UNIQUE = """
SELECT c.conrelid::regclass::text, c.conname, pg_get_constraintdef(c.oid) FROM pg_constraint c
WHERE c.contype IN ('p', 'u') AND c.conrelid = ANY (%s::regclass[])
  AND NOT EXISTS (SELECT 1 FROM pg_constraint f WHERE f.contype = 'f' AND f.conindid = c.conindid)"""  # no foreign key needs it
# What comes in is whole by itself; and whole pages of new indexes are not worth compressing.
SILENT = "SET LOCAL session_replication_role = replica; SET LOCAL wal_compression = off"
MEMORY = "SET LOCAL maintenance_work_mem = '400MB'"  # for sorting rows into indexes
COLUMN = numpy.ndarray


@contextmanager
def laid_aside(*tables: str) -> Iterator[None]:
    """Drop the indexes of tables and make them again at the end; foreign keys and triggers sleep meanwhile.

    Belongs into a transaction, and locks the tables until its end: for imports, not for a city at work. Where the
    account may not silence triggers, foreign keys are dropped and made again, which checks every row.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT usesuper FROM pg_user WHERE usename = current_user")
        [may_silence] = cursor.fetchone()
        cursor.execute(INDEXES, [list(tables)])
        indexes = cursor.fetchall()
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # what this transaction wrote before is checked now
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        keys = [] if may_silence else _without_keys(cursor, tables)
        cursor.execute(UNIQUE, [list(tables)])
        unique = cursor.fetchall()
        for table, name, _definition in unique:
            cursor.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
        for name, _definition in indexes:
            cursor.execute(f"DROP INDEX {name}")
        if may_silence:
            cursor.execute(SILENT)
        yield
        cursor.execute(MEMORY)
        for _name, definition in indexes:
            cursor.execute(definition)
        if may_silence:
            cursor.execute("SET LOCAL session_replication_role = origin")
        for table, name, definition in (*unique, *keys):
            cursor.execute(f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {definition}')
        for table in tables:
            if not may_silence:
                cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
            cursor.execute(f"ANALYZE {table}")


def _without_keys(cursor: Any, tables: Sequence[str]) -> list[tuple[str, str, str]]:
    """Drop the foreign keys of tables and switch their triggers off: each ignored row would open a subtransaction."""
    cursor.execute(KEYS, [list(tables)])
    keys = cursor.fetchall()
    for table, name, _definition in keys:
        cursor.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
    for table in tables:
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    return keys


def array(values: Iterable[Any]) -> str:
    """Return values as PostgreSQL reads an array: numbers, or words that hold neither commas nor quotes."""
    return "{" + ",".join(str(value) for value in values) + "}"


def copy_in(table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Copy rows into a table; None is NULL."""
    text = io.StringIO()
    csv.writer(text).writerows([["\\N" if value is None else value for value in row] for row in rows])
    text.seek(0)
    with connection.cursor() as cursor, connection.wrap_database_errors:
        cursor.copy_expert(f"COPY {table} ({', '.join(columns)}) FROM STDIN WITH (FORMAT csv, NULL '\\N')", text)


# -- whole columns, in PostgreSQL's own form: nothing is written as text and read again ------------------------
@dataclass(frozen=True, slots=True)
class Cells:
    """One column of a table: bytes of equal width a row, of which ``length`` count, or words of a list by number;
    ``null`` marks what is NULL.
    """

    data: COLUMN  # (rows, width) bytes, or numbers of words
    null: COLUMN | None = None
    words: Sequence[bytes] = ()
    length: COLUMN | None = None
    table: COLUMN | None = None  # of the words, each filled up to the longest

    def kinds(self) -> tuple[COLUMN, COLUMN]:
        """Return the widths that occur, -1 for NULL, and which of them each row has."""
        if self.words:
            sizes, of_word = numpy.unique([len(word) for word in self.words], return_inverse=True)
            which = of_word[self.data]
        elif self.length is not None:
            sizes, which = numpy.unique(self.length, return_inverse=True)
        else:
            sizes, which = numpy.array([self.data.shape[1]]), numpy.zeros(len(self.data), dtype="i8")
        if self.null is None:
            return sizes, which
        return numpy.append(sizes, -1), numpy.where(self.null, len(sizes), which)

    def bytes_of(self, rows: COLUMN, size: int) -> COLUMN:
        """Return the bytes of rows that all have one width."""
        return self.data[rows, :size] if self.table is None else self.table[self.data[rows], :size]


def numbers(values: COLUMN, form: str = ">i8", null: COLUMN | None = None) -> Cells:
    """Return numbers as a column; ``form`` is numpy's name of the column's type, high byte first."""
    return Cells(numpy.ascontiguousarray(values.astype(form)).view("u1").reshape(len(values), -1), null)


def moments(values: COLUMN, null: COLUMN | None = None) -> Cells:
    """Return milliseconds since 1970 as a column of moments."""
    return numbers((values - 946_684_800_000) * 1000, null=null)


def days(values: COLUMN) -> Cells:
    """Return days since 1970 as a column of dates."""
    return numbers(values - 10_957, ">i4")


def raw(values: COLUMN, null: COLUMN | None = None) -> Cells:
    """Return bytes of equal width a row, as UUIDs have them and texts of fixed length."""
    return Cells(numpy.ascontiguousarray(values).view("u1").reshape(len(values), -1), null)


def words(which: COLUMN, known: Sequence[str | bytes], null: COLUMN | None = None) -> Cells:
    """Return words of a list, by number, as a column."""
    coded = [word if isinstance(word, bytes) else word.encode() for word in known]
    longest = max(map(len, coded))
    table = numpy.frombuffer(b"".join(word.ljust(longest, b"\0") for word in coded), dtype="u1")
    return Cells(which, null, coded, table=table.reshape(len(coded), longest))


def points(lon: COLUMN, lat: COLUMN, null: COLUMN | None = None) -> Cells:
    """Return places in WGS 84 as a column (EWKB, low byte first)."""
    rows = numpy.empty(len(lon), dtype=[("head", "u1"), ("kind", "<u4"), ("srid", "<u4"), ("x", "<f8"), ("y", "<f8")])
    rows["head"], rows["kind"], rows["srid"], rows["x"], rows["y"] = 1, 0x20000001, 4326, lon, lat
    return raw(rows, null)


def lists(values: COLUMN, many: COLUMN) -> Cells:
    """Return the first so many numbers of each row as a column of arrays of bigint."""
    most = int(many.max(initial=0))
    out = numpy.zeros((len(values), 20 + 12 * most), dtype="u1")
    out[:, :20] = numpy.frombuffer(numpy.array([1, 0, 20, 0, 1], dtype=">i4").tobytes(), dtype="u1")
    out[:, 12:16] = many.astype(">i4").view("u1").reshape(-1, 4)
    out[many == 0, 3] = 0  # an empty array has no dimension
    for n in range(most):
        at = 20 + 12 * n
        out[:, at + 3] = 8
        out[:, at + 4 : at + 12] = values[:, n].astype(">i8").view("u1").reshape(-1, 8)
    return Cells(out, length=numpy.where(many > 0, 20 + 12 * many, 12))


def numerics(values: COLUMN, places: int = 4) -> Cells:
    """Return whole numbers of the last of four decimal places as a column of numeric."""
    digits = [numpy.abs(values) // 10_000**n % 10_000 for n in range(5)]  # of base 10,000, the decimals first
    many = numpy.maximum(numpy.max([(digit > 0) * (n + 1) for n, digit in enumerate(digits)], axis=0, initial=0), 1)
    out = numpy.zeros((len(values), 4 + len(digits)), dtype=">i2")
    out[:, 0], out[:, 1], out[:, 2], out[:, 3] = many, many - 2, numpy.where(values < 0, 0x4000, 0), places
    for row_digits in range(1, len(digits) + 1):
        rows = many == row_digits
        for n in range(row_digits):
            out[rows, 4 + n] = digits[row_digits - 1 - n][rows]
    return Cells(out.view("u1").reshape(len(values), -1), length=8 + 2 * many)


def texts(values: Sequence[str]) -> bytes:
    """Return texts as PostgreSQL's array of varchar."""
    head = numpy.array([1, 0, 1043, len(values), 1] if values else [0, 0, 1043], dtype=">i4").tobytes()
    return head + b"".join(len(word.encode()).to_bytes(4, "big") + word.encode() for word in values)


def packed(columns: Sequence[Cells], *, in_order: bool = False) -> bytes:
    """Return rows of columns as COPY reads them in binary: rows whose columns have the same widths are made at once.

    They come one kind after the other, or ``in_order``, which costs a copy and saves PostgreSQL from sorting.
    """
    number = len(columns[0].data)
    key = numpy.zeros(number, dtype="i8")
    widths = []
    for column in columns:
        sizes, which = column.kinds()
        widths.append(sizes)
        key = key * len(sizes) + which
    order = numpy.argsort(key, kind="stable")
    edges = numpy.flatnonzero(numpy.diff(key[order], prepend=-1, append=-1))
    groups = [order[begin:end] for begin, end in itertools.pairwise(edges)]
    parts = [_alike(columns, widths, int(key[rows[0]]), rows) for rows in groups]
    if not in_order or len(parts) < 2:
        return b"".join(part.tobytes() for part in parts)
    width = numpy.zeros(number, dtype="i4")
    lined_up = numpy.empty((number, max(part.shape[1] for part in parts)), dtype="u1")
    for rows, part in zip(groups, parts, strict=True):
        width[rows] = part.shape[1]
        lined_up[rows, : part.shape[1]] = part
    return lined_up[numpy.arange(lined_up.shape[1]) < width[:, None]].tobytes()


def _alike(columns: Sequence[Cells], widths: Sequence[COLUMN], key: int, rows: COLUMN) -> COLUMN:
    sizes = []
    for known in reversed(widths):
        key, kind = divmod(key, len(known))
        sizes.append(int(known[kind]))
    sizes.reverse()
    out = numpy.empty((len(rows), 2 + sum(4 + max(size, 0) for size in sizes)), dtype="u1")
    out[:, :2] = numpy.frombuffer(len(columns).to_bytes(2, "big"), dtype="u1")
    at = 2
    for column, size in zip(columns, sizes, strict=True):
        out[:, at : at + 4] = numpy.frombuffer(size.to_bytes(4, "big", signed=True), dtype="u1")
        at += 4
        if size > 0:
            out[:, at : at + size] = column.bytes_of(rows, size)
            at += size
    return out


def copy_packed(table: str, columns: Sequence[str], rows: bytes) -> None:
    """Copy packed rows into a table. :raises django.db.Error: as any other statement does."""
    data = io.BytesIO(b"PGCOPY\n\xff\r\n\0" + bytes(8) + rows + b"\xff\xff")
    with connection.cursor() as cursor, connection.wrap_database_errors:
        cursor.copy_expert(f"COPY {table} ({', '.join(columns)}) FROM STDIN WITH (FORMAT binary)", data, 1 << 20)
