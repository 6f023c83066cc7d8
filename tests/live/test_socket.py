"""The open line: what it carries, to whom, and how it heals."""

import json
import socket as sockets
import time
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone
from websockets.sync.client import connect

from citysafety.live import hub as hubs
from citysafety.outbox.models import Head, OutboxEntry
from citysafety.outbox.selectors import head
from citysafety.outbox.services import keep_working
from citysafety.tallies import selectors
from tests.tallies.probes import move
from tests.tallies.test_fold import day_of_head

from .conftest import CELL, RunningRelay, close_code, frame, frames_for, happen, screen, wait_until_dealt


def settled() -> int:
    """Wait until the relay has begun its day; return the head."""
    until = time.monotonic() + 5
    while not (head().position and not OutboxEntry.objects.filter(position=None).exists()):
        assert time.monotonic() < until
        time.sleep(0.02)
    return head().position


def subjects(found: list[dict]) -> list[str]:
    return [item["id"] for f in found if f["type"] == "facts" for item in f["items"] if item["kind"] == "probe"]


def test_a_fact_reaches_every_screen_whose_area_covers_it_and_no_other(site, relay, token):
    with screen(site, token, "?area=3705") as city, screen(site, token, "?area=370502") as county, \
            screen(site, token, "?area=370503") as elsewhere, screen(site, token, f"?area={CELL}") as cell:  # fmt: skip
        happen("p1")
        items = []
        for socket in (city, county, cell):
            while not items or items[-1]["kind"] != "probe":
                got = frame(socket, "facts")
                items += got["items"]
            [item] = [items.pop()]
            items.clear()
            assert set(item) == {"position", "topic", "area", "kind", "id", "state", "level", "lon", "lat", "at"}
            assert (item["id"], item["area"], item["position"]) == ("p1", CELL, got["position"])
        assert subjects(frames_for(elsewhere, 0.5)) == []


def test_no_frame_carries_a_person(site, relay, token):
    with screen(site, token) as socket:
        happen("p1")
        text = json.dumps(frames_for(socket, 1), ensure_ascii=False)
    assert "p1" in text
    assert "张三" not in text and "138" not in text


def test_the_first_frame_says_where_the_city_stands(site, relay, token):
    at = settled()
    with screen(site, token) as socket:
        first = json.loads(socket.recv(5))
    assert (first["type"], first["position"], first["relay"]) == ("heartbeat", at, "ok")


def test_figures_come_once_a_second_at_most_and_equal_the_board(site, relay, token):
    settled()
    with screen(site, token, "?area=370502") as socket:
        frame(socket, "tally")
        for n in range(30):
            with transaction.atomic():
                move(f"p{n}", area=CELL, day=day_of_head(), now=["probes.open"])
            time.sleep(0.05)
        got = frames_for(socket, 2)
    tallies = [f for f in got if f["type"] == "tally"]
    assert 1 <= len(tallies) <= 4
    assert tallies[-1]["figures"] == selectors.board("370502").figures
    assert tallies[-1]["figures"]["probes.open"] == 30
    assert tallies[-1]["area"] == "370502"
    positions = [f["position"] for f in got]
    assert positions == sorted(positions), "a figure must not run ahead of its facts"


def test_figures_that_did_not_change_are_not_sent_again(site, relay, token):
    settled()
    with screen(site, token) as socket:
        frame(socket, "tally")
        happen("p1")
        assert [f["type"] for f in frames_for(socket, 2)] == ["facts"]


def test_what_was_missed_comes_first_and_once(site, relay, token):
    start = settled()
    happen(*[f"missed{n}" for n in range(450)])
    happen("elsewhere", area="370503")
    wait_until_dealt(start + 451)
    with screen(site, token, f"?area=370502&after={start}") as socket:
        happen("fresh")
        got = frames_for(socket, 1.5)
    assert subjects(got) == [f"missed{n}" for n in range(450)] + ["fresh"]
    backfill = [f for f in got if "of" in f]
    assert [len(f["items"]) for f in backfill] == [200, 200, 50]
    assert {f["of"] for f in backfill} == {start + 451}
    assert backfill[-1]["position"] == start + 451


