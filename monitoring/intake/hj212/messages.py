"""HJ 212-2017, clauses 6.3.2 and 6.4: the data segment, its data area, and what they mean."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from math import isfinite
from typing import Any

from monitoring.intake.hj212.codes import COMMANDS, FLAGS, SYSTEMS, WANTS_ANSWER, may_alarm, version_of
from monitoring.intake.hj212.factors import factor_of
from monitoring.intake.hj212.frames import CrcMode, unframe
from monitoring.intake.wire import Malformed

CHINA_TIME = timezone(timedelta(hours=8))  # stations write local time without a zone
AREA_START, AREA_END = "CP=&&", "&&"
STATISTICS = ("Rtd", "Min", "Avg", "Max", "Cou", "ZsRtd", "ZsMin", "ZsAvg", "ZsMax", "ZsCou")
DETAILS = ("SampleTime", "Flag", "EFlag", "Info", "SN", "RS", "RT")
PERIODS = {"2061": timedelta(hours=1), "2031": timedelta(days=1), "2041": timedelta(days=1)}

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Measured:
    """What one message says of one quantity, or of one piece of equipment (``SB…``)."""

    code: str
    values: dict[str, float]  # by statistic: Rtd, Min, Avg, Max, Cou; with Zs converted to standard conditions
    flag: str | None = None
    sampled_at: datetime | None = None
    details: dict[str, str] = field(default_factory=dict)  # words, and values that are no number

    @property
    def may_alarm(self) -> bool:
        """Tell whether its data flag lets it raise an alarm (clause 6.6.4: normal, or over range)."""
        return may_alarm(self.flag)


@dataclass(frozen=True, slots=True)
class Message:
    """One data segment, or one that was joined from its parts."""

    head: dict[str, str]  # QN, ST, CN, PW, MN, Flag, PNUM, PNO, as they were sent
    items: Pairs  # of the data area, in their order
    missing: tuple[int, ...] = ()  # the parts of a split message that never came

    @property
    def cn(self) -> str:
        return self.head.get("CN", "")

    @property
    def mn(self) -> str:
        return self.head.get("MN", "")

    @property
    def qn(self) -> str:
        """Return the request's number; stations of 2005 write it into the data area."""
        return self.head.get("QN") or self.area.get("QN", "")

    @property
    def area(self) -> dict[str, str]:
        """Return the data area by name; of a name that was sent twice, what came last."""
        return dict(self.items)

    @property
    def flag(self) -> int:
        flag = self.head.get("Flag", "")
        return int(flag) if _is_number(flag, 3) else 0

    @property
    def version(self) -> int:
        return version_of(self.flag)

    @property
    def wants_answer(self) -> bool:
        return bool(self.flag & WANTS_ANSWER)

    @property
    def part(self) -> tuple[int, int] | None:
        """Return the number of this part and of all parts; ``None`` of a whole message, whatever its Flag says.

        :raises Malformed: they are no such numbers.
        """
        of, number = self.head.get("PNUM", ""), self.head.get("PNO", "")
        if not of:
            return None
        if not (_is_number(of, 4) and _is_number(number, 4) and 1 <= int(number) <= int(of)):
            raise Malformed(f"part PNO={number or '-'} of PNUM={of or '-'}")
        return int(number), int(of)

    @property
    def data_time(self) -> datetime | None:
        """Return DataTime: of 2011 and 2021 when it was sampled, of periods when they *began* (see `period`).

        :raises Malformed: it is no time.
        """
        written = self.area.get("DataTime")
        return None if written is None else moment(written)

    def measured(self) -> list[Measured]:
        """Return what it says of each quantity. :raises Malformed: a time of sampling is none."""
        return [_measured(code, kinds) for code, kinds in _by_code(self.items).items()]


def _measured(code: str, kinds: dict[str, str]) -> Measured:
    numbers = {kind: number_of(value) for kind, value in kinds.items() if kind in STATISTICS or kind in ("RS", "RT")}
    sampled = kinds.get("SampleTime")
    return Measured(
        code=code,
        values={kind: number for kind, number in numbers.items() if number is not None},
        flag=kinds.get("Flag"),
        sampled_at=None if sampled is None else moment(sampled),
        details={k: v for k, v in kinds.items() if k not in ("Flag", "SampleTime") and numbers.get(k) is None},
    )


def _is_number(text: str, longest: int) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= longest


def number_of(text: str) -> float | None:
    """Return a decimal number, or ``None`` where a station wrote something else (``-``, ``NaN``, nothing)."""
    if not re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", text.strip(), re.ASCII):
        return None
    number = float(text)
    return number if isfinite(number) else None


