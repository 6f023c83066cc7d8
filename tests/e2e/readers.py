"""Somebody who reads pages without a browser: signed in as a person is, each page a tree of its elements."""

import urllib.error
import urllib.request
from collections.abc import Iterator
from html.parser import HTMLParser
from http.cookiejar import CookieJar
from urllib.parse import urlencode, urljoin, urlsplit
from xml.etree.ElementTree import Element, TreeBuilder

from tests.running import Instance

VOID = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"})


class Tree(HTMLParser):
    """Builds a tree from a page; an element that nobody closes ends with what is around it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.builder, self.path = TreeBuilder(), list[str]()
        self.feed(text)
        self.close()
        while self.path:
            self.builder.end(self.path.pop())
        self.root: Element = self.builder.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.builder.start(tag, {name: value or "" for name, value in attrs})
        if tag in VOID:
            self.builder.end(tag)
        else:
            self.path.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.builder.start(tag, {name: value or "" for name, value in attrs})
        self.builder.end(tag)

    def handle_endtag(self, tag: str) -> None:
        while tag in self.path:
            self.builder.end(last := self.path.pop())
            if last == tag:
                return

    def handle_data(self, data: str) -> None:
        if self.path:
            self.builder.data(data)


class Sheet:
    """A page as it stood: its address, its elements, and what is around each."""

    def __init__(self, address: str, text: str) -> None:
        self.address, self.root = address, Tree(text).root
        self.above = {child: parent for parent in self.root.iter() for child in parent}

    def around(self, node: Element | None) -> Iterator[Element]:
        """Yield an element and all that is around it, from the inside out."""
        while node is not None:
            yield node
            node = self.above.get(node)

    def within(self, node: Element, *tags: str) -> Element | None:
        """Return the nearest element of some tags around an element; it may be the element itself."""
        return next((one for one in self.around(node) if one.tag in tags), None)

    def path_of(self, link: Element | None) -> str:
        """Return where a link leads on this site, as path, query and fragment; empty where it does not."""
        if link is None or not link.get("href"):
            return ""
        parts = urlsplit(urljoin(f"http://site{self.address}", link.get("href", "")))
        return parts._replace(scheme="", netloc="").geturl() if parts.netloc == "site" else ""


def words(node: Element | None) -> str:
    """Return what an element says, in one line."""
    return " ".join("".join(node.itertext()).split()) if node is not None else ""


class Reader:
    """A person of the demo with a session of pages, in the city's own language."""

    def __init__(self, site: Instance, role: str, number: int = 0) -> None:
        self.site, self.role = site, role
        self.account, self.api = site.account(role, number), site.api(role, number)
        self.cookies = CookieJar()
        self.line = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.cookies))
        if role == "kiosk":
            self.line.open(f"{site.url}/wall/?{urlencode({'kiosk': self.account['token']})}").close()
            return
        door = f"{site.url}/login/"
        self.line.open(door).close()
        token = next(cookie.value for cookie in self.cookies if cookie.name == "csrftoken")
        given = {"csrfmiddlewaretoken": token, **{name: self.account[name] for name in ("username", "password")}}
        with self.line.open(door, urlencode(given).encode()) as answer:
            assert "/login/" not in answer.url, role

    def open(self, address: str) -> Sheet | None:
        """Return the page of an address, where it led in the end; nothing where there is none for this person."""
        try:
            with self.line.open(self.site.url + address, timeout=60) as answer:
                return Sheet(answer.url.removeprefix(self.site.url), answer.read().decode())
        except urllib.error.HTTPError:
            return None
