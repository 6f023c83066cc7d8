"""HTTP from the event loop to the threads and back: whole where it is short, in parts where it is long."""

import asyncio

import pytest

from citysafety import bridge
from citysafety.bridge import HELD, LONGEST_BODY, Threads


def ask(app, *parts, headers=(), method="POST", gone=False):
    """Ask an application as a server does; return (status, headers, parts of the answer, threads at the end of the body)."""
    sent, waiting = [], list(parts) or [b""]

    async def receive():
        if gone:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": waiting.pop(0), "more_body": bool(waiting)}

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http", "method": method, "path": "/", "query_string": b"", "http_version": "1.1",
        "headers": list(headers), "server": ("127.0.0.1", 80), "client": ("127.0.0.1", 9),
    }  # fmt: skip
    asyncio.run(Threads(app, workers=2)(scope, receive, send))
    return sent


def echo(environ, start_response):
    body = environ["wsgi.input"].read()
    start_response("201 Created", [("X-Length", str(len(body))), ("Content-Type", "text/plain")])
    return [body[:5], body[5:]]


def test_a_body_in_pieces_arrives_whole_and_the_answer_goes_out_in_one():
    start, body = ask(echo, b"abc", b"defg", headers=[(b"content-length", b"7")])

    assert (start["status"], dict(start["headers"])[b"x-length"]) == (201, b"7")
    assert body == {"type": "http.response.body", "body": b"abcdefg", "more_body": False}


def test_no_thread_begins_before_the_body_is_there_nor_when_the_sender_has_gone():
    begun = []
    assert ask(lambda *_: begun.append(1), gone=True, headers=[(b"content-length", b"7")]) == []
    assert begun == []


def test_a_long_answer_goes_out_in_parts_and_is_closed():
    closed = []

    class Long:
        def __iter__(self):
            return iter([b"x" * (HELD // 2 + 1)] * 5)

        def close(self):
            closed.append(1)

    def app(environ, start_response):
        start_response("200 OK", [])
        return Long()

    start, *parts = ask(app, method="GET")
    assert start["status"] == 200
    assert [part["more_body"] for part in parts] == [True, True, False]
    assert sum(len(part["body"]) for part in parts) == 5 * (HELD // 2 + 1)
    assert closed == [1]


@pytest.mark.parametrize(
    "headers",
    [
        [(b"content-length", str(LONGEST_BODY + 1).encode())],
        [(b"transfer-encoding", b"chunked")],
        [(b"content-length", b"x")],
    ],
    ids=["too long", "of no known length", "nonsense"],
)
def test_a_body_that_might_not_end_is_left_to_the_application(monkeypatch, headers):
    """It is read piece by piece, so that nobody fills the memory of the process before being refused."""
    read = []

    def refuses(environ, start_response):
        read.append(type(environ["wsgi.input"]).__name__)
        start_response("413 Too Large", [])
        return [b""]

    start = ask(refuses, b"a", b"b", headers=headers)[0]
    assert (start["status"], read) == (413, ["Body"])


def test_what_the_application_raises_reaches_the_server(monkeypatch):
    def broken(environ, start_response):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        ask(broken)
    assert bridge.HELD < LONGEST_BODY
