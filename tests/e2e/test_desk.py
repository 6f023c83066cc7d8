"""Every page of the desk in a browser: readable by machines, quiet, no wider than its screen; and steps that go wrong."""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import URLPattern, URLResolver, get_resolver
from playwright.sync_api import Browser, Page, Route, expect, sync_playwright

from citysafety.accounts.roles import MASTER_DATA, PEOPLE
from citysafety.management.parts import DEMO_IMPORT
from tests.running import scales

from .browsers import DESK, PHONE, launch, opened
from .cases import overdue_cases

pytestmark = pytest.mark.e2e

# Pages of the desk: the route's pattern → who looks at it, and what to put in for its parts.
PAGES = {
    "login/": "",
    "account/": "dispatcher",
    "account/password/": "dispatcher",
    "notices/": "dispatcher",
    "notices/channels/": "dispatcher",
    "hazards/": "dispatcher",
    "hazards/<uuid:hazard_id>/": "dispatcher",
    "hazards/bulk/<uuid:run_id>/": "dispatcher",
    "hazards/evaluation/": "supervisor",
    "hazards/evaluation/doubts/": "supervisor",
    "hazards/listed/": "supervisor",
    "hazards/listed/<uuid:listing_id>/": "supervisor",
    "hazards/<uuid:hazard_id>/list/": "supervisor",
    "hazards/rechecks/": "supervisor",
    "hazards/rechecks/<uuid:recheck_id>/": "supervisor",
    "hazards/writeoffs/": "supervisor",
    "hazards/writeoffs/new/": "supervisor",
    "hazards/writeoffs/<uuid:list_id>/": "supervisor",
    "hazards/writeoffs/<uuid:list_id>/print/": "supervisor",
    "public/listed/": "",
    "public/report/": "",
    "public/follow/": "",
    "public/cases/": "",
    "grid/": "dispatcher",
    "grid/cells/<str:code>/": "dispatcher",
    "grid/workers/": "dispatcher",
    "grid/premises/": "dispatcher",
    "grid/premises/<str:code>/": "dispatcher",
    "grid/components/": "dispatcher",
    "grid/components/<str:code>/": "dispatcher",
    "grid/components/import/": "administrator",
    "grid/components/import/<uuid:pk>/": "administrator",
    "grid/rezoning/": "dispatcher",
    "grid/rezoning/new/": "dispatcher",
    "grid/rezoning/<uuid:pk>/": "supervisor",
    "grid/rezoning/<uuid:pk>/draw/": "supervisor",
    "monitoring/": "dispatcher",
    "monitoring/systems/<slug:code>/": "administrator",
    "monitoring/register/": "supervisor",
    "monitoring/unknown/": "administrator",
    "monitoring/devices/": "dispatcher",
    "monitoring/devices/new/": "administrator",
    "monitoring/devices/<str:code>/": "administrator",
    "monitoring/devices/<str:code>/edit/": "administrator",
    "monitoring/datastreams/<int:pk>/": "dispatcher",
    "inspections/": "dispatcher",
    "inspections/done/": "dispatcher",
    "inspections/<uuid:inspection_id>/": "dispatcher",
    "inspections/premises/<str:code>/": "dispatcher",
    "inspections/new/": "dispatcher",
    "trends/": "leader",
    "evidence/look-closer/": "supervisor",
    "monitoring/alarms/": "operator",
    "monitoring/alarms/quality/": "supervisor",
    "supervision/": "supervisor",
    "supervision/notices/": "supervisor",
    "supervision/register/": "supervisor",
    "supervision/notices/<uuid:notice_id>/": "supervisor",
    "duty/": "dispatcher",
    "duty/leave/": "dispatcher",
    "duty/posts/new/": "dispatcher",
    "duty/posts/<int:pk>/": "dispatcher",
    "duty/posts/<int:pk>/edit/": "dispatcher",
    "duty/posts/<int:pk>/shift/": "dispatcher",
    "duty/posts/<int:pk>/pattern/": "dispatcher",
    "duty/posts/<int:pk>/handover/": "operator",
    "duty/shifts/<uuid:pk>/": "dispatcher",
    "duty/shifts/<uuid:pk>/swap/": "dispatcher",
    "duty/handovers/<uuid:pk>/": "operator",
    "verify/": "",
    "chain/<slug:kind>/<uuid:subject_id>/": "operator",
    "admin/accounts/why/": "security_officer",
    "api/v1/docs/": "dispatcher",
}
ALSO = [  # other looks of these pages
    ("hazards/?state=reported&area=3705&cell=370502001011001", "dispatcher"),
    ("hazards/?state=lost", "dispatcher"),
    ("hazards/?search=nothing-of-this-name", "dispatcher"),
    ("hazards/", "department_handler"),
    ("hazards/?overdue=1", "supervisor"),
    ("trends/?days=365", "leader"),
    ("trends/?category=XF", "dispatcher"),
    ("trends/?area=370502001011&days=30", "supervisor"),
    ("hazards/evaluation/?by=worker&times=true", "supervisor"),
    ("hazards/evaluation/", "department_handler"),
    ("hazards/evaluation/?by=moon", "leader"),
    ("hazards/evaluation/doubts/?detector=batch&set_aside=true", "auditor"),
    ("supervision/notices/?state=issued", "operator"),
    ("supervision/", "department_handler"),
    ("duty/?week=yesterday", "leader"),
    ("duty/", "auditor"),
    ("grid/premises/?search=nothing-of-this-name", "dispatcher"),
    ("grid/components/?search=nothing-of-this-name", "dispatcher"),
    ("monitoring/devices/?search=nothing-of-this-name", "dispatcher"),
    ("no/such/page/", "dispatcher"),
    ("admin/", "dispatcher"),
]
# Not pages of the desk: forms that lead elsewhere, files, other faces with tests of their own.
ELSEWHERE = (
    "", "logout/", "language/", "theme/", "account/tokens/<int:pk>/revoke/", "notices/unread/", "notices/read-all/",
    "notices/channels/retry/", "notices/channels/<int:pk>/switch/", "notices/channels/<int:pk>/remove/", "notices/devices/", "push-worker.js",
    "notices/<int:pk>/sign/", "notices/<int:pk>/open/", "admin/login/",
    "hazards/bulk/",  # leads to a page of its own
    "hazards/evaluation/export.<sheet:kind>", "hazards/evaluation/doubts/<int:pk>/set-aside/",
    "hazards/writeoffs/<uuid:list_id>/export.<sheet:kind>", "hazards/writeoffs/<uuid:list_id>/<slug:verb>/",
    "hazards/export.<sheet:kind>", "supervision/overdue.<sheet:kind>", "supervision/notices.<sheet:kind>",  # files
    "views/", "views/columns/", "views/<int:pk>/", "views/<int:pk>/delete/", "public/listed.json",
    "public/report/same/", "public/cases/<str:code>/", "public/cases/<str:code>/photos/<int:number>.jpg", "public/map/<int:version>/<slug:layer>.geojson",
    "public/cases/<str:code>/not-solved/", "public/cases/<str:code>/solved/",
    "supervision/cases/<uuid:hazard_id>/",  # a part of a page
    "monitoring/alarms/export.<sheet:kind>",
    "monitoring/alarms/<uuid:alarm_id>/",  # the demo's devices raise alarms when they move: a journey looks at one
    "grid/rezoning/<uuid:pk>/<slug:verb>/",
    "grid/components/export.<sheet:kind>", "grid/components/import/<uuid:pk>/apply/",
    "grid/components/import/<uuid:pk>/wrong.csv",
    "monitoring/systems/<slug:code>/move/", "monitoring/unknown/<int:pk>/<slug:verb>/",
    "monitoring/devices/export.<sheet:kind>", "monitoring/devices/<str:code>/move/",
    "duty/shifts/<uuid:pk>/cancel/", "duty/leave/<uuid:pk>/cancel/", "duty/swaps/<uuid:pk>/agree/",
    "duty/swaps/<uuid:pk>/refuse/",
    "verify/<str:code>/", "livez", "readyz", "metrics", "jsi18n/<str:language>/<str:version>.js",
)  # fmt: skip
OTHER_FACES = (
    "api/v1/",
    "open311/",
    "admin/",
    "wall/",
    "centre/",
    "leader/",
    "field/",
    "tiles/",
    "evidence/",
    "static/",
)
ADMIN_ROLES = {"administrator": MASTER_DATA, "security_officer": PEOPLE}
REFUSED = {"no/such/page/": 404, "admin/": 403}  # the browser itself complains of these answers
LOOKS = [("zh-hans", "desk"), ("en", "phone"), ("en", "desk"), ("zh-hans", "phone")]
SIZES = {"desk": DESK, "phone": PHONE}
QUIET = "document.readyState === 'complete' && !document.querySelector('.htmx-request, [aria-busy=true]')"


