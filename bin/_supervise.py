"""Start the processes of one instance, restart what dies, stop all of it on Ctrl-C. Standard library only."""

import ctypes
import fcntl
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable

ROOT = pathlib.Path(__file__).resolve().parent.parent
VAR = pathlib.Path(os.environ["CITYSAFETY_VAR"])
PYTHON = sys.executable
HOST = os.environ.get("CITYSAFETY_HOST", "127.0.0.1")
LOCAL = "127.0.0.1" if HOST in ("0.0.0.0", "::") else HOST  # where this machine finds it
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 30.0
LONGEST_LOG = 20 * 1024 * 1024  # bytes; one older file is kept beside it
USE_LOCK = 7  # opened by bin/run: whoever uses the private servers holds it shared
PR_SET_PDEATHSIG = 1
INTAKE_HOST = os.environ.get("INTAKE_HOST", "127.0.0.1")
INTAKE = {"jt808": 7808, "jt809": 7809, "gb26875": 5875, "hj212": 9212, "ais": 10110}  # as settings.INTAKE_PORTS
OFFSETS = range(0, 1000, 10)  # tried one after the other
LIBC = ctypes.CDLL(None)


def free_port() -> int:
    """Return the port to listen on: the one asked for, or the next free one from 8000."""
    asked = os.environ.get("CITYSAFETY_PORT")
    for port in [int(asked)] if asked else range(8000, 8100):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                if not asked and port == 8000:
                    print("Port 8000 is taken; looking for the next free one.", flush=True)
                continue
            return port
    sys.exit(f"Port {asked or '8000 to 8099'} is taken. Choose another: CITYSAFETY_PORT=8200 bin/run")


def intake_ports() -> dict[str, int]:
    """Return the ports of the device gateway, and note the offset that gives them: the one asked for, or the next free one.

    Gateways share ports with each other, so that a second instance would take what devices send to the first.
    """
    asked = os.environ.get("INTAKE_PORT_OFFSET")
    for offset in [int(asked)] if asked else OFFSETS:
        ports = {name: int(os.environ.get(f"{name.upper()}_PORT", port)) + offset for name, port in INTAKE.items()}
        taken = next((port for port in ports.values() if not is_free(port)), None)
        if taken is None:
            os.environ["INTAKE_PORT_OFFSET"] = str(offset)
            if offset and not asked:
                print(f"Ports of the device gateway are taken; INTAKE_PORT_OFFSET={offset} is used.", flush=True)
            return ports
    sys.exit(f"Port {taken} of the device gateway is taken. Choose others: INTAKE_PORT_OFFSET=1000 bin/run")


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((INTAKE_HOST, port))
        except OSError:
            return False
    return True


def commands(port: int) -> dict[str, list[str]]:
    """Return the command of each process, by its name."""
    celery = [PYTHON, "-m", "celery", "-A", "citysafety"]
    listed = {
        "web": [
            PYTHON,
            "-m",
            "uvicorn",
            "citysafety.asgi:application",
            "--host",
            HOST,
            "--port",
            str(port),
            "--ws-per-message-deflate",
            "false",
            "--ws-max-size",
            "16384",
            "--no-access-log",
            "--timeout-graceful-shutdown",
            "3",
            "--proxy-headers",
            "--no-server-header",
        ],
        "relay": [PYTHON, "manage.py", "relay"],
        "intake": [PYTHON, "manage.py", "intake"],
        "worker": [*celery, "worker", "-Q", "alarm,notice,media,report,celery", "-c", "2", "-l", "warning"],
        "beat": [*celery, "beat", "-l", "warning", "-s", str(VAR / "celerybeat"), "--pidfile", ""],
    }
    if os.environ.get("CITYSAFETY_SIMULATE", "1") != "0":
        listed["simulate"] = [PYTHON, "manage.py", "simulate", "--base", f"http://{LOCAL}:{port}"]
    return listed


