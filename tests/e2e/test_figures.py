"""Whoever signs in: each number that stands on a page is the count of the list that it opens; and areas add up."""

import json
import re
import time
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from operator import lt
from random import Random
from urllib.parse import parse_qs, urlsplit
from xml.etree.ElementTree import Element

import pytest
from django.urls import resolve
from playwright.sync_api import Browser

from citysafety.accounts.menu import home_of
from citysafety.accounts.models import User
from citysafety.accounts.roles import Role
from citysafety.dashboard.templatetags.wall import grouped, percent
from citysafety.tallies import figures
from citysafety.tallies.selectors import AT_POSITION
from tests.running import Api, Instance, until

from .cases import issued_notice, overdue_cases
from .readers import Reader, Sheet, words

pytestmark = pytest.mark.e2e

# Pages looked at of one route, as many as are of different kinds: the usual number, and where it is another.
USUAL, MOST = 4, {"trends/": 6, "field/cases/": 8, "wall/": 1}
CITY = 4  # digits of its code
CHOICES = frozenset({"days", "filter", "list", "severity", "where"})  # filters of few values: each makes another page
MOST_MOVED = 60  # numbers that are not their list's at first sight: a city moves, but not all of it
PATIENCE_S = 30  # a wall reads its tables again within fifteen seconds
NUMBER = re.compile(r"\d{1,3}(,\d{3})+|\d{1,6}")
SHARES = re.compile(r"(\d+) / (\d+)$")  # what is overdue and open, as a leader's map says of its parts
NO_WORDS = frozenset({"script", "style", "template", "kbd", "time", "code", "option"})
GRID = (".//*[@id='list']//p[@class='panel-body quiet']", ".//*[@id='list']//tbody/tr", 50)
# Route → where a list says how many it has, its rows, and how many of them it shows.
LISTS: dict[str, tuple[str, str, int]] = {
    "hazards/": (".//p[@role='status']", ".//tr[@data-href]", 50),
    "supervision/": (".//section[@id='overdue']//span[@class='unit']", ".//tr[@data-row]", 500),
    "supervision/notices/": (".//div[@class='panel-head']/span[@class='unit']", ".//tr[@data-href]", 200),
    "grid/": GRID,
    "grid/workers/": GRID,
    "grid/premises/": GRID,
    "grid/components/": GRID,
    "inspections/": (".//p[@class='panel-body quiet']", ".//tr[@data-href]", 50),
    "inspections/done/": (".//p[@class='panel-body quiet']", ".//tr[@data-href]", 50),
    "hazards/rechecks/": (".//p[@class='panel-body quiet']", ".//tr[@data-href]", 50),
    "hazards/writeoffs/": (".//p[@class='panel-body quiet']", ".//tr[@data-href]", 50),
    "hazards/listed/": (".//span[@class='unit']", ".//tr[@data-href]", 200),
    "monitoring/alarms/": (".//p[@role='status']", ".//tr[@data-href]", 50),
    "monitoring/devices/": (".//p[@class='panel-body quiet']", ".//tr[@data-href]", 50),
    "field/cases/": (".//div[@class='where']/p", ".//a[@class='row']", 30),
}
# Who of a role goes, where it is not the first: somebody of a county or township sees other pages than the city's.
NARROWER = {Role.DISPATCHER: 3, Role.OPERATOR: 1, Role.LEADER: 1}
# What each role must have been shown at least: pages, figures of the register and of the queue, other numbers with a list.
LEAST: dict[str, tuple[int, int, int]] = {
    Role.GRID_WORKER: (30, 0, 12),
    Role.DEPARTMENT_HANDLER: (30, 50, 11),
    Role.DISPATCHER: (35, 75, 40),
    Role.OPERATOR: (30, 80, 50),
    Role.SUPERVISOR: (40, 125, 50),
    Role.LEADER: (35, 115, 55),
    Role.AUDITOR: (65, 100, 50),
    Role.SECURITY_OFFICER: (13, 0, 2),
    Role.ADMINISTRATOR: (50, 95, 12),
    Role.KIOSK: (2, 95, 0),
}


@cache
def route_of(address: str) -> str:
    return resolve(urlsplit(address).path).route


