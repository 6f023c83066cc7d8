"""The wall, looked at as a room looks at it: what stands on it is true, fits its screen and leads on."""

import json
import re
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pypdfium2
import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.running import until

from .walls import Wall, ask_map, count_of, map_sources

pytestmark = pytest.mark.e2e

SIZES = [(1920, 1080), (3840, 1080), (5760, 2160)]
LANGUAGES = ["zh-hans", "en"]


# -- what it looks like -----------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("size", SIZES)
def test_it_fits_its_screen_without_scrolling_and_nothing_lies_on_a_seam(hang, size, language):
    """W1, W2, W4, W5, W42."""
    wall = hang(size=size, language=language).live()
    found = wall.page.evaluate(
        """([seamsX, seamsY, unit]) => {
          const root = document.documentElement, wrong = [];
          const leaves = [...document.querySelectorAll('body.wall *')].filter(node => !node.closest('dialog, template, .visually-hidden, #map, #tip, [hidden]')
            && [...node.childNodes].some(child => child.nodeType === 3 && child.textContent.trim()));
          for (const node of leaves) {
            const range = document.createRange();
            range.selectNodeContents(node);
            const box = range.getBoundingClientRect(), text = node.textContent.trim().slice(0, 40), style = getComputedStyle(node);
            if (!box.width || style.clipPath !== 'none') continue;
            const own = node.getBoundingClientRect(), cuts = style.textOverflow === 'ellipsis' || node.closest('.cut, h1, #kinds th');
            const shown = cuts ? own : box;
            if (shown.right > innerWidth + 1 || shown.bottom > innerHeight + 1) wrong.push(`outside: ${text}`);
            const panel = node.closest('.panel');
            if (panel && shown.right > panel.getBoundingClientRect().right + 1) wrong.push(`beyond its panel: ${text}`);
            for (const x of seamsX) if (shown.left < x - 1 && shown.right > x + 1) wrong.push(`on the seam ${x}: ${text}`);
            if (parseFloat(style.fontSize) < 20 * unit - .1) wrong.push(`small: ${text}`);
            if (node.closest('.what, .over') && parseFloat(style.fontSize) < 24 * unit - .1) wrong.push(`small to act on: ${text}`);
          }
          for (const panel of document.querySelectorAll('.panel'))
            if (!panel.querySelector('h2')?.textContent || !panel.querySelector('.as-of')?.textContent) wrong.push(`no title or time: ${panel.id}`);
          return { wrong, height: [root.scrollHeight, root.clientHeight], width: [root.scrollWidth, root.clientWidth],
            panels: document.querySelectorAll('.panel').length };
        }""",
        [{1920: [], 3840: [1920], 5760: [1920, 3840]}[size[0]], [], size[1] / 1080],
    )
    assert found["wrong"] == []
    assert found["height"][0] == found["height"][1]
    assert found["width"][0] == found["width"][1]
    assert found["panels"] <= 7


@pytest.mark.parametrize(("role", "language"), [("operator", "zh-hans"), ("operator", "en"), ("kiosk", "zh-hans")])
def test_it_has_no_serious_barrier_and_the_policy_stops_nothing_of_it(hang, role, language):
    wall = hang(role, language=language).live().drawn()
    serious = [
        (found["id"], found["nodes"][0]["html"])
        for found in Axe().run(wall.page).response["violations"]
        if found["impact"] in ("serious", "critical")
    ]
    assert serious == []
    assert wall.complaints == []


# -- figures ----------------------------------------------------------------------------------------


OF_OFFICES = {"hazards.dispatched_today", "hazards.marked_today"}  # what trends weigh offices by; the wall does without


def test_every_figure_opens_the_list_that_makes_it(site, hang):
    """W41: pinned through the API to one position, and each figure of the page against its page's list."""
    api = site.api("operator")
    _status, board = api.get("/api/v1/figures/?area=3705")
    counts = {row["key"]: row for row in board["figures"] if row["kind"] == "count"}
    for row in counts.values():
        path, _, query = row["list"].partition("?")
        assert api.get(f"{path}count/?{query}")[1] == {"count": row["value"]}, row["key"]
    wall = hang().live()
    drawn = wall.page.eval_on_selector_all(
        "[data-figure]",
        """nodes => nodes.map(node => ({ key: node.dataset.figure, area: node.dataset.area ?? '3705',
          category: node.dataset.category ?? '', has: node.getAttributeNames(), href: node.closest('a')?.getAttribute('href') ?? '' }))""",
    )
    of_the_wall = {key for key in counts if not key.startswith("alarms.")}  # on the pages of monitoring
    assert {row["key"] for row in drawn} >= of_the_wall - OF_OFFICES
    for row in drawn:
        assert row["href"], row
        asked = {key: values[0] for key, values in parse_qs(urlsplit(row["href"]).query).items()}
        assert asked["area"] == row["area"], row
        assert asked.get("category", "") == row["category"], row
        if row["key"] in counts:  # the city moves while we count: the figure follows its list
            where = "".join(
                f'[data-{name}="{row[name]}"]' for name in ("area", "category") if f"data-{name}" in row["has"]
            )
            plain = "".join(f":not([data-{name}])" for name in ("area", "category") if f"data-{name}" not in row["has"])
            place = wall.page.locator(f'[data-figure="{row["key"]}"]{where}{plain}').first

            def equal(row: dict[str, Any] = row, place: Any = place) -> bool:
                listed = count_of(site, row["key"], area=row["area"], category=row["category"])
                return int(place.inner_text().replace(",", "")) == listed

            until(equal, 30, 1)


