"""Administrative division codes: GB/T 2260, extended by GB/T 10114 and the grid of GB/T 30428.2.

Stored without trailing zeros ("3705", not "370500000000"), so that containment is a prefix.
Codes are cut by level, never by digit: city 4, county 6, township 9, village 12, cell 15.
"""

LEVELS = (4, 6, 9, 12, 15)
LEVEL_NAMES = {4: "city", 6: "county", 9: "township", 12: "village", 15: "cell"}


class UnknownArea(ValueError):
    """The text is not an area code of any level."""


def normal(code: str) -> str:
    """Return the stored form of a code: "370500" is read as its city "3705".

    :raises UnknownArea: if the code is not digits of a known level.
    """
    if len(code) == 6 and code.endswith("00"):
        code = code[:4]
    if len(code) not in LEVELS or not (code.isascii() and code.isdigit()):
        raise UnknownArea(f"{code!r} is not an area code; expected 4, 6, 9, 12 or 15 digits")
    return code


def level(code: str) -> str:
    """Return the level of a stored code: city, county, township, village or cell."""
    return LEVEL_NAMES[len(code)]


def covers(holder: str, area: str) -> bool:
    """Test whether the holder's area contains another. An empty one contains none."""
    return len(holder) in LEVELS and area.startswith(holder)


def lineage(area: str) -> list[str]:
    """Return an area with every area around it, widest first."""
    return [area[:digits] for digits in LEVELS if digits <= len(area)]
