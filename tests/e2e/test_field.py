"""The phone, driven as a hand drives it: file, lose the net, verify, correct; every page measured and read aloud."""

import hashlib
import io
import json
import shutil
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import BrowserContext, Page, Playwright, Route, sync_playwright

from .phone_check import findings

pytestmark = pytest.mark.e2e

SIZES = [(390, 844), (360, 640), (844, 390)]
FILING = "**/api/v1/hazards/"
SESSIONS: dict[str, list[Any]] = {}
SHELL_LIMIT_B = 300_000  # compressed, first visit, without the map
PHOTO_TARGET_B = 400_000
WIRE_LIMIT_B = 5_000  # a report of words, with the question for the session


@pytest.fixture(scope="module")
def chromium() -> Iterator[Playwright]:
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="module")
def place(site: Any) -> dict[str, float]:
    """A point well inside a cell of the worker's area."""
    _status, body = site.api("grid_worker").get("/api/v1/cells/?page_size=1&kind=base")
    return body["results"][0]["centre"]


class Phone:
    """A phone-sized Chromium with a folder of its own, so that what it keeps outlives the browser."""

    def __init__(
        self, playwright: Playwright, site: Any, folder: Path, place: dict[str, float], *, text_px: int = 16
    ) -> None:
        self._playwright, self.site, self._folder, self._place = playwright, site, folder, place
        (folder / "Default").mkdir(parents=True, exist_ok=True)
        prefs = {"webkit": {"webprefs": {"default_font_size": text_px, "default_fixed_font_size": text_px}}}
        (folder / "Default" / "Preferences").write_text(json.dumps(prefs))
        self.complaints: list[str] = []
        self.context: BrowserContext
        self.page: Page
        self.open()

    def open(self, *, accuracy_m: float = 8) -> Page:
        self.context = self._playwright.chromium.launch_persistent_context(
            str(self._folder),
            executable_path=shutil.which("chromium"),
            args=["--no-sandbox"],
            has_touch=True,
            viewport={"width": 390, "height": 844},
            geolocation=self.at(accuracy_m),
            permissions=["geolocation"],
        )
        self.page = self.context.new_page()
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        return self.page

    def at(self, accuracy_m: float) -> dict[str, float]:
        return {"longitude": self._place["lon"], "latitude": self._place["lat"], "accuracy": accuracy_m}

    def _hear(self, message: Any) -> None:
        if message.type == "error":
            self.complaints.append(message.text)

    def kill(self) -> None:
        """End the browser as a phone does that needs its memory."""
        self.context.close()

    def sign_in(self, role: str = "grid_worker") -> None:
        """Sign in; a password is typed once a role, later phones get the session's cookies."""
        if role not in SESSIONS:
            self.site.login(self.page, role)
            SESSIONS[role] = [
                c for c in self.context.cookies() if c["name"] in ("session", "csrftoken", "__Host-session")
            ]
        self.context.add_cookies(SESSIONS[role])

    def speak(self, language: str, theme: str) -> None:
        pairs = [("django_language", language), ("theme", theme)]
        self.context.add_cookies([{"name": name, "value": value, "url": self.site.url} for name, value in pairs])

    def go(self, path: str) -> Page:
        self.page.goto(self.site.url + path)
        return self.page

    def report(self, path: str = "/field/report/") -> Page:
        page = self.go(path)
        page.wait_for_selector("form[data-ready]")
        return page


@pytest.fixture
def phone(chromium: Playwright, site: Any, tmp_path: Path, place: dict[str, float]) -> Iterator[Phone]:
    made = Phone(chromium, site, tmp_path / "phone", place)
    made.sign_in()
    yield made
    made.kill()


@pytest.fixture
def picture(tmp_path: Path) -> Callable[[int], str]:
    """Write a camera's JPEG of 12 megapixels, different for each seed."""

    def make(seed: int) -> str:
        image = Image.linear_gradient("L").resize((4000, 3000)).rotate(seed * 37).convert("RGB")
        path = tmp_path / f"camera-{seed}.jpg"
        image.save(path, "JPEG", quality=92)
        return str(path)

    return make


def shoot(page: Page, file: str, strip: str = "scene") -> None:
    """Press the camera and hand over the picture."""
    before = page.locator(f"[data-strip={strip}] [data-photo]").count()
    with page.expect_file_chooser() as chooser:
        page.click(f"[data-strip={strip}] [data-from=camera]")
    chooser.value.set_files(file)
    page.locator(f"[data-strip={strip}] [data-photo]").nth(before).wait_for()


def choose(page: Page, typed: str) -> None:
    page.click("[data-matter-open]")
    page.fill("[data-matter-search]", typed)
    page.click("[data-matter-list] button >> nth=0")


