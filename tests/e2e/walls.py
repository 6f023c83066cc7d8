"""The wall as journeys have it: a screen with the wall on it, what it says, and what it is shown."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from playwright.sync_api import Browser, Page

from tests.running import until

SESSIONS: dict[str, list[Any]] = {}
PATIENCE_S = 90  # for a first picture on a busy machine without a graphics card

# Everything the wall says, as one value: two walls are equal when these are.
STATE = """() => {
  const texts = (root, names) => names.map(name => root.querySelector(name)?.textContent ?? '');
  const rows = id => [...document.querySelectorAll(`#${id} li[data-id]`)].map(row =>
    [row.dataset.id, row.dataset.state, ...texts(row, ['.what', '.place', '.step', 'time'])]);
  const figures = [...document.querySelectorAll('[data-figure]')].map(node =>
    [node.dataset.figure, node.dataset.area ?? '', node.dataset.category ?? '', node.textContent]);
  return { live: rows('live'), late: rows('late'), figures, map: document.getElementById('on-map').textContent, rest: document.getElementById('parts-rest')?.textContent ?? '' };
}"""


class Wall:
    """A screen with the wall on it."""

    def __init__(self, page: Page, site: Any, complaints: list[str]) -> None:
        self.page, self.site, self.complaints = page, site, complaints

    def truth(self) -> str:
        return self.page.evaluate("document.documentElement.dataset.truth ?? ''")

    def live(self, seconds: float = PATIENCE_S) -> "Wall":
        until(lambda: self.truth() == "live", seconds)
        return self

    def drawn(self) -> "Wall":
        until(lambda: self.page.evaluate("document.getElementById('map').dataset.map") == "ready", PATIENCE_S)
        return self

    def connection(self) -> str:
        return self.page.inner_text("#connection")

    def banner(self) -> str:
        return self.page.inner_text("#banner") if self.page.is_visible("#banner") else ""

    def state(self) -> dict[str, Any]:
        return self.page.evaluate(STATE)

    def ids(self, panel: str) -> list[str]:
        return self.page.eval_on_selector_all(f"#{panel} li[data-id]", "rows => rows.map(row => row.dataset.id)")

    def figure(self, key: str) -> int:
        text = self.page.inner_text(f'[data-figure="{key}"]:not([data-area]):not([data-category])')
        return int(text.replace(",", ""))


@contextmanager
def hanging(chromium: Browser, site: Any) -> Iterator[Callable[..., Wall]]:
    """Hang up walls: as a role (or the screen's own), at a size, in a language; through a proxy's port."""
    contexts = []

    def put(
        role: str = "operator",
        *,
        size: tuple[int, int] = (1920, 1080),
        language: str = "zh-hans",
        query: str = "",
        port: int | None = None,
        number: int = 0,
        before: Callable[[Page], None] = lambda page: None,
    ) -> Wall:
        context = chromium.new_context(
            viewport={"width": size[0], "height": size[1]}, timezone_id="America/New_York", reduced_motion="reduce"
        )
        context.set_default_timeout(PATIENCE_S * 1000)
        contexts.append(context)
        root = f"http://127.0.0.1:{port}" if port else site.url
        page = context.new_page()
        complaints: list[str] = []
        page.on("console", lambda message: message.type == "error" and complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        key = f"{role}{number}"
        if key not in SESSIONS:
            if role == "kiosk":
                page.goto(f"{site.url}/wall/?kiosk={site.account('kiosk')['token']}")
                assert "kiosk=" not in page.url
            else:
                door = context.new_page()  # a page of its own: the wall's is as untouched as after a night
                site.login(door, role, number)
                door.close()
            SESSIONS[key] = [c for c in context.cookies() if c["name"] in ("session", "csrftoken")]
        context.clear_cookies()
        context.add_cookies(SESSIONS[key])
        context.add_cookies([{"name": "django_language", "value": language, "url": root}])
        before(page)
        page.goto(f"{root}/wall/{query}", wait_until="commit")
        page.wait_for_selector("#connection:not(:empty)", state="attached")
        return Wall(page, site, complaints)

    yield put
    for context in contexts:
        context.close()


def matter_of(site: Any) -> str:
    if "matter" not in SESSIONS:
        _status, body = site.api("grid_worker").get("/api/v1/matters/?page_size=1")
        SESSIONS["matter"] = body["results"][0]["code"]
    return str(SESSIONS["matter"])


def file_hazard(site: Any, place: dict[str, float], **more: Any) -> str:
    """File a hazard as the phone does; return its id."""
    body = {
        "id": str(uuid.uuid4()), "matter": matter_of(site), "severity": "general", "description": "楼道堆物",
        "location": {**place, "accuracy_m": 8, "datum": "wgs84"}, "cell": None,
        "occurred_at": datetime.now().astimezone().isoformat(), "handled_on_spot": False,
        **more,
    }  # fmt: skip
    status, answer = site.api("grid_worker").post("/api/v1/hazards/", body)
    assert status == 201, answer
    return answer["id"]


def step(site: Any, hazard: str, action: str, **fields: Any) -> None:
    """Let the city's dispatcher take a step."""
    api = site.api("dispatcher")
    _status, now = api.get(f"/api/v1/hazards/{hazard}/")
    status, answer = api.post(
        f"/api/v1/hazards/{hazard}/{action}/", {"id": str(uuid.uuid4()), "version": now["version"], **fields}
    )
    assert status == 200, answer


def count_of(site: Any, figure: str, **params: str) -> int:
    """Count the rows of the list behind a figure, both at the head."""
    query = "&".join(f"{key}={value}" for key, value in params.items() if value)
    path = "premises" if figure.startswith("premises") else figure.split(".")[0]
    status, body = site.api("operator").get(f"/api/v1/{path}/count/?figure={figure}&{query}")
    assert status == 200, body
    return body["count"]


def ask_map(wall: Wall, function: str) -> Any:
    """Return what a function of the map says, asked of the map itself."""
    line = wall.page.context.new_cdp_session(wall.page)
    expression = "import(document.getElementById('map-assets').dataset.library).then(library => library.Map.prototype)"
    kind = line.send("Runtime.evaluate", {"expression": expression, "awaitPromise": True})
    maps = line.send("Runtime.queryObjects", {"prototypeObjectId": kind["result"]["objectId"]})
    said = line.send(
        "Runtime.callFunctionOn",
        {
            "objectId": maps["objects"]["objectId"],
            "functionDeclaration": f"async function () {{ return ({function})(this[0]); }}",
            "awaitPromise": True,
            "returnByValue": True,
        },
    )
    line.detach()
    return said["result"].get("value")


def map_sources(wall: Wall) -> dict[str, list[float]]:
    """Return the hazards that the map was given, by id: where, overdue, major."""
    return ask_map(
        wall,
        """map => Object.fromEntries(map.getSource('hazards').serialize().data.features.map(one =>
          [one.properties.id, [...one.geometry.coordinates, one.properties.o, one.properties.m]]))""",
    )
