"""Both languages are complete, the check notices what is not, and a page speaks one language at a time."""

import re
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path

import polib
import pytest
from django.conf import settings
from django.urls import reverse

from citysafety.management.catalogues import (
    DOMAINS,
    HAN,
    catalogue_path,
    catalogue_problems,
    name_problems,
    problems,
    regenerate,
)
from tests.factories import HOME, make_city, person

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


class Texts(HTMLParser):
    """What a reader sees or hears of a page, less what says that it is in another language."""

    SAID = ("alt", "aria-label", "placeholder", "title")
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


def foreign(page: str, language: str) -> Iterator[str]:
    """Yield the texts of a page that hold a word of the other language."""
    other = HAN if language == "en" else re.compile("[A-Za-z]{2,}")
    return (text for text in Texts(page).texts if other.search(text.replace("JavaScript", "")))


PAGES = ["login", "field:home", "field:report", "field:queue", "field:cases", "account", "notices"]


@pytest.mark.django_db
@pytest.mark.parametrize("language", ["zh-hans", "en"])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_no_word_of_the_other_language(client, name, language):
    make_city()
    reader = person("grid_worker", area=HOME, name_zh="李秀芹", name_en="Li Xiuqin")
    if name != "login":
        client.force_login(reader)
    client.cookies["django_language"] = language
    page = client.get(reverse(name)).content.decode()
    assert re.search(f'<html lang="{language}"', page, re.IGNORECASE)
    assert len(Texts(page).texts) > 5
    assert [text for text in foreign(page, language) if text != reader.username] == []


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("language", "shown", "draft"), [("en", "Sign in", None), ("zh-hans", "登录", '"Draft": "\\u8349\\u7a3f"')]
)
def test_choosing_a_language_turns_the_page_and_the_words_of_its_scripts(client, language, shown, draft):
    client.post(reverse("language"), {"language": language, "next": "/login/"})
    page = client.get("/login/").content.decode()
    assert f'<html lang="{language}"' in page
    assert shown in Texts(page).texts
    catalogue = client.get("/jsi18n/")
    assert re.findall(r'"Draft": "[^"]*"', catalogue.content.decode()) == ([draft] if draft else [])
    assert "Cookie" in catalogue["Vary"]  # or a browser would keep the old words for an hour