def moment(text: str) -> datetime:
    """Return the time of YYYYMMDDhhmmss, with or without milliseconds. :raises Malformed: it is none."""
    if not (_is_number(text, 17) and len(text) >= 14):
        raise Malformed(f"time {text[:20]!r}, expected YYYYMMDDhhmmss")
    if not 1970 <= int(text[:4]) < 2200:
        raise Malformed(f"time {text!r}: expected a year from 1970 to 2199")
    numbers = [int(text[:4]), *(int(text[at : at + 2]) for at in range(4, 14, 2))]
    try:
        whole = datetime(*numbers, tzinfo=CHINA_TIME)  # type: ignore[arg-type,misc]
    except ValueError as error:
        raise Malformed(f"time {text!r}: {error}") from error
    return whole + timedelta(milliseconds=int(text[14:].ljust(3, "0")))


def written(at: datetime, milliseconds: bool = False) -> str:
    """Return a time as stations write it: YYYYMMDDhhmmss, of QN with milliseconds."""
    local = at.astimezone(CHINA_TIME)
    return f"{local:%Y%m%d%H%M%S}" + (f"{local.microsecond // 1000:03}" if milliseconds else "")


def period(cn: str, began: datetime, minutes: int = 10) -> tuple[datetime, datetime] | None:
    """Return the period that data of this command are of; ``None`` where DataTime is the moment of sampling.

    Minute data do not tell their interval; ``minutes`` is the station's MinInterval.
    """
    length = timedelta(minutes=minutes) if cn == "2051" else PERIODS.get(cn)
    return None if length is None else (began, began + length)


def decode(message: bytes, crc: CrcMode = "standard") -> Message:
    """Return what a frame says. :raises Malformed: it is damaged or no data segment."""
    return parse(unframe(message, crc))


def parse(segment: str) -> Message:
    """Return what a data segment says. :raises Malformed: it has no data area or no command."""
    before, start, area = segment.partition(AREA_START)
    if not (start and area.endswith(AREA_END)):
        raise Malformed("no data area CP=&&…&& at the end of the data segment")
    head: dict[str, str] = {}
    for name, value in _pairs(before.split(";")):
        if head.setdefault(name, value) != value:
            raise Malformed(f"{name} twice: {head[name]!r} and {value!r}")
    if not _is_number(head.get("CN", ""), 4):
        raise Malformed(f"CN={head.get('CN', '')!r}, expected the number of a command")
    return Message(head, tuple(_pairs(_items(area.removesuffix(AREA_END)))))


def _items(area: str) -> list[str]:
    """Cut a data area at ; and , but not inside a log, which stands between // and // (table B.6, i11001)."""
    pieces = area.split("//")
    if len(pieces) % 2 == 0:  # no pair: the slashes mean nothing
        pieces = [area]
    separated = (piece if odd % 2 else re.sub("[;,]", "\n", piece) for odd, piece in enumerate(pieces))
    return "//".join(separated).split("\n")  # no line end is ever inside a data segment


def _pairs(items: Iterable[str]) -> Iterable[tuple[str, str]]:
    for item in items:
        name, _, value = item.partition("=")
        if name.strip():
            yield name.strip(), value.strip()


def tell(message: Message) -> dict[str, Any]:
    """Return a message as plain values: its fields as they were sent, then what they mean."""
    return {
        **{name: value for name, value in message.head.items() if name != "CP"},
        "CP": message.area,
        "system": SYSTEMS[st]._asdict() if (st := message.head.get("ST", "")) in SYSTEMS else None,
        "command": COMMANDS[message.cn]._asdict() if message.cn in COMMANDS else None,
        "version": message.version,
        "wants_answer": message.wants_answer,
        "time": _told_time(message.area.get("DataTime")),
        "factors": [_told_factor(code, kinds) for code, kinds in _by_code(message.items).items()],
    }


def _by_code(items: Pairs) -> dict[str, dict[str, str]]:
    by_code: dict[str, dict[str, str]] = {}
    for name, value in items:
        code, dash, kind = name.rpartition("-")
        if dash and kind in STATISTICS + DETAILS:
            by_code.setdefault(code, {})[kind] = value
    return by_code


def _told_factor(code: str, kinds: dict[str, str]) -> dict[str, Any]:
    factor, flag = factor_of(code), kinds.get("Flag")
    return {
        "code": code,
        **({"zh": factor.zh, "en": factor.en, "unit": factor.unit} if factor else {}),
        "values": {kind: number_of(value) for kind, value in kinds.items() if kind in STATISTICS},
        "flag": flag,
        "flag_means": FLAGS[flag]._asdict() if flag in FLAGS else None,
        "may_alarm": may_alarm(flag),
    }


def _told_time(text: str | None) -> str | None:
    try:
        return None if text is None else moment(text).isoformat()
    except Malformed:
        return None