def test_no_fact_is_lost_or_doubled_between_backfill_and_live(site, relay, token):
    """Screens come and go while facts stream; each ends with every fact once."""
    settled()
    start = head().position
    seen: dict[int, list] = {n: [] for n in range(4)}
    after = dict.fromkeys(seen, start)
    for round_ in range(12):
        happen(*[f"{round_}-{n}" for n in range(15)])
        for n in seen:
            with screen(site, token, f"?after={after[n]}") as socket:
                happen(f"{round_}-{n}-live")
                for f in frames_for(socket, 0.02 * n):
                    if f["type"] in ("facts", "heartbeat"):
                        after[n] = max(after[n], f["position"])
                        seen[n] += f.get("items", [])
    last = start + OutboxEntry.objects.filter(topic="probe.moved").count()
    wait_until_dealt(last)
    truth = list(OutboxEntry.objects.filter(position__gt=start).order_by("position").values_list("position", flat=True))
    for n, got in seen.items():
        with screen(site, token, f"?after={after[n]}") as socket:
            for f in frames_for(socket, 0.4):
                got += f.get("items", [])
        assert [item["position"] for item in got] == truth


@pytest.mark.parametrize("after", ["999999", "x", "-5", "1"])
def test_who_cannot_resume_is_told_to_load_afresh_and_then_hears(site, relay, token, after):
    settled()
    if after == "1":
        happen("old")
        wait_until_dealt(2)
        OutboxEntry.objects.filter(position__lte=2).delete()
        happen("new")
        wait_until_dealt(3)
    with screen(site, token, f"?after={after}") as socket:
        assert frame(socket, "reset")["position"] == head().position
        happen("p1")
        assert subjects([frame(socket, "facts")]) == ["p1"]


def test_more_than_a_thousand_behind_is_too_far(site, relay, token):
    start = settled()
    happen(*[f"p{n}" for n in range(1001)])
    wait_until_dealt(start + 1001)
    with screen(site, token, f"?after={start}") as socket:
        assert frame(socket, "reset")["position"] == start + 1001
    with screen(site, token, f"?after={start + 1}") as socket:
        assert len(frame(socket, "facts")["items"]) == 200


def test_heartbeats_come_and_tell_when_the_relay_falls_silent(site, relay, token, monkeypatch):
    monkeypatch.setattr(hubs, "HEARTBEAT_S", 2.0)
    monkeypatch.setattr(hubs, "SILENT_S", 6.0)  # of its beats, one in 5 s
    settled()
    with screen(site, token) as socket:
        assert frame(socket, "heartbeat")["relay"] == "ok"
        assert frame(socket, "heartbeat")["relay"] == "ok"
        relay.stop()
        started = time.monotonic()
        while frame(socket, "heartbeat", 10)["relay"] != "silent":
            pass
        assert time.monotonic() - started < 9
        again = RunningRelay()
        try:
            while frame(socket, "heartbeat", 10)["relay"] == "silent":
                pass
            happen("p1")
            assert subjects([frame(socket, "facts")]) == ["p1"]
        finally:
            again.stop()


def test_heartbeats_tell_since_when_no_periodic_work_is_done(site, relay, token, monkeypatch):
    monkeypatch.setattr(hubs, "HEARTBEAT_S", 1.0)
    settled()
    since = timezone.now() - timedelta(minutes=12)
    with screen(site, token) as socket:
        assert frame(socket, "heartbeat")["idle_since"] is None
        Head.objects.update(worked_at=since)
        while not (told := frame(socket, "heartbeat", 10)["idle_since"]):
            pass
        assert told == since.isoformat()
        keep_working()
        while frame(socket, "heartbeat", 10)["idle_since"]:
            pass


def test_a_fact_is_on_the_screen_soon_after_its_commit(site, relay, token, capsys):
    settled()
    took = []
    with screen(site, token) as socket:
        for n in range(40):
            time.sleep(0.03)
            committed = time.perf_counter()
            happen(f"p{n}")
            while subjects([frame(socket, "facts")]) != [f"p{n}"]:
                pass
            took.append((time.perf_counter() - committed) * 1000)
    took.sort()
    with capsys.disabled():
        print(f"\ncommit → screen: p50 {took[20]:.0f} ms, p95 {took[37]:.0f} ms")
    assert took[37] < 500