@cache
def kind_of(address: str) -> tuple[str, ...]:
    """Return what pages that are made alike have in common: route, filters, level of the area.

    Of the administration each list counts, and one page of all records: they are Django's own and hold no count of a case.
    """
    match, query = resolve(urlsplit(address).path), parse_qs(urlsplit(address).query, keep_blank_values=True)
    if match.route.startswith("admin/"):
        page = (match.view_name or "").rpartition("_")[2]
        return (match.route if page == "changelist" else f"admin/ {page}",)
    asked = (f"{name}={query[name][0]}" if name in CHOICES else name for name in sorted(query))
    return (match.route, *asked, str(len(query.get("area", [""])[0])))


@dataclass(frozen=True, slots=True)
class Number:
    """A number on a page: what it says, the list it opens, how its column or row is called, which figure it is."""

    text: str
    href: str
    label: str = ""
    figure: str = ""
    area: str = ""
    category: str = ""

    @property
    def place(self) -> "Number":
        return replace(self, text="")

    @property
    def value(self) -> int:
        return int(self.text.replace(",", ""))


def numbers(sheet: Sheet) -> Iterator[Number]:
    """Yield the figures of a page, the numbers that open something, and those that look as if they did."""
    of_the_admin = route_of(sheet.address).startswith("admin/")
    for node in sheet.root.iter():
        if node.tag in NO_WORDS or (of_the_admin and sheet.within(node, "main") is not None):
            continue
        text, href = (node.text or "").strip(), sheet.path_of(sheet.within(node, "a"))
        if key := node.get("data-figure"):
            yield Number(text, href, "", key, node.get("data-area", ""), node.get("data-category", ""))
        elif NUMBER.fullmatch(text) and (href or "figure" in node.get("class", "").split()):
            yield Number(text, href, label_of(sheet, node))
        elif node.tag == "title" and href and (shares := SHARES.search(text)):
            yield from (Number(shares[n], href, key) for n, key in ((1, "hazards.overdue"), (2, "hazards.open")))
        elif node.tag == "a" and href and node.find("rect") is not None:  # a day of the wall: its date, found, cleared
            yield Number(re.findall(r"[\d,]+", node.get("aria-label", ""))[-2], href)


def label_of(sheet: Sheet, node: Element) -> str:
    """Return how the column or row of a number is called; empty where it stands in neither."""
    cell = sheet.within(node, "td", "dd")
    if cell is None:
        return ""
    row = sheet.above[cell]
    if cell.tag == "dd":
        return words(row.find("dt"))
    heads = [words(head) for table in sheet.around(row) for head in table.findall("./thead/tr/th")]
    return heads[list(row).index(cell)] if heads else ""


def number_in(text: str) -> int:
    """Return the first number of some words, 0 without one."""
    found = NUMBER.search(text)
    return int(found[0].replace(",", "")) if found else 0