def send(page: Page) -> None:
    page.click("button[form=report]")


def delivered(page: Page) -> str:
    """Wait for the server's number; return the hazard's id."""
    return page.wait_for_selector("[data-delivered]", timeout=30_000).get_attribute("data-delivered")


def filed(site: Any, words: str) -> list[dict[str, Any]]:
    """Return the worker's hazards with these words."""
    status, body = site.api("grid_worker").get("/api/v1/hazards/?page_size=100")
    assert status == 200, body
    return [row for row in body["results"] if row["description"] == words]


def jpeg() -> bytes:
    out = io.BytesIO()
    Image.effect_noise((64, 64), 80).convert("RGB").save(out, "JPEG")
    return out.getvalue()


def step(site: Any, role: str, hazard: str, action: str, **fields: Any) -> dict[str, Any]:
    _status, seen = site.api(role).get(f"/api/v1/hazards/{hazard}/")
    body = {"id": str(uuid.uuid4()), "version": seen["version"], **fields}
    status, answer = site.api(role).post(f"/api/v1/hazards/{hazard}/{action}/", body)
    assert status == 200, (action, status, answer)
    return answer


def rectified(site: Any, place: dict[str, float], words: str) -> str:
    """Bring a hazard by the API to where somebody must verify it; return its id."""
    hazard = str(uuid.uuid4())
    _status, matters = site.api("grid_worker").get("/api/v1/matters/?page_size=1000")
    body = {
        "id": hazard,
        "matter": next(row["code"] for row in matters["results"] if not row["special"]),
        "severity": "general",
        "description": words,
        "location": {**place, "accuracy_m": 8, "datum": "wgs84"},
        "cell": None,
        "handled_on_spot": False,
        "occurred_at": datetime.now(UTC).isoformat(),
    }
    status, answer = site.api("grid_worker").post("/api/v1/hazards/", body)
    assert status == 201, answer
    step(site, "dispatcher", hazard, "accept")
    step(site, "dispatcher", hazard, "dispatch", department=site.accounts["department_handler"][0]["department"])
    step(site, "department_handler", hazard, "take")
    again_rectified(site, hazard)
    return hazard


def again_rectified(site: Any, hazard: str) -> None:
    """Let the handler put it right, with a photo."""
    data = jpeg()
    sha256 = hashlib.sha256(data).hexdigest()
    status, answer = site.api("department_handler").put(f"/api/v1/hazards/{hazard}/photos/{sha256}?role=after", data)
    assert status in (200, 201), answer
    step(site, "department_handler", hazard, "rectify", words="已整改")


# -- filing -------------------------------------------------------------------------------------


def test_a_photo_and_a_recent_matter_are_filed_in_six_taps(phone, site, picture):
    page = phone.report()
    choose(page, "a")
    page.fill("#words", f"六次点按之前 {uuid.uuid4()}")
    send(page)
    first = delivered(page)
    page = phone.go("/field/")
    count = "addEventListener('pointerup', () => { sessionStorage.taps = 1 + Number(sessionStorage.taps ?? 0); }, true)"
    page.evaluate(count)
    page.context.add_init_script(count)

    page.click(".thumb-bar .act-main")
    page.wait_for_selector("form[data-ready]")
    shoot(page, picture(1))
    matters = site.api("grid_worker").get("/api/v1/matters/?page_size=1000")[1]["results"]
    major = {matter["code"] for matter in matters if matter["severity"] == "major"}  # these ask for a criterion besides
    recent = page.locator("[data-matter]").evaluate_all("tiles => tiles.map(tile => tile.dataset.matter)")
    page.click(f'[data-matter="{next(code for code in recent if code not in major)}"]')
    send(page)
    second = delivered(page)

    camera = 2  # the shutter and "use photo", which the camera's own screen asks
    assert int(page.evaluate("sessionStorage.taps")) == 4
    assert 4 + camera <= 6
    assert second != first
    number = page.inner_text("[data-number]")
    assert site.api("grid_worker").get(f"/api/v1/hazards/{second}/")[1]["number"] == number
    photos = site.api("grid_worker").get(f"/api/v1/hazards/{second}/photos/")[1]["results"]
    assert [photo["role"] for photo in photos] == ["scene"]
    reasons = {reason["code"] for reason in photos[0]["trust"]["reasons"]}
    assert {"time_fits", "place_fits", "stripped"} <= reasons, "the phone says when it was taken and where it stood"
    assert not phone.complaints


