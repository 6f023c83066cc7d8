"""Database work for the event loop: a few lasting threads with a connection each, whatever the number of sockets."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import close_old_connections, connections

THREADS = 4


class Threads:
    """Runs blocking functions; a thousand sockets that come back at once wait here, not at PostgreSQL."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="live")

    async def run(self, work: Callable[..., Any], *args: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._tidily, work, *args)

    @staticmethod
    def _tidily(work: Callable[..., Any], *args: Any) -> Any:
        close_old_connections()
        try:
            return work(*args)
        finally:
            close_old_connections()

    async def close(self) -> None:
        """Close every thread's connection and end the threads."""
        together = threading.Barrier(THREADS)

        def leave() -> None:
            together.wait(10)  # so that each thread gets one of these
            connections.close_all()

        await asyncio.gather(*(asyncio.wrap_future(self._pool.submit(leave)) for _ in range(THREADS)))
        self._pool.shutdown()
