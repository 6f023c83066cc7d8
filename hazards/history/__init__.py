"""Bring the past in: hazards with their whole life, copied in bulk and marked as imported.

What comes in this way went through no door, so its history says ``imported`` and the triggers of the change log are
off meanwhile.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

from django.db import connection, transaction

from citysafety.bulk import copy_packed, laid_aside
from citysafety.outbox.models import Head
from citysafety.tallies.columns import Sums
from citysafety.tallies.services import all_with, sums

from .lives import Limits, Lives
from .rows import COLUMNS, Told, count, periods_of, rows_of

__all__ = ["Limits", "Lives", "Told", "import_history"]
SHOWN_EACH = 100_000  # hazards


@transaction.atomic
def import_history(batches: Iterator[Told], *, say: Callable[[str], None] = lambda what: None) -> int:
    """Copy past hazards in and add them to the figures; return how many came. All or nothing.

    Their photos must be sealed before (``evidence.take_in``). Locks the tables: nobody else can write meanwhile. While
    PostgreSQL takes one batch in, the next is told: ``batches`` runs in a thread and asks no database. ``say`` hears of
    the progress.
    """
    Head.objects.get_or_create(pk=1)
    head = Head.objects.select_for_update().get(pk=1)  # nothing is dealt until the end
    figures = sums(head)
    number = 0
    with laid_aside(*COLUMNS, "tallies_tally"):
        with connection.cursor() as cursor, ThreadPoolExecutor(1) as teller:
            cursor.execute("SELECT coalesce(max(id), 0) + 1 FROM tallies_period")
            period = cursor.fetchone()[0]
            made = _made(batches, figures, position=head.position, period=period)
            coming = teller.submit(next, made, None)
            while (batch := coming.result()) is not None:
                coming = teller.submit(next, made, None)
                many, period, rows = batch
                for table, packed in rows:
                    copy_packed(table, COLUMNS[table], packed)
                number += many
                if number // SHOWN_EACH > (number - many) // SHOWN_EACH:
                    say(f"{number} hazards copied")
            cursor.execute("SELECT setval(pg_get_serial_sequence('tallies_period', 'id'), %s, false)", [period])
        say(f"{number} hazards copied")
        say(f"{all_with(figures, head)} figures")
    say("indexes and keys")
    return number


def _made(
    batches: Iterator[Told], figures: Sums, *, position: int, period: int
) -> Iterator[tuple[int, int, list[tuple[str, bytes]]]]:
    """Yield for each batch how many hazards it has, the next period's number, and the rows of each table."""
    for told in batches:
        periods = periods_of(told)
        count(told, periods, figures)
        rows = list(rows_of(told, periods, position=position, period=period))
        period += len(periods.change)
        yield told.lives.number, period, rows
