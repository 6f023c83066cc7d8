"""How the wall stays true: news reaches it at once, it says when it is not live, and what must be heard is heard."""

import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
import redis
from playwright.sync_api import Page

from tests.running import free_port, percentile, scales, until

from .browsers import speaks_of_another_version
from .cases import overdue_cases
from .faults import Proxy, losing_proxy
from .walls import Wall, file_hazard, map_sources, step

pytestmark = pytest.mark.e2e


def test_r17_what_is_filed_is_on_the_wall_within_a_second(hang, file_one, say):
    """Thirty filings, one after the other: from the answer, and from before the request, to the row on the screen."""
    wall = hang().live().drawn()
    found_before = wall.figure("hazards.found_today")
    wall.page.evaluate(
        """() => {
          const seen = window.seen = {};
          new MutationObserver(() => {
            for (const row of document.querySelectorAll('#live li[data-id]')) seen[row.dataset.id] ??= Date.now();
          }).observe(document.querySelector('#live ol'), { childList: true, subtree: true });
        }"""
    )
    filed: dict[str, tuple[float, float]] = {}
    for _ in range(30):
        started = time.time()
        hazard = file_one()
        filed[hazard] = (started, time.time())
        time.sleep(0.2)
    until(lambda: set(filed) <= set(wall.page.evaluate("window.seen")), 20)
    seen = wall.page.evaluate("window.seen")
    after_answer = [max(0.0, seen[one] / 1000 - answered) for one, (_started, answered) in filed.items()]
    in_all = [seen[one] / 1000 - started for one, (started, _answered) in filed.items()]
    spans = (
        (name, [f"{percentile(took, share) * 1000:.0f}" for share in (0.5, 0.95, 1)])
        for name, took in (("answer", after_answer), ("request", in_all))
    )
    each = "; ".join(
        f"{name} → row on the wall p50 {p50} ms, p95 {p95} ms, at most {most} ms" for name, (p50, p95, most) in spans
    )
    say(f"R17: 30 filings, {each}")
    assert percentile(after_answer, 0.95) < 1
    until(lambda: wall.figure("hazards.found_today") >= found_before + 30, 10)
    until(lambda: set(wall.ids("live")) <= set(map_sources(wall)), 10)
    last = list(filed)[-1]
    until(lambda: wall.page.locator(f'#live li[data-id="{last}"] .what:not(.is-coming)').count(), 10)
    assert wall.complaints == []


def same_as_fresh(wall: Wall, hang: Callable[..., Wall], seconds: float = 40) -> Wall:
    """Compare with a page just loaded: tables are read again within fifteen seconds of a change. The line that sums up what
    was missed takes room from the lists until somebody has understood it.
    """
    fresh = hang().live()
    understood = wall.page.locator("#missed button")
    differences: list[str] = []

    def equal() -> bool:
        if understood.is_visible():
            understood.click()
        ours, theirs = wall.state(), fresh.state()
        differences[:] = [
            f"{key}: {one} ≠ {other}"
            for key in ours
            for one, other in zip(ours[key], theirs[key], strict=False)
            if one != other
        ]
        differences.extend(
            f"{key}: {len(ours[key])} ≠ {len(theirs[key])}" for key in ours if len(ours[key]) != len(theirs[key])
        )
        return not differences

    try:
        until(equal, seconds, 0.5)
    except AssertionError:
        banners = [page.page.inner_text("#banners") for page in (wall, fresh)]
        raise AssertionError("\n".join([*differences, f"banners: {banners}"])) from None
    return fresh


@contextmanager
def line_to(site: Any) -> Iterator[tuple[Proxy, int]]:
    with losing_proxy(site.port, lose=0) as (proxy, port):
        yield proxy, port


def on_loop(proxy: Proxy, act: Callable[[Any], None]) -> None:
    """Do something with each of the proxy's lines, in its own thread."""
    loop = proxy.server.get_loop()
    for line in list(proxy.lines.values()):
        loop.call_soon_threadsafe(act, line)


