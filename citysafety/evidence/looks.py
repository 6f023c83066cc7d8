"""What a picture looks like: how the same picture is known when it was saved anew, smaller or stronger compressed.

Two looks. The first is a difference hash (dHash) of 128 bits that an index finds among millions: the picture in grey,
shrunk to a few fields; a bit says whether a field is brighter than the one after it, once along rows, once along
columns. The second compares 32 × 32 fields of what the first has found. Neither knows a picture that was cut, turned,
mirrored, framed, much brightened or photographed from a screen.
"""

from dataclasses import dataclass
from typing import Self

from PIL import Image, ImageChops, ImageStat

SIDE = 8  # a bit for each step between two fields: 64 along rows, 64 along columns
PLAIN = 6.0  # grey levels from field to field, root mean square; below, noise decides the bits
BANDS = (48, 32, 16, 0)  # where the four bands of 16 bits of the rows begin, each with its index
BAND = 0xFFFF
MOST_ACROSS = len(BANDS) - 1  # bits of the rows that may differ: with more, no band need be the same
FIELDS = 32  # of the second look, a side
WHOLE = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class Look:
    """Two hashes of 64 bits, along rows and along columns, signed as PostgreSQL keeps them."""

    across: int
    down: int

    def bits_from(self, other: Self) -> int:
        """Return in how many of the 128 bits two looks differ."""
        return ((self.across ^ other.across) & WHOLE).bit_count() + ((self.down ^ other.down) & WHOLE).bit_count()


def look_of(picture: Image.Image) -> Look | None:
    """Return what an upright picture looks like; None when it is too plain to be told from another."""
    grey = picture.convert("L")
    rows = grey.resize((SIDE + 1, SIDE), Image.Resampling.BOX).tobytes()
    columns = grey.resize((SIDE, SIDE + 1), Image.Resampling.BOX).tobytes()
    across = [rows[n] - rows[n + 1] for n in range(len(rows)) if (n + 1) % (SIDE + 1)]
    down = [columns[n] - columns[n + SIDE] for n in range(len(columns) - SIDE)]
    steps = across + down
    if sum(step * step for step in steps) < PLAIN**2 * len(steps):
        return None
    return Look(_bits(_dealt(across)), _bits(down))


def _dealt(steps: list[int]) -> list[int]:
    """Deal steps out among the bands, so that each has some of the whole picture: a sky above fills none of them alone."""
    return [step for band in range(len(BANDS)) for step in steps[band :: len(BANDS)]]


def _bits(steps: list[int]) -> int:
    value = sum(1 << n for n, step in enumerate(reversed(steps)) if step > 0)
    return value - WHOLE - 1 if value >> 63 else value


def apart(one: Image.Image, other: Image.Image) -> float:
    """Return by how many grey levels two pictures differ from field to field (root mean square): the second look."""
    small = [picture.convert("L").resize((FIELDS, FIELDS), Image.Resampling.BOX) for picture in (one, other)]
    return ImageStat.Stat(ImageChops.difference(*small)).rms[0]
