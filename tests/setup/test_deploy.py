"""bin/run, docker-compose.yml, nginx and the documents speak of the same processes and versions."""

import http.client
import importlib.util
import os
import re
import socket
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVERS = {"postgis", "redis", "proxy", "prepare"}


def supervised() -> dict[str, list[str]]:
    spec = importlib.util.spec_from_file_location("supervise", ROOT / "bin" / "_supervise.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.commands(8000)


def test_compose_and_bin_run_and_the_documents_name_the_same_processes():
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^\| `(\w+)` \|", page.partition("## Processes")[2].partition("##")[0], re.M))
    assert set(COMPOSE["services"]) - SERVERS == set(supervised()) == listed


def test_the_worker_serves_the_same_queues_everywhere():
    of_compose = COMPOSE["services"]["worker"]["command"]
    of_bin = supervised()["worker"]
    assert of_compose[of_compose.index("-Q") + 1] == of_bin[of_bin.index("-Q") + 1]


def test_containers_and_debian_have_the_same_postgresql_and_redis():
    setup = (ROOT / "bin" / "setup").read_text(encoding="utf-8")
    debian = re.search(r"postgresql-(\d+) postgresql-\1-postgis-3", setup)[1]
    assert COMPOSE["services"]["postgis"]["image"].startswith(f"postgis/postgis:{debian}-")
    installed = subprocess.run(["redis-server", "--version"], capture_output=True, text=True, check=True).stdout
    version = re.search(r"v=(\d+\.\d+)", installed)[1]
    assert COMPOSE["services"]["redis"]["image"].startswith(f"redis:{version}-")


def test_only_the_proxy_is_published_and_only_on_this_machine():
    published = {name: service["ports"] for name, service in COMPOSE["services"].items() if service.get("ports")}
    assert list(published) == ["proxy"]
    assert all(port.startswith("127.0.0.1:") for port in published["proxy"])


def test_images_name_their_version():
    version = (ROOT / "VERSION").read_text(encoding="utf-8").strip()
    ours = [s["image"] for s in COMPOSE["services"].values() if s["image"].startswith("citysafety")]
    assert ours
    assert {image.rpartition(":")[2] for image in ours} == {version}


def test_redis_neither_forgets_nor_evicts():
    lines = (ROOT / "deploy" / "redis.conf").read_text(encoding="utf-8").splitlines()
    assert {"appendonly yes", "maxmemory-policy noeviction"} <= set(lines)


def test_what_is_cached_ends_by_itself_so_that_a_broker_that_evicts_nothing_is_not_filled(settings):
    assert settings.CACHES["default"]["TIMEOUT"]
    endless = [
        path
        for folder in ("citysafety", "grid", "hazards")
        for path in (ROOT / folder).rglob("*.py")
        if re.search(r"cache\.(set|add|get_or_set|set_many)\([^)]*(timeout=)?None\)", path.read_text(encoding="utf-8"))
    ]
    assert endless == []


# -- nginx ------------------------------------------------------------------------------------------


class Mirror(BaseHTTPRequestHandler):
    """The web process of these tests: answers with the headers that reached it."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = "\n".join(f"{name.lower()}: {value}" for name, value in self.headers.items()).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, *args: object) -> None:
        """Say nothing."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def door(tmp_path_factory):
    """nginx with our configuration before a mirror; the port it listens on."""
    folder = tmp_path_factory.mktemp("nginx")
    (folder / "static").mkdir()
    (folder / "static" / "page.css").write_text("a{}")
    mirror = ThreadingHTTPServer(("127.0.0.1", 0), Mirror)
    threading.Thread(target=mirror.serve_forever, daemon=True).start()
    port = free_port()
    text = (ROOT / "deploy" / "nginx" / "nginx.conf").read_text(encoding="utf-8")
    for old, new in {
        "/tmp/": f"{folder}/",
        "server web:8000;": f"server 127.0.0.1:{mirror.server_port};",
        "listen 8080 default_server;": f"listen 127.0.0.1:{port};",
        "/srv/static/": f"{folder}/static/",
        "/dev/stdout": f"{folder}/access.log",
        "/dev/stderr": f"{folder}/error.log",
    }.items():
        assert old in text
        text = text.replace(old, new)
    user = "user root;\n" if os.geteuid() == 0 else ""  # the folder of the tests is closed to others
    (folder / "nginx.conf").write_text(user + text)
    command = ["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")]
    checked = subprocess.run([*command, "-t"], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr
    assert "warn" not in checked.stderr
    process = subprocess.Popen([*command, "-g", "daemon off;"])
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.05)
    yield port
    process.terminate()
    process.wait(10)
    mirror.shutdown()
    mirror.server_close()


def ask(port: int, path: str, method: str = "GET", body: bytes | None = None, **headers: str) -> tuple:
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    line.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
    answer = line.getresponse()
    text = answer.read().decode()
    line.close()
    return answer, dict(row.split(": ", 1) for row in text.splitlines() if ": " in row)


def test_the_door_says_itself_who_called_and_believes_no_caller(door):
    _answer, seen = ask(door, "/", X_Forwarded_For="9.9.9.9", X_Forwarded_Proto="https", X_Forwarded_Host="evil")
    assert (seen["x-forwarded-for"], seen["x-forwarded-proto"]) == ("127.0.0.1", "http")
    assert "x-forwarded-host" not in seen


def test_the_door_gives_a_request_its_id_and_keeps_one_that_looks_like_one(door):
    assert re.fullmatch(r"[0-9a-f]{32}", ask(door, "/")[1]["x-request-id"])
    assert ask(door, "/", X_Request_ID="phone-00000001")[1]["x-request-id"] == "phone-00000001"
    assert ask(door, "/", X_Request_ID="a b")[1]["x-request-id"] != "a b"


def test_the_door_passes_sockets_on_and_only_there(door):
    upgrade = {"Upgrade": "websocket", "Connection": "Upgrade"}
    seen = ask(door, "/ws/live/?area=3705", **upgrade)[1]
    assert (seen["upgrade"], seen["connection"].lower()) == ("websocket", "upgrade")
    assert "upgrade" not in ask(door, "/", **upgrade)[1]


def test_the_door_keeps_the_gauges_inside_and_bodies_within_bounds(door):
    assert ask(door, "/metrics")[0].status == 404
    assert ask(door, "/api/v1/hazards/", "POST", b"x" * 1000)[0].status == 200
    assert ask(door, "/api/v1/hazards/", "POST", b"x" * 13_000_000)[0].status == 413


def test_the_door_serves_static_files_itself_with_headers_said_once(door):
    answer, _seen = ask(door, "/static/page.css")
    assert answer.status == 200
    assert answer.headers.get_all("X-Content-Type-Options") == ["nosniff"]
    assert answer.headers.get_all("Cache-Control") == ["public, max-age=31536000, immutable"]
    assert ask(door, "/")[0].headers.get_all("X-Content-Type-Options") is None  # those of pages are Django's