def test_photos_are_shrunk_upright_on_the_phone(phone, picture, tmp_path):
    upright = tmp_path / "turned.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6  # held upright, stored lying
    Image.linear_gradient("L").resize((4000, 3000)).convert("RGB").save(upright, "JPEG", exif=exif)
    sent: list[bytes] = []
    phone.page.on("request", lambda request: sent.append(request.post_data_buffer) if request.method == "PUT" else None)
    page = phone.report()
    shoot(page, str(upright))
    choose(page, "a")
    send(page)
    delivered(page)

    shrunk = Image.open(io.BytesIO(sent[0]))
    assert shrunk.size == (1440, 1920)
    assert len(sent[0]) <= PHOTO_TARGET_B
    assert not shrunk.getexif()


def test_a_lost_answer_never_makes_two_hazards(phone, site):
    words = f"应答丢失 {uuid.uuid4()}"
    lost: list[int] = []

    def cut(route: Route) -> None:
        """Let the server do its work, then lose what it says."""
        if len(lost) < 2:
            lost.append(route.fetch().status)
            route.abort()
        else:
            route.continue_()

    phone.page.route(FILING, cut)
    page = phone.report()
    choose(page, "a")
    page.fill("#words", words)
    send(page)
    page.wait_for_selector("[data-going=kept]")
    while len(lost) < 2:
        page.evaluate("dispatchEvent(new Event('online'))")
        page.wait_for_timeout(300)
    hazard = delivered(page)  # the third try is its own, some seconds later

    assert lost == [201, 200]
    assert [row["id"] for row in filed(site, words)] == [hazard]


def test_two_taps_make_one_hazard(phone, site):
    words = f"连点两下 {uuid.uuid4()}"
    posts: list[str] = []
    phone.page.on("request", lambda request: posts.append(request.url) if request.method == "POST" else None)
    page = phone.report()
    choose(page, "a")
    page.fill("#words", words)
    page.evaluate("const b = document.querySelector('button[form=report]'); b.click(); b.click(); b.click()")
    delivered(page)

    assert len(filed(site, words)) == 1
    assert len([url for url in posts if url.endswith("/hazards/")]) == 1


def test_a_draft_survives_the_death_of_the_browser(phone, picture):
    words = f"写到一半 {uuid.uuid4()}"
    page = phone.report()
    shoot(page, picture(3))
    choose(page, "a")
    page.fill("#words", words)
    page.wait_for_timeout(1200)  # a draft is kept within a second
    phone.kill()

    page = phone.open()
    page = phone.report()
    page.click("[data-resume-link]")
    page.wait_for_selector("form[data-ready]")

    assert page.input_value("#words") == words
    assert page.locator("[data-strip=scene] [data-photo] img").count() == 1
    assert page.locator("[data-matter-now] .soft").count() == 1
    assert page.inner_text("[data-queue-count]") == "1"


def test_what_is_missing_is_said_on_top_and_beside_the_field(phone):
    phone.context.clear_permissions()
    page = phone.report()
    send(page)

    summary = page.locator("[data-summary]")
    assert page.title().startswith(("错误：", "Error: "))
    assert summary.evaluate("e => e === document.activeElement")
    for name in ("matter", "location"):
        words = page.inner_text(f"[data-error={name}]")
        assert words
        assert words in summary.inner_text()
    assert page.is_enabled("button[form=report]")
    page.click("[data-summary] a >> nth=0")
    assert page.evaluate("document.activeElement.closest('#matter') !== null")

    choose(page, "a")  # what was put right is not complained about any more
    page.wait_for_timeout(300)
    assert page.locator("[data-error=matter]").is_hidden()
    assert page.locator("[data-error=location]").is_visible()


def test_a_refusal_of_the_server_names_its_field_and_keeps_the_words(phone, site):
    words = f"服务器退回 {uuid.uuid4()}"
    page = phone.report()
    phone.context.set_geolocation({"longitude": 2.35, "latitude": 48.85, "accuracy": 5})
    page.click("[data-place-again]")
    page.wait_for_timeout(800)
    choose(page, "a")
    page.fill("#words", words)
    send(page)
    page.click("[data-act=correct]")
    page.wait_for_selector("form[data-ready]")

    assert page.locator("[data-error=location]").is_visible()
    assert page.input_value("#words") == words
    phone.context.set_geolocation(phone.at(6))
    page.click("[data-place-again]")
    page.wait_for_timeout(800)
    send(page)
    hazard = delivered(page)
    assert [row["id"] for row in filed(site, words)] == [hazard]


def test_what_is_put_right_on_the_spot_waits_for_another_to_verify(phone, site, picture):
    page = phone.report()
    shoot(page, picture(4))
    choose(page, "a")
    page.click("label.switch")
    shoot(page, picture(5), "after")
    page.fill("#spot-words", "当场清理")
    send(page)
    hazard = delivered(page)

    _status, case = site.api("grid_worker").get(f"/api/v1/hazards/{hazard}/")
    photos = site.api("grid_worker").get(f"/api/v1/hazards/{hazard}/photos/")[1]["results"]
    assert case["state"] == "rectified"
    assert sorted(photo["role"] for photo in photos) == ["after", "before"]
    page = phone.go(f"/field/cases/{hazard}/")
    assert page.locator(f"a[href='/field/cases/{hazard}/verify/']").count() == 0