def test_the_page_behind_a_figure_shows_as_many(site, hang):
    wall = hang(language="en").live()
    for key in ("hazards.open", "hazards.overdue", "hazards.major_open", "hazards.found_today"):
        href = wall.page.get_attribute(f'a:has(> [data-figure="{key}"]:not([data-area]):not([data-category]))', "href")

        def equal(key: str = key, href: str | None = href) -> bool:
            answer = wall.page.request.get(f"{site.url}{href}")
            shown = re.search(r">([\d,]+) hazards?<", answer.text())
            return answer.status == 200 and shown is not None and shown[1] == f"{wall.figure(key):,}"

        until(equal, 20, 1)


def test_the_levels_of_the_drill_down_add_up(site, hang):
    """W33: parts and what lies in none of them are the whole."""
    for area in ("3705", "370502", "370502001"):
        wall = hang(query=f"?area={area}").live()
        rows = wall.page.evaluate(
            "look => JSON.parse(document.getElementById('look').textContent)",
        )
        whole = next(row["value"] for row in rows["figures"] if row["key"] == "hazards.open")
        assert whole - sum(part["open"] for part in rows["parts"]) == count_of(site, "hazards.open", area=area) - sum(
            count_of(site, "hazards.open", area=part["code"]) for part in rows["parts"]
        )
        wall.page.context.close()


# -- exploring --------------------------------------------------------------------------------------


def test_a_city_leads_to_a_case_in_four_clicks(site, hang, file_one):
    """W33, W31: county, township, cell, case; each address can be pasted; Escape goes up."""
    hazard = file_one()
    _status, found = site.api("operator").get(f"/api/v1/hazards/{hazard}/")
    cell = found["cell"]["code"] if isinstance(found["cell"], dict) else found["cell"]
    wall = hang(query="?scale=100").live()
    page = wall.page
    for digits in (6, 9):
        page.click(f'#parts li[data-code="{cell[:digits]}"] .name')
        page.wait_for_url(lambda url, digits=digits: f"area={cell[:digits]}" in url and "scale=100" in url)
    wall.drawn()
    page.mouse.click(*until(lambda: ask_map(wall, LAND % json.dumps([cell, *found["location"].values()])), 10))
    page.wait_for_url(lambda url: "area=" in url and len(parse_qs(urlsplit(url).query)["area"][0]) == 15)
    page.keyboard.press("Escape")
    page.wait_for_url(lambda url: len(parse_qs(urlsplit(url).query)["area"][0]) < 15)
    page.goto(f"{site.url}/wall/?area={cell}")
    until(lambda: hazard in wall.ids("live"), 10)
    page.click(f'#live li[data-id="{hazard}"] a')
    page.wait_for_url(f"**/hazards/{hazard}/")


# A place in a cell, near one given, on which no sign stands.
LAND = """map => {
  const [code, lon, lat] = %s, box = map.getContainer().getBoundingClientRect(), near = map.project([lon, lat]);
  for (let y = near.y - 60; y < near.y + 60; y += 6)
    for (let x = near.x - 60; x < near.x + 60; x += 6) {
      const found = map.queryRenderedFeatures([x, y]).map(one => [one.layer.id, one.properties.code]);
      const isFree = !found.some(([layer]) => ['hazards', 'clusters'].includes(layer));
      if (isFree && found.some(([layer, at]) => layer === 'cells' && at === code)) return [box.x + x, box.y + y];
    }
  return null;
}"""


def pixel(wall: Wall, lon: float, lat: float) -> tuple[float, float]:
    """Return where a place lies on the screen, beside the sign that may stand on it."""
    x, y = ask_map(
        wall,
        f"""map => {{
          const {{ x, y }} = map.project([{lon}, {lat}]), box = map.getContainer().getBoundingClientRect();
          return [box.x + x, box.y + y + 6];
        }}""",
    )
    return x, y


CLUSTERS = """async map => {
  const box = map.getContainer().getBoundingClientRect(), source = map.getSource('hazards');
  return Promise.all(map.queryRenderedFeatures({ layers: ['clusters'] }).map(async one => {
    const { x, y } = map.project(one.geometry.coordinates), { cluster_id: id, point_count: count, o, m } = one.properties;
    const leaves = (await source.getClusterLeaves(id, count, 0)).map(leaf => leaf.properties);
    return { at: [box.x + x, box.y + y - 12], count, o, m, late: leaves.some(leaf => leaf.o), major: leaves.some(leaf => leaf.m), leaves: leaves.length };
  }));
}"""


