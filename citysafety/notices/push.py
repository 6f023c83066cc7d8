"""Web Push (RFC 8030): notices on a phone or desk that is not looking at a page.

Sealed for the device (RFC 8291) and signed with the city's own key (VAPID, RFC 8292), which set-up makes into ``var/env``.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import requests
from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from .models import Delivery
from .topics import TOPICS

TTL_S = 12 * 3_600  # how long a push service keeps it for a device that is off: a shift
KEYS = {"p256dh": 65, "auth": 16}  # how many bytes each has (RFC 8291)
MOST_LETTERS = 500


def is_offered() -> bool:
    """Test whether this instance has a key to sign with."""
    return bool(settings.VAPID_PRIVATE_KEY)


def public_key() -> str:
    """Return the key that a browser subscribes with; "" where there is none."""
    return _public(settings.VAPID_PRIVATE_KEY) if is_offered() else ""


@cache
def _public(private_key: str) -> str:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat  # noqa: PLC0415  as below
    from py_vapid import Vapid  # noqa: PLC0415  few processes need it

    point = Vapid.from_string(private_key).public_key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return urlsafe_b64encode(point).rstrip(b"=").decode()


def read_subscription(endpoint: str, keys: dict[str, str]) -> dict[str, str]:
    """Return the keys of a subscription as a browser gave it. :raises ValueError: it is none; the words say why."""
    asked = urlsplit(endpoint)
    if asked.scheme != "https" or not asked.hostname or len(endpoint) > MOST_LETTERS:
        raise ValueError(_("“%(seen)s” is no address of a push service; expected https://.") % {"seen": endpoint[:60]})
    for name, length in KEYS.items():
        given = keys.get(name, "")
        try:
            seen = len(urlsafe_b64decode(given + "=" * (-len(given) % 4)))
        except ValueError:
            seen = 0
        if seen != length:
            words = {"name": name, "seen": seen, "expected": length}
            raise ValueError(_("The key %(name)s has %(seen)s bytes; expected %(expected)s.") % words)
    return {name: keys[name] for name in KEYS}


def payload(delivery: Delivery, language: str) -> dict[str, Any]:
    """Return what a device shows: the words of the topic and the number of the case. No names, no places, no words of people."""
    notice = delivery.notice
    with translation.override(language):
        topic = TOPICS.get(notice.topic)
        title = str(topic.label) if topic else ""
    return {"title": title, "number": str(notice.params.get("number", "")), "level": notice.level, "notice": notice.pk}


class _Straight(requests.Session):
    """A session that follows no redirect: what was checked is what is posted to."""

    def post(self, url: Any, data: Any = None, json: Any = None, **more: Any) -> requests.Response:
        return super().post(url, data=data, json=json, **{**more, "allow_redirects": False})


def send(endpoint: str, keys: dict[str, str], data: str, *, timeout: Any) -> int:
    """Push to a device; return what its push service answered.

    :raises OSError: it could not be reached. :raises ValueError: the keys are no keys.
    """
    from pywebpush import WebPushException, webpush  # noqa: PLC0415  brings a client of its own along; workers alone need it

    contact = settings.SITE_URL if settings.SITE_URL.startswith("https://") else "mailto:citysafety@localhost"
    try:
        with _Straight() as session:
            answer = webpush(
                {"endpoint": endpoint, "keys": keys},
                data,
                vapid_private_key=settings.VAPID_PRIVATE_KEY,
                vapid_claims={"sub": contact},
                ttl=TTL_S,
                timeout=timeout,
                requests_session=session,
            )
        return answer.status_code
    except WebPushException as error:
        if error.response is None:
            raise ValueError(str(error)) from error
        return error.response.status_code