def test_a_circle_over_two_cells_asks_which_side(phone, site):
    _status, body = site.api("grid_worker").get("/api/v1/cells/?page_size=1&kind=base")
    code = body["results"][0]["code"]
    _status, cell = site.api("grid_worker").get(f"/api/v1/cells/{code}/")
    border = shared_border(site, cell)
    phone.context.set_geolocation({**border, "accuracy": 30})
    page = phone.report()
    page.click("[data-place-now]")
    choices = page.locator("[data-cells] input[name=cell]")
    choices.first.wait_for(state="attached")
    assert choices.count() >= 2
    other = choices.nth(1).get_attribute("value")
    page.locator("[data-cells] label.choice").nth(1).click()
    choose(page, "a")
    send(page)
    hazard = delivered(page)
    assert site.api("grid_worker").get(f"/api/v1/hazards/{hazard}/")[1]["cell"] == other

    phone.context.set_geolocation(
        {
            **border,
            "longitude": body["results"][0]["centre"]["lon"],
            "latitude": body["results"][0]["centre"]["lat"],
            "accuracy": 3,
        }
    )
    page = phone.report()
    page.wait_for_timeout(1200)
    assert page.locator("[data-cells] input").count() == 0


def test_what_somebody_reported_here_already_is_offered_and_filing_stays_free(phone, site):
    page = phone.report()
    choose(page, "a")
    send(page)
    first = site.api("grid_worker").get(f"/api/v1/hazards/{delivered(page)}/")[1]

    page = phone.report()
    choose(page, "a")
    page.wait_for_selector("[data-near]:not([hidden])")
    assert first["number"] in page.inner_text("[data-near-list]")
    assert page.locator("[data-near-list] a").first.get_attribute("href").startswith("/field/cases/")
    send(page)
    assert delivered(page) != first["id"]


def shared_border(site: Any, cell: dict[str, Any]) -> dict[str, float]:
    """Return a point of a cell's outline where another cell lies within 20 m."""
    for lon, lat in cell["geometry"]["coordinates"][0][0]:
        _status, told = site.api("grid_worker").get(f"/api/v1/cells/locate/?lon={lon}&lat={lat}&accuracy_m=25")
        if len(told.get("candidates") or []) >= 2:
            return {"longitude": lon, "latitude": lat}
    raise AssertionError("the cell has no neighbour")


# -- without a net, and with somebody else's name ------------------------------------------------


def test_offline_is_weather_and_what_was_kept_goes_by_itself(phone, site):
    words = f"离线上报 {uuid.uuid4()}"
    page = phone.report()
    choose(page, "a")
    page.fill("#words", words)
    phone.context.set_offline(True)
    send(page)
    page.wait_for_selector("[data-going=kept]")
    page.wait_for_selector("[data-note]:not([hidden])")
    assert page.inner_text("[data-queue-count]") == "1"
    assert not filed(site, words)

    phone.context.set_offline(False)
    delivered(page)
    assert len(filed(site, words)) == 1
    assert page.inner_text("[data-queue-count]") == "0"


def fail_once(page: Page, url: str, status: int, body: dict[str, Any] | None = None, method: str = "POST") -> list[int]:
    """Answer the first request of a method to an address the way a server in trouble does; return what was answered."""
    answered: list[int] = []

    def answer(route: Route) -> None:
        if answered or route.request.method != method:
            route.fallback()
            return
        answered.append(status)
        words = json.dumps(body) if body is not None else "<html>no</html>"
        route.fulfill(status=status, body=words, content_type="application/json" if body is not None else "text/html")

    page.route(url, answer)
    return answered


def wake(page: Page) -> None:
    """Tell the page that the net is back, as the phone does; it then asks the server itself."""
    page.evaluate("dispatchEvent(new Event('online'))")


@pytest.mark.parametrize("status", [500, 502, 503, 429])
def test_a_server_in_trouble_is_asked_again_with_the_same_report(phone, site, status):
    words = f"服务器忙 {status} {uuid.uuid4()}"
    answered = fail_once(phone.page, FILING, status)
    page = phone.report()
    choose(page, "a")
    page.fill("#words", words)
    send(page)
    page.wait_for_selector("[data-going=kept]")
    assert answered == [status]
    assert page.inner_text("[data-queue-count]") == "1"
    wake(page)
    hazard = delivered(page)
    assert [row["id"] for row in filed(site, words)] == [hazard]


