"""Documents as PDF in the layout of official Chinese documents (GB/T 9704-2012), and as pictures of the same bytes."""

import io
import unicodedata
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from threading import Lock

import pypdfium2
import segno
from django.conf import settings
from django.template.loader import render_to_string
from fontTools.ttLib import TTCollection, TTFont
from PIL import ImageFile

# The faces that deploy/fonts and Debian's fonts-noto-cjk give; the first that is there holds for all characters.
FONT_FILES = ("NotoSerifCJK-Regular.ttc", "NotoSansCJK-Regular.ttc")
ONE_AT_A_TIME = Lock()  # PDFium knows no threads
FONT_FOLDERS = ("/usr/share/fonts/opentype/noto", "/usr/share/fonts/truetype/noto")


class MissingGlyphs(ValueError):
    """The fonts lack characters: they would print as empty boxes, and nobody would be warned."""

    def __init__(self, characters: str) -> None:
        super().__init__(" ".join(f"{c} (U+{ord(c):04X})" for c in characters))
        self.characters = characters


class NoFonts(RuntimeError):
    """None of the fonts for documents is installed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """What stands on the paper; without a number it is a draft and says so."""

    issuer: str
    name: str
    number: str
    title: str
    addressee: str
    body: str
    copies: str
    on: date
    code: str  # by which anybody can have it proven; empty on a draft
    proof: str  # address of the page that proves it

    @property
    def paragraphs(self) -> list[tuple[str, str]]:
        """Return each line as its lead words, which stand between stars, and the rest."""
        return [_led(line) for line in self.body.splitlines() if line.strip()]

    @property
    def text(self) -> str:
        return "\n".join((self.issuer, self.name, self.number, self.title, self.addressee, self.body, self.copies))


def _led(line: str) -> tuple[str, str]:
    line = line.strip()
    if line.startswith("**") and (end := line.find("**", 2)) > 0:
        return line[2:end], line[end + 2 :]
    return "", line


@cache
def known_characters() -> frozenset[int]:
    """Return the code points that the fonts of documents can draw. :raises NoFonts: there are none."""
    found: set[int] = set()
    folders = [*settings.DOCUMENT_FONTS, *FONT_FOLDERS]
    for path in (Path(folder) / name for folder in folders for name in FONT_FILES):
        if path.exists():
            fonts = TTCollection(path, lazy=True).fonts if path.suffix == ".ttc" else [TTFont(path, lazy=True)]
            found.update(*(font.getBestCmap() for font in fonts[:1]))
    if not found:
        raise NoFonts(f"expected one of {', '.join(FONT_FILES)} in {', '.join(map(str, folders))}")
    return frozenset(found)


def check_characters(text: str) -> None:
    """Test that every character can be drawn. :raises MissingGlyphs: naming those that can not."""
    drawn = (c for c in dict.fromkeys(text) if not c.isspace() and unicodedata.category(c) not in ("Cf", "Mn"))
    if missing := "".join(c for c in drawn if ord(c) not in known_characters()):
        raise MissingGlyphs(missing)


def render(sheet: Sheet) -> bytes:
    """Return the PDF of a sheet. :raises MissingGlyphs: the fonts lack a character."""
    from weasyprint import HTML  # noqa: PLC0415  it loads Pango: only where documents are made

    ImageFile.LOAD_TRUNCATED_IMAGES = False  # WeasyPrint switches it on for the whole process; evidence must be whole
    check_characters(sheet.text)
    mark = segno.make(sheet.proof, error="m").svg_data_uri(scale=4, border=0) if sheet.code else ""
    page = render_to_string("documents/sheet.html", {"sheet": sheet, "mark": mark})
    return HTML(string=page).write_pdf()


def pictures(data: bytes, *, width_px: int) -> list[bytes]:
    """Return the pages of a PDF as PNG of a width."""
    with ONE_AT_A_TIME, closing(pypdfium2.PdfDocument(data)) as pdf:
        return [_picture(page, width_px) for page in pdf]


def _picture(page: pypdfium2.PdfPage, width_px: int) -> bytes:
    out = io.BytesIO()
    page.render(scale=width_px / page.get_width()).to_pil().convert("RGB").save(out, "PNG", optimize=True)
    return out.getvalue()
