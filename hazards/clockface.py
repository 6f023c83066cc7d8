"""A clock drawn along its hours: what counts is filled, what does not is hatched, with now and the due time on it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils import formats
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from citysafety.names import chosen

LATE_WIDTH = 18  # percent of the width that what is over takes, however long it is
# Percent of the width from the middle of words to the next ones; a narrow bar shows only those at its ends.
APART = {"short": 20, "long": 32}
PAUSES = {
    "lunch": gettext_lazy("lunch does not count"),
    "night": gettext_lazy("the night does not count"),
    "weekend": gettext_lazy("the weekend does not count"),
    "holiday": gettext_lazy("holidays do not count"),
}
MOST_TERMS = 4  # of a sum that is spelled out


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of the bar, in percent of its width. ``kind``: spent, ahead, still (does not count), mixed, over."""

    begin: float
    end: float
    kind: str
    words: str = ""

    @property
    def x(self) -> str:
        return f"{self.begin:.2f}%"

    @property
    def x2(self) -> str:
        return f"{self.end:.2f}%"

    @property
    def width(self) -> str:
        return f"{max(0.0, self.end - self.begin):.2f}%"


@dataclass(frozen=True, slots=True)
class Label:
    """Words under the bar; ``anchor`` is that of SVG. What is beside the times of begin and end gives way where it is narrow."""

    at: float
    words: str
    anchor: str = "middle"
    is_beside: bool = False

    @property
    def x(self) -> str:
        return f"{self.at:.2f}%"


@dataclass(slots=True)
class Face:
    """What the template draws."""

    pieces: list[Piece] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)
    still: list[str] = field(default_factory=list)  # in words, for who does not see the bar
    now: str = ""
    due: str = ""


def draw(sums: Mapping[str, Any], *, at: datetime, is_running: bool, due: datetime | None = None) -> Face | None:
    """Draw a clock from its arithmetic (``Arithmetic.as_dict``) as it stood at a moment; None where nothing was left to run.

    Hours before the due time share the bar by their length. What is over is longer than any bar, so it gets its end.
    ``due`` is the due time where another limit ends before the one that was reckoned.
    """
    start, reckoned = (datetime.fromisoformat(sums[name]) for name in ("start", "due"))
    due = min(due or reckoned, reckoned)
    whole = (due - start).total_seconds()
    if whole <= 0:
        return None
    is_late = at > due
    share = (100 - LATE_WIDTH if is_late else 100) / whole

    def place(moment: datetime) -> float:
        return share * (moment - start).total_seconds()

    face = Face()
    for span in sums["spans"]:
        begin, end = (min(datetime.fromisoformat(span[name]), due) for name in ("from", "to"))
        if span["why"] == "summary":
            cut = min(max(at, begin), end)
            face.pieces += [
                Piece(place(begin), place(cut), "mixed spent"),
                Piece(place(cut), place(end), "mixed ahead"),
            ]
        elif span["counted_s"]:
            cut = min(max(at, begin), end)
            face.pieces += [Piece(place(begin), place(cut), "spent"), Piece(place(cut), place(end), "ahead")]
        else:
            words = chosen(span["name_zh"], span["name_en"]) or str(PAUSES.get(span["why"], ""))
            face.pieces.append(Piece(place(begin), place(end), "still", words))
            face.still.append(f"{words} {_moment(begin)}–{_moment(end)}")
    face.pieces = [piece for piece in face.pieces if piece.end > piece.begin]
    face.due = f"{place(due):.2f}%"
    face.labels = [Label(0, _moment(start), "start"), Label(place(due), _moment(due), "middle" if is_late else "end")]
    if is_late:
        face.pieces.append(Piece(place(due), 100, "over"))
    elif at > start:
        face.now = f"{place(at):.2f}%"
        _add(face, Label(place(at), _("now") if is_running else _("stopped"), is_beside=True), APART["short"])
    for piece in sorted(face.pieces, key=lambda piece: piece.begin - piece.end):
        if piece.kind == "still" and piece.words and piece.end - piece.begin >= APART["short"]:
            _add(face, Label((piece.begin + piece.end) / 2, piece.words, is_beside=True), APART["long"])
    return face


def terms(sums: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    """Return the spans whose hours are added up, where so few are shown that the sum can be spelled out; else none."""
    counted = [span for span in sums["spans"] if span["counted_s"]]
    return counted if len(counted) <= MOST_TERMS and not sums["summed_up"] else []


def hours(span: Mapping[str, Any], since: datetime) -> str:
    """Say from when to when a span runs, with its day where that is not the day of ``since``."""
    begin, end = (localtime(datetime.fromisoformat(span[name])) for name in ("from", "to"))
    day = "" if begin.date() == localtime(since).date() else f"{begin:%m-%d} "
    return f"{day}{begin:%H:%M}–{end:%H:%M}"


def _add(face: Face, label: Label, apart: float) -> None:
    """Add words where nothing stands near."""
    if all(abs(label.at - other.at) >= apart for other in face.labels):
        face.labels.append(label)


def _moment(moment: datetime) -> str:
    return formats.date_format(localtime(moment), "m-d H:i")