def test_a_tab_that_dies_while_sending_sends_the_same_report_when_it_is_opened_again(phone, site):
    words = f"发送中被关 {uuid.uuid4()}"
    reached: list[int] = []

    def swallow(route: Route) -> None:
        """The server has committed; the answer never comes."""
        reached.append(route.fetch().status)

    phone.page.route(FILING, swallow)
    page = phone.report()
    choose(page, "a")
    page.fill("#words", words)
    send(page)
    while not reached:
        page.wait_for_timeout(100)
    phone.kill()

    page = phone.open()
    page = phone.go("/field/queue/")
    page.wait_for_selector("[data-state=delivered]", timeout=20_000)
    assert reached == [201]
    assert len(filed(site, words)) == 1


def test_a_photo_lost_on_the_way_goes_again_and_the_case_is_there_already(phone, site, picture):
    words = f"照片断网 {uuid.uuid4()}"
    cut: list[str] = []

    def once(route: Route) -> None:
        if cut:
            route.continue_()
        else:
            cut.append(route.request.url)
            route.abort()

    page = phone.report()
    shoot(page, picture(8))
    shoot(page, picture(9))
    choose(page, "a")
    page.fill("#words", words)
    page.route("**/photos/*", once)
    send(page)
    page.wait_for_selector(".case-number")
    (row,) = filed(site, words)
    wake(page)
    delivered(page)
    photos = site.api("grid_worker").get(f"/api/v1/hazards/{row['id']}/photos/")[1]["results"]
    assert len(photos) == 2
    assert len(filed(site, words)) == 1


@pytest.mark.parametrize("status", [413, 415, 422])
def test_a_photo_the_server_refuses_is_named_and_the_case_stays_filed(phone, site, picture, status):
    words = f"照片被拒 {status} {uuid.uuid4()}"
    page = phone.report()
    shoot(page, picture(status))
    choose(page, "a")
    page.fill("#words", words)
    fail_once(page, "**/photos/*", status, method="PUT")
    send(page)
    page.wait_for_selector(".needs-hand")
    assert page.inner_text(".needs-hand .why").startswith(("照片", "Photo"))
    (row,) = filed(site, words)
    page = phone.go("/field/queue/")
    page.click("[data-state=failed] [data-act=send]")
    page.wait_for_selector("[data-state=delivered]")
    assert len(site.api("grid_worker").get(f"/api/v1/hazards/{row['id']}/photos/")[1]["results"]) == 1


def test_a_session_that_ended_asks_for_a_sign_in_and_then_goes_on(phone, site):
    words = f"登录过期 {uuid.uuid4()}"
    page = phone.report()
    choose(page, "a")
    page.fill("#words", words)
    page.wait_for_timeout(1000)
    phone.context.clear_cookies(name="session")
    send(page)
    page.wait_for_selector("[data-note] a[href^='/login/']")
    assert not filed(site, words)
    assert page.inner_text("[data-queue-count]") == "1"

    phone.sign_in()
    page = phone.go("/field/")
    page.wait_for_selector("[data-queue-count]:text-is('0')")
    assert len(filed(site, words)) == 1


def test_a_draft_open_in_two_tabs_makes_one_hazard(phone, site):
    words = f"两个标签页 {uuid.uuid4()}"
    first = phone.report()
    choose(first, "a")
    first.fill("#words", words)
    first.wait_for_timeout(1000)
    draft = first.url.rpartition("=")[2]
    second = phone.context.new_page()
    second.goto(f"{site.url}/field/report/?draft={draft}")
    second.wait_for_selector("form[data-ready]")
    send(first)
    hazard = delivered(first)
    second.fill("#words", f"{words}!")
    send(second)

    assert delivered(second) == hazard
    assert [row["id"] for row in filed(site, words)] == [hazard]
    assert not filed(site, f"{words}!")


def test_what_one_person_wrote_is_never_sent_under_another_name(phone, site):
    words = f"换人登录 {uuid.uuid4()}"
    page = phone.report()
    choose(page, "a")
    page.fill("#words", words)
    phone.context.set_offline(True)
    send(page)
    page.wait_for_selector("[data-going=kept]")
    phone.context.clear_cookies()  # the shift ends; the phone is handed over
    phone.context.set_offline(False)
    page.wait_for_selector("[data-note] a[href^='/login/']")
    phone.sign_in("department_handler")
    page = phone.go("/field/queue/")
    page.wait_for_timeout(1500)
    assert page.locator(".queue-item").count() == 0
    assert not filed(site, words)

    phone.context.clear_cookies()
    phone.sign_in()
    page = phone.go("/field/queue/")
    page.wait_for_selector("[data-state=delivered]", timeout=20_000)
    assert len(filed(site, words)) == 1