def routes(patterns: Any = None, before: str = "") -> Iterator[str]:
    """Yield the pattern of every address of the site."""
    for one in patterns if patterns is not None else get_resolver().url_patterns:
        here = before + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from routes(one.url_patterns, here)
        elif isinstance(one, URLPattern):
            yield here


def test_every_address_is_a_page_looked_at_here_or_known_to_be_none():
    unknown = [
        route
        for route in routes()
        if route not in PAGES and route not in ELSEWHERE and not route.startswith(OTHER_FACES)
    ]
    assert unknown == [], "say in PAGES who looks at it, or in ELSEWHERE that it is no page"
    assert set(PAGES) <= set(routes())


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        made = launch(playwright)
        yield made
        made.close()


@pytest.fixture(scope="module")
def parts(site: Any) -> dict[str, str]:
    """What stands in for the parts of addresses."""
    api, supervisor = site.api("dispatcher"), site.api("supervisor")
    operator = site.api("operator")
    desk_shift = planned_shift(site)
    handover = operator.post(
        "/api/v1/duty/handovers/", {"id": str(uuid.uuid4()), "post": desk_shift["post"], "matters": "无"}
    )
    assert handover[0] == 201, handover
    [late] = overdue_cases(site, 1)
    inspected = api.get("/api/v1/inspections/due/?page_size=1")[1]["results"][0]["premises"]["code"]
    notice = supervisor.post("/api/v1/supervision/", {"id": str(uuid.uuid4()), "hazard": late})[1]["id"]
    listing = supervisor.get("/api/v1/listings/?page_size=1")[1]["results"][0]["id"]  # of the demo
    device = api.get("/api/v1/devices/?system=toxic-gas&page_size=1")[1]["results"][0]["code"]
    stream = api.get(f"/api/v1/devices/{device}/")[1]["datastreams"][0]["id"]
    return {
        "monitoring/systems/<slug:code>": "monitoring/systems/toxic-gas",
        "monitoring/devices/<str:code>": f"monitoring/devices/{device}",
        "monitoring/datastreams/<int:pk>": f"monitoring/datastreams/{stream}",
        "<uuid:run_id>": tried_with_many(site),
        "<uuid:notice_id>": notice,
        "<uuid:listing_id>": listing,
        "<uuid:recheck_id>": supervisor.get("/api/v1/rechecks/?page_size=1")[1]["results"][0]["id"],
        "<uuid:list_id>": supervisor.get("/api/v1/writeoffs/?page_size=1&state=in_force")[1]["results"][0]["id"],
        "duty/handovers/<uuid:pk>": f"duty/handovers/{handover[1]['id']}",
        "duty/shifts/<uuid:pk>": f"duty/shifts/{desk_shift['id']}",
        "duty/posts/<int:pk>": f"duty/posts/{desk_shift['post']}",
        "<slug:kind>/<uuid:subject_id>": f"hazard/{late}",
        "<uuid:hazard_id>": api.get("/api/v1/hazards/?page_size=1&state=rectified")[1]["results"][0]["id"],
        "grid/rezoning/<uuid:pk>": f"grid/rezoning/{drafted_split(site)}",
        "<uuid:inspection_id>": api.get("/api/v1/inspections/?page_size=1&result=fail")[1]["results"][0]["id"],
        "inspections/new/": f"inspections/new/?premises={inspected}",
        "inspections/premises/<str:code>": f"inspections/premises/{inspected}",
        "grid/cells/<str:code>": "grid/cells/" + api.get("/api/v1/cells/?page_size=1")[1]["results"][0]["code"],
        "grid/components/import/<uuid:pk>": f"grid/components/import/{DEMO_IMPORT}",
        "grid/components/<str:code>": "grid/components/"
        + api.get("/api/v1/grid/components/?page_size=1")[1]["results"][0]["code"],
        "grid/premises/<str:code>": "grid/premises/"
        + api.get("/api/v1/premises/?page_size=1")[1]["results"][0]["code"],
    }


