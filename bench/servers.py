"""The processes of a bench: ours with the commands of bin/run, peers with their own, all on loopback."""

import contextlib
import importlib.util
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parent.parent
VAR = Path(os.environ.get("CITYSAFETY_VAR", ROOT / "var" / "bench"))
START_S = 60
OURS = "citysafety.asgi:application"


def free_port(kind: int = socket.SOCK_STREAM) -> int:
    """Return a port of this machine that nobody listens on."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def supervisor() -> ModuleType:
    """Return bin/_supervise.py, which knows how the product's processes are started."""
    spec = importlib.util.spec_from_file_location("supervise", ROOT / "bin" / "_supervise.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextlib.contextmanager
def process(command: Sequence[str], *, name: str, env: Mapping[str, str] | None = None) -> Iterator[subprocess.Popen]:
    """Run a command until the end of the block; it is stopped by its own pid, and with us when we die."""
    with (VAR / "log" / f"{name}.log").open("ab") as log:
        child = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            preexec_fn=supervisor().end_with_parent,
        )
    try:
        yield child
    finally:
        child.send_signal(signal.SIGTERM)
        try:
            child.wait(10)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def await_port(child: subprocess.Popen, port: int, name: str) -> None:
    """Return when a process listens. :raises RuntimeError: it ended, or does not listen in a minute."""
    until = time.monotonic() + START_S
    while not listens(port):
        if child.poll() is not None or time.monotonic() > until:
            log = (VAR / "log" / f"{name}.log").read_text(errors="replace")
            raise RuntimeError(f"{name} does not start:\n{log[-2000:]}")
        time.sleep(0.1)


@contextlib.contextmanager
def web(
    count: int, *, name: str = "web", application: str = OURS, env: Mapping[str, str] | None = None
) -> Iterator[list[int]]:
    """Run so many web processes, each with a port of its own and the settings of bin/run; yield the ports."""
    commands, ports = supervisor().commands, [free_port() for _ in range(count)]
    with contextlib.ExitStack() as stack:
        for number, port in enumerate(ports):
            command = [application if word == OURS else word for word in commands(port)["web"]]
            child = stack.enter_context(process(command, name=f"{name}{number}", env=env))
            await_port(child, port, f"{name}{number}")
        yield ports


@contextlib.contextmanager
def relay(env: Mapping[str, str]) -> Iterator[None]:
    with process(supervisor().commands(0)["relay"], name="relay", env=env):
        yield
