"""The kinds of fields that messages are made of: BCD times, texts in GB 18030, and a reader that never runs over."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, timezone

from monitoring.intake.wire import Malformed

BEIJING = timezone(timedelta(hours=8))  # times of the standard are GMT+8
CHARSET = "gb18030"  # the standard says GBK, which GB 18030 contains
PADDING = "\0 "
TWO_DIGITS = tuple((n >> 4) * 10 + (n & 15) if n >> 4 < 10 and n & 15 < 10 else 0xFF for n in range(256))
CENTURY = 2000


def moment(bcd: bytes) -> datetime | None:
    """Return the time of BCD[6] ``YYMMDDhhmmss``; None where it is none, as of terminals that have not located yet."""
    year, month, day, hour, minute, second = (TWO_DIGITS[byte] for byte in bcd)
    try:
        return datetime(CENTURY + year, month, day, hour, minute, second, tzinfo=BEIJING) if year < 100 else None
    except ValueError:
        return None


def bcd(at: datetime) -> bytes:
    """Return a time as BCD[6]. :raises ValueError: it is outside the century of the standard or has no zone."""
    if at.tzinfo is None:
        raise ValueError("a time without a zone")
    at = at.astimezone(BEIJING)
    if not CENTURY <= at.year < CENTURY + 100:
        raise ValueError(f"year {at.year} has no two digits of the century")
    return bytes.fromhex(f"{at:%y%m%d%H%M%S}")


def day(bcd: bytes) -> date | None:
    """Return the day of BCD[4] ``YYYYMMDD``; None where it is none."""
    century, year, month, dom = (TWO_DIGITS[byte] for byte in bcd)
    try:
        return date(century * 100 + year, month, dom) if century < 100 and year < 100 else None
    except ValueError:
        return None


def text(data: bytes) -> str:
    """Return a text without what fills it up; bytes that are no character become U+FFFD."""
    return data.decode(CHARSET, errors="replace").strip(PADDING)


def filled(words: str, size: int) -> bytes:
    """Return a text of exactly ``size`` bytes, zeros behind it. :raises ValueError: it is longer."""
    data = words.encode(CHARSET)
    if len(data) > size:
        raise ValueError(f"{words!r} takes {len(data)} bytes, the field has {size}")
    return data.ljust(size, b"\0")


def measured(words: str) -> bytes:
    """Return a text behind a byte that counts its bytes. :raises ValueError: one byte cannot."""
    data = words.encode(CHARSET)
    if len(data) > 0xFF:
        raise ValueError(f"{len(data)} bytes; a byte counts to 255")
    return bytes([len(data)]) + data


def told_moment(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def seconds(at: datetime | None) -> int:
    return int(at.astimezone(UTC).timestamp()) if at else 0


def named(bits: int, names: Sequence[str | None]) -> list[str]:
    """Return the names of the bits that are set; a bit without a name has none."""
    return [name for n, name in enumerate(names) if name and bits >> n & 1]


class Reader:
    """Takes fields from a body one after the other. :raises Malformed: there are not so many bytes."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def __len__(self) -> int:
        return len(self._data) - self._at

    def take(self, size: int) -> bytes:
        if size > len(self):
            raise Malformed(f"a field of {size} bytes at byte {self._at} of a body of {len(self._data)}")
        self._at += size
        return self._data[self._at - size : self._at]

    def rest(self) -> bytes:
        return self.take(len(self))

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")

    def byte(self) -> int:
        return self.number(1)

    def word(self) -> int:
        return self.number(2)

    def dword(self) -> int:
        return self.number(4)

    def text(self, size: int) -> str:
        return text(self.take(size))

    def end(self) -> None:
        """Refuse what is left over. :raises Malformed: something is."""
        if len(self):
            raise Malformed(f"{len(self)} bytes more than a body of this kind has")