def test_the_queue_deletes_a_draft_and_takes_it_back(phone):
    page = phone.report()
    page.fill("#words", "要删的草稿")
    page.wait_for_timeout(1200)
    draft = page.url
    page = phone.go("/field/queue/")
    page.click("[data-state=draft] [data-act=delete]")
    page.wait_for_selector("[data-state=draft]", state="detached")
    page.click("[data-undo] button")
    page.wait_for_selector("[data-state=draft]")
    page.goto(draft)
    page.wait_for_selector("form[data-ready]")
    assert page.input_value("#words") == "要删的草稿"


# -- cases --------------------------------------------------------------------------------------


def test_a_case_is_verified_on_the_spot(phone, site, place):
    hazard = rectified(site, place, f"待核实 {uuid.uuid4()}")
    page = phone.go(f"/field/cases/{hazard}/")
    page.click(".thumb-bar .act-main")
    page.wait_for_selector("form[data-ready]")
    page.wait_for_selector("[data-distance]:not(:empty)")
    page.click("button[form=step]")
    delivered(page)

    assert site.api("grid_worker").get(f"/api/v1/hazards/{hazard}/")[1]["state"] == "verified"
    history = site.api("grid_worker").get(f"/api/v1/hazards/{hazard}/history/")[1]["results"]
    assert history[-1]["location"]["lon"] == pytest.approx(place["lon"], abs=1e-4)


def test_a_failed_verification_asks_the_reason_and_goes_back(phone, site, place):
    hazard = rectified(site, place, f"不合格 {uuid.uuid4()}")
    page = phone.report(f"/field/cases/{hazard}/fail/")
    page.click("button[form=step]")
    assert page.locator("[data-error=words]").is_visible()
    page.fill("#words-box", "东侧还有两箱没搬")
    page.click("button[form=step]")
    delivered(page)
    assert site.api("grid_worker").get(f"/api/v1/hazards/{hazard}/")[1]["state"] == "taken"


def test_a_case_changed_meanwhile_is_shown_side_by_side(phone, site, place):
    hazard = rectified(site, place, f"冲突 {uuid.uuid4()}")
    page = phone.report(f"/field/cases/{hazard}/verify/")
    page.wait_for_selector("[data-distance]:not(:empty)")
    step(site, "dispatcher", hazard, "fail", reason="没清干净")
    page.click("button[form=step]")
    page.wait_for_selector("[data-conflict]:not([hidden])", timeout=20_000)

    assert "没清干净" in " ".join(page.locator("[data-conflict] [data-side=theirs]").all_inner_texts())
    assert page.inner_text("[data-conflict] [data-side=mine]")
    page.click("[data-conflict] [data-act=leave]")
    page.wait_for_selector("[data-left]")
    page.wait_for_selector("[data-queue-count]:text-is('0')")
    page.click("[data-act=undo]")  # what was written can be had back
    page.wait_for_selector("[data-conflict] [data-side=mine]")
    page.wait_for_selector("[data-queue-count]:text-is('1')")
    page.click("[data-conflict] [data-act=leave]")
    page.click("[data-thumb] a")
    page.wait_for_url(f"**/field/cases/{hazard}/")
    assert site.api("grid_worker").get(f"/api/v1/hazards/{hazard}/")[1]["state"] == "taken"


def test_a_handler_rectifies_with_a_photo(chromium, site, tmp_path, place, picture):
    hazard = rectified(site, place, f"整改 {uuid.uuid4()}")
    step(site, "grid_worker", hazard, "fail", reason="再整改")
    phone = Phone(chromium, site, tmp_path / "handler", place)
    phone.sign_in("department_handler")
    page = phone.report(f"/field/cases/{hazard}/rectify/")
    page.click("button[form=step]")
    assert page.locator("[data-error=photo-after]").is_visible()
    shoot(page, picture(6), "after")
    page.fill("#words-box", "已加固")
    page.click("button[form=step]")
    delivered(page)
    phone.kill()
    assert site.api("grid_worker").get(f"/api/v1/hazards/{hazard}/")[1]["state"] == "rectified"


def test_a_conflict_that_leaves_the_step_possible_sends_mine_on_top(phone, site, place):
    hazard = rectified(site, place, f"冲突仍可 {uuid.uuid4()}")
    page = phone.report(f"/field/cases/{hazard}/verify/")
    page.wait_for_selector("[data-distance]:not(:empty)")
    page.fill("#words-box", "我看过了")
    step(site, "dispatcher", hazard, "fail", reason="没清干净")
    again_rectified(site, hazard)
    page.click("button[form=step]")
    page.click("[data-act=send]")
    delivered(page)

    assert site.api("grid_worker").get(f"/api/v1/hazards/{hazard}/")[1]["state"] == "verified"