class Visitor(Reader):
    """Somebody who goes over the own pages, with a screen for those that are drawn by script, and asks the API beside them."""

    def __init__(self, site: Instance, role: str, chromium: Browser) -> None:
        super().__init__(site, role, NARROWER.get(role, 0))
        self.screen = chromium.new_context(viewport={"width": 1920, "height": 1080}, reduced_motion="reduce")
        self.screen.route("**/maplibre-gl*", lambda route: route.abort())  # no figure stands on the map alone
        self.screen.add_cookies([{"name": one.name, "value": one.value or "", "url": site.url} for one in self.cookies])
        rows = self.api.get("/api/v1/figures/")[1]["figures"]
        self.figures = {row["key"]: row for row in rows}
        self.opens_lists = any(row["list"] for row in rows)
        # A screen and a handler have no list of an area; whoever has the city's says whether what they see is true.
        self.counts: Api = self.api if self.opens_lists else site.api("operator")
        self.lists = {row["key"]: row["list"] for row in self.counts.get("/api/v1/figures/")[1]["figures"]}
        self.areas = {self.account["area"]}
        self.wrong: list[str] = []
        self.suspects: list[tuple[str, Number, str]] = []  # a page, a place on it, what is wrong there at first sight
        self.forget()

    def forget(self) -> None:
        """Look at everything afresh from now on."""
        self.sheets: dict[str, Sheet | None] = {}
        self.answers: dict[str, float] = {}

    # -- pages -------------------------------------------------------------------------------------

    def sheet(self, address: str) -> Sheet | None:
        if address not in self.sheets:
            found = self.open(address)
            self.sheets[address] = self.drawn(found) if found and route_of(found.address) == "wall/" else found
        return self.sheets[address]

    def drawn(self, sheet: Sheet) -> Sheet:
        """Return a page as it stands once its tables are drawn."""
        with self.screen.new_page() as page:
            page.goto(self.site.url + sheet.address, wait_until="commit")
            page.wait_for_selector("#kinds td [data-figure]", timeout=60_000)
            return Sheet(sheet.address, page.content())

    def crawl(self) -> Iterator[Sheet]:
        """Yield a page of each kind, beginning with the first one and its menu; nothing is sent or downloaded."""
        home = home_of(User(role=self.role, area_code=self.account["area"]))
        ways, kinds, routes = deque([home]), set[tuple[str, ...]](), Counter[str]()
        while ways:
            address = ways.popleft()
            kind = kind_of(address)
            more = kind[0] == "wall/" and len(self.account["area"]) == CITY  # a county's too
            if kind in kinds or routes[kind[0]] == MOST.get(kind[0], USUAL) + more:
                continue
            kinds.add(kind)
            routes[kind[0]] += 1
            if (sheet := self.sheet(address)) is None:
                self.wrong.append(f"{self.role}: {address} leads to no page")
                continue
            yield sheet
            for link in sheet.root.iter("a"):
                way = urlsplit(sheet.path_of(link))._replace(fragment="")
                is_page = way.path.endswith("/") and "download" not in link.attrib
                if is_page and sheet.within(link, "header", "nav", "main") is not None:
                    ways.append(way.geturl())

    # -- counts ------------------------------------------------------------------------------------

    def count(self, path: str) -> float:
        if path not in self.answers:
            status, body = self.counts.get(path)
            assert status == 200, (self.role, path, body)
            self.answers[path] = body["count"]
        return self.answers[path]

    def added_up(self, path: str, field: str) -> float:
        """Return what the rows of a list add up to."""
        if path not in self.answers:
            total, ahead = 0.0, f"{path}&page_size=1000"
            while ahead:
                page = self.counts.get(ahead.removeprefix(self.site.url))[1]
                total, ahead = total + sum(float(row[field] or 0) for row in page["results"]), page["next"]
            self.answers[path] = total
        return self.answers[path]

    def counted(self, page: str, one: Number) -> str:
        """Return what the API makes of a figure: the count of its list, the sum over it, the share of two."""
        if one.figure.startswith("queue."):
            return grouped(self.count(f"/api/v1/centre/queue/count/?{urlsplit(one.href).query}"))
        asked = {**parse_qs(urlsplit(page).query), **parse_qs(urlsplit(one.href).query)}
        area = one.area or asked.get("area", [self.account["area"]])[0]
        self.areas.add(area)
        among = f"area={area}" + (f"&category={one.category}" if one.category else "")

        def listed(key: str, twin: str = "count/") -> str:
            return f"{urlsplit(self.lists[key]).path}{twin}?figure={key}&{among}"

        row = self.figures[one.figure]
        match row["kind"]:
            case "ratio":
                part, whole = (self.count(listed(row[key])) for key in ("numerator", "denominator"))
                return percent(part / whole if whole else None)
            case "sum":
                return grouped(self.added_up(listed(one.figure, ""), row["field"]))
        return grouped(self.count(listed(one.figure)))

    def listed(self, one: Number) -> int | None:
        """Return how many the list of a number says that it has; if it does not show as many, how many it shows.

        Nothing where the number leads to no list.
        """
        way = urlsplit(one.href)
        address, route = way._replace(fragment="").geturl(), route_of(one.href)
        if (sheet := self.sheet(address)) is None:
            return None
        root = sheet.root
        if way.fragment:  # a table of the same page
            heads = [words(head) for head in root.findall(f".//*[@id='{way.fragment}']//thead/tr/th")]
            rows = root.findall(f".//*[@id='{way.fragment}']//tbody/tr")
            return sum(number_in(words(row[heads.index(one.label)])) for row in rows)
        if route == "trends/":
            rows = root.findall(".//dl[@class='trend-sums']/div")
            return next((number_in(words(row.find("dd"))) for row in rows if words(row.find("dt")) == one.label), None)
        if route == "leader/":
            places = root.findall(f".//main//*[@data-figure='{one.label}']")
            return next((number_in(words(place)) for place in places if "data-area" not in place.attrib), None)
        if route == "centre/":
            look = json.loads(words(root.find(".//script[@id='look']")))
            return look["counts"][look["filter"]] if look["next"] else len(look["results"])
        if route == "notices/":
            unread = self.api.get("/api/v1/notices/count/?unread=true")[1]["count"]
            rows = len(root.findall(".//tr[@class='is-unread']"))
            return rows if "unread" in way.query and rows != min(unread, 30) else unread
        if route not in LISTS:
            return None
        says, of_rows, most = LISTS[route]
        has, shown = number_in(words(root.find(says))), len(root.findall(of_rows))
        return has if shown == min(has, most) else shown

    # -- complaints --------------------------------------------------------------------------------

    def complaint(self, page: str, one: Number, *, opens: bool = True) -> str:
        """Say what is wrong with a number of a page, its list opened or not; empty when nothing is."""
        where = f"{self.role} at {page}: {one.figure or one.label} {one.text} → {one.href}"
        if one.figure and (counted := self.counted(page, one)) != one.text:
            return f"{where}: the API counts {counted}"
        if not one.href:
            return f"{where}: opens no list" if self.opens_lists else ""
        if not opens or (one.figure in self.figures and self.figures[one.figure]["kind"] != "count"):
            return ""  # a share or a sum of the list that it opens
        listed = self.listed(one)
        return f"{where}: the list has {listed}" if listed != one.value else ""

    def look_round(self) -> tuple[int, int, int]:
        """Look at all figures, and open the lists of other numbers: of each kind of page, one of every column or row that
        leads to one kind of page and one that is zero, not the same ones for every role.

        Return how many pages, figures, and other numbers with their lists were seen.
        """
        pages = figured = opened = 0
        known, kinds = set[Number](), set[tuple[str, ...]]()
        for sheet in self.crawl():
            found = list(numbers(sheet))
            pages, figured = pages + 1, figured + sum(bool(one.figure) for one in found)
            for one in Random(self.role).sample(found, len(found)):
                ways = kind_of(one.href)[:-1] if one.href else ()  # of whatever level
                kind = (route_of(sheet.address), one.figure or one.label, str(one.text == "0"), *ways)
                opens = kind not in kinds
                if one in known or not (one.figure or opens):
                    continue
                known.add(one)
                kinds.add(kind)
                opened += not one.figure
                if complaint := self.complaint(sheet.address, one, opens=opens):
                    self.suspects.append((sheet.address, one.place, complaint))
        self.forget()  # hundreds of trees
        return pages, figured, opened

    def look_again(self) -> list[str]:
        """Return what is wrong still; what stands there no longer is not wrong."""
        self.forget()
        found = []
        for page, place, _complaint in self.suspects:
            sheet = self.sheet(page)
            same = [one for one in numbers(sheet) if one.place == place] if sheet else []
            found += filter(None, (self.complaint(page, one) for one in same))
        return found

    def look_at_positions(self) -> int:
        """Compare each count of an area of every level with its list at the same position; return how many."""
        compared = 0
        for area in {len(area): area for area in sorted(self.areas)}.values():
            for row in self.api.get(f"/api/v1/figures/?area={area}")[1]["figures"]:
                if row["kind"] != "count" or not row["list"]:
                    continue
                path, _, query = row["list"].partition("?")
                listed, compared = self.api.get(f"{path}count/?{query}"), compared + 1
                if listed != (200, {"count": row["value"]}):
                    self.wrong.append(f"{self.role}: {row['list']} answers {listed}, the figure says {row['value']}")
        return compared