def test_redis_may_die_and_come_back_without_a_lost_fact_or_a_dropped_screen(site, relay, token, redis_server, capsys):
    settled()
    with screen(site, token) as socket:
        frame(socket, "heartbeat")
        happen("before")
        got = [frame(socket, "facts")]
        took = []
        for kill in range(3):
            redis_server.kill()
            died = time.monotonic()
            if kill == 0:
                assert frame(socket, "heartbeat", 10)["relay"] == "slow"
            happen(f"without {kill}")
            got.append(frame(socket, "facts", 10))
            took.append(time.monotonic() - died)
            redis_server.start()
            happen(f"after {kill}")
            got.append(frame(socket, "facts", 10))
        time.sleep(1.5)
        happen("end")
        committed = time.monotonic()
        got.append(frame(socket, "facts"))
        live_again = time.monotonic() - committed
    with capsys.disabled():
        print(
            f"\nRedis killed three times: facts seen after {max(took):.1f} s at most, live again {live_again * 1000:.0f} ms"
        )
    expected = ["before", *(f"{word} {n}" for n in range(3) for word in ("without", "after")), "end"]
    assert subjects(got) == expected
    assert max(took) < 5
    assert live_again < 0.5


def test_a_screen_that_does_not_read_is_closed_and_the_others_do_not_notice(site, relay, token, capsys, monkeypatch):
    monkeypatch.setattr("citysafety.live.client.MOST_FRAMES", 10)
    start = settled()
    site.server.servers[0].sockets[0].setsockopt(sockets.SOL_SOCKET, sockets.SO_SNDBUF, 8192)
    line = sockets.socket()
    line.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)  # so that little is under way unread
    line.connect(("127.0.0.1", site.port))
    headers = {"Authorization": f"Token {token}"}
    with connect(site.address, sock=line, additional_headers=headers, max_queue=1, compression=None) as slow:
        with screen(site, token) as socket:
            frame(socket, "heartbeat")
            assert len(site.hub.clients) == 2
            count, received, took = 0, 0, []
            while not any(client.is_closed for client in site.hub.clients) and count < 20_000:
                committed = time.monotonic()
                happen(*[f"p{count + n}" for n in range(500)])
                count += 500
                while received < count:
                    received += len(subjects([frame(socket, "facts")]))
                took.append(time.monotonic() - committed)
            assert any(client.is_closed for client in site.hub.clients), "the slow one was kept"
            assert received == count
            assert close_code(slow) == 1013
            happen("after")
            assert subjects([frame(socket, "facts")]) == ["after"]
    with capsys.disabled():
        print(f"\nslow screen closed after {count} facts; the other one's slowest 500 took {max(took) * 1000:.0f} ms")
    assert head().position == start + count + 1


def test_talk_from_a_client_is_ignored_and_too_much_of_it_ends_the_line(site, relay, token):
    settled()
    with screen(site, token) as socket:
        for n in range(10):
            socket.send("{" * n)
        happen("p1")
        assert subjects([frame(socket, "facts")]) == ["p1"]
        for _ in range(10):
            socket.send(b"\x00\xff")
        assert close_code(socket) == 1008
    with screen(site, token) as socket:
        socket.send("x" * 20_000)
        assert close_code(socket) == 1009


def test_a_head_that_went_back_makes_screens_load_afresh(site, token, transactional_db):
    """A restored backup: the positions the screens know do not exist any more."""
    Head.objects.create(position=50, beat_at=timezone.now())
    with screen(site, token) as socket:
        assert frame(socket, "heartbeat")["position"] == 50
        Head.objects.update(position=20)
        assert frame(socket, "reset", 25)["position"] == 20


def test_sockets_elsewhere_are_refused(site, token):
    site.address = site.address.replace("/ws/live/", "/ws/other/")
    with pytest.raises(Exception, match="403"), screen(site, token):
        pass
