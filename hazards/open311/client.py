"""A client for any server of GeoReport v2. Requests go where ``EGRESS_ALLOW`` lets ours go."""

import json
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode, urlsplit
from urllib.request import (
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPHandler,
    HTTPRedirectHandler,
    HTTPSHandler,
    OpenerDirector,
    UnknownHandler,
)
from urllib.request import Request as Asking

from citysafety.notices import egress

from .answers import MOST_BYTES, Definition, Discovery, Fault, NotUnderstood, Request, Row, Service, understand

PATIENCE_S = 20
FORMATS = {"xml": "text/xml", "json": "application/json"}


class Unreachable(OSError):
    """The server was not reached, or may not be: the message says why."""


class Refused(Exception):
    """The server answered with errors."""

    def __init__(self, status: int, faults: tuple[Fault, ...]) -> None:
        super().__init__("; ".join(fault.description for fault in faults) or f"HTTP {status}")
        self.status, self.faults = status, faults


def _opener() -> OpenerDirector:
    """Return what opens http and https and nothing else, past any proxy: the guard must see the real address."""
    opener = OpenerDirector()
    for handler in (
        HTTPHandler, HTTPSHandler, HTTPRedirectHandler, HTTPDefaultErrorHandler, HTTPErrorProcessor,
        UnknownHandler,
    ):  # fmt: skip
        opener.add_handler(handler())
    return opener


class GeoReport:
    """One server. ``base`` is what its addresses begin with, such as ``https://api.city.example/open311/v2``."""

    def __init__(self, base: str, *, key: str = "", form: str = "xml", jurisdiction_id: str = "") -> None:
        parts = urlsplit(base)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{base!r}: expected an http or https address")
        if form not in FORMATS:
            raise ValueError(f"{form!r}: expected one of {', '.join(FORMATS)}")
        self.base, self.key, self.form = base.rstrip("/"), key, form
        self.jurisdiction_id = jurisdiction_id

    def discovery(self) -> Discovery:
        """Return what the provider says of itself, where its discovery stands beside the interface."""
        return self._one("discovery", self._get("discovery"))

    def services(self) -> tuple[Service, ...]:
        return self._rows("service", self._get("services"))

    def definition(self, code: str) -> Definition:
        return self._one("definition", self._get(f"services/{quote(code, safe='')}"))

    def requests(self, **filters: str) -> tuple[Request, ...]:
        """Return service requests; the filters are the standard's, and what the server has besides."""
        return self._rows("request", self._get("requests", **filters))

    def request(self, number: str, **more: str) -> Request:
        return self._one("request", self._get(f"requests/{quote(number, safe='')}", **more))

    def token(self, token: str) -> Request:
        """Return the request that a token became: its id and the token."""
        return self._one("request", self._get(f"tokens/{quote(token, safe='')}"))

    def file(self, service_code: str, *, attributes: dict[str, str] | None = None, **fields: str) -> Request:
        """Report; return the id or the token of what was made."""
        extra = {f"attribute[{code}]": value for code, value in (attributes or {}).items()}
        body = self._common() | {"service_code": service_code} | fields | extra
        return self._one("request", self._send(f"{self.base}/requests.{self.form}", urlencode(body).encode()))

    def _common(self) -> dict[str, str]:
        given = {"api_key": self.key, "jurisdiction_id": self.jurisdiction_id}
        return {name: value for name, value in given.items() if value}

    def _get(self, what: str, **asked: str) -> bytes:
        query = urlencode(self._common() | asked)
        return self._send(f"{self.base}/{what}.{self.form}" + (f"?{query}" if query else ""))

    def _send(self, address: str, body: bytes | None = None) -> bytes:
        """Return the bytes of an answer. :raises Unreachable, Refused, NotUnderstood: there is none that could be used."""
        headers = {"Accept": FORMATS[self.form], "User-Agent": "CitySafety GeoReport client"}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded; charset=utf-8"
        try:
            asking = Asking(address, data=body, headers=headers)
            with egress.guarded(), _opener().open(asking, timeout=PATIENCE_S) as answer:
                body = answer.read(MOST_BYTES + 1)
                if answer.length and len(body) <= MOST_BYTES:
                    raise Unreachable(f"the answer broke off {answer.length} bytes before its end")
                return body
        except HTTPError as error:
            raise Refused(error.code, _faults(error)) from error
        except URLError as error:
            raise Unreachable(str(error.reason)) from error
        except (OSError, HTTPException, ValueError) as error:
            raise Unreachable(str(error)) from error

    def _rows(self, kind: str, answer: bytes) -> tuple[Any, ...]:
        found = understand(answer)
        if found.kind == "error":
            raise Refused(200, found.rows)
        if found.kind not in (kind, ""):
            raise NotUnderstood(f"rows of the kind {found.kind}; expected {kind}")
        return found.rows

    def _one(self, kind: str, answer: bytes) -> Any:
        rows = self._rows(kind, answer)
        if len(rows) != 1:
            raise NotUnderstood(f"{len(rows)} rows of the kind {kind}; expected one")
        return rows[0]


def _faults(error: HTTPError) -> tuple[Fault, ...]:
    """Return the errors in a refusal's body, none where it has none that can be read."""
    try:
        found = understand(error.read(MOST_BYTES + 1))
    except (NotUnderstood, OSError, HTTPException):
        return ()
    return found.rows if found.kind == "error" else ()


def as_json(row: Row) -> str:
    """Return a row as one line of JSON: what is blank is left out, times as ISO 8601."""
    return json.dumps(_kept(row), ensure_ascii=False, default=lambda moment: moment.isoformat())


def _kept(value: Any) -> Any:
    if isinstance(value, Row):
        pairs = ((name, getattr(value, name)) for name in value.__dataclass_fields__)
        return {name: _kept(inner) for name, inner in pairs if inner not in ("", None, (), {})}
    return [_kept(inner) for inner in value] if isinstance(value, tuple) else value