def test_w41_every_number_of_every_page_is_the_count_of_the_list_it_opens(site, chromium, say):
    """W41: for every role, from its first page on. What moved between two looks is looked at again."""
    issued_notice(site, overdue_cases(site, 3, major=1)[-1])
    started, visitors = time.monotonic(), [Visitor(site, role, chromium) for role in site.accounts]
    seen = {visitor.role: visitor.look_round() for visitor in visitors}
    at_positions = sum(visitor.look_at_positions() for visitor in visitors)
    moved = [complaint for visitor in visitors for *_, complaint in visitor.suspects]
    assert len(moved) <= MOST_MOVED, moved
    late: list[str] = []

    def settled() -> bool:
        late[:] = [complaint for visitor in visitors for complaint in visitor.look_again()]
        return not late

    with suppress(AssertionError):
        until(settled, PATIENCE_S, 1)
    wrong = [*late, *(words for visitor in visitors for words in visitor.wrong)]
    pages, figured, opened = (sum(found) for found in zip(*seen.values(), strict=True))
    say(
        f"W41: {len(seen)} roles, {pages} pages; {figured} figures, {opened} other numbers opened, {at_positions} counts at a"
        f" position; looked at again {len(moved)}, wrong {len(wrong)}; {time.monotonic() - started:.0f} s"
    )
    assert wrong == []
    assert set(seen) == set(LEAST) == set(Role.values)
    less = {role: found for role, found in seen.items() if any(map(lt, found, LEAST[role]))}
    assert less == {}


