"""Pure rules of the grid: text in, answer out."""

from pypinyin import Style, lazy_pinyin


def initials(text: str) -> str:
    """Return the pinyin initials of a Chinese text: 消防通道堵塞 → xftdds."""
    letters = lazy_pinyin(text, style=Style.FIRST_LETTER, errors=lambda rest: "".join(c for c in rest if c.isalnum()))
    return "".join(letters).lower()


def masked(name: str) -> str:
    """Return a name as strangers may read it: 张伟 → 张*, 欧阳雪 → 欧**."""
    return name[:1] + "*" * max(len(name) - 1, 1) if name else ""
