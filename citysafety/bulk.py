"""Many rows at once: copied in, with indexes and keys laid aside meanwhile, or rows of several tables in one go."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import connection, models
from django.db.models.sql import InsertQuery

KEYS = """
SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
WHERE contype = 'f' AND conrelid = ANY (%s::regclass[])"""
INDEXES = """
SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid) FROM pg_index i
WHERE i.indrelid = ANY (%s::regclass[]) AND NOT EXISTS (SELECT 1 FROM pg_constraint c WHERE c.conindid = i.indexrelid)"""


@contextmanager
def laid_aside(*tables: str) -> Iterator[None]:
    """Drop the plain indexes and foreign keys of tables, and make them again at the end, which checks every row.

    Belongs into a transaction, and locks the tables until its end: for imports, not for a city at work.
    """
    with connection.cursor() as cursor:
        cursor.execute(KEYS, [list(tables)])
        keys = cursor.fetchall()
        cursor.execute(INDEXES, [list(tables)])
        indexes = cursor.fetchall()
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # what this transaction wrote before is checked now
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        for table, name, _definition in keys:
            cursor.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
        for name, _definition in indexes:
            cursor.execute(f"DROP INDEX {name}")
        yield
        for _name, definition in indexes:
            cursor.execute(definition)
        for table, name, definition in keys:
            cursor.execute(f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {definition}')
        for table in tables:
            cursor.execute(f"ANALYZE {table}")


def array(values: Iterable[Any]) -> str:
    """Return values as PostgreSQL reads an array: numbers, or words that hold neither commas nor quotes."""
    return "{" + ",".join(str(value) for value in values) + "}"


def copy_in(table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Copy rows into a table; None is NULL."""
    text = io.StringIO()
    csv.writer(text).writerows([["\\N" if value is None else value for value in row] for row in rows])
    text.seek(0)
    with connection.cursor() as cursor:
        cursor.copy_expert(f"COPY {table} ({', '.join(columns)}) FROM STDIN WITH (FORMAT csv, NULL '\\N')", text)


Statement = tuple[str, list[Any]]
_shapes: dict[tuple[type[models.Model], bool], tuple[list[Any], str, str]] = {}


def write_together(*parts: Sequence[models.Model] | Statement) -> None:
    """Insert rows of several tables, and run statements between them, in their order, in one way there and back.

    Each part is new rows of one model or a statement with its values. A number that the database deals is left out
    where a row has none yet, and is not brought back: reserve it where another row names it.
    """
    statements = [part if isinstance(part, tuple) else insert_of(part) for part in parts if part]
    with connection.cursor() as cursor:
        cursor.execute(
            ";\n".join(sql for sql, _values in statements), [v for _sql, values in statements for v in values]
        )


def insert_of(rows: Sequence[models.Model]) -> Statement:
    """Return the statement that inserts new rows of one model. Django spells it once for each model."""
    model, numbered = type(rows[0]), rows[0].pk is not None
    if (model, numbered) not in _shapes:
        fields = [f for f in model._meta.concrete_fields if numbered or not f.primary_key]
        query = InsertQuery(model)
        query.insert_values(fields, [rows[0]])
        [(sql, _values)] = query.get_compiler(connection=connection).as_sql()
        head, _values, places = sql.partition(" VALUES ")
        _shapes[model, numbered] = fields, f"{head} VALUES ", places
    fields, head, places = _shapes[model, numbered]
    values = [field.get_db_prep_save(field.pre_save(row, True), connection) for row in rows for field in fields]
    return head + ", ".join([places] * len(rows)), values
