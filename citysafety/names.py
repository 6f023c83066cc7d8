"""Names of data in the two languages of the city."""

from collections.abc import Sequence

from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _


def chosen(name_zh: str, name_en: str) -> str:
    """Return the name in the active language; the Chinese one where there is no English."""
    return name_en if name_en and in_english() else name_zh


def address(names: Sequence[str]) -> str:
    """Return a place, named from the nearest to the widest, as the active language writes it: Chinese begins with the widest."""
    return ", ".join(names) if in_english() else "".join(reversed(names))


def in_english() -> bool:
    """Test whether the active language is English: asked once by whoever names many things."""
    return (get_language() or "").startswith("en")


class Named(models.Model):
    """A row with a Chinese and an English name."""

    name_zh = models.CharField(_("Chinese name"), max_length=120)
    name_en = models.CharField(_("English name"), max_length=160, blank=True, default="")

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        return chosen(self.name_zh, self.name_en)
