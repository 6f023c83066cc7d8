"""A photo's trust record in words, for one reader: a case that the reader may not see is only "another case"."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from . import cases
from .cases import Case
from .judging import AGAINST, CAMERA, FOR
from .models import Attachment, Trust, Verdict

SIGNS = {
    Verdict.TRUSTED: ("tick", ""),
    Verdict.PARTLY: ("half", ""),
    Verdict.BARE: ("open", ""),
    Verdict.LOOK: ("warn", "late"),
    Verdict.IMPORTED: ("", "ended"),
}
UNJUDGED = "unjudged"
LABELS = {
    "sealed": gettext_lazy("Sealed"),
    "time_fits": gettext_lazy("Time fits"),
    "place_fits": gettext_lazy("Place fits"),
    "time_off": gettext_lazy("Time"),
    "place_off": gettext_lazy("Place"),
    "bare": gettext_lazy("No metadata"),
    "stripped": gettext_lazy("Nothing in the file"),
    "plain": gettext_lazy("Too plain to compare"),
    "imported": gettext_lazy("Imported"),
    "same_bytes": gettext_lazy("The same photo in another case"),
    "same_picture": gettext_lazy("The same picture in another case, saved anew"),
    "after_is_before": gettext_lazy("One photo for before and after"),
    "offered_again": gettext_lazy("Offered again after a failed verification"),
    "before_found": gettext_lazy("Taken before the case was found"),
    "older_than_case": gettext_lazy("Older than the case"),
    "clock_ahead": gettext_lazy("Clock ahead"),
    "far": gettext_lazy("Far from the case"),
    "places_differ": gettext_lazy("Camera and device disagree"),
}
PLAINLY = {
    "bare": gettext_lazy("The file says neither when nor where, as after a messenger; that is no sign against it."),
    "stripped": gettext_lazy("The picture carries no metadata; what is known was said by the device that sent it."),
    "plain": gettext_lazy("A picture with so little in it is only compared byte by byte."),
    "imported": gettext_lazy("Brought in with history and not judged."),
    "same_bytes": gettext_lazy("Byte for byte the same."),
    "same_picture": gettext_lazy("It looks the same but for size or compression."),
    "after_is_before": gettext_lazy("The same bytes show what was found and what was done."),
}  # fmt: skip
MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86_400


@dataclass(frozen=True, slots=True)
class Told:
    """One reason in words. ``side``: for, against or neither; ``cases`` are those the reader may see."""

    code: str
    label: str
    words: str
    side: str
    figures: dict[str, Any]
    cases: list[Case] = field(default_factory=list)
    unseen: int = 0  # further cases that the reader may not see

    @property
    def sign(self) -> str:
        return {"for": "tick", "against": "warn"}.get(self.side, "open")


@dataclass(frozen=True, slots=True)
class Judged:
    """What is made of a photo: verdict, its word and sign, the reasons."""

    verdict: str
    label: str
    sign: str
    look: str
    reasons: list[Told]

    def as_answer(self) -> dict[str, Any]:
        """Return it as the API gives it."""
        return {"verdict": self.verdict, "label": self.label, "reasons": [_answer(one) for one in self.reasons]}


def _answer(told: Told) -> dict[str, Any]:
    answer = {"code": told.code, "side": told.side, "words": f"{told.label}: {told.words}", **told.figures}
    if told.cases or told.unseen:
        answer |= {"cases": [{"id": one.id, "number": one.number} for one in told.cases], "unseen": told.unseen}
    return answer


def judged(attachments: Iterable[Attachment], reader: Any) -> dict[int, Judged]:
    """Return what is made of photos, by attachment. Queries: 1 a kind of case that shares a picture with theirs, else 0.

    Select ``trust`` with the attachments.
    """
    rows = {one.pk: (one, getattr(one, "trust", None)) for one in attachments}
    keys: set[cases.Key] = {
        tuple(key)
        for _one, trust in rows.values()
        if trust
        for reason in trust.reasons
        for key in reason.get("cases", ())
    }
    seen = cases.find(keys, reader) if keys else {}
    return {pk: _judged(one, trust, seen) for pk, (one, trust) in rows.items()}


def _judged(attachment: Attachment, trust: Trust | None, seen: dict[cases.Key, Case]) -> Judged:
    if trust is None:
        return Judged(UNJUDGED, _("Not judged"), "", "ended", [])
    verdict = Verdict(trust.verdict)
    sealed = Told(
        "sealed",
        str(LABELS["sealed"]),
        _("Received %(at)s; the file has not changed since.") % {"at": _moment(attachment.at)},
        "neither",
        {"sha256": attachment.photo_id, "received_at": localtime(attachment.at).isoformat()},
    )
    order = {"against": 0, "for": 1, "neither": 2}
    told = sorted((_told(reason, seen) for reason in trust.reasons), key=lambda one: order[one.side])
    return Judged(verdict.value, str(verdict.label), *SIGNS[verdict], [*told, sealed])


def _told(reason: dict[str, Any], seen: dict[cases.Key, Case]) -> Told:
    code = reason["code"]
    side = "against" if code in AGAINST else "for" if code in FOR else "neither"
    named = [tuple(key) for key in reason.get("cases", ())]
    known = [seen[key] for key in named if key in seen]
    figures = {name: value for name, value in reason.items() if name not in ("code", "cases", "count")}
    return Told(code, str(LABELS.get(code, code)), _words(reason), side, figures, known, len(named) - len(known))


def _words(reason: dict[str, Any]) -> str:
    code = reason["code"]
    if "taken_at" in reason:
        return _time_words(reason)
    if "away_m" in reason:
        return _place_words(reason)
    if code == "places_differ":
        return _("The camera says it stood %(distance)s m from where the device says it did.") % {
            "distance": reason["distance_m"]
        }
    if code == "offered_again":
        moments = {name: _moment(datetime.fromisoformat(reason[f"{name}_at"])) for name in ("again", "failed")}
        return _("It was sent again %(again)s, after the work that it shows was found wanting %(failed)s.") % moments
    return str(PLAINLY.get(code, ""))


def _who(reason: dict[str, Any]) -> str:
    return pgettext("who says", "Camera") if reason["by"] == CAMERA else pgettext("who says", "Device")


def _time_words(reason: dict[str, Any]) -> str:
    found, receipt = reason["after_found_s"], reason["before_receipt_s"]
    words = {
        "who": _who(reason),
        "taken": _moment(datetime.fromisoformat(reason["taken_at"])),
        "found": (_("%(span)s after the case was found") if found >= 0 else _("%(span)s before the case was found"))
        % {"span": _span(found)},
        "receipt": (_("%(span)s before it was received") if receipt >= 0 else _("%(span)s after it was received"))
        % {"span": _span(receipt)},
    }
    return _("%(who)s: taken %(taken)s, %(found)s, %(receipt)s.") % words


def _place_words(reason: dict[str, Any]) -> str:
    words = {"who": _who(reason), "distance": reason["distance_m"], "away": reason["away_m"]}
    if reason["away_m"] == 0:
        return _("%(who)s: %(distance)s m from the case, within what the positions are accurate to.") % words
    return _("%(who)s: %(distance)s m from the case, with accuracy considered at least %(away)s m.") % words


def _moment(at: datetime) -> str:
    return f"{localtime(at):%Y-%m-%d %H:%M}"


def _span(seconds: int) -> str:
    """Write a length of time in the unit that suits it."""
    length = abs(seconds)
    if length < MINUTE_S:
        return _("under a minute")
    if length < HOUR_S:
        return _("%(n)s min") % {"n": round(length / MINUTE_S)}
    if length < 2 * DAY_S:
        return _("%(n)s h") % {"n": round(length / HOUR_S)}
    return _("%(n)s days") % {"n": round(length / DAY_S)}