def tried_with_many(site: Any) -> str:
    """Try to dispatch whatever is open: some of it can be, some cannot. Return the id of the run."""
    run = str(uuid.uuid4())
    given = {"id": run, "dry_run": True, "verb": "dispatch", "filter": {"open": "true"}}
    status, told = site.api("dispatcher").post("/api/v1/hazards/bulk/", given)
    assert status == 200, told
    return run


def drafted_split(site: Any) -> str:
    """Draft the split of a cell of the supervisor's area, as a page that is drawn; return its id."""
    api = site.api("supervisor")
    for cell in api.get("/api/v1/cells/?kind=base&active=true&page_size=20")[1]["results"]:
        lon, lat = cell["centre"]["lon"], cell["centre"]["lat"]
        line = [[lon, lat - 0.2], [lon, lat + 0.2]]
        given = {
            "operation": "split",
            "cells": [cell["code"]],
            "line": line,
            "reason": "负荷不均",
            "basis": "GB/T 30428.2",
        }
        status, told = api.post("/api/v1/rezonings/", {"id": str(uuid.uuid4()), **given})
        if status == 201:
            return told["id"]
    raise AssertionError(f"no cell could be split: {told}")


def planned_shift(site: Any) -> dict[str, Any]:
    """Put the operator of the city on the desk for ten minutes from now on, as its dispatcher plans; return the shift."""
    planner, now = site.api("dispatcher"), datetime.now(UTC)
    post = planner.get("/api/v1/duty/posts/?role=operator&area=3705")[1]["results"][0]["id"]
    status, shift = planner.post(
        "/api/v1/duty/shifts/",
        {
            "id": str(uuid.uuid4()), "post": post, "person": site.accounts["operator"][0]["username"],
            "begins": now.isoformat(), "ends": (now + timedelta(minutes=10)).isoformat(),
        },
    )  # fmt: skip
    if status == 400:  # the roster of the demo has him there already
        rows = planner.get(f"/api/v1/duty/shifts/?post={post}&from={quote(now.isoformat())}&person=operator1")
        return rows[1]["results"][0]
    assert status == 201, shift
    return shift


