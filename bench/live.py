"""One message to a thousand signed-in sockets, beside socket.io, ws and a loop of send() in C."""

import contextlib
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from typing import Any

from . import city, peers, servers
from .figures import Report, Side, Turn, Verdict, at_least, at_most, in_turns

SOCKETS, WINDOW, SECONDS = 1000, 4, 4
PACED = 50  # messages a second, at which the delays are taken
PEERS = {"socket.io": "/socket.io/?EIO=4&transport=websocket", "ws": "/"}
VERSIONS = ("ws@8.18.3", "socket.io@4.8.1")


def listen(client: str, port: int, asks: int, path: str, header: str = "", socketio: bool = False) -> Turn:
    """Take deliveries a second with a window of messages under way, then the delays at a steady pace."""

    def run(rate: int, seconds: int) -> dict[str, Any]:
        words = [port, path, header, SOCKETS, WINDOW, rate, seconds, asks, int(socketio)]
        said = subprocess.run([client, *map(str, words)], capture_output=True, text=True)
        if said.returncode:
            raise RuntimeError(said.stderr[-500:])
        return json.loads(said.stdout)

    quick, paced = run(0, SECONDS), run(PACED, SECONDS)
    return Turn(quick["per_s"], quick["lost"] + paced["lost"], {"p50 ms": paced["p50_ms"], "p99 ms": paced["p99_ms"]})


@contextlib.contextmanager
def ours(database: str) -> Iterator[tuple[int, int]]:
    """Run one web process and the publisher, on the bus that the relay uses; yield its port and where to ask."""
    env, asks = {"DATABASE_URL": city.address(database)}, servers.free_port(socket.SOCK_DGRAM)
    command = [sys.executable, "-m", "bench.publisher", str(asks)]
    with servers.web(1, env=env) as ports, servers.process(command, name="publisher", env=env):
        yield ports[0], asks


@contextlib.contextmanager
def other(name: str, *command: str) -> Iterator[tuple[int, int]]:
    """Run a peer or the limit, which takes the port to serve and the port to be asked at."""
    port, asks = servers.free_port(), servers.free_port(socket.SOCK_DGRAM)
    with servers.process([*command, str(port), str(asks)], name=name) as child:
        servers.await_port(child, port, name)
        yield port, asks


def run() -> Report:
    """Each side is one process; ours hears of a message over Redis from another process, the others make it themselves."""
    client, limit, folder = peers.compiled("sockets/client.c"), peers.compiled("sockets/limit.c"), peers.npm(*VERSIONS)
    if client is None or limit is None:
        raise RuntimeError("live needs a C compiler")
    script = str(servers.ROOT / "bench" / "sockets" / "publisher.cjs")
    with contextlib.ExitStack() as stack:
        database = stack.enter_context(city.copy_of("bench_live"))
        port, asks = stack.enter_context(ours(database))
        header = city.token("operator")
        listen_to_ours = partial(listen, client, port, asks, "/ws/live/", header)
        measures = {"ours": ("deliveries/s", listen_to_ours)}
        for name, path in PEERS.items() if folder else ():
            at = stack.enter_context(other(name, peers.node(), script, str(folder), name))
            measures[name] = ("deliveries/s", partial(listen, client, *at, path, socketio=name == "socket.io"))
        at = stack.enter_context(other("limit", limit))
        measures["send() in C"] = ("deliveries/s", partial(listen, client, *at, "/"))
        sides = in_turns(measures)
    mine = sides["ours"]
    slowest = Side("ours, p99 to the last socket", "ms", tuple(Turn(t.beside["p99 ms"], t.errors) for t in mine.turns))
    report = Report(
        f"300 bytes to {SOCKETS:,} sockets of one process, ours signed in, {WINDOW} messages under way; delays at {PACED}"
        f" messages a second; 3 turns of {SECONDS} s each",
        list(sides.values()),
    )
    report.verdicts = [
        *([Verdict(mine, sides["socket.io"], at_least(0.8), at_least(1.24))] if folder else []),
        *([Verdict(mine, sides["ws"])] if folder else []),
        Verdict(mine, sides["send() in C"], None, at_least(0.79)),
        Verdict(slowest, None, None, at_most(20, "ms")),
    ]
    report.notes = [f"{mine.errors} deliveries of ours lost", f"peers: {', '.join(VERSIONS)}"]
    return report
