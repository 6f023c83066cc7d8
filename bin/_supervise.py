"""Start the processes of one instance, restart what dies, stop all of it on Ctrl-C. Standard library only."""

import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
VAR = pathlib.Path(os.environ["CITYSAFETY_VAR"])
PYTHON = sys.executable
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 30.0


def free_port() -> int:
    """Return the port to listen on: the one asked for, or the next free one from 8000."""
    asked = os.environ.get("CITYSAFETY_PORT")
    for port in [int(asked)] if asked else range(8000, 8100):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                if not asked and port == 8000:
                    print("Port 8000 is taken; looking for the next free one.", flush=True)
                continue
            return port
    sys.exit(f"Port {asked or '8000 to 8099'} is taken. Choose another: CITYSAFETY_PORT=8200 bin/run")


def commands(port: int) -> dict[str, list[str]]:
    """Return the command of each process, by its name."""
    celery = [PYTHON, "-m", "celery", "-A", "citysafety"]
    host = os.environ.get("CITYSAFETY_HOST", "127.0.0.1")
    listed = {
        "web": [
            PYTHON,
            "-m",
            "uvicorn",
            "citysafety.asgi:application",
            "--host",
            host,
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
        "worker": [*celery, "worker", "-Q", "alarm,notice,media,report,celery", "-c", "2", "-l", "warning"],
        "beat": [*celery, "beat", "-l", "warning", "-s", str(VAR / "celerybeat"), "--pidfile", ""],
    }
    if (ROOT / "citysafety/management/commands/intake.py").exists():
        listed["intake"] = [PYTHON, "manage.py", "intake"]
    if os.environ.get("CITYSAFETY_SIMULATE", "1") != "0":
        listed["simulate"] = [PYTHON, "manage.py", "simulate", "--base", f"http://127.0.0.1:{port}"]
    return listed


class Process:
    """One process: started in a group of its own, restarted after a pause that grows while it keeps dying."""

    def __init__(self, name: str, command: list[str]) -> None:
        self.name, self.command, self.pause_s, self.again_at = name, command, FIRST_PAUSE_S, 0.0
        self.child: subprocess.Popen | None = None

    def start(self) -> None:
        log = open(VAR / "log" / f"{self.name}.log", "ab")  # noqa: SIM115  the child keeps it
        self.child = subprocess.Popen(
            self.command, cwd=ROOT, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True
        )
        log.close()
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

    def signal(self, what: int) -> None:
        if self.child is not None and self.child.poll() is None:
            try:
                os.killpg(self.child.pid, what)
            except ProcessLookupError:
                return

    @property
    def alive(self) -> bool:
        return self.child is not None and self.child.poll() is None


def wait_until_ready(port: int, seconds: float) -> bool:
    """Ask /readyz until it answers 200."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2) as answer:
                if answer.status == 200:
                    return True
        except OSError:
            pass
        time.sleep(0.2)
    return False


def print_accounts(port: int) -> None:
    """Print where to go and as whom."""
    print(f"\nCitySafety is ready: http://127.0.0.1:{port}/\n")
    path = VAR / "demo-accounts.json"
    if path.exists():
        print(f"{'role':20} {'username':18} {'password':18} area")
        for role, rows in json.loads(path.read_text(encoding="utf-8")).items():
            for row in rows if isinstance(rows, list) else [rows]:
                if row.get("password"):
                    print(f"{role:20} {row['username']:18} {row['password']:18} {row.get('area', '')}")
                elif role == "kiosk":
                    print(f"{role:20} http://127.0.0.1:{port}/wall/?kiosk={row['token']}")
    print("\nCtrl-C stops everything.\n", flush=True)


def note(name: str, what: dict[str, int]) -> None:
    """Write a small file whole or not at all: others read it at any time."""
    fresh = VAR / f"{name}.new"
    fresh.write_text(json.dumps(what), encoding="utf-8")
    fresh.replace(VAR / name)


def main() -> None:
    port = free_port()
    note("ports.json", {"web": port})
    processes = [Process(name, command) for name, command in commands(port).items()]
    stopping = False

    def stop(*_: object) -> None:
        nonlocal stopping
        stopping = True

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    first, rest = processes[0], processes[1:]
    first.start()
    if wait_until_ready(port, 60):
        print_accounts(port)
    else:
        print("The web process does not answer yet; see var/log/web.log", flush=True)
    known: dict[str, int] = {}
    while not stopping:
        for process in [first, *rest]:
            process.look_after()
        if known != (running := {p.name: p.child.pid for p in processes if p.child}):
            known = running
            note("processes.json", known)
        time.sleep(0.5)
    print("Stopping …", flush=True)
    note("processes.json", {})
    for what, seconds in ((signal.SIGTERM, 15), (signal.SIGKILL, 2)):
        for process in processes:
            process.signal(what)
        until = time.monotonic() + seconds
        while any(p.alive for p in processes) and time.monotonic() < until:
            time.sleep(0.1)


if __name__ == "__main__":
    main()
