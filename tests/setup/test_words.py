"""The words of bin/: how an instance is set up, started beside others, and leaves nothing behind."""

import fcntl
import importlib.util
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DEEP = "很深的 目录/with spaces/" + "d" * 60 + "/" + "e" * 40
PRIVATE = ("DATABASE_URL", "REDIS_URL", "CITYSAFETY_PRIVATE", "SECRET_KEY", "CITYSAFETY_PORT")


def environment(var: Path, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in PRIVATE}
    return kept | {"CITYSAFETY_VAR": str(var), **more}


def word(
    *command: str, var: Path, folder: Path = ROOT, timeout_s: float = 60, **more: str
) -> subprocess.CompletedProcess:
    return subprocess.run(
        [str(folder / "bin" / command[0]), *command[1:]], cwd="/", env=environment(var, **more), timeout=timeout_s,
        capture_output=True, text=True,
    )  # fmt: skip


def supervise():
    spec = importlib.util.spec_from_file_location("supervise", ROOT / "bin" / "_supervise.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# -- set-up -----------------------------------------------------------------------------------------


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user, which only root may")
def test_without_packages_and_without_root_one_error_lists_them_and_names_the_other_way(tmp_path):
    bare = tmp_path / "checkout"
    shutil.copytree(ROOT / "bin", bare / "bin", ignore=shutil.ignore_patterns("__pycache__"))
    commands = tmp_path / "commands"
    commands.mkdir()
    (commands / "dpkg-query").write_text("#!/bin/sh\nexit 1\n")  # a Debian on which nothing is installed
    (commands / "dpkg-query").chmod(0o755)
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_uid == os.geteuid() and folder not in (Path("/"), Path("/tmp")):
            folder.chmod(folder.stat().st_mode | 0o055)
    var = tmp_path / "var"
    var.mkdir()
    var.chmod(0o777)
    said = subprocess.run(
        ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--", str(bare / "bin" / "run")],
        env=environment(var, PATH=f"{commands}:/usr/sbin:/usr/bin:/sbin:/bin"), capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert said.returncode == 1
    for package in ("postgresql-15-postgis-3", "redis-server", "python3-venv", "libgdal32", "gettext"):
        assert package in said.stderr
    assert "apt-get install" in said.stderr
    assert "docker compose up" in said.stderr
    assert said.stderr.count("missing") == 1


def test_a_folder_that_may_not_be_written_is_told_in_a_line(tmp_path):
    (tmp_path / "file").write_text("")
    said = word("services", "status", var=tmp_path / "file" / "var")
    assert said.returncode == 1
    assert "may not write" in said.stderr


# -- servers ----------------------------------------------------------------------------------------


def ask_both(env: Path) -> tuple[str, str]:
    """Ask PostgreSQL and Redis of an instance whether they answer."""
    found = dict(line.split("=", 1) for line in env.read_text().splitlines())
    sockets = found["REDIS_URL"].removeprefix("unix://").removesuffix("/redis.sock")
    sql = ["psql", "-qAt", "-h", sockets, "-U", "citysafety", "-d", "citysafety", "-c", "SELECT 1"]
    ping = ["redis-cli", "-s", f"{sockets}/redis.sock", "ping"]
    one, pong = (subprocess.run(c, capture_output=True, text=True, cwd="/").stdout.strip() for c in (sql, ping))
    return one, pong


def servers_of(var: Path) -> list[int]:
    """Return the pids of the servers of an instance, as they wrote them down themselves."""
    key = subprocess.run(["sha256sum"], input=str(var), capture_output=True, text=True).stdout[:12]
    data = next(d for d in (Path("/var/lib/citysafety") / key, var / "services") if (d / "pg").exists())
    return [int((data / name).read_text().split()[0]) for name in ("pg/postmaster.pid", "redis.pid")]


def test_servers_stand_in_a_deep_path_with_spaces_and_come_back_after_a_power_cut(tmp_path_factory):
    var = tmp_path_factory.mktemp("deep") / DEEP
    assert len(str(var).encode()) > 107  # longer than the path of a socket may be
    try:
        assert word("services", "up", var=var).returncode == 0
        assert ask_both(var / "env") == ("1", "PONG")
        for pid in servers_of(var):
            os.kill(pid, signal.SIGKILL)
        assert ask_both(var / "env") == ("", "")
        said = word("services", "up", var=var)
        assert said.returncode == 0, said.stderr
        assert ask_both(var / "env") == ("1", "PONG")
    finally:
        word("services", "down", var=var)
    assert ask_both(var / "env") == ("", "")


def test_given_addresses_replace_the_private_servers(tmp_path):
    given = {"DATABASE_URL": "postgis://u@db.example/x", "REDIS_URL": "redis://redis.example:6379"}
    assert word("services", "up", var=tmp_path, **given).returncode == 0
    assert word("services", "status", var=tmp_path, **given).stdout.splitlines() == [
        "postgresql: DATABASE_URL", "redis: REDIS_URL",
    ]  # fmt: skip
    assert not (tmp_path / "services" / "pg").exists()
    assert "DATABASE_URL" not in (tmp_path / "env").read_text()


def test_what_the_environment_says_wins_over_the_file_but_for_private_addresses(tmp_path):
    (tmp_path / "env").write_text("LOG_LEVEL=INFO\nEGRESS_ALLOW=10.0.0.1\nDATABASE_URL=mine\nREDIS_URL=mine\n")
    script = f'. "{ROOT}/bin/_env.sh"; load_env; echo "$LOG_LEVEL $EGRESS_ALLOW $DATABASE_URL $REDIS_URL"'

    def loaded(**more: str) -> str:
        done = subprocess.run(["bash", "-c", script], env=environment(tmp_path, **more), capture_output=True, text=True)
        return done.stdout.strip()

    assert loaded(LOG_LEVEL="ERROR", REDIS_URL="given") == "ERROR 10.0.0.1 mine given"
    # The words that a word calls inherit its private addresses, and take those of their own folder.
    assert loaded(DATABASE_URL="of another", CITYSAFETY_PRIVATE="DATABASE_URL REDIS_URL").endswith(" mine mine")


# -- running ----------------------------------------------------------------------------------------


def test_a_second_run_of_the_same_instance_is_refused_with_the_address_of_the_first(tmp_path):
    (tmp_path / "ports.json").write_text('{"web": 8042}')
    (tmp_path / "processes.json").write_text('{"web": 1}')
    with (tmp_path / ".run.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        said = word("run", var=tmp_path)
    assert said.returncode == 1
    assert "http://127.0.0.1:8042/" in said.stderr
    assert "CITYSAFETY_VAR=" in said.stderr


def test_the_next_free_port_is_taken_unless_one_was_asked_for(monkeypatch):
    module = supervise()
    monkeypatch.delenv("CITYSAFETY_PORT", raising=False)
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind(("127.0.0.1", 8000))
            taken.listen()
        except OSError:
            pass  # somebody else has it: as good
        found = module.free_port()
        assert 8000 < found < 8100
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        monkeypatch.setenv("CITYSAFETY_PORT", str(taken.getsockname()[1]))
        with pytest.raises(SystemExit, match=r"is taken\. Choose another: CITYSAFETY_PORT="):
            module.free_port()


def test_the_gateway_never_shares_the_ports_of_another_instance(monkeypatch):
    module = supervise()
    monkeypatch.setenv("INTAKE_PORT_OFFSET", "")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        monkeypatch.setenv("HJ212_PORT", str(taken.getsockname()[1]))
        ports = module.intake_ports()
        assert ports["hj212"] > taken.getsockname()[1]
        assert int(os.environ["INTAKE_PORT_OFFSET"]) == ports["hj212"] - taken.getsockname()[1]
        monkeypatch.setenv("INTAKE_PORT_OFFSET", "0")
        with pytest.raises(SystemExit, match=r"is taken\. Choose others: INTAKE_PORT_OFFSET="):
            module.intake_ports()


def test_what_dies_is_started_again_after_pauses_that_grow(monkeypatch, tmp_path):
    module = supervise()
    monkeypatch.setattr(module, "VAR", tmp_path)
    (tmp_path / "log").mkdir()
    process = module.Process("short", ["false"])
    pauses = []
    for _ in range(7):
        process.again_at = 0.0
        process.look_after()
        process.child.wait(10)
        process.look_after()
        pauses.append(process.again_at - time.monotonic())
    assert [round(pause) for pause in pauses] == [1, 2, 4, 8, 16, 30, 30]


def test_a_log_never_grows_beyond_its_bound(monkeypatch, tmp_path):
    module = supervise()
    monkeypatch.setattr(module, "VAR", tmp_path)
    monkeypatch.setattr(module, "LONGEST_LOG", 1000)
    (tmp_path / "log").mkdir()
    process = module.Process(
        "talker", [sys.executable, "-uc", "import time\nwhile True: print('x' * 99); time.sleep(.01)"]
    )
    process.start()
    time.sleep(1)
    process.turn_log()
    assert process.log.stat().st_size < 1000
    assert (tmp_path / "log" / "talker.log.1").stat().st_size > 1000
    time.sleep(0.3)
    assert process.log.stat().st_size > 0  # it goes on in the same file
    process.kill()
    process.child.wait(10)


def test_when_the_supervisor_is_killed_its_processes_end_too(tmp_path):
    script = f"""
import importlib.util, os, sys, time, pathlib
spec = importlib.util.spec_from_file_location("supervise", {str(ROOT / "bin" / "_supervise.py")!r})
module = importlib.util.module_from_spec(spec); spec.loader.exec_module(module)
(module.VAR / "log").mkdir()
process = module.Process("sleeper", ["sleep", "60"]); process.start()
print(process.child.pid, flush=True); time.sleep(60)
"""
    parent = subprocess.Popen(
        [sys.executable, "-c", script], env=environment(tmp_path), stdout=subprocess.PIPE, text=True
    )
    child = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    parent.stdout.close()
    for _ in range(100):
        try:
            state = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            break
        if state == "Z":
            break
        time.sleep(0.05)
    else:
        pytest.fail("the process outlived its supervisor")


def test_a_note_is_whole_at_any_time(monkeypatch, tmp_path):
    module = supervise()
    monkeypatch.setattr(module, "VAR", tmp_path)
    module.note("ports.json", {"web": 8001})
    module.note("ports.json", {"web": 8002})
    assert json.loads((tmp_path / "ports.json").read_text()) == {"web": 8002}
    assert [path.name for path in tmp_path.iterdir()] == ["ports.json"]