def test_a_cut_line_is_told_in_words_and_after_it_the_wall_is_as_a_fresh_one(site, hang, file_one):
    """W23, W25, W26."""
    with line_to(site) as (proxy, port):
        wall = hang(port=port).live()
        proxy.target = free_port()
        on_loop(proxy, lambda line: line.reset())
        cut = time.monotonic()
        until(lambda: "重连" in wall.connection(), 12)
        hazards = [file_one() for _ in range(4)]
        step(site, hazards[0], "accept")
        step(site, hazards[1], "refuse", reason="重复上报")
        until(lambda: wall.banner() and wall.truth() == "stale", 15)
        assert time.monotonic() - cut < 15
        assert wall.page.locator(".panel.is-stale").count() == wall.page.locator(".panel").count()
        assert "数据截至" in wall.page.inner_text("#live .as-of")
        assert not set(hazards) & set(wall.ids("live"))
        proxy.target = site.port
        wall.live(40)
        until(lambda: set(hazards) <= set(wall.ids("live")) | {hazards[0]}, 20)
        assert wall.banner() == ""
        assert wall.page.locator(".panel.is-stale").count() == 0
        wall.drawn()
        fresh = same_as_fresh(wall, hang).drawn()
        until(lambda: map_sources(wall) == map_sources(fresh), 20, 1)
        assert hazards[0] in map_sources(wall)
        assert hazards[1] not in map_sources(wall)


def test_a_killed_web_process_costs_the_wall_nothing(site, hang, file_one):
    wall = hang().live()
    before = file_one()
    site.kill_again("web")
    until(lambda: wall.truth() != "live", 10)
    until(lambda: reached(site), 90)
    after = file_one()
    wall.live(60)
    until(lambda: {before, after} <= set(wall.ids("live")), 30)
    same_as_fresh(wall, hang)


def reached(site: Any) -> bool:
    try:
        return site.api("operator").get("/livez")[0] == 200
    except OSError:
        return False


def test_w23_a_dead_redis_is_told_in_words_and_costs_no_news(site, hang, file_one, say):
    """Without Redis the news is read from the database; the wall says so and goes on."""
    lines = dict(line.split("=", 1) for line in (site.var / "env").read_text().splitlines() if "=" in line)
    wall = hang().live()
    os.kill(redis.Redis.from_url(lines["REDIS_URL"]).info("server")["process_id"], signal.SIGKILL)
    died = time.monotonic()
    try:
        until(lambda: wall.truth() == "slow" and wall.banner(), 15)
        told = time.monotonic() - died
        during = file_one()
        filed = time.monotonic()
        until(lambda: during in wall.ids("live"), 10)
        seen = time.monotonic() - filed
    finally:
        site.services("up")
    back = time.monotonic()
    wall.live(30)
    healed = time.monotonic() - back
    assert wall.banner() == ""
    file_one()
    same_as_fresh(wall, hang)
    say(
        f"W23: Redis killed: told after {told:.1f} s, a hazard seen {seen:.1f} s after its answer, healed {healed:.1f} s"
    )


@scales(20, 0)
def test_w24_a_line_that_only_looks_open_is_found_out_within_thirty_seconds(site, hang, file_one, say, scale):
    """W24. The short form lets the page's clock run ``scale`` seconds ahead."""
    with line_to(site) as (proxy, port):
        wall = hang(port=port, before=lambda page: page.clock.install()).live()
        wall.page.evaluate(
            """() => {
              const root = document.documentElement, told = window.told = [];
              const note = () => { if (root.dataset.truth !== 'live') told.push(Date.now()); };
              new MutationObserver(note).observe(root, { attributeFilter: ['data-truth'] });
            }"""
        )
        time.sleep(2)
        on_loop(proxy, lambda line: line.speaks.clear())
        silent = wall.page.evaluate("Date.now()")
        missed = file_one()
        if scale:
            wall.page.clock.fast_forward(scale * 1000)
        until(lambda: wall.page.evaluate("told.length"), 40)
        took = (wall.page.evaluate("told[0]") - silent) / 1000
        wall.live(40)
        until(lambda: missed in wall.ids("live"), 20)
    say(f"W24: half-open line: told after {took:.1f} s")
    assert took <= 30