def test_who_changes_their_mind_takes_photo_and_words_along(phone, site, place, picture):
    hazard = rectified(site, place, f"改判 {uuid.uuid4()}")
    page = phone.report(f"/field/cases/{hazard}/verify/")
    shoot(page, picture(7))
    page.fill("#words-box", "其实没清干净")
    page.wait_for_timeout(1000)
    page.click(".thumb-bar .act-stack")
    page.wait_for_selector("form[data-ready]")

    assert page.input_value("#words-box") == "其实没清干净"
    assert page.locator("[data-strip=scene] [data-photo]").count() == 1
    page.click("button[form=step]")
    delivered(page)
    assert site.api("grid_worker").get(f"/api/v1/hazards/{hazard}/")[1]["state"] == "taken"
    assert page.inner_text("[data-queue-count]") == "0"


def test_the_way_back_shows_the_case_as_it_is_now(phone, site, place):
    hazard = rectified(site, place, "电缆沟盖板破损")
    page = phone.go(f"/field/cases/{hazard}/")
    assert "待复查" in page.inner_text("main")
    phone.go("/field/")
    step(site, "dispatcher", hazard, "fail", reason="盖板未固定")
    page.go_back()
    page.wait_for_function("() => document.querySelector('main').textContent.includes('整改中')")


def test_a_class_of_matters_leads_back_to_all_of_them(phone):
    page = phone.report()
    page.click("[data-matter-open]")
    back = page.locator("[data-matter-back]")
    assert back.is_hidden()
    page.click("[data-matter-classes] button >> nth=0")
    assert page.locator("[data-matter-list] button").count() > 10
    back.click()
    assert back.is_hidden()
    assert page.inner_text("[data-matter-said]") == ""
    page.click("[data-matter-classes] button >> nth=1")
    page.click("#matter-dialog [data-close]")
    page.click("[data-matter-open]")
    assert back.is_hidden()


# -- every page ---------------------------------------------------------------------------------


def pages_of(site: Any, place: dict[str, float]) -> list[tuple[str, Callable[[Page], None] | None]]:
    """Return every page and how to bring it into its fullest state."""
    hazard = rectified(site, place, "聚园小区 3 号楼疏散通道堆放纸箱，影响通行")

    def sheet(page: Page) -> None:
        page.click("[data-matter-open]")
        page.fill("[data-matter-search]", "d")

    def everything(page: Page) -> None:
        page.wait_for_selector("form[data-ready]")
        page.click("label.switch")
        page.click("label.choice:has([value=major])")
        page.click("button[form=report]")

    def conflict(page: Page) -> None:
        page.wait_for_selector("form[data-ready]")
        page.evaluate(KEEP, [CONFLICT | {"hazard": hazard}])
        page.reload()
        page.wait_for_selector("[data-conflict] [data-side=theirs]")

    def every_state(page: Page) -> None:
        page.evaluate(KEEP, [row | {"hazard": hazard} for row in EVERY_STATE])
        page.wait_for_selector("[data-state=delivered]")

    return [
        ("/field/", None),
        ("/field/report/", None),
        ("/field/report/", sheet),
        ("/field/report/", everything),
        ("/field/cases/", None),
        ("/field/cases/?list=verify", None),
        (f"/field/cases/{hazard}/", None),
        (f"/field/cases/{hazard}/verify/", None),
        (f"/field/cases/{hazard}/fail/", None),
        (f"/field/cases/{hazard}/verify/", conflict),
        ("/field/queue/", every_state),  # the last: the next page would send what waits
    ]


# Records as the phone keeps them, one of each state that the queue can show.
CONFLICT = {
    "id": "2",
    "state": "conflict",
    "kind": "step",
    "action": "verify",
    "label": "现场核实",
    "title": "现场核实",
    "stepId": "s",
}
CONFLICT |= {"theirs": {"state": "taken", "version": 9}, "problem": {"words": ["Somebody else changed this case."]}}
FILED = {"answer": {"id": str(uuid.uuid4()), "number": "YH-20261123-00455"}}
REFUSED = {
    "words": ["Some details need correcting."],
    "said": [{"field": "location", "words": "118.1, 35.2 lies outside the city."}],
}
EVERY_STATE: list[dict[str, Any]] = [
    {"id": "1", "state": "fix", "title": "电动自行车违规充电", "problem": REFUSED},
    CONFLICT,
    {"id": "3", "state": "failed", "title": "灭火器压力不足", "problem": {"words": ["Photo: too large."]}, **FILED},
    {"id": "4", "state": "sending", "title": "井盖缺损，云门山路", "attempts": 1, **FILED},
    {"id": "5", "state": "waiting", "title": "燃气软管老化，12 号楼", "attempts": 2},
    {"id": "6", "state": "draft", "title": ""},
    {"id": "7", "state": "delivered", "title": "通道堵塞，聚园小区东门", **FILED},
]
KEEP = """async (rows) => {
  const modules = () => performance.getEntriesByType("resource").map((e) => e.name).find((name) => /field\\/store/.test(name));
  while (!modules()) await new Promise((done) => setTimeout(done, 50));
  const store = await import(modules());
  const now = Date.now();
  const base = { user: document.documentElement.dataset.user, kind: "report", createdAt: now, frozenAt: now, deliveredAt: now, nextAt: now + 1e9 };
  for (const row of rows) await store.keep({ ...base, form: { words: "东侧还有两箱没搬" }, ...row });
}"""


