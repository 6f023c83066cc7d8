"""Both languages are complete, the check notices what is not, and a page speaks one language at a time."""

import hashlib
import re
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import polib
import pytest
from django.conf import settings
from django.urls import reverse
from django.utils import timezone, translation

from citysafety.accounts.models import User
from citysafety.calendars.models import CalendarYear
from citysafety.calendars.services import SOURCE
from citysafety.catalogue import address
from citysafety.management.catalogues import (
    DOMAINS,
    HAN,
    catalogue_path,
    catalogue_problems,
    name_problems,
    problems,
    regenerate,
)
from citysafety.templatetags.modules import module
from grid.models import Premises, PremisesKind
from hazards.models import Hazard
from hazards.services import take_step
from hazards.services.steps import StepInput
from projects.seeds import seed_supervision
from projects.services import draft_notice
from tests.factories import HOME, file_hazard, make_city, person

SOURCES = {
    "hazards/lifecycle.py": '_("Write off")\n_("%(span)s overdue")\nngettext("%(n)s day", "%(n)s days", 3)\n',
    "templates/home.html": '{% load i18n %}{% translate "Report" %}{% translate "Open" context "verb" %}',
    "static/js/words.js": "t('Write off'); say('%(n)s more', {n});",
}
CHINESE = {
    "Write off": "销号",
    "%(span)s overdue": "超期 %(span)s",
    "Report": "上报",
    "Open": "打开",
    "%(n)s more": "另 %(n)s 项",
    "%(n)s day": "%(n)s 天",
}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A small house with every kind of text, all of it translated."""
    for name, text in SOURCES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True)
        path.write_text(text)
    for domain in DOMAINS:
        regenerate(tmp_path, domain)
        change(tmp_path, domain, translate)
    return tmp_path


def change(root: Path, domain: str, how: Callable[[polib.POFile], None]) -> None:
    path = str(catalogue_path(root, domain))
    texts = polib.pofile(path, wrapwidth=120)
    how(texts)
    texts.save(path)


def translate(texts: polib.POFile) -> None:
    for entry in texts:
        if entry.msgid_plural:
            entry.msgstr_plural = {0: CHINESE[entry.msgid]}
        else:
            entry.msgstr = CHINESE[entry.msgid]


def found(root: Path) -> list[str]:
    return [problem for domain in DOMAINS for problem in catalogue_problems(root, domain)]


def test_the_house_and_its_demo_city_are_complete_in_both_languages():
    assert problems(settings.BASE_DIR) == []


def test_a_translated_house_has_no_problem(tree):
    assert found(tree) == []


def test_a_new_text_is_missing_in_its_domain(tree):
    (tree / "hazards/models.py").write_text('_("Severity")')
    (tree / "static/js/wall.js").write_text("t('Live')")
    assert found(tree) == ["django: missing: Severity", "djangojs: missing: Live"]


def test_a_text_that_nobody_asks_for_any_more_is_stale(tree):
    (tree / "templates/home.html").unlink()
    assert found(tree) == ["django: stale: Report", "django: stale: Open"]


@pytest.mark.parametrize(
    ("plant", "problem"),
    [
        (lambda texts: setattr(texts.find("Write off"), "msgstr", ""), "missing: Write off"),
        (lambda texts: texts.find("Write off").flags.append("fuzzy"), "fuzzy: Write off"),
        (lambda texts: setattr(texts.find("Write off"), "obsolete", True), "obsolete: Write off"),
        (
            lambda texts: setattr(texts.find("%(span)s overdue"), "msgstr", "超期 %(spam)s"),
            "placeholders differ: %(spam)s %(span)s: %(span)s overdue",
        ),
        (
            lambda texts: setattr(texts.find("%(n)s day"), "msgstr_plural", {0: "%(n)s 天", 1: "%(n)s 天"}),
            "2 plural forms, Chinese has one: %(n)s day",
        ),
        (
            lambda texts: texts.metadata.update({"Plural-Forms": "nplurals=2; plural=(n != 1);"}),
            "the header says nplurals=2; plural=(n != 1);, Chinese has nplurals=1; plural=0;",
        ),
    ],
)
def test_a_planted_fault_is_named(tree, plant, problem):
    change(tree, "django", plant)
    assert f"django: {problem}" in found(tree)


def test_a_name_that_lacks_a_language_or_has_the_wrong_one_is_named(tmp_path):
    (tmp_path / "matters.csv").write_text(
        "code,name_zh,name_en\n1,占用通道,Route blocked\n2,,Exit locked\n3,井盖缺损,井盖\n4,Lamp,Lamp\n"
    )
    assert list(name_problems(tmp_path)) == [
        "matters.csv, line 3: name_zh is empty",
        "matters.csv, line 4: name_en is in the other language: 井盖",
        "matters.csv, line 5: name_zh is in the other language: Lamp",
    ]


def test_writing_the_catalogue_again_keeps_the_chinese_and_every_byte(tree):
    before = [catalogue_path(tree, domain).read_bytes() for domain in DOMAINS]
    for domain in DOMAINS:
        regenerate(tree, domain)
    assert [catalogue_path(tree, domain).read_bytes() for domain in DOMAINS] == before


def test_writing_the_catalogue_again_drops_what_is_gone_and_leaves_what_is_new_empty(tree):
    (tree / "templates/home.html").write_text('{% load i18n %}{% translate "Reports" %}')
    regenerate(tree, "django")
    texts = polib.pofile(str(catalogue_path(tree, "django")))
    assert {entry.msgid: entry.msgstr for entry in texts if not entry.msgid_plural} == {
        "Write off": "销号",
        "%(span)s overdue": "超期 %(span)s",
        "Reports": "",
    }
    assert not texts.obsolete_entries()


CODES = re.compile(r"[A-Z]{2}-[0-9-]+|GB/T [0-9.]+|km²?|https://")  # numbers and units are the same for every reader
PLAIN_STATIC = "django.contrib.staticfiles.storage.StaticFilesStorage"


class Texts(HTMLParser):
    """What a reader sees or hears of a page, less what says that it is in another language."""

    SAID = ("alt", "aria-label", "data-label", "placeholder", "title")
    VOID = ("br", "hr", "img", "input", "link", "meta", "path", "circle", "use", "rect", "line")

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[bool] = []
        self.texts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        hidden = tag in ("script", "style", "kbd", "code") or ("lang" in dict(attrs) and tag != "html")
        if not hidden and not any(self.open):
            self.texts += [value for name, value in attrs if name in self.SAID and value]
        if tag not in self.VOID:
            self.open.append(hidden)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            self.open.pop()

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_data(self, data: str) -> None:
        if not any(self.open) and data.strip():
            self.texts.append(data.strip())


PROGRAMS = re.compile(r"JavaScript|Excel|\.xlsx|\.csv")  # named alike in every language


def foreign(page: str, language: str) -> Iterator[str]:
    """Yield the texts of a page that hold a word of the other language."""
    other = HAN if language == "en" else re.compile("[A-Za-z]{2,}")
    return (text for text in Texts(page).texts if other.search(CODES.sub("", PROGRAMS.sub("", text))))


PAGES = {
    "grid_worker": [
        "field:home",
        "field:report",
        "field:queue",
        "field:cases",
        "field:case",
        "account",
        "password",
        "notices",
    ],
    "dispatcher": ["hazards", "hazard-page", "grid-cells", "grid-cell", "grid-workers", "grid-premises", "grid-place"],
    "operator": ["wall", "trends", "notice_channels"],
    "security_officer": ["why"],
    "supervisor": ["supervision", "supervision-notice", "supervision-register"],
    "": ["verify"],
    "auditor": [
        "admin:index",
        "admin:hazards_hazardhistory_changelist",
        "admin:grid_matterhistory_changelist",
        "admin:accounts_userhistory_changelist",
        "admin:evidence_photo_changelist",
    ],
}


@pytest.fixture
def subjects() -> dict[str, list[Any]]:
    """A city, a case in it and a place of the register; what the addresses of pages take, by page."""
    city = make_city()
    worker = person("grid_worker", name_zh="李秀芹", name_en="Li Xiuqin")
    CalendarYear.objects.update(source=SOURCE)
    case = file_hazard(worker, at=timezone.now(), description="")
    seed_supervision(at=timezone.now() - timedelta(days=1))
    boss = person("dispatcher")
    for version, action, more in ((1, "accept", {}), (2, "dispatch", {"department": "fire-02"})):
        given = StepInput(id=uuid.uuid4(), version=version, **more)
        case = take_step(hazard_id=case.pk, action=action, given=given, actor=boss, at=timezone.now())
    Hazard.objects.update(due_at=timezone.now() - timedelta(days=9), overdue=True)
    notice = draft_notice(
        hazard=Hazard.objects.select_related("matter", "department", "cell", "dedicated_cell").get(pk=case.pk),
        rule=None, by=None, at=timezone.now(),
    )  # fmt: skip
    premises = Premises.objects.create(
        code="370502-00001",
        name_zh="便民超市",
        name_en="Corner shop",
        kind=PremisesKind.objects.create(code="shop", name_zh="小商店", name_en="Small shop"),
        location=case.location,
        area_code=case.area_code,
        cell=city.cells[case.area_code],
    )
    return {
        "hazard-page": [case.pk],
        "field:case": [case.pk],
        "supervision-notice": [notice.pk],
        "grid-cell": [case.area_code],
        "grid-place": [premises.code],
    }


@pytest.mark.django_db
@pytest.mark.parametrize("language", ["zh-hans", "en"])
@pytest.mark.parametrize(("role", "name"), [("", "login"), *((role, name) for role in PAGES for name in PAGES[role])])
def test_a_page_has_no_word_of_the_other_language(client, subjects, role, name, language, settings):
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": PLAIN_STATIC}}
    area = "3705" if role in ("security_officer", "auditor") else HOME
    reader = person(role or "grid_worker", area=area, name_zh="王芳", name_en="Wang Fang")
    if role:
        client.force_login(reader, backend="django.contrib.auth.backends.ModelBackend")
    client.cookies["django_language"] = language
    answer = client.get(reverse(name, args=subjects.get(name)))
    page = answer.content.decode()
    assert answer.status_code == 200
    assert re.search(f'<html lang="{language}"', page, re.IGNORECASE)
    assert len(Texts(page).texts) > 5
    names = set(User.objects.values_list("username", flat=True))
    if name.startswith("admin:"):
        names |= {"True", "False", "Search"}  # so Django's icons speak in every language
    assert [text for text in foreign(page, language) if text not in names] == []


REFUSALS = {
    "/api/v1/figures/?at=noon": ("“noon” was not understood; expected a whole number.", "“noon”无法识别，应为整数。"),
    "/api/v1/hazards/?figure=hazards.open&at=-1": (
        "“-1” was not understood; expected a whole number.",
        "“-1”无法识别，应为整数。",
    ),
    "/api/v1/hazards/?open=maybe": (
        "“maybe” was not understood; expected true or false.",
        "“maybe”无法识别，应为true 或 false。",
    ),
    "/api/v1/notices/?unred=true": (
        "There is no such filter; expected one of topic, level, kind, subject_id, unread, cursor, page_size, format.",
        "没有此筛选项，可用的有 topic, level, kind, subject_id, unread, cursor, page_size, format。",
    ),
    "/api/v1/figures/?at=9": (
        "The news has not come to position 9 yet; the last is 0.",
        "动态尚未到位次 9，最新位次为 0。",
    ),
    "/api/v1/live/since/9/": (
        "The news has not come to position 9 yet; the last is 0.",
        "动态尚未到位次 9，最新位次为 0。",
    ),
    "/api/v1/cells/locate/?lon=nan&lat=37.4": (
        "A valid number is required.",
        "请填写合法的数字。",
    ),
    "/api/v1/wall/items/?ids=1": ("“1” is not a UUID.", "“1”不是 UUID。"),
    "/api/v1/figures/series/?figure=hazards.found_today&days=0": (
        "0 days were asked for; expected 1 to 400.",
        "查询了 0 天，应为 1 至 400 天。",
    ),
}


@pytest.mark.django_db
@pytest.mark.parametrize(("n", "language"), enumerate(["en", "zh-hans"]))
@pytest.mark.parametrize("address", REFUSALS)
def test_a_refusal_says_in_the_reader_s_language_what_was_seen_and_expected(client, address, n, language):
    make_city()
    client.force_login(person("operator", area=HOME), backend="django.contrib.auth.backends.ModelBackend")
    client.cookies["django_language"] = language
    answer = client.get(address)
    [error] = answer.json()["errors"]
    assert (answer.status_code, error["detail"]) == (400, REFUSALS[address][n])
    assert error["code"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("language", "other_hash", "no_picture"),
    [
        (
            "en",
            "The photo has the SHA-256 ",
            "This is no whole JPEG, PNG or WebP picture; its first bytes are 77 6F 72 64 73.",
        ),
        ("zh-hans", "照片的 SHA-256 值为 ", "不是完整的 JPEG、PNG 或 WebP 图片，开头字节为 77 6F 72 64 73。"),
    ],
)
def test_a_refused_photo_says_in_the_reader_s_language_what_it_is(client, language, other_hash, no_picture):
    make_city()
    worker = person("grid_worker", area=HOME)
    client.force_login(worker, backend="django.contrib.auth.backends.ModelBackend")
    client.cookies["django_language"] = language

    def refusal(sha256: str) -> str:
        path = f"/api/v1/hazards/{case.pk}/photos/{sha256}/?role=scene"
        return client.put(path, b"words", "image/jpeg").json()["errors"][0]["detail"]

    case = file_hazard(worker)
    assert refusal("0" * 64).startswith(other_hash + hashlib.sha256(b"words").hexdigest())
    assert refusal(hashlib.sha256(b"words").hexdigest()) == no_picture


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("language", "shown", "draft"), [("en", "Sign in", None), ("zh-hans", "登录", '"Draft": "\\u8349\\u7a3f"')]
)
def test_choosing_a_language_turns_the_page_and_the_words_of_its_scripts(client, language, shown, draft):
    client.post(reverse("language"), {"language": language, "next": "/login/"})
    page = client.get("/login/").content.decode()
    assert f'<html lang="{language}"' in page
    assert shown in Texts(page).texts
    with translation.override(language):
        catalogue = client.get(address())
    assert re.findall(r'"Draft": "[^"]*"', catalogue.content.decode()) == ([draft] if draft else [])
    assert "immutable" in catalogue["Cache-Control"]


def test_words_of_another_version_are_not_kept_and_of_no_language_are_none(client):
    old = client.get("/jsi18n/zh-hans/000000000000.js")
    assert old.status_code == 200 and old["Cache-Control"] == "no-cache"
    assert client.get("/jsi18n/xx/000000000000.js").status_code == 404


def test_a_page_fetches_all_modules_of_a_script_at_once():
    tag = str(module("js/wall/main.js"))
    assert re.search(r'modulepreload" href="/static/js/live[^"]*\.js"', tag)
    assert re.search(r'modulepreload" href="/static/js/field/sha256[^"]*\.js"', tag)  # two steps away
    assert tag.count("<script") == 1 and "main" in tag.split("<script")[1]