def test_a_cluster_is_as_grave_as_its_worst_member_and_opens_to_its_cases(site, hang, file_one):
    """W34."""
    wall = hang().live().drawn()
    listed = count_of(site, "hazards.open", area="3705")
    until(
        lambda: len(map_sources(wall)) == listed and str(listed) in wall.page.inner_text("#on-map").replace(",", ""),
        20,
        1,
    )
    assert wall.page.get_attribute("#on-map", "href") == "/hazards/?open=true&area=3705"
    until(lambda: ask_map(wall, "map => map.areTilesLoaded() && !map.isMoving()"), 20)
    clusters = until(lambda: ask_map(wall, CLUSTERS), 20, 1)
    assert len(clusters) > 5
    for one in clusters:
        assert (one["count"], bool(one["o"]), bool(one["m"])) == (one["leaves"], one["late"], one["major"]), one
    near = "map => map.getZoom()"
    before = ask_map(wall, near)
    middle = min(clusters, key=lambda one: abs(one["at"][0] - 880) + abs(one["at"][1] - 450))
    wall.page.mouse.click(*middle["at"])
    until(lambda: ask_map(wall, near) > before + 0.5, 10)
    wall.page.keyboard.press("Escape")
    until(lambda: abs(ask_map(wall, near) - before) < 0.01, 10)
    hazard = file_one()
    until(lambda: hazard in map_sources(wall), 10)
    lon, lat = map_sources(wall)[hazard][:2]
    ask_map(
        wall,
        f"map => {{ map.jumpTo({{ center: [{lon}, {lat}], zoom: 17 }}); return new Promise(done => map.once('idle', () => done(1))); }}",
    )
    x, y = pixel(wall, lon, lat)
    wall.page.mouse.click(x, y - 18)
    wall.page.wait_for_url("**/hazards/*-*/")


def test_paper_and_pictures_carry_the_time(hang):
    """W42."""
    today = datetime.now(ZoneInfo("Asia/Shanghai"))
    for query in ("", "?scale=200"):
        wall = hang(language="en", query=query).live()
        assert wall.page.is_visible("#clock")
        wall.page.emulate_media(media="print")
        assert wall.page.is_visible("#date")
        year = wall.page.evaluate("getComputedStyle(document.getElementById('date'), '::before').content")
        assert str(today.year) in year
        sheet = pypdfium2.PdfDocument(wall.page.pdf(landscape=True))[0].get_textpage().get_text_range()
        text = "".join(sheet.split())  # where letters are set one by one they come one a line
        assert re.search(r"\d\d:\d\d:\d\d", text)
        assert f"{today:%b}" in text
        wall.page.context.close()


def test_keys_are_shown_work_and_can_be_switched_off(hang):
    """W35."""
    wall = hang(language="en").live()
    page = wall.page
    page.keyboard.press("?")
    assert page.is_visible("#help")
    assert {"?", "F", "Esc", "J", "K", "Enter", "N"} <= set(
        page.eval_on_selector_all("#help kbd", "all => all.map(one => one.textContent)")
    )
    page.click("#help-close")
    page.keyboard.press("j")
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement === document.querySelectorAll('.list a.case')[1]")
    page.keyboard.press("n")
    page.wait_for_selector("#notices-box[open]")
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    page.uncheck("#keys-on")
    page.click("#help-close")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement === document.body")
    page.keyboard.press("?")
    assert page.is_visible("#help")
    page.check("#keys-on")


def test_the_unread_notices_of_the_strip_are_those_of_the_inbox(site, hang):
    wall = hang(language="en").live()
    _status, body = site.api("operator").get("/api/v1/notices/count/?unread=true")
    assert int(wall.page.inner_text("#notices b").replace(",", "")) == body["count"]


def test_an_unattended_screen_opens_no_list_and_shows_no_name(site, hang, file_one):
    """W37, W38."""
    hazard = file_one()
    wall = hang("kiosk").live()
    until(lambda: hazard in wall.ids("live"), 10)
    page = wall.page
    assert page.locator("#board a[href^='/hazards/'], #board a[href^='/grid/'], #strip a[href^='/']").count() == 0
    assert page.locator("#notices").count() == 0
    assert page.locator("#waiting a, #on-map[href]").count() == 0
    assert "声音" in page.inner_text("#sound")
    page.keyboard.press("n")
    assert page.locator("dialog[open]").count() == 0
    for address in ("/hazards/", f"/hazards/{hazard}/", "/grid/workers/", "/admin/"):
        answer = page.request.get(f"{site.url}{address}", max_redirects=0)
        assert answer.status in (302, 403, 404), f"{address}: {answer.status}"
    names = [
        name for row in site.query("SELECT name_zh, name_en FROM accounts_user WHERE name_zh <> ''") for name in row
    ]
    said = page.content() + json.dumps(
        page.evaluate("fetch('/api/v1/wall/').then(answer => answer.json())"), ensure_ascii=False
    )
    tokens = set(said.replace('"', " ").replace("<", " ").replace(">", " ").split())
    assert not tokens & {name for name in names if len(name) > 1}
    assert "楼道堆物" not in said
    until(lambda: page.evaluate("'idle' in document.documentElement.dataset"), 12)
    assert page.evaluate("getComputedStyle(document.body).cursor") == "none"