def test_a_change_of_rights_reaches_the_screen_within_five_seconds(site, hang, say):
    wall = hang("operator", number=1).live()
    name = site.account("operator", 1)["username"]
    site.query("UPDATE accounts_user SET is_active = false WHERE username = %s", name)
    changed = time.monotonic()
    try:
        wall.page.wait_for_url(lambda url: "/login/" in url, timeout=15_000, wait_until="commit")
        took = time.monotonic() - changed
    finally:
        site.query("UPDATE accounts_user SET is_active = true WHERE username = %s", name)
    say(f"S4 on the wall: rights changed: the page is gone after {took:.1f} s")
    assert took < 5


def test_a_screen_whose_clock_is_wrong_says_so_and_shows_the_servers(hang):
    """W39."""
    ahead = "{ const now = Date.now; Date.now = () => now() + 600000; }"
    wall = hang(before=lambda page: page.add_init_script(ahead)).live()
    until(lambda: "时钟" in wall.banner(), 20)
    shown = wall.page.inner_text("#clock")
    hours, minutes, seconds = (int(part) for part in shown.split(":"))
    utc = time.time() + 8 * 3600
    assert abs((hours * 3600 + minutes * 60 + seconds) - utc % 86400) < 5
    assert "-" not in wall.page.inner_text("#live .ago >> nth=0")


def test_a_list_under_the_pointer_stands_still_and_says_how_many_are_new(hang, file_one):
    """W15, for hazards."""
    wall = hang().live()
    wall.page.hover("#live ol li >> nth=0")
    before = wall.ids("live")
    hazard = file_one()
    until(lambda: wall.page.is_visible("#live .more"), 10)
    assert "条新" in wall.page.inner_text("#live .more")
    assert wall.ids("live") == before
    wall.page.mouse.move(960, 40)
    until(lambda: hazard in wall.ids("live"), 5)


def test_a_panel_that_cannot_be_read_says_its_code_and_the_others_live_on(hang, file_one):
    """W40."""
    wall = hang().live()
    wall.page.route("**/api/v1/wall/items/**", lambda route: route.fulfill(status=503, body="{}"))
    hazard = file_one()
    wall.page.wait_for_selector("#live .trouble")
    assert "503" in wall.page.inner_text("#live .trouble")
    assert wall.page.locator(".trouble").count() == 1
    assert hazard in wall.ids("live")
    wall.page.unroute("**/api/v1/wall/items/**")
    until(lambda: wall.page.locator("#live .trouble").count() == 0, 20)
    until(lambda: wall.page.locator(f'#live li[data-id="{hazard}"] .what:not(.is-coming)').count(), 15)


def test_a_newer_version_is_taken_up_in_a_quiet_minute(hang):
    """W29."""

    def upgraded(page: Page) -> None:
        page.clock.install()
        speaks_of_another_version(page)

    wall = hang(before=upgraded).live()
    wall.page.evaluate("window.same = true")
    wall.page.clock.fast_forward(5_000)
    time.sleep(1)
    assert wall.page.evaluate("window.same") is True
    with wall.page.expect_navigation(wait_until="commit"):
        wall.page.clock.fast_forward(65_000)
    assert wall.page.evaluate("window.same ?? false") is False


# -- sounds -----------------------------------------------------------------------------------------

NOTES = """
  window.notes = [];
  // Playwright's questions count as a hand on the page; so that the browser's policy is seen, sound begins suspended.
  window.AudioContext = class extends AudioContext { constructor() { super(); this.suspend(); } };
  const start = OscillatorNode.prototype.start;
  OscillatorNode.prototype.start = function (at) { window.notes.push(this.frequency.value); return start.call(this, at); };
"""
WAITING, LATE = [660, 880], [440]


def listening(page: Page) -> None:
    """Write down every note a page plays; let its clock be set forward."""
    page.add_init_script(NOTES)
    page.clock.install()


def notes(wall: Wall) -> list[int]:
    return wall.page.evaluate("window.notes")


def file_major(site: Any, place: dict[str, float]) -> str:
    return file_hazard(site, place, severity="major", criterion="other: 判定标准第五条第一款", description="燃气泄漏")