def misfits(page: Page, path: str) -> list[str]:
    """Return what the browser complained of, and by how much a page is wider than its screen."""
    found = [f"{path}: console: {words}" for words in page.complaints if not (path in REFUSED and "status of" in words)]
    page.complaints.clear()
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return [*found, f"{path}: {wide} px wider than the screen"] if wide > 0 else found


def faults(page: Page, path: str) -> list[str]:
    """Return what is wrong with a page as it stands, in words."""
    page.wait_for_function(QUIET)
    found = misfits(page, path)
    # The API's explorer is a package's own widget. Without preloading: axe would write style sheets into the page.
    seen = Axe().run(
        page, context={"exclude": [["#swagger-ui"]]}, options={"preload": False, "resultTypes": ["violations"]}
    )
    for one in seen.response["violations"]:
        if one["impact"] in ("serious", "critical"):
            found += [f"{path}: {one['id']}: {node['target']} {node['html'][:160]}" for node in one["nodes"][:3]]
    return found


@scales(short=LOOKS[:2], long=LOOKS)
def test_every_page_of_the_desk_is_accessible_quiet_and_fits(site, browser, parts, scale):
    """Every page is opened in each look and must fit. Barriers are looked for on each: the short form deals the pages to its
    two looks, so that a page is searched in one of them; the long form searches every page in all four.
    """
    turns = 1 if len(scale) == len(LOOKS) else len(scale)
    found = []
    for number, (language, size) in enumerate(scale):
        found += faults_of_pages(site, browser, parts, language, size, turns=turns, turn=number % turns)
    assert found == []


