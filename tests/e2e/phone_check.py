"""What a page of the phone must hold: targets and gaps a thumb can hit, words that can be read, nothing cut off."""

from pathlib import Path
from typing import Any

CHECK = (Path(__file__).parent / "phone_check.js").read_text(encoding="utf-8")
NEED = {"light": 6.999, "dark": 4.5}  # contrast of words; "light" is meant for sunlight


def findings(page: Any, theme: str) -> list[str]:
    """Return what is wrong with the page as it stands, in words; empty when all holds."""
    return page.evaluate(CHECK, {"need": NEED[theme]})
