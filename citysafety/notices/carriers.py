"""Carry one delivery out through apprise: e-mail by the city's mail server, webhooks by HTTP."""

import logging
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

import apprise
from django.conf import settings
from django.utils import translation

from . import egress
from .models import Channel, Delivery
from .topics import words

HEADER = "X-CitySafety-Delivery"  # the same id at every repeat


class NotCarried(Exception):
    """The receiver did not take it; the words say why."""


def mail_server() -> str:
    """Return the city's mail server as an apprise address such as ``mailto://mail.city:25?from=…``; "" without one."""
    return settings.NOTICE_MAIL_SERVER


def is_offered(kind: str) -> bool:
    """Test whether a kind of channel can work at all here."""
    return kind != Channel.Kind.EMAIL or bool(mail_server())


def carry(delivery: Delivery) -> None:
    """Send a notice through its channel once. Blocks up to about 20 s; touches no rows.

    :raises NotCarried: it was refused, by the receiver or by our own rules.
    """
    notice, channel = delivery.notice, delivery.channel
    url = _url(channel, str(delivery.pk))
    parts = urlsplit(url)
    text = words(notice, notice.recipient.language or settings.LANGUAGE_CODE)
    body = "\n".join(line for line in (text.body, _link(text.path)) if line) or text.title
    with translation.override(None), apprise.LogCapture(level=logging.WARNING) as said, egress.guarded():
        try:
            egress.check(parts.hostname or "", parts.port or _port(parts.scheme))
            receiver = apprise.Apprise.instantiate(url)
            taken = bool(receiver) and receiver.notify(title=text.title, body=body)
        except (OSError, TypeError) as error:  # apprise says TypeError of an address it cannot read
            raise NotCarried(str(error)[:300]) from error
        reason = said.getvalue().strip().splitlines()
    if not taken:
        raise NotCarried((reason[-1] if reason else "not accepted")[-300:])


def _url(channel: Channel, delivery_id: str) -> str:
    if channel.kind == Channel.Kind.EMAIL:
        if not mail_server():
            raise NotCarried("no mail server is set (NOTICE_MAIL_SERVER)")
        joint = "&" if "?" in mail_server() else "?"
        return f"{mail_server()}{joint}to={quote(channel.address)}&+{HEADER}={delivery_id}&format=text"
    asked = urlsplit(channel.address)
    if asked.scheme not in ("http", "https") or not asked.hostname:
        raise NotCarried("a webhook is an http or https address")
    # apprise takes bare parameters as its own settings; a dash in front makes them the receiver's.
    theirs = [(f"-{name}", value) for name, value in parse_qsl(asked.query, keep_blank_values=True)]
    ours = [(f"+{HEADER}", delivery_id), (":id", delivery_id), ("redirect", "no")]
    scheme = "jsons" if asked.scheme == "https" else "json"
    return urlunsplit((scheme, asked.netloc, asked.path or "/", urlencode([*theirs, *ours], safe="+:"), ""))


def _port(scheme: str) -> int:
    return {"jsons": 443, "json": 80, "mailtos": 587}.get(scheme, 25)


def _link(path: str) -> str:
    site = settings.SITE_URL
    return f"{site.rstrip('/')}{path}" if site and path else ""