def dress(page: Page, theme: str) -> None:
    """Change the theme the way the button does, without a reload."""
    page.evaluate("theme => { document.documentElement.dataset.theme = theme; }", theme)


@pytest.mark.parametrize("text_px", [16, 32])
@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_every_page_can_be_hit_and_read(chromium, site, place, tmp_path, language, text_px):
    phone = Phone(chromium, site, tmp_path / "phone", place, text_px=text_px)
    phone.sign_in()
    phone.speak(language, "light")
    page = phone.report()
    page.fill("#words", "一份草稿")
    page.wait_for_timeout(1000)
    assert page.evaluate("getComputedStyle(document.documentElement).fontSize") == f"{text_px}px"
    wrong = []
    for path, prepare in pages_of(site, place):
        page = phone.go(path)
        page.wait_for_timeout(400)
        if prepare:
            prepare(page)
        for width, height in SIZES if text_px == 16 else SIZES[:2]:
            page.set_viewport_size({"width": width, "height": height})
            for theme in ("light", "dark"):
                dress(page, theme)
                wrong += [f"{path} {width} {theme}: {found}" for found in findings(page, theme)]
        page.set_viewport_size({"width": 390, "height": 844})
    page.evaluate(
        "document.querySelector('main').insertAdjacentHTML('beforeend', '<p><a href=\"#\">x</a><a href=\"#\">y</a></p>')"
    )
    assert findings(page, "dark"), "the check itself has gone blind"
    phone.kill()
    assert wrong == []
    assert not phone.complaints


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_no_page_has_a_serious_finding_of_axe(phone, site, place, language):
    serious = []
    phone.speak(language, "light")
    for path, prepare in pages_of(site, place):
        page = phone.go(path)
        page.wait_for_timeout(400)
        if prepare:
            prepare(page)
        for theme in ("light", "dark"):
            dress(page, theme)
            for found in Axe().run(page).response["violations"]:
                if found["impact"] in ("serious", "critical"):
                    serious.append((path, theme, found["id"], found["nodes"][0]["html"][:120]))
    assert serious == []


def test_the_shell_is_small_and_the_map_waits_until_it_is_asked_for(phone):
    phone.page.context.new_cdp_session(phone.page).send("Network.clearBrowserCache")
    page = phone.report()
    sizes = page.evaluate(
        "[...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]"
        ".filter(e => !e.name.includes('/api/')).map(e => [e.name, e.transferSize])"
    )
    print("shell", sum(size for _name, size in sizes), "bytes")
    assert sum(size for _name, size in sizes) <= SHELL_LIMIT_B
    assert not [name for name, _size in sizes if "maplibre" in name]


def test_a_report_of_words_is_small_on_the_wire(phone):
    """Count what the filing and its question for the session take, headers and bodies both ways (F28)."""
    seen: list[tuple[str, int]] = []

    def count(request: Any) -> None:
        if request.url.endswith(("/field/ping/", "/api/v1/hazards/")):
            seen.append((request.method, sum(request.sizes().values())))

    page = phone.report()
    choose(page, "a")
    page.fill("#words", "6 号楼 2 单元一楼门厅，两辆电动车飞线充电。")
    page.on("requestfinished", count)
    send(page)
    delivered(page)
    page.wait_for_timeout(300)

    print("a report of words", seen, "bytes")
    assert ("POST" in [method for method, _size in seen]) and sum(size for _method, size in seen) <= WIRE_LIMIT_B


def test_the_form_stands_soon_on_a_slow_phone(phone):
    """Open the form cold on a processor four times slower; the figure is printed (F1)."""
    phone.report()  # the server is warm; the phone is not
    session = phone.page.context.new_cdp_session(phone.page)
    session.send("Network.clearBrowserCache")
    session.send("Emulation.setCPUThrottlingRate", {"rate": 4})
    page = phone.report()
    ready_ms = page.evaluate("performance.getEntriesByName('form-ready')[0].startTime")
    paint_ms = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    print(f"cold start at a quarter of the speed: words {paint_ms:.0f} ms, form ready {ready_ms:.0f} ms")
    assert paint_ms <= ready_ms