def end_with_parent() -> None:
    """In the child, before it becomes the command: when the supervisor is killed, the child is asked to end."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


class Process:
    """One process: started in a group of its own, restarted after a pause that grows while it keeps dying."""

    def __init__(self, name: str, command: list[str]) -> None:
        self.name, self.command, self.pause_s, self.again_at = name, command, FIRST_PAUSE_S, 0.0
        self.child: subprocess.Popen | None = None
        self.log = VAR / "log" / f"{name}.log"

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.child = subprocess.Popen(
                self.command,
                cwd=ROOT,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                preexec_fn=end_with_parent,
            )
        self.started_at = time.monotonic()

    def look_after(self) -> None:
        now = time.monotonic()
        if self.child is None:
            if now >= self.again_at:
                self.start()
            return
        code = self.child.poll()
        if code is None:
            if now - self.started_at > 60:
                self.pause_s = FIRST_PAUSE_S
            return
        # What was killed from outside comes back at once; what ends by itself would most likely do so again.
        pause_s = FIRST_PAUSE_S if code < 0 else self.pause_s
        self.child, self.again_at = None, now + pause_s
        print(f"{self.name} ended with {code}; again in {pause_s:.0f} s (var/log/{self.name}.log)", flush=True)
        if code >= 0:
            self.pause_s = min(self.pause_s * 2, LONGEST_PAUSE_S)

    def turn_log(self) -> None:
        """Move a log that has grown too long aside. The child appends, so it goes on at the beginning of the same file."""
        if self.log.exists() and self.log.stat().st_size > LONGEST_LOG:
            shutil.copyfile(self.log, self.log.with_suffix(".log.1"))
            os.truncate(self.log, 0)

    def ask_to_end(self) -> None:
        """Ask the process itself; a worker then ends its own children when their work is done."""
        if self.alive:
            self.child.terminate()

    def kill(self) -> None:
        """End the process and everything it started."""
        if self.child is not None:
            try:
                os.killpg(self.child.pid, signal.SIGKILL)
            except ProcessLookupError:
                return

    @property
    def alive(self) -> bool:
        return self.child is not None and self.child.poll() is None


def ready(port: int) -> bool:
    """Ask /readyz once."""
    try:
        with urllib.request.urlopen(f"http://{LOCAL}:{port}/readyz", timeout=2) as answer:
            return answer.status == 200
    except OSError:
        return False


def wait_until_ready(web: Process, port: int, seconds: float, stopping: Callable[[], bool]) -> bool:
    """Keep the web process up and ask it until it is ready, the time is over or we are to stop."""
    until = time.monotonic() + seconds
    while time.monotonic() < until and not stopping():
        web.look_after()
        if ready(port):
            return True
        time.sleep(0.1)
    return False


def print_accounts(port: int) -> None:
    """Print where to go and as whom."""
    print(f"\nCitySafety is ready: http://{LOCAL}:{port}/\n")
    path = VAR / "demo-accounts.json"
    if path.exists():
        print(f"{'role':20} {'username':18} {'password':18} area")
        for role, rows in json.loads(path.read_text(encoding="utf-8")).items():
            for row in rows if isinstance(rows, list) else [rows]:
                if row.get("password"):
                    print(f"{role:20} {row['username']:18} {row['password']:18} {row.get('area', '')}")
                elif role == "kiosk":
                    print(f"{role:20} http://{LOCAL}:{port}/wall/?kiosk={row['token']}")
    print("\nCtrl-C stops everything.\n", flush=True)


def note(name: str, what: dict[str, int]) -> None:
    """Write a small file whole or not at all: others read it at any time."""
    fresh = VAR / f"{name}.new"
    fresh.write_text(json.dumps(what), encoding="utf-8")
    fresh.replace(VAR / name)


def main() -> None:
    port = free_port()
    note("ports.json", {"web": port, **intake_ports()})
    processes = [Process(name, command) for name, command in commands(port).items()]
    stopping = False

    def stop(*_: object) -> None:
        nonlocal stopping
        stopping = True

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGHUP, stop)
    web = processes[0]
    if wait_until_ready(web, port, 60, lambda: stopping):
        print_accounts(port)
    elif not stopping:
        print("The web process does not answer yet; see var/log/web.log", flush=True)
    known: dict[str, int] = {}
    rounds = 0
    while not stopping:
        for process in processes:
            process.look_after()
            if rounds % 20 == 0:
                process.turn_log()
        if known != (running := {p.name: p.child.pid for p in processes if p.child}):
            known = running
            note("processes.json", known)
        rounds += 1
        time.sleep(0.5)
    print("Stopping …", flush=True)
    for process in processes:
        process.ask_to_end()
    until = time.monotonic() + 15
    while any(p.alive for p in processes) and time.monotonic() < until:
        time.sleep(0.1)
    for process in processes:
        process.kill()
    (VAR / "processes.json").unlink(missing_ok=True)
    leave_services()


def leave_services() -> None:
    """Stop the private PostgreSQL and Redis unless another word of bin/ uses them."""
    try:
        fcntl.flock(USE_LOCK, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return
    subprocess.run([ROOT / "bin" / "services", "down"], check=False)


if __name__ == "__main__":
    main()