def faults_of_pages(site, browser, parts, language, size, *, turns, turn) -> list[str]:
    """Return what is wrong with the pages in one look, searching every so many-th of them for barriers."""
    asked: dict[str, list[str]] = {}
    for route, role in [*PAGES.items(), *ALSO]:
        path = route
        for name, value in parts.items():
            path = path.replace(name, value)
        asked.setdefault(role, []).append(path)
    found, seen = [], 0
    for role, paths in asked.items():
        page = opened(browser, site, role, language=language, viewport=SIZES[size])
        for path in paths:
            status = page.goto(f"{site.url}/{path}").status
            assert status == REFUSED.get(path if role == "dispatcher" else "", 200), path
            found += (faults if seen % turns == turn else misfits)(page, path)
            seen += 1
        page.context.close()
    return found


@pytest.mark.parametrize(("language", "size"), [("zh-hans", "desk"), ("en", "phone")])
@pytest.mark.parametrize("role", list(ADMIN_ROLES))
def test_the_administration_is_accessible_quiet_and_fits(site, browser, role, language, size):
    """Barriers are looked for on a desk; on a phone the pages, which are Django's, must fit."""
    look = faults if size == "desk" else misfits
    page = opened(browser, site, role, language=language, viewport=SIZES[size])
    ours = ("accounts", "grid", "calendars", "notices", "outbox")
    page.goto(f"{site.url}/admin/")
    lists = page.locator("#content-main th a").evaluate_all("links => links.map(link => new URL(link.href).pathname)")
    lists = [path for path in lists if path.count("/") == 4 and path.split("/")[2] in ours]
    assert len(lists) >= 3
    found = look(page, "admin/")
    for path in lists:
        page.goto(site.url + path)
        found += look(page, path)
    if role == "administrator":
        page.goto(f"{site.url}/admin/grid/matter/1/change/")
        found += look(page, "a matter")
    page.context.close()
    assert found == []


# -- steps that go wrong ------------------------------------------------------------------------


@pytest.fixture
def case(site: Any) -> str:
    """A new case in the first dispatcher's area; returns its id."""
    worker = site.api("grid_worker")
    place = worker.get("/api/v1/cells/?page_size=1&kind=base")[1]["results"][0]["centre"]
    matter = worker.get("/api/v1/matters/?page_size=1")[1]["results"][0]["code"]
    body = {
        "id": str(uuid.uuid4()), "matter": matter, "severity": "general", "description": "井盖松动", "cell": None,
        "location": {**place, "accuracy_m": 8, "datum": "wgs84"}, "handled_on_spot": False,
        "occurred_at": datetime.now(UTC).isoformat(),
    }  # fmt: skip
    status, answer = worker.post("/api/v1/hazards/", body)
    assert status == 201, answer
    return answer["id"]


@pytest.fixture
def desk(site: Any, browser: Browser) -> Iterator[Page]:
    page = opened(browser, site, "dispatcher")
    yield page
    page.context.close()


def open_case(page: Page, site: Any, case: str) -> None:
    page.goto(f"{site.url}/hazards/{case}/")
    for form in page.locator("form[data-step]").all():
        expect(form).to_have_attribute("data-ready", "yes")


def versions(site: Any, case: str) -> list[str]:
    return [row["action"] for row in site.api("dispatcher").get(f"/api/v1/hazards/{case}/history/")[1]["results"]]


def refuse(page: Page, words: str) -> Any:
    """Open the form of the refusal and write a reason; return the form."""
    page.locator("details:has(form[data-step=refuse]) > summary").click()
    form = page.locator("form[data-step=refuse]")
    form.locator("textarea").fill(words)
    return form


def test_a_double_click_takes_one_step(site, desk, case):
    posts: list[str] = []
    desk.on("request", lambda request: posts.append(request.url) if request.method == "POST" else None)
    open_case(desk, site, case)
    desk.evaluate(
        "const b = document.querySelector('form[data-step=accept] [data-send]'); b.click(); b.click(); b.click()"
    )
    expect(desk.locator("[data-said]")).to_contain_text("Accepted", timeout=20_000)

    assert len(posts) == 1
    assert versions(site, case) == ["report", "accept"]


