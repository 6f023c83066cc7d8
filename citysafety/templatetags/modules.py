"""Scripts of pages: a module with all that it imports, so that the browser need not find out step by step."""

import posixpath
import re
from functools import lru_cache
from pathlib import Path

from django import template
from django.contrib.staticfiles import finders
from django.templatetags.static import static
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from citysafety.catalogue import address

register = template.Library()
IMPORT = re.compile(r"""^(?:import|export)\s(?:[^'"]*?\sfrom\s)?\s*['"](\.[^'"]+)['"]""", re.MULTILINE)


@register.simple_tag
def words() -> SafeString:
    """Return the element of what modules say, in the language of the page; it stands before them."""
    return format_html('<script src="{}" defer></script>', address())


@register.simple_tag
def module(name: str) -> SafeString:
    """Return the element of a module, and before it one for each module that it needs, to be fetched at the same time."""
    needed = format_html_join("\n", '<link rel="modulepreload" href="{}">', ((static(one),) for one in imports(name)))
    return format_html('{}\n<script type="module" src="{}"></script>', needed, static(name))


@lru_cache(maxsize=64)
def imports(name: str) -> tuple[str, ...]:
    """Return the static files that a module imports, and those these import, each once, in the order of their need."""
    found: dict[str, None] = {}
    waiting = [name]
    for one in waiting:
        path = finders.find(one)
        text = Path(path).read_text() if path else ""
        for said in IMPORT.findall(text):
            other = posixpath.normpath(posixpath.join(posixpath.dirname(one), said))
            if other != name and other not in found:
                found[other] = None
                waiting.append(other)
    return tuple(found)
