"""What notices say: one row a topic, registered by the app that writes them, worded in the reader's language."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone, translation

from citysafety.names import chosen

from .models import Notice


@dataclass(frozen=True, slots=True)
class Topic:
    """The words of a topic; ``title``, ``body`` and ``path`` take the notice's params as ``%(name)s``."""

    key: str
    label: Any
    title: Any
    body: Any
    path: str


TOPICS: dict[str, Topic] = {}


def register(key: str, *, label: Any, title: Any, body: Any = "", path: str = "") -> None:
    """Make a topic known; texts are lazy translations. ``path`` is the page that a click opens."""
    TOPICS[key] = Topic(key, label, title, body, path)


@dataclass(frozen=True, slots=True)
class Words:
    """A notice as its reader sees it."""

    title: str
    body: str
    path: str


def words(notice: Notice, language: str | None = None) -> Words:
    """Put a notice into words, in the active language or the one named. No queries.

    A param ``{"zh": …, "en": …}`` is a name of data in two languages; one that ends in ``_at`` is an ISO time, "" none.
    """
    if language:
        with translation.override(language):
            return words(notice)
    topic = TOPICS.get(notice.topic)
    if topic is None:  # its app is gone; the notice stays readable
        return Words(notice.topic, "", "")
    params = {name: _shown(name, value) for name, value in notice.params.items()}
    params |= {"subject_id": notice.subject_id, "kind": notice.kind}
    return Words(str(topic.title) % params, str(topic.body) % params, topic.path % params)


def _shown(name: str, value: Any) -> Any:
    if isinstance(value, dict):
        return chosen(value.get("zh", ""), value.get("en", ""))
    if name.endswith("_at") and isinstance(value, str):
        return "–" if not value else f"{timezone.localtime(datetime.fromisoformat(value)):%Y-%m-%d %H:%M}"
    return value
