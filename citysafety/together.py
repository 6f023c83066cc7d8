"""Rows of several tables in one way there and back, for hot paths."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, models
from django.db.models.sql import InsertQuery

Statement = tuple[str, list[Any]]
_nullable: dict[type[models.Model], list[str]] = {}
_shapes: dict[tuple[type[models.Model], bool, tuple[str, ...]], tuple[list[tuple[Any, bool]], str, str]] = {}
# Values of these types go into columns of these kinds as they are; asking each column costs more than the insert.
PLAIN_VALUES = frozenset({str, int, float, bool, UUID, datetime})
PLAIN_FIELDS = (
    models.CharField, models.TextField, models.IntegerField, models.FloatField, models.BooleanField, models.UUIDField,
    models.DateTimeField, models.ForeignKey,
)  # fmt: skip


def in_one(*parts: Sequence[models.Model] | Statement) -> Statement:
    """Return as one what inserts rows of several tables and runs statements between them, in their order.

    Each part is new rows of one model or a statement with its values. A number that the database deals is left out
    where a row has none yet, and is not brought back: reserve it where another row names it.
    """
    statements = [part if isinstance(part, tuple) else insert_of(part) for part in parts if part]
    return ";\n".join(sql for sql, _values in statements), [v for _sql, values in statements for v in values]


def run(statement: Statement) -> None:
    """Run a statement of several; where no transaction is under way they are one, without its BEGIN and COMMIT."""
    with connection.cursor() as cursor:
        cursor.execute(*statement)


def insert_of(rows: Sequence[models.Model]) -> Statement:
    """Return the statement that inserts new rows of one model. Django spells it once for each model and what is empty.

    A column that is empty in all of them is not named: what few rows have costs the others nothing.
    """
    model, numbered = type(rows[0]), rows[0].pk is not None
    if model not in _nullable:
        _nullable[model] = [f.attname for f in model._meta.concrete_fields if f.null and not f.primary_key]
    empty = tuple(name for name in _nullable[model] if all(getattr(row, name) is None for row in rows))
    if (model, numbered, empty) not in _shapes:
        fields = [f for f in model._meta.concrete_fields if (numbered or not f.primary_key) and f.attname not in empty]
        query = InsertQuery(model)
        query.insert_values(fields, [rows[0]])
        [(sql, _values)] = query.get_compiler(connection=connection).as_sql()
        head, _values, places = sql.partition(" VALUES ")
        _shapes[model, numbered, empty] = [(f, _is_plain(f)) for f in fields], f"{head} VALUES ", places
    fields, head, places = _shapes[model, numbered, empty]
    values = [_value(row, field, plain) for row in rows for field, plain in fields]
    return head + ", ".join([places] * len(rows)), values


def _is_plain(field: Any) -> bool:
    return isinstance(field, PLAIN_FIELDS) and not (
        getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False)
    )


def _value(row: models.Model, field: Any, plain: bool) -> Any:
    value = getattr(row, field.attname)
    if plain and type(value) in PLAIN_VALUES:
        return value
    return field.get_db_prep_save(field.pre_save(row, True), connection)
