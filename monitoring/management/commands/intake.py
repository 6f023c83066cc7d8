"""`bin/manage intake`: the process that listens to devices."""

import asyncio
import signal
import sys
from typing import Any

import uvloop
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from monitoring.gateway.lines import Limits
from monitoring.gateway.server import Gateway, PortTaken


async def serve() -> None:
    """Run a gateway until the process is asked to end."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    gateway = Gateway(
        host=settings.INTAKE_HOST,
        ports=settings.INTAKE_PORTS,
        limits={name: Limits(*limits) for name, limits in settings.INTAKE_LIMITS.items()},
        keeps_raw=settings.RAW_KEEP_DAYS > 0,
        most_lines=settings.INTAKE_LINES,
    )
    starting, ending = loop.create_task(gateway.start()), loop.create_task(ended.wait())
    await asyncio.wait([starting, ending], return_when=asyncio.FIRST_COMPLETED)
    if not starting.done():  # asked to end while the database was still away
        starting.cancel()
        return
    starting.result()
    told = ", ".join(f"{name} {port}" for name, port in gateway.ports.items())
    sys.stdout.write(f"The gateway listens on {settings.INTAKE_HOST}: {told}\n")
    sys.stdout.flush()
    await asyncio.wait([ending, gateway.over], return_when=asyncio.FIRST_COMPLETED)
    if gateway.over.done():
        gateway.over.result()
    await gateway.stop()


class Command(BaseCommand):
    help = "Listens to devices (JT/T 808, JT/T 809, GB/T 26875.3, HJ 212, AIS). Any number may run. Ends on SIGTERM or Ctrl-C."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            uvloop.run(serve())
        except PortTaken as error:
            raise CommandError(str(error)) from error