def test_a_second_click_on_a_form_that_leads_elsewhere_sends_nothing_and_going_back_frees_it(site, desk):
    sent: list[str] = []
    desk.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    desk.goto(f"{site.url}/hazards/?state=accepted")
    for n in (1, 2):
        desk.locator("#list input[name=hazard]").first.check()
        desk.select_option("#bulk-action", "dispatch")
        desk.evaluate("const b = document.querySelector('#bulk button'); b.click(); b.click()")
        desk.wait_for_url("**/hazards/bulk/**")
        assert len(sent) == n
        desk.go_back()
        desk.wait_for_url("**/hazards/?state=accepted")


def test_a_lost_answer_is_asked_for_again_under_the_same_id(site, desk, case):
    bodies: list[Any] = []

    def cut(route: Route) -> None:
        """Let the server do its work, then lose what it says."""
        bodies.append(route.request.post_data_json)
        if len(bodies) == 1:
            route.fetch()
            route.abort()
        else:
            route.continue_()

    desk.route("**/api/v1/hazards/*/refuse/", cut)
    open_case(desk, site, case)
    form = refuse(desk, "不属实")
    form.locator("[data-send]").click()
    expect(form.locator("[data-summary]")).to_contain_text("No answer came")
    expect(form.locator("[data-send]")).to_have_text("Send again")
    form.locator("[data-send]").click()
    expect(desk.locator("[data-said]")).to_contain_text("Refused", timeout=20_000)

    assert bodies[0] == bodies[1]
    assert versions(site, case) == ["report", "refuse"]


def test_who_was_slower_sees_what_changed_and_loses_no_word(site, desk, case):
    open_case(desk, site, case)
    form = refuse(desk, "重复上报")
    status, answer = site.api("dispatcher", 1).post(
        f"/api/v1/hazards/{case}/accept/", {"id": str(uuid.uuid4()), "version": 1}
    )
    assert status == 200, answer
    form.locator("[data-send]").click()

    summary = form.locator("[data-summary]")
    expect(summary).to_contain_text("This case changed since you opened it")
    expect(summary).to_contain_text("You saw: Reported, version 1. Now: Accepted, version 2.")
    expect(form.locator("textarea")).to_have_value("重复上报")
    summary.locator("[data-reload]").click()
    expect(desk.locator("form[data-step=dispatch]")).to_be_visible()
    assert versions(site, case) == ["report", "accept"]

    left = desk.locator("[data-left-over=refuse]")
    expect(left).to_contain_text("It was not sent.")
    expect(left).to_contain_text("重复上报")
    left.get_by_role("button", name="Throw away").click()
    desk.reload()
    expect(desk.locator("form[data-step=dispatch]")).to_be_visible()
    expect(left).to_have_count(0)


def test_a_session_that_ended_is_said_and_the_words_are_there_after_signing_in(site, desk, case):
    open_case(desk, site, case)
    form = refuse(desk, "不在本辖区")
    kept = [cookie for cookie in desk.context.cookies() if "session" in cookie["name"]]
    desk.context.clear_cookies(name="session")
    form.locator("[data-send]").click()
    expect(form.locator("[data-summary]")).to_contain_text("Your session has ended.")
    expect(form.locator("[data-summary] a")).to_have_attribute("href", f"/login/?next=%2Fhazards%2F{case}%2F")

    desk.context.add_cookies(kept)
    desk.reload()
    expect(desk.locator("form[data-step=refuse] textarea")).to_have_value("不在本辖区")
    expect(desk.locator("form[data-step=refuse]")).to_be_visible()
    assert versions(site, case) == ["report"]


def test_a_dead_network_is_said_at_once(site, desk, case):
    open_case(desk, site, case)
    desk.context.set_offline(True)
    expect(desk.locator("[data-said]")).to_contain_text("This device is offline.")
    desk.locator("form[data-step=accept] [data-send]").click()
    expect(desk.locator("form[data-step=accept] [data-summary]")).to_contain_text("No answer came")
    desk.context.set_offline(False)
    desk.locator("form[data-step=accept] [data-send]").click()
    expect(desk.locator("[data-said]")).to_contain_text("Accepted", timeout=20_000)
    assert versions(site, case) == ["report", "accept"]


