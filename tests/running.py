"""What tests start of the real thing: a Redis, or a whole instance as bin/run starts it, in folders of their own."""

import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import psycopg2
import pytest

ROOT = Path(__file__).resolve().parent.parent
START_S = 300


def scales(short: Any, long: Any) -> pytest.MarkDecorator:
    """Run a test of reliability as ``scale`` in its short form, and by ``bin/test --long`` in its full one."""
    return pytest.mark.parametrize(
        "scale", [pytest.param(short, id="short"), pytest.param(long, id="long", marks=pytest.mark.long)]
    )


def until(true: Callable[[], Any], seconds: float, pause_s: float = 0.1) -> Any:
    """Return what ``true()`` gives as soon as it is true. :raises AssertionError: after so many seconds."""
    end = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < end, f"not within {seconds} s: {getattr(true, '__name__', true)}"
        time.sleep(pause_s)
    return found


def percentile(values: list[float], share: float) -> float:
    """Return the value that this share of the values does not exceed; 0 without values."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


def children(pid: int) -> list[int]:
    """Return the processes that a process has started."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


class RedisServer:
    """A Redis of the test's own, that may be killed; it keeps nothing unless a file of settings says so."""

    def __init__(self, configuration: Path | None = None) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="cs-"))  # short: a socket's path has at most 107 bytes
        self.socket = self.folder / "redis.sock"
        self.address = f"unix://{self.socket}"
        self.settings = [str(configuration)] if configuration else ["--save", ""]
        self.start()

    def start(self) -> None:
        place = ["--port", "0", "--unixsocket", str(self.socket), "--dir", str(self.folder)]
        self.process = subprocess.Popen(["redis-server", *self.settings, *place], stdout=subprocess.DEVNULL)
        until(lambda: self.cli("ping") == "PONG", 30)

    def cli(self, *words: str) -> str:
        """Say something to it; return its answer, nothing while it is away."""
        spoken = subprocess.run(["redis-cli", "-s", str(self.socket), *words], capture_output=True, text=True)
        return spoken.stdout.strip()

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def end(self) -> None:
        self.kill()
        shutil.rmtree(self.folder)


class Api:
    """The API as one account sees it; every call returns status and body."""

    def __init__(self, url: str, token: str) -> None:
        self.url, self.token = url, token

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        raw: bytes | None = None,
        kind: str = "image/png",
        timeout_s: float = 30,
    ) -> tuple:
        data = raw if raw is not None else None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Token {self.token}", "Accept": "application/json"}
        headers["Content-Type"] = "application/json" if raw is None else kind
        request = urllib.request.Request(self.url + path, data=data, method=method, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=timeout_s) as answer:
                status, text = answer.status, answer.read()
        except urllib.error.HTTPError as error:
            status, text = error.code, error.read()
        try:
            return status, json.loads(text)
        except ValueError:
            return status, text

    def get(self, path: str) -> tuple:
        return self.call("GET", path)

    def post(self, path: str, body: Any) -> tuple:
        return self.call("POST", path, body)

    def put(self, path: str, raw: bytes) -> tuple:
        return self.call("PUT", path, raw=raw)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Instance:
    """``bin/run`` in a folder of its own: demo city, two days of history, every process, no simulation."""

    def __init__(self, var: Path, *, days: int = 2, **more: str) -> None:
        self.var, self.port = var, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        var.mkdir(parents=True, exist_ok=True)
        private = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "TEST_DATABASE", "CITYSAFETY_MEDIA")
        self.env = {name: value for name, value in os.environ.items() if name not in private}
        self.env |= {"CITYSAFETY_VAR": str(var), "CITYSAFETY_PORT": str(self.port), "CITYSAFETY_SIMULATE": "0"}
        # Two that start at once must not take the same ports for their devices.
        self.env |= {"CITYSAFETY_DEMO_DAYS": str(days), "INTAKE_PORT_OFFSET": str(1000 + free_port() % 19_000), **more}

    def start(self) -> "Instance":
        """Start it and wait until it is ready. :raises AssertionError: with what it printed, when it is not."""
        self.log = self.var / "run.log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [str(ROOT / "bin" / "run")], cwd=ROOT, env=self.env, stdout=log, stderr=log, start_new_session=True
            )
        until = time.monotonic() + START_S
        while "is ready" not in self.log.read_text():
            assert self.process.poll() is None and time.monotonic() < until, self.log.read_text()[-3000:]
            time.sleep(0.2)
        self.accounts = json.loads((self.var / "demo-accounts.json").read_text(encoding="utf-8"))
        return self

    def stop(self) -> None:
        """Stop it as Ctrl-C does."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGINT)
        self.process.wait(40)

    def pid(self, name: str) -> int:
        """Return the process id of ``web``, ``relay``, ``worker`` or ``beat``."""
        return json.loads((self.var / "processes.json").read_text())[name]

    def kill(self, name: str) -> int:
        """End a process as a crash does, with everything it started; return the pid it had."""
        pid = self.pid(name)
        os.killpg(pid, signal.SIGKILL)
        return pid

    def kill_again(self, name: str, seconds: float = 90) -> float:
        """Kill a process that may just be coming back; return the moment (monotonic) of the kill."""

        def killed() -> float:
            try:
                self.kill(name)
            except (KeyError, ProcessLookupError):
                return 0.0
            return time.monotonic()

        return until(killed, seconds)

    def query(self, sql: str, *values: Any, **named: Any) -> list[tuple]:
        """Ask this instance's database directly, past the application."""
        lines = dict(line.split("=", 1) for line in (self.var / "env").read_text().splitlines() if "=" in line)
        url = urlsplit(lines["DATABASE_URL"])
        line = psycopg2.connect(host=unquote(url.hostname or ""), user=url.username, dbname=url.path.lstrip("/"))
        try:
            with line, line.cursor() as cursor:
                cursor.execute(sql, named or values)
                return cursor.fetchall() if cursor.description else []
        finally:
            line.close()

    def services(self, word: str) -> None:
        """``up``, ``down`` or ``status`` of this instance's PostgreSQL and Redis."""
        subprocess.run([str(ROOT / "bin" / "services"), word], env=self.env, check=True)

    def manage(self, *words: str) -> subprocess.CompletedProcess:
        """Run a word of manage.py against this instance."""
        lines = (line.partition("=") for line in (self.var / "env").read_text().splitlines() if "=" in line)
        env = (
            self.env
            | {name: value for name, _equals, value in lines}
            | {"DJANGO_SETTINGS_MODULE": "citysafety.settings"}
        )
        python = str(ROOT / ".venv" / "bin" / "python")
        return subprocess.run([python, "manage.py", *words], cwd=ROOT, env=env, capture_output=True, text=True)

    def account(self, role: str, number: int = 0) -> dict[str, Any]:
        """Return a demo account; the kiosk is one row, not a list."""
        rows = self.accounts[role]
        return rows[number] if isinstance(rows, list) else rows

    def api(self, role: str, number: int = 0) -> Api:
        return Api(self.url, self.account(role, number)["token"])

    def login(self, page: Any, role: str, number: int = 0) -> None:
        """Sign in as a person does, through the page."""
        account = self.account(role, number)
        page.goto(f"{self.url}/login/")
        page.fill("input[name=username]", account["username"])
        page.fill("input[name=password]", account["password"])
        page.press("input[name=password]", "Enter")
        page.wait_for_url(lambda url: "/login/" not in url)
