"""Answers in the two formats of the standard: XML, and JSON made of it by the Spark convention.

Doors hand over plain values in the JSON shape. The XML differs in one thing only: each list is an element that holds
elements of its singular.
"""

import re
from typing import Any
from xml.etree import ElementTree

from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer, JSONRenderer

SINGULAR = {
    "services": "service",
    "service_requests": "request",
    "errors": "error",
    "attributes": "attribute",
    "values": "value",
    "endpoints": "endpoint",
    "formats": "format",
    "notes": "note",
}
NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, production 2


def element(name: str, value: Any) -> ElementTree.Element:
    """Return a value as an element: a dict's entries, a list's members and plain text are what is in it."""
    made = ElementTree.Element(name)
    if isinstance(value, dict):
        made.extend(element(key, inner) for key, inner in value.items())
    elif isinstance(value, list):
        made.extend(element(SINGULAR[name], inner) for inner in value)
    elif isinstance(value, bool):
        made.text = str(value).lower()
    elif value is not None:
        made.text = NO_XML.sub("", str(value))
    return made


class Xml(BaseRenderer):
    """``text/xml``; the view's ``root`` names what it answers with."""

    media_type = "text/xml"
    format = "xml"
    charset = "utf-8"

    def render(self, data: Any, accepted_media_type: Any = None, renderer_context: Any = None) -> bytes:
        context = renderer_context or {}
        root = "errors" if context["response"].exception else context["view"].root
        return ElementTree.tostring(element(root, data), encoding="utf-8", xml_declaration=True)


class Json(JSONRenderer):
    """``application/json``, with the charset that the standard spells."""

    charset = "utf-8"


class BySuffix(DefaultContentNegotiation):
    """The end of the address names the format, whatever ``Accept`` says."""

    def select_renderer(self, request: Any, renderers: Any, format_suffix: str | None = None) -> Any:
        chosen = next((one for one in renderers if one.format == format_suffix), renderers[0])
        return chosen, chosen.media_type
