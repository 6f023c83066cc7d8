"""Bring the past in: hazards with their whole life, copied in bulk and marked as imported.

What comes in this way went through no door, so its history says ``imported`` and the triggers of the change log are
off meanwhile.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from django.db import connection, transaction

from citysafety.bulk import copy_packed, laid_aside
from citysafety.outbox.models import Head
from citysafety.tallies.services import rebuild

from .lives import Limits, Lives
from .rows import COLUMNS, Told, periods_kept, rows_of

__all__ = ["Limits", "Lives", "Told", "import_history"]


@transaction.atomic
def import_history(batches: Iterator[Told]) -> int:
    """Copy past hazards in and count the figures anew; return how many came. All or nothing.

    Their photos must be sealed before (``evidence.take_in``). Locks the tables: nobody else can write meanwhile. While
    PostgreSQL takes one batch in, the next is told: ``batches`` runs in a thread and asks no database.
    """
    head, _created = Head.objects.get_or_create(pk=1)
    number = 0
    with laid_aside(*COLUMNS), connection.cursor() as cursor, ThreadPoolExecutor(1) as teller:
        cursor.execute("SELECT coalesce(max(id), 0) + 1 FROM tallies_period")
        period = cursor.fetchone()[0]
        made = _made(batches, position=head.position, period=period)
        coming = teller.submit(next, made, None)
        while (batch := coming.result()) is not None:
            coming = teller.submit(next, made, None)
            count, period, rows = batch
            for table, packed in rows:
                copy_packed(table, COLUMNS[table], packed)
            number += count
        cursor.execute("SELECT setval(pg_get_serial_sequence('tallies_period', 'id'), %s, false)", [period])
    with laid_aside("tallies_tally"):
        rebuild()
    return number


def _made(batches: Iterator[Told], *, position: int, period: int) -> Iterator[tuple[int, int, list[tuple[str, bytes]]]]:
    """Yield for each batch how many hazards it has, the next period's number, and the rows of each table."""
    for told in batches:
        rows = list(rows_of(told, position=position, period=period))
        period += int(periods_kept(told.changes).sum())
        yield told.lives.number, period, rows
