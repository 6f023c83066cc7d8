"""From the relay to every web process: Redis pub/sub. It stores nothing; what it loses is healed by position."""

import json
import logging
from collections.abc import AsyncIterator

import redis
import redis.asyncio
from django.conf import settings
from django.db import connection
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.retry import Retry

from citysafety.outbox.models import Head, OutboxEntry

from .frames import Batch, Presence, rows_of, text

logger = logging.getLogger(__name__)
LISTEN_S = 1.0


def address() -> str:
    return settings.LIVE_REDIS_URL


def channel() -> str:
    """Return our channel; named after the database, so that instances that share a Redis do not mix."""
    return f"citysafety.live.{connection.settings_dict['NAME']}"


class Publisher:
    """The relay's end. A Redis that does not answer costs the relay two seconds at most, and no fact."""

    def __init__(self) -> None:
        self._redis = redis.Redis.from_url(
            address(), retry=Retry(NoBackoff(), 1), socket_timeout=2, socket_connect_timeout=2
        )

    def push(self, entries: list[OutboxEntry]) -> None:
        """Tell all web processes of a batch, after its commit."""
        rows = rows_of(entries)
        self._publish({"first": entries[0].position, "last": entries[-1].position, "rows": rows})

    def tell(self, head: Head) -> None:
        """Tell all web processes that the relay is alive, and where it stands."""
        self._publish({"beat": head.position})

    def _publish(self, message: dict) -> None:
        try:
            self._redis.publish(channel(), text(message))
        except redis.RedisError as error:
            logger.warning("live: Redis does not take messages (%s); screens catch up by position", error)


async def messages() -> AsyncIterator[Batch | Presence | int | None]:
    """Yield batches, who is at which case, beats (the relay's position), and None each second and at the start, for ever.

    :raises redis.RedisError, OSError: when the line breaks; whoever listens then catches up by position.
    """
    client = redis.asyncio.Redis.from_url(address(), retry=AsyncRetry(NoBackoff(), 0), socket_connect_timeout=2)
    async with client, client.pubsub(ignore_subscribe_messages=True) as line:
        await line.subscribe(channel())
        yield None
        while True:
            message = await line.get_message(timeout=LISTEN_S)
            yield None if message is None else read(message["data"])


def read(raw: bytes) -> Batch | Presence | int:
    """Return a message of the bus: a batch of facts, who came to a case or left it, or the position of a beat."""
    message = json.loads(raw)
    if "presence" in message:
        return Presence(message["presence"]["area"], message["presence"])
    if "beat" in message:
        return message["beat"]
    return Batch(message["first"], message["last"], [tuple(item) for item in message["rows"]])