def test_what_is_missing_is_said_on_top_and_beside_the_field(site, desk, case):
    open_case(desk, site, case)
    form = refuse(desk, "")
    form.locator("[data-send]").click()

    expect(form.locator("[data-summary]")).to_be_focused()
    expect(form.locator("[data-field=reason] .wrong")).to_have_text("This step needs words.")
    form.locator("[data-summary] a").click()
    expect(form.locator("textarea")).to_be_focused()
    assert versions(site, case) == ["report"]


def test_rows_are_walked_with_keys_and_filters_keep_the_address(site, desk):
    desk.goto(f"{site.url}/hazards/")
    desk.keyboard.press("j")
    desk.keyboard.press("j")
    second = desk.locator("#list tbody tr").nth(1)
    expect(second).to_be_focused()
    address = second.get_attribute("data-href")
    desk.keyboard.press("Enter")
    desk.wait_for_url(site.url + address)
    desk.goto(f"{site.url}/hazards/")
    desk.select_option("#severity", "major")
    desk.wait_for_url("**/hazards/?severity=major")
    expect(desk.locator("#list")).to_have_count(1)  # the list alone was swapped, not the page into itself
    expect(desk.locator("#filters")).to_have_count(1)
    desk.reload()
    expect(desk.locator("#severity")).to_have_value("major")


def test_columns_are_chosen_and_ordered_with_the_keyboard_alone_and_leave_in_a_file(site, desk):
    desk.goto(f"{site.url}/hazards/?severity=general")
    menu = desk.locator(".columns-menu")
    menu.locator("summary").press("Enter")
    received = menu.locator("li", has=desk.locator("[value=received]"))
    received.locator("[type=checkbox]").press("Space")
    for _step in range(20):
        if received.locator("[data-move='-1']").is_visible():
            received.locator("[data-move='-1']").press("Enter")
    expect(menu.locator("li").first.locator("input")).to_have_value("received")
    menu.locator(".is-main").press("Enter")
    desk.wait_for_url("**/hazards/?severity=general&columns=received&columns=number&*")
    expect(desk.locator("th:not(.tick)").first).to_have_text("Received")
    desk.select_option("#severity", "")
    desk.wait_for_url("**/hazards/?columns=received&columns=number&*")
    desk.locator(".export summary").click()
    with desk.expect_download() as file:
        desk.locator(".export [download]").last.click()
    rows = file.value.path().read_text("utf-8-sig").splitlines()
    assert rows[4].startswith("Received,Number,")
    desk.locator(".columns-menu summary").click()
    desk.get_by_role("button", name="The usual columns").click()
    expect(desk.locator("th:not(.tick)").first).to_have_text("Number")
    assert desk.complaints == []


@pytest.mark.parametrize(("language", "size"), [(language, SIZES[size]) for language, size in LOOKS])
def test_words_under_a_clock_lie_apart_and_within_its_bar(site, browser, language, size):
    """Cases of all stages, begun at any hour: what is written under their bars is read at either size."""
    rows = site.api("supervisor").get("/api/v1/hazards/?open=true&page_size=400")[1]["results"]
    page = opened(browser, site, "supervisor", language=language, viewport=size)
    seen = 0
    for row in rows[:: max(1, len(rows) // 12)]:
        page.goto(f"{site.url}/hazards/{row['id']}/")
        wrong, bars = page.evaluate(
            """() => {
              const wrong = [], bars = [...document.querySelectorAll('.clock-bar')];
              for (const bar of bars) {
                const box = bar.getBoundingClientRect(), words = [...bar.querySelectorAll('text')].filter(one => one.getClientRects().length);
                const rows = words.map(one => ({ said: one.textContent, at: one.getBoundingClientRect() }))
                  .sort((a, b) => a.at.left - b.at.left);
                for (const [n, one] of rows.entries()) {
                  if (one.at.left < box.left - 1 || one.at.right > box.right + 1) wrong.push(`${one.said} leaves the bar`);
                  if (n && one.at.left < rows[n - 1].at.right + 3) wrong.push(`${rows[n - 1].said} | ${one.said}`);
                }
              }
              return [wrong, bars.length];
            }"""
        )
        assert wrong == [], row["number"]
        seen += bars
    assert seen >= 12
    assert page.complaints == []
    page.context.close()
