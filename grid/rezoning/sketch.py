"""Sketches: the outlines of a re-zoning as they come from an operation on the page or from a file, before codes are drawn."""

import json
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy
import shapely
from django.utils import timezone
from django.utils.translation import gettext as _

from citysafety.accounts.models import User

from ..loading import layer
from ..loading.report import Problems
from ..models import Cell, Division, DraftCell, Posting, Worker
from . import shapes
from .shapes import NotDrawable, geos_of, m2, shapely_of

MOST_CELLS = 200  # of one re-zoning: a township
MOST_BYTES = 10 * 1024 * 1024
FILES = (".geojson", ".json", ".gpkg", ".zip")
SEQUENCES = {Cell.Kind.BASE: range(1, 500), Cell.Kind.DEDICATED: range(501, 900), Cell.Kind.SEA: range(901, 1000)}


class NotUnderstood(ValueError):
    """What was given makes no outlines; ``field`` names which part, the message says why."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(slots=True)
class Outline:
    """A cell to begin. ``code`` is empty until one is drawn; ``of`` is the cell whose name and worker it inherits."""

    shape: Any
    kind: str
    division: str
    code: str = ""
    name_zh: str = ""
    name_en: str = ""
    focus: str = ""
    of: Cell | None = None
    worker_number: str = ""


@dataclass(slots=True)
class Sketch:
    """Cells that end, and outlines that begin in their place."""

    ends: list[Cell] = field(default_factory=list)
    begins: list[Outline] = field(default_factory=list)

    @property
    def area_code(self) -> str:
        """Return the smallest area around all of it."""
        codes = [cell.code for cell in self.ends] + [one.division for one in self.begins]
        return next((codes[0][:n] for n in (12, 9, 6, 4) if len({code[:n] for code in codes}) == 1), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """What somebody asks for: one of split, join and outlines, with what it needs."""

    operation: str
    cells: tuple[str, ...] = ()
    line: tuple[tuple[float, float], ...] = ()
    geojson: Any = None
    file: Any = None  # with a name and ``chunks()``: an uploaded file

    OPERATIONS = ("split", "join", "outlines")


def sketch(drawing: Drawing, user: User) -> Sketch:
    """Return the sketch of a drawing, inside the area of a person. Queries: 2 to 6.

    :raises NotUnderstood: it makes no outlines, or names what does not exist in that area.
    """
    try:
        if drawing.operation == "split":
            made = _split(_cell(drawing.cells, 0, user), drawing.line)
        elif drawing.operation == "join":
            made = _join(_cell(drawing.cells, 0, user, "first_cell"), _cell(drawing.cells, 1, user, "second_cell"))
        else:
            made = _outlines(_features(drawing), user)
    except NotDrawable as refusal:
        raise NotUnderstood("line" if drawing.operation == "split" else "cells", str(refusal)) from refusal
    if len(made.begins) > MOST_CELLS:
        raise NotUnderstood("file", _("A re-zoning has %(most)s cells at most; %(seen)s were given.") % {
            "most": MOST_CELLS, "seen": len(made.begins)
        })  # fmt: skip
    _draw_codes(made)
    return made


def _cell(codes: Sequence[str], place: int, user: User, name: str = "cells") -> Cell:
    code = codes[place].strip() if place < len(codes) else ""
    found = Cell.objects.active().filter(code=code, area_code__startswith=user.area_code).first()
    if found is None or not user.area_code:
        words = _("“%(seen)s” is no active cell of your area; expected a code of 15 digits.")
        raise NotUnderstood(name, words % {"seen": code[:40]})
    return found


def _split(cell: Cell, line: Sequence[Sequence[float]]) -> Sketch:
    parts = shapes.split(shapely_of(cell.geometry), line)
    return Sketch([cell], [
        Outline(
            part, cell.kind, cell.division_id, name_zh=_numbered(cell.name_zh, n, 120), name_en=_numbered(cell.name_en, n, 160),
            focus=cell.focus, of=cell if n == 1 else None,
        )
        for n, part in enumerate(parts, 1)
    ])  # fmt: skip


def _numbered(name: str, n: int, most: int) -> str:
    return f"{name[: most - 2]}-{n}" if name else ""


def _join(first: Cell, second: Cell) -> Sketch:
    if first.pk == second.pk:
        raise NotUnderstood("second_cell", _("A cell is joined with another, not with itself."))
    if (first.kind, first.division_id) != (second.kind, second.division_id):
        raise NotUnderstood("second_cell", _("Cells that are joined are of one kind and one village."))
    whole = shapes.join(shapely_of(first.geometry), shapely_of(second.geometry))
    return Sketch([first, second], [Outline(
        whole, first.kind, first.division_id, name_zh=first.name_zh, name_en=first.name_en, focus=first.focus, of=first
    )])  # fmt: skip


# -- outlines from a file -------------------------------------------------------------------------


def _features(drawing: Drawing) -> list[layer.Feature]:
    """Read the layer that was given with the reader that loads cities."""
    problems = Problems()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if drawing.file is not None:
            ending = Path(drawing.file.name or "").suffix.lower()
            if ending not in FILES:
                words = _("“%(seen)s” is no layer; expected one of %(expected)s.")
                raise NotUnderstood(
                    "file", words % {"seen": (drawing.file.name or "")[-60:], "expected": ", ".join(FILES)}
                )
            if drawing.file.size > MOST_BYTES:
                raise NotUnderstood("file", _("The file is larger than %(most)s MB.") % {"most": MOST_BYTES // 2**20})
            path = folder / f"outlines{'.geojson' if ending == '.json' else ending}"
            with path.open("wb") as out:
                out.writelines(drawing.file.chunks())
        elif drawing.geojson is not None:
            (folder / "outlines.geojson").write_text(json.dumps(drawing.geojson), encoding="utf-8")
        else:
            raise NotUnderstood("file", _("A layer with the new outlines is missing."))
        found = list(layer.features(folder, "outlines", problems))
    if problems:
        lines = [f"{one.line}: {one.message}" for one in problems.listed[:20]]
        raise NotUnderstood("file", " · ".join(lines))
    if not found:
        raise NotUnderstood("file", _("The layer holds no outline."))
    return found


def _outlines(features: Iterable[layer.Feature], user: User) -> Sketch:
    """Return what a layer says. A code of an active cell: the outline that takes its place, with its name and people."""
    features = list(features)
    codes = [feature.text("code") for feature in features]
    named = [code for code in codes if code]
    if twice := next((code for code in named if named.count(code) > 1), ""):
        raise NotUnderstood("file", _("Code %(code)s stands twice in the layer.") % {"code": twice})
    known = {cell.code: cell for cell in Cell.objects.filter(code__in=named)}
    begins, ends = [], {}
    for feature in features:
        old = known.get(feature.text("code"))
        if old is not None and not (old.active and old.code.startswith(user.area_code or "-")):
            words = _("Feature %(n)s: cell %(code)s has ended or lies outside your area.")
            raise NotUnderstood("file", words % {"n": feature.number, "code": old.code})
        if old is not None and shapes.same(shapely_of(old.geometry), feature.shape):
            continue  # keeps its identity
        if old is not None:
            ends[old.pk] = old
        begins.append(_outline(feature, old))
    for cell in _ground_under([one for one in begins if one.kind == Cell.Kind.BASE]):
        ends.setdefault(cell.pk, cell)
    made = Sketch(sorted(ends.values(), key=lambda cell: cell.code), begins)
    if not made.begins:
        raise NotUnderstood("file", _("Every outline of the layer is in force already; nothing would change."))
    _settle_divisions(made, user)
    return made


def _outline(feature: layer.Feature, old: Cell | None) -> Outline:
    kind = feature.text("kind") or (old.kind if old else Cell.Kind.BASE)
    if kind not in Cell.Kind.values:
        words = _("Feature %(n)s: “%(seen)s” is no kind of cell; expected one of %(expected)s.")
        expected = ", ".join(Cell.Kind.values)
        raise NotUnderstood("file", words % {"n": feature.number, "seen": kind[:40], "expected": expected})
    code = "" if old else feature.text("code")
    if code and not (len(code) == 15 and code.isascii() and code.isdigit()):
        raise NotUnderstood("file", _("code “%(code)s” has not 15 digits") % {"code": code[:40]})
    return Outline(
        feature.shape, kind, (old.division_id if old else feature.text("division") or code[:12]), code=code,
        name_zh=(feature.text("name_zh") or (old.name_zh if old else ""))[:120],
        name_en=(feature.text("name_en") or (old.name_en if old else ""))[:160],
        focus=(old.focus if old else feature.text("focus"))[:20], of=old, worker_number=feature.text("worker"),
    )  # fmt: skip


def _ground_under(begins: list[Outline]) -> list[Cell]:
    """Return the base cells that new base outlines take ground from: all of them end. Queries: 1."""
    if not begins:
        return []
    whole = shapely.union_all([one.shape for one in begins])
    touched = Cell.objects.filter(active=True, kind=Cell.Kind.BASE, geometry__intersects=geos_of(whole))
    return [
        cell for cell in touched if m2(shapely.intersection(shapely_of(cell.geometry), whole)) > shapes.TOLERANCE_M2
    ]


def _settle_divisions(made: Sketch, user: User) -> None:
    """Let outlines without a village have that of the cell whose ground they take most of; refuse what is foreign."""
    ground = [(cell, shapely_of(cell.geometry)) for cell in made.ends]
    for one in made.begins:
        if not one.division:
            near = ground or [(cell, shapely_of(cell.geometry)) for cell in _ground_under([one])]
            if near:
                taken = [shapely.intersection(shape, one.shape).area for _cell, shape in near]
                one.division = near[int(numpy.argmax(taken))][0].division_id
    known = set(Division.objects.filter(code__in={one.division for one in made.begins}).values_list("code", flat=True))
    for n, one in enumerate(made.begins, 1):
        if one.division not in known or not one.division.startswith(user.area_code or "-"):
            words = _("Outline %(n)s: “%(seen)s” is no village or township of your area.")
            raise NotUnderstood("file", words % {"n": n, "seen": one.division[:20]})
    foreign = next((cell.code for cell in made.ends if not cell.code.startswith(user.area_code)), "")
    if foreign:
        raise NotUnderstood(
            "file", _("The outlines take ground of cell %(code)s, outside your area.") % {"code": foreign}
        )


# -- codes and people -----------------------------------------------------------------------------


def _draw_codes(made: Sketch) -> None:
    """Give every outline without a code the next free sequence of its village. A code that was ever used stays used."""
    villages = {_village(one.division) for one in made.begins}
    used: set[str] = set()
    for village in villages:
        used |= set(Cell.objects.filter(code__startswith=village).values_list("code", flat=True))
        used |= set(_draft_codes(village))
    used |= {one.code for one in made.begins if one.code}
    for one in made.begins:
        if not one.code:
            one.code = _next_free(_village(one.division), one.kind, used)
            used.add(one.code)
        one.name_zh = one.name_zh or one.code


def _draft_codes(village: str) -> Iterable[str]:
    """Return the codes that re-zonings under way have drawn."""
    pending = DraftCell.objects.filter(code__startswith=village, rezoning__state__in=("draft", "checked", "approved"))
    return pending.values_list("code", flat=True)


def _village(division: str) -> str:
    return division if len(division) == 12 else f"{division}000"


def _next_free(village: str, kind: str, used: set[str]) -> str:
    """Return the code after the highest of its kind in a village (GB/T 30428.2: village and three digits)."""
    numbers = SEQUENCES[Cell.Kind(kind)]
    taken = {int(code[12:]) for code in used if code.startswith(village)}
    after = max((n for n in taken if n in numbers), default=numbers.start - 1) + 1
    for n in (*range(after, numbers.stop), *numbers, *range(1, 1000)):
        if n not in taken:
            return f"{village}{n:03d}"
    raise NotUnderstood("file", _("Village %(code)s has no free code left.") % {"code": village})


def workers_for(made: Sketch) -> dict[str, Worker | None]:
    """Return who is to answer for each outline, by code: the one named, else who answers for the cell it comes from.

    Queries: 2.
    """
    numbers = {one.worker_number for one in made.begins if one.worker_number}
    named = {worker.number: worker for worker in Worker.objects.filter(number__in=numbers)}
    today = timezone.localdate()
    old = [one.of.pk for one in made.begins if one.of]
    postings = Posting.objects.on(today).filter(cell__in=old, role="primary").select_related("worker")
    present = {posting.cell_id: posting.worker for posting in postings}
    found: dict[str, Worker | None] = {}
    for one in made.begins:
        if one.worker_number and one.worker_number not in named:
            raise NotUnderstood(
                "file", _("“%(seen)s” is no grid worker; expected a number.") % {"seen": one.worker_number[:40]}
            )
        found[one.code] = named.get(one.worker_number) or (present.get(one.of.pk) if one.of else None)
    return found