def test_a_major_hazard_is_heard_until_somebody_accepts_it(site, hang, place):
    """W19: blocked, allowed, every fifteen seconds, muted, answered. The clock of the page is set forward."""
    wall = hang(before=listening).live()
    page = wall.page
    until(lambda: page.is_visible("#sound-blocked"), 20)
    assert "声音被禁止" in page.inner_text("#sound")
    first = file_major(site, place)
    until(lambda: page.is_visible("#waiting"), 20)
    time.sleep(1)
    assert notes(wall) == []
    page.click("#sound-blocked button")
    until(lambda: "声音开" in page.inner_text("#sound"), 10)
    assert not page.is_visible("#sound-blocked")
    page.clock.fast_forward(15_000)
    until(lambda: notes(wall) == WAITING, 5)
    page.clock.fast_forward(15_000)
    until(lambda: notes(wall) == WAITING * 2, 5)
    assert page.locator("#waiting a").count() == 1
    # Muted: in words, with the time when it ends.
    page.click("#sound")
    page.click("[data-mute='30']")
    assert re.search(r"静音至 \d\d:\d\d", page.inner_text("#sound"))
    page.click("#help-close")
    until(
        lambda: site.query("SELECT until - begun_at, ended_at FROM dashboard_mute") == [(timedelta(minutes=30), None)],
        5,
    )
    page.clock.fast_forward(15_000)
    time.sleep(0.5)
    assert notes(wall) == WAITING * 2
    page.click("#sound")
    page.click("#sound-test")
    until(lambda: notes(wall) == WAITING * 3, 5)
    assert "过去 24 小时" in page.inner_text("#mutes-lately")
    page.click("#sound-unmute")
    page.click("#help-close")
    until(lambda: site.query("SELECT ended_at IS NOT NULL FROM dashboard_mute") == [(True,)], 5)
    # A page that is loaded again goes on; somebody's answer ends it.
    page.reload()
    wall.live()
    page.click("#sound-blocked button")
    until(lambda: page.is_visible("#waiting") and "声音开" in page.inner_text("#sound"), 30)
    until(lambda: notes(wall)[:2] == WAITING or page.clock.fast_forward(15_000), 30, 0.5)
    for (hazard,) in site.query("SELECT id::text FROM hazards_hazard WHERE severity = 'major' AND state = 'reported'"):
        step(site, hazard, "accept" if hazard == first else "refuse", **({} if hazard == first else {"reason": "重复"}))
    until(lambda: not page.is_visible("#waiting"), 20)
    heard = len(notes(wall))
    page.clock.fast_forward(15_000)
    time.sleep(0.5)
    assert len(notes(wall)) == heard
    # A mute ends by itself.
    page.click("#sound")
    page.click("[data-mute='15']")
    page.click("#help-close")
    page.clock.fast_forward(901_000)
    until(lambda: "声音开" in page.inner_text("#sound"), 10)


def test_what_was_missed_or_is_old_is_one_line_and_no_sound(site, hang, place):
    """W27; and what has just become overdue is one soft note."""
    with line_to(site) as (proxy, port):
        wall = hang(port=port, before=listening).live()
        page = wall.page
        page.mouse.click(700, 20)  # a hand on the page is all that the browser asks for
        until(lambda: "声音开" in page.inner_text("#sound"), 20)
        overdue_cases(site, 2)
        until(lambda: notes(wall) == LATE, 20)
        proxy.target = free_port()
        on_loop(proxy, lambda line: line.reset())
        until(lambda: "重连" in wall.connection(), 12)
        missed = file_major(site, place)
        page.clock.fast_forward(310_000)
        proxy.target = site.port
        until(lambda: page.is_visible("#missed"), 40)
        assert "上报重大隐患 1 件" in page.inner_text("#missed")
        assert page.is_visible("#waiting")
        page.clock.fast_forward(15_000)
        time.sleep(0.5)
        assert notes(wall) == LATE
        page.click("#missed button")
        assert not page.is_visible("#missed")
        step(site, missed, "accept")
