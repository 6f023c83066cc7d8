"""The texts of the code and their Chinese: what is asked for, what there is, what is wrong between the two."""

import csv
import re
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import polib
from django.template.base import Origin
from django.utils.translation.template import templatize

DOMAINS = ("django", "djangojs")
LANGUAGE = "zh_Hans"
FOLDERS = {
    "django": ("citysafety", "grid", "hazards", "monitoring", "projects", "templates"),
    "djangojs": ("static/js",),
}
ENDINGS = {"django": (".html", ".py", ".txt"), "djangojs": (".js",)}
KEYWORDS = {
    "django": (
        "gettext_noop",
        "gettext_lazy",
        "ngettext_lazy:1,2",
        "pgettext:1c,2",
        "npgettext:1c,2,3",
        "pgettext_lazy:1c,2",
        "npgettext_lazy:1c,2,3",
    ),
    "djangojs": ("gettext", "ngettext:1,2", "pgettext:1c,2", "t", "say"),
}
HEADER = {
    "Project-Id-Version": "CitySafety",
    "Language": LANGUAGE,
    "MIME-Version": "1.0",
    "Content-Type": "text/plain; charset=UTF-8",
    "Content-Transfer-Encoding": "8bit",
    "Plural-Forms": "nplurals=1; plural=0;",
}
PLACEHOLDER = re.compile(r"%(?:\(\w+\))?[-+ #0]*\d*(?:\.\d+)?[a-zA-Z%]|\{\w*\}|</?[a-z]+")
HAN = re.compile("[\u4e00-\u9fff]")
Key = tuple[str | None, str]


def catalogue_path(root: Path, domain: str) -> Path:
    return root / "locale" / LANGUAGE / "LC_MESSAGES" / f"{domain}.po"


def key(entry: polib.POEntry) -> Key:
    return entry.msgctxt, entry.msgid


def sources(root: Path, domain: str) -> list[Path]:
    """Return the files of a domain, relative to the root, in order."""
    found = (path for folder in FOLDERS[domain] for path in (root / folder).rglob("*"))
    return sorted(path.relative_to(root) for path in found if path.suffix in ENDINGS[domain])


def wanted(root: Path, domain: str) -> polib.POFile:
    """Return every text that the code asks for, with the files that ask. Takes about a second."""
    with tempfile.TemporaryDirectory() as folder:
        names = sources(root, domain)
        for name in names:
            text = (root / name).read_text(encoding="utf-8")
            copy = Path(folder, name)
            copy.parent.mkdir(parents=True, exist_ok=True)
            is_template = domain == "django" and name.suffix != ".py"
            copy.write_text(templatize(text, origin=Origin(str(name))) if is_template else text, encoding="utf-8")
        command = ["xgettext", "--output=-", "--from-code=UTF-8", "--add-comments=Translators", "--add-location=file"]
        command += [f"--language={'Python' if domain == 'django' else 'JavaScript'}", "--files-from=-"]
        command += [f"--keyword={word}" for word in KEYWORDS[domain]]
        listed = "\n".join(map(str, names))
        said = subprocess.run(command, cwd=folder, input=listed, check=True, capture_output=True, text=True)
    return polib.pofile(said.stdout)


def regenerate(root: Path, domain: str) -> polib.POFile:
    """Write the catalogue anew: the code's texts in its order, the Chinese kept, new texts empty, the rest dropped.

    The same code and Chinese give the same bytes: no dates, no line numbers, nothing guessed.
    """
    path = catalogue_path(root, domain)
    kept = {key(entry): entry for entry in polib.pofile(str(path))} if path.exists() else {}
    fresh = polib.POFile(wrapwidth=120)
    fresh.metadata = dict(HEADER)
    for entry in wanted(root, domain):
        old = kept.get(key(entry))
        if old is not None:
            entry.msgstr, entry.msgstr_plural = old.msgstr, old.msgstr_plural
            entry.tcomment = old.tcomment
            entry.flags += [flag for flag in old.flags if flag == "fuzzy"]
        if entry.msgid_plural:
            entry.msgstr, entry.msgstr_plural = "", {0: entry.msgstr_plural.get(0, "")}
        fresh.append(entry)
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh.save(str(path))
    return fresh


def places(text: str) -> Counter[str]:
    """Return the placeholders and tags of a text; a translation must have the same."""
    return Counter(PLACEHOLDER.findall(text))


def flaws(entry: polib.POEntry) -> Iterator[str]:
    """Yield what is wrong with one entry in itself."""
    if entry.fuzzy:
        yield "fuzzy"
    texts = list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]
    if not texts or not all(texts):
        yield "missing"
        return
    if len(texts) != 1:
        yield f"{len(texts)} plural forms, Chinese has one"
    asked = entry.msgid_plural or entry.msgid
    for text in texts:
        if places(text) != places(asked):
            yield f"placeholders differ: {' '.join(sorted((places(text) - places(asked)) + (places(asked) - places(text))))}"
        if text.strip() != text and asked.strip() == asked:
            yield "white space at an end"


def catalogue_problems(root: Path, domain: str) -> Iterator[str]:
    """Yield every text of a domain that is missing, fuzzy, stale or broken."""
    path = catalogue_path(root, domain)
    have = polib.pofile(str(path)) if path.exists() else polib.POFile()
    if path.exists() and have.metadata.get("Plural-Forms") != HEADER["Plural-Forms"]:
        yield f"{domain}: the header says {have.metadata.get('Plural-Forms')}, Chinese has {HEADER['Plural-Forms']}"
    current = {key(entry): entry for entry in have if not entry.obsolete}
    asked = {key(entry): entry for entry in wanted(root, domain)}
    yield from (f"{domain}: missing: {msgid}" for context, msgid in asked if (context, msgid) not in current)
    yield from (f"{domain}: stale: {msgid}" for context, msgid in current if (context, msgid) not in asked)
    yield from (f"{domain}: obsolete: {entry.msgid}" for entry in have.obsolete_entries())
    for entry in current.values():
        yield from (f"{domain}: {flaw}: {entry.msgid}" for flaw in flaws(entry))


def name_problems(city: Path) -> Iterator[str]:
    """Yield every row of a city's tables that lacks its name in one of the two languages."""
    for path in sorted(city.glob("*.csv")):
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows: Iterable[dict[str, str]] = csv.DictReader(file)
            for line, row in enumerate(rows, start=2):
                for column, wants_han in (("name_zh", True), ("name_en", False)):
                    name = row.get(column)
                    if name is None:
                        continue
                    if not name.strip():
                        yield f"{path.name}, line {line}: {column} is empty"
                    elif bool(HAN.search(name)) != wants_han:
                        yield f"{path.name}, line {line}: {column} is in the other language: {name}"


def problems(root: Path) -> list[str]:
    """Return everything that keeps a reader of one language from reading the site."""
    found = [problem for domain in DOMAINS for problem in catalogue_problems(root, domain)]
    return found + [
        problem for city in sorted((root / "demo").iterdir()) if city.is_dir() for problem in name_problems(city)
    ]
