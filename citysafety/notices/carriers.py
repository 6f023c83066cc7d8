"""Carry one delivery out: e-mail and webhooks by apprise, pushes by Web Push, robots and text messages as plain JSON."""

import base64
import hmac
import json
import logging
import time
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

import apprise
import requests
from django.conf import settings
from django.utils import translation

from . import egress, push
from .models import Channel, Delivery
from .topics import Words, words

HEADER = "X-CitySafety-Delivery"  # the same id at every repeat
PATIENCE_S = (5, 15)  # to connect, to answer


class NotCarried(Exception):
    """The receiver did not take it; the words say why."""


class Gone(NotCarried):
    """The receiver is no more: trying again is of no use."""


def mail_server() -> str:
    """Return the city's mail server as an apprise address such as ``mailto://mail.city:25?from=…``; "" without one."""
    return settings.NOTICE_MAIL_SERVER


def is_offered(kind: str) -> bool:
    """Test whether a kind of channel can work at all here. A device is added by its own button."""
    needed = {
        Channel.Kind.EMAIL: mail_server(),
        Channel.Kind.SMS: settings.NOTICE_SMS_GATEWAY,
        Channel.Kind.PUSH: "",
    }
    return bool(needed.get(Channel.Kind(kind), "yes"))


def carry(delivery: Delivery) -> bool:
    """Send a notice through its channel once; return whether its receiver said that it has it: a mail server says nothing of that.

    Blocks up to about 20 s; touches no rows.

    :raises NotCarried: it was refused, by the receiver or by our own rules.
    """
    notice, channel = delivery.notice, delivery.channel
    own = notice.recipient.language if channel.user_id else ""
    text = words(notice, own or settings.LANGUAGE_CODE)
    if channel.kind == Channel.Kind.PUSH:
        _push(delivery, own or settings.LANGUAGE_CODE)
    elif channel.kind in (Channel.Kind.WECOM, Channel.Kind.DINGTALK):
        answer = _post(_signed(channel), {"msgtype": "text", "text": {"content": _whole(text)}}, delivery)
        if answer.get("errcode"):  # robots refuse with 200 and a code
            raise NotCarried(f"{answer.get('errcode')} {answer.get('errmsg', '')}"[:300])
    elif channel.kind == Channel.Kind.SMS:
        if not settings.NOTICE_SMS_GATEWAY:
            raise NotCarried("no gateway for text messages is set (NOTICE_SMS_GATEWAY)")
        body = {"id": str(delivery.pk), "to": channel.address, "text": text.title}
        _post(settings.NOTICE_SMS_GATEWAY, body, delivery)
    else:
        _by_apprise(delivery, text)
    return channel.kind != Channel.Kind.EMAIL


def _signed(channel: Channel) -> str:
    """Return the address of a robot, signed with the moment where it has a secret.

    Source: DingTalk, custom robots, “additional signature” (加签): the base64 of HMAC-SHA256 over the milliseconds, a line
    feed and the secret, with the secret as key; DingTalk takes it for an hour.
    """
    secret = channel.keys.get("secret", "") if channel.kind == Channel.Kind.DINGTALK else ""
    if not secret:
        return channel.address
    moment = round(time.time() * 1000)
    digest = hmac.digest(secret.encode(), f"{moment}\n{secret}".encode(), "sha256")
    parts = urlsplit(channel.address)
    own = [part for part in parse_qsl(parts.query) if part[0] not in ("timestamp", "sign")]
    query = urlencode([*own, ("timestamp", moment), ("sign", base64.b64encode(digest).decode())])
    return urlunsplit((*parts[:3], query, ""))


def _whole(text: Words) -> str:
    return "\n".join(line for line in (text.title, text.body, _link(text.path)) if line)


def _by_apprise(delivery: Delivery, text: Words) -> None:
    url = _url(delivery.channel, str(delivery.pk))
    parts = urlsplit(url)
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


def _post(address: str, body: dict[str, Any], delivery: Delivery) -> dict[str, Any]:
    """Post JSON to a receiver; return what it answered, {} for no JSON."""
    asked = urlsplit(address)
    if asked.scheme not in ("http", "https") or not asked.hostname:
        raise NotCarried("a robot or gateway is an http or https address")
    try:
        with egress.guarded():
            egress.check(asked.hostname, asked.port or (443 if asked.scheme == "https" else 80))
            answer = requests.post(
                address, json=body, headers={HEADER: str(delivery.pk)}, timeout=PATIENCE_S, allow_redirects=False
            )
    except (OSError, ValueError) as error:
        # Without the address: a robot's is its key, and what failed is shown to people.
        raise NotCarried(
            str(error).replace(address, asked.hostname)[:300]
            if isinstance(error, egress.EgressRefused)
            else type(error).__name__
        ) from error
    if answer.status_code >= 300:
        raise NotCarried(f"answered {answer.status_code}")
    try:
        said = answer.json()
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _push(delivery: Delivery, language: str) -> None:
    """Push to a device: the topic's words and the number, nothing that says whose or where."""
    asked = urlsplit(delivery.channel.address)
    try:
        with egress.guarded():
            egress.check(asked.hostname or "", asked.port or 443)
            status = push.send(
                delivery.channel.address,
                delivery.channel.keys,
                json.dumps(push.payload(delivery, language), ensure_ascii=False),
                timeout=PATIENCE_S,
            )
    except (OSError, ValueError) as error:
        raise NotCarried(str(error) if isinstance(error, egress.EgressRefused) else type(error).__name__) from error
    if status in (404, 410):
        raise Gone(f"the device is no longer subscribed ({status})")
    if status >= 300:
        raise NotCarried(f"answered {status}")


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
