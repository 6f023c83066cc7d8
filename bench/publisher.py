"""Plays the relay's part for the sockets of a web process: batches of one fact, and the beat.

``python -m bench.publisher ASK_PORT``: asked over UDP for so many messages; "r" counts them from 0.
"""

import socket
import sys
import time

from . import city

LENGTH = 300  # of a whole frame
BEAT_S = 2.0


def main() -> None:
    city.start_django()
    from django.utils import timezone  # noqa: PLC0415  models are ready now

    from citysafety.live import frames  # noqa: PLC0415
    from citysafety.live.bus import Publisher  # noqa: PLC0415
    from citysafety.outbox import selectors  # noqa: PLC0415
    from citysafety.outbox.models import Head, OutboxEntry  # noqa: PLC0415

    def fact(position: int, number: int, padding: int) -> OutboxEntry:
        live = {"i": number, "t": time.monotonic_ns(), "p": "x" * padding}
        return OutboxEntry(position=position, area_code=area, live=live, at=at)

    area, at, bus = city.accounts("operator")[0]["area"], timezone.now(), Publisher()
    position, number, told = selectors.head().position, 0, 0.0
    asks = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    asks.bind(("127.0.0.1", int(sys.argv[1])))
    asks.settimeout(BEAT_S / 4)
    while True:
        if time.monotonic() - told > BEAT_S:
            bus.tell(Head(position=0))  # alive; where it stands the batches say
            told = time.monotonic()
        try:
            text = asks.recv(32)
        except TimeoutError:
            continue
        if text == b"r":
            number = 0
            continue
        for _ in range(int(text)):
            position += 1
            bare = frames.facts(position, frames.rows_of([fact(position, number, 0)]))
            bus.push([fact(position, number, max(0, LENGTH - len(bare)))])
            number += 1


main()
