"""Where our own requests may go: public addresses, and the private ones in ``EGRESS_ALLOW``.

The check sits where a name becomes an address, inside the connection being made: what was checked is what is
connected to, so neither a redirect nor a name that changes its mind gets past it.
"""

import ipaddress
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings

_real_getaddrinfo = socket.getaddrinfo
_here = threading.local()


class EgressRefused(OSError):
    """The address is private and not allowed."""


def is_allowed(host: str, address: str, port: int | None) -> bool:
    """Test one resolved address. ``EGRESS_ALLOW`` holds names, addresses or networks, each with ``:port`` or not."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if getattr(ip, "ipv4_mapped", None):
        ip = ip.ipv4_mapped
    if ip.is_global and not ip.is_multicast:
        return True
    return any(_matches(entry, host, ip, port) for entry in settings.EGRESS_ALLOW)


def _matches(entry: str, host: str, ip: Any, port: int | None) -> bool:
    name, colon, allowed_port = entry.rpartition(":")
    if colon and allowed_port.isdigit() and name.count(":") == 0:
        if str(port) != allowed_port:
            return False
        entry = name
    try:
        return ip in ipaddress.ip_network(entry, strict=False)
    except ValueError:
        return entry.lower() == host.lower()


def _checked(host: Any, port: Any, *args: Any, **kwargs: Any) -> list:
    found = _real_getaddrinfo(host, port, *args, **kwargs)
    if not getattr(_here, "guarded", False):
        return found
    name = host.decode() if isinstance(host, bytes) else str(host or "")
    allowed = [row for row in found if is_allowed(name, str(row[4][0]), row[4][1])]
    if not allowed:
        raise EgressRefused(f"{name} is a private address and not in EGRESS_ALLOW")
    return allowed


@contextmanager
def guarded() -> Iterator[None]:
    """Let this thread connect only to addresses that are allowed."""
    socket.getaddrinfo = _checked  # every client of the standard library and of urllib3 resolves through this name
    before = getattr(_here, "guarded", False)
    _here.guarded = True
    try:
        yield
    finally:
        _here.guarded = before


def check(host: str, port: int) -> None:
    """Refuse a host before anything is sent. :raises EgressRefused: it resolves only to private addresses.

    :raises OSError: it does not resolve.
    """
    with guarded():
        socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