def test_w33_children_add_up_to_their_parent_in_every_area(site, say):
    """W33: every count of all 8,000 areas at one position, by the figures' own query; the API says the same.

    Below villages a case lies in its cell and perhaps in a dedicated one, which counts it too and is left out here.
    """
    started = time.monotonic()
    api = site.api("operator")
    _status, board = api.get("/api/v1/figures/")
    at, counts = board["position"], [row["key"] for row in board["figures"] if row["kind"] == "count"]
    kinds = dict(site.query("SELECT code, kind FROM grid_cell WHERE active"))
    codes = {code for (code,) in site.query("SELECT code FROM grid_division")} | set(kinds)
    daily = [figures.is_daily(key) for key in counts]
    values = {code: dict.fromkeys(counts, 0) for code in codes}
    for *_, area, key, value in site.query(AT_POSITION, at=at, areas=list(codes), keys=counts, daily=daily):
        if area:
            values[area][key] = int(value)
    own = {  # what lies in an area itself, in none of its parts
        (area, key): count
        for area, key, count in site.query(
            "SELECT area, key, count(DISTINCT subject_id) FROM tallies_period, unnest(now || today) key"
            " WHERE since <= %(at)s AND length(area) < 15 AND CASE WHEN key LIKE '%%\\_today' THEN day ="
            " (%(as_of)s::timestamptz AT TIME ZONE 'Asia/Shanghai')::date ELSE until > %(at)s END GROUP BY 1, 2",
            at=at,
            as_of=board["as_of"],
        )
    }
    sums = {code: dict.fromkeys(counts, 0) for code in codes}
    for code in codes - {"3705"}:
        above = next(code[:digits] for digits in (12, 9, 6, 4) if digits < len(code) and code[:digits] in codes)
        for key in counts:
            if kinds.get(code) != "dedicated" or key.startswith(("cells.", "workers.")):
                sums[above][key] += values[code][key]
    wrong = [
        (code, key, values[code][key], sums[code][key], own.get((code, key), 0))
        for code in codes - set(kinds)
        for key in counts
        if values[code][key] != sums[code][key] + own.get((code, key), 0)
    ]
    assert wrong == []
    asked = [code for code in sorted(codes) if len(code) <= 9] + sorted(code for code in codes if len(code) == 12)[::40]
    for code in asked:
        _status, body = api.get(f"/api/v1/figures/?area={code}&at={at}")
        assert {row["key"]: row["value"] for row in body["figures"] if row["kind"] == "count"} == values[code], code
    say(f"W33: {len(codes):,} areas add up; {len(asked)} asked of the API: {time.monotonic() - started:.1f} s")
