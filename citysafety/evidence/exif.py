"""What a camera wrote into a picture: when, and where it stood. Whatever is broken there says nothing, and breaks nothing.

Source: CIPA DC-008 (Exif 2.32) 4.6.5 (DateTimeOriginal, OffsetTimeOriginal) and 4.6.6 (GPS attributes).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from math import isfinite
from typing import Any

from PIL import Image

EXIF_IFD, GPS_IFD = 0x8769, 0x8825
TAKEN, OFFSET = 0x9003, 0x9011
LAT_REF, LAT, LON_REF, LON = 1, 2, 3, 4
YEARS = range(1970, 2100)  # of a time that a clock may say, however wrong it is set
CITY_OFFSET = "+08:00"  # of a camera that does not say its own


@dataclass(frozen=True, slots=True)
class Written:
    """What the camera says: when and with which offset (empty: it named none), and where, in degrees as they stand there."""

    taken_at: datetime | None = None
    offset: str = ""
    place: tuple[float, float] | None = None  # lon, lat


def read(picture: Image.Image) -> Written:
    """Return what the camera wrote; nothing where it is missing or broken."""
    try:
        exif = picture.getexif()
    except Exception:  # the file may hold anything there, and Pillow fails in many ways
        return Written()
    taken_at, offset = _taken(_part(exif, EXIF_IFD))
    return Written(taken_at, offset, _place(_part(exif, GPS_IFD)))


def _part(exif: Image.Exif, tag: int) -> Mapping[int, Any]:
    try:
        return dict(exif.get_ifd(tag))
    except Exception:  # as above
        return {}


def _taken(fields: Mapping[int, Any]) -> tuple[datetime | None, str]:
    offset = str(fields.get(OFFSET) or "").strip("\0 ")
    for spelled, said in ((offset, offset), (CITY_OFFSET, "")):
        try:
            text = str(fields.get(TAKEN, "")).strip("\0 ") + spelled.replace(":", "")
            taken_at = datetime.strptime(text, "%Y:%m:%d %H:%M:%S%z").astimezone(UTC)
            return (taken_at, said[:6]) if taken_at.year in YEARS else (None, "")
        except (ValueError, OverflowError):
            continue
    return None, ""


def _place(fields: Mapping[int, Any]) -> tuple[float, float] | None:
    lat, lon = (
        _degrees(fields.get(LAT), fields.get(LAT_REF), "NS", 90),
        _degrees(fields.get(LON), fields.get(LON_REF), "EW", 180),
    )
    if lat is None or lon is None or (lat, lon) == (0, 0):  # 0°, 0° is what a receiver without a fix writes
        return None
    return lon, lat


def _degrees(parts: Any, half: Any, halves: str, most: float) -> float | None:
    """Return degrees, minutes and seconds as one number, west and south below zero; None for what is no such angle."""
    try:
        degrees, minutes, seconds = (float(part) for part in parts)
        side = halves.index(str(half).strip("\0 ").upper()[:1] or "?")
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        return None
    angle = degrees + minutes / 60 + seconds / 3600
    if not isfinite(angle) or min(degrees, minutes, seconds) < 0 or angle > most:
        return None
    return -angle if side else angle
