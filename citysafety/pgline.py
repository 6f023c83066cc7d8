"""A connection to PostgreSQL that is waited for in the event loop: for statements shorter than a change of threads."""

import asyncio
import weakref
from collections.abc import Sequence
from typing import Any

import psycopg2
from django.db import connection as of_django
from psycopg2.extensions import POLL_OK, POLL_READ

LONGEST_S = 10.0  # until a question is given up; what is asked here takes milliseconds


class Line:
    """One connection, opened when it is first asked and again after it was lost; one question at a time."""

    def __init__(self, begin: Sequence[str] = ()) -> None:
        """``begin``: statements that each new connection is opened with."""
        self._begin = begin
        self._connection: Any = None

    async def ask(self, statement: str, values: Sequence[Any]) -> list[tuple]:
        """Return the rows of a statement.

        :raises psycopg2.Error: it was refused, or the connection is lost; TimeoutError: no answer in ten seconds.
        """
        try:
            async with asyncio.timeout(LONGEST_S):
                if self._connection is None:
                    await self._open()
                return await self._asked(statement, values)
        except BaseException:  # whoever was cancelled half-way leaves an answer behind that nobody must read
            self.close()
            raise

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    async def _open(self) -> None:
        known = of_django.get_connection_params()
        given = {name: value for name, value in known.items() if name not in ("cursor_factory", "isolation_level")}
        self._connection = psycopg2.connect(**given, async_=True)
        weakref.finalize(self, self._connection.close)
        await _done(self._connection)
        for statement in self._begin:
            await self._asked(statement, ())

    async def _asked(self, statement: str, values: Sequence[Any]) -> list[tuple]:
        with self._connection.cursor() as cursor:
            cursor.execute(statement, values or None)
            await _done(self._connection)
            return cursor.fetchall() if cursor.description else []


async def _done(connection: Any) -> None:
    """Wait until a connection has done what it was given."""
    loop = asyncio.get_running_loop()
    while (state := connection.poll()) != POLL_OK:
        fd, ready = connection.fileno(), loop.create_future()
        add, remove = (
            (loop.add_reader, loop.remove_reader) if state == POLL_READ else (loop.add_writer, loop.remove_writer)
        )
        add(fd, lambda ready=ready: ready.done() or ready.set_result(None))
        try:
            await ready
        finally:
            remove(fd)
