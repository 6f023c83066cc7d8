"""Receivers of ours on real loopback sockets: a mail server and a small HTTP server."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from aiosmtpd.controller import Controller


class Post:
    """A post box: what came in by mail."""

    def __init__(self) -> None:
        self.mails: list[Message] = []

    async def handle_DATA(self, server, session, envelope) -> str:
        self.mails.append(message_from_bytes(envelope.content))
        return "250 OK"


@contextmanager
def mail_receiver() -> Iterator[tuple[Post, int]]:
    post = Post()
    with socket.create_server(("127.0.0.1", 0)) as free:  # aiosmtpd connects to the port it was told
        port = free.getsockname()[1]
    controller = Controller(post, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield post, port
    finally:
        controller.stop()


class Hook:
    """A webhook: counts what it took; may refuse, redirect, or keep a caller waiting."""

    def __init__(self) -> None:
        self.taken: list[tuple[dict[str, str], dict]] = []
        self.times: list[float] = []  # of arrival, in seconds since the epoch
        self.status = 200
        self.location = ""
        self.pause_s = 0.0
        self.came = threading.Event()
        self.answer = threading.Event()
        self.answer.set()

    @property
    def ids(self) -> list[str]:
        return [headers["x-citysafety-delivery"] for headers, _body in self.taken]


@contextmanager
def http_receiver() -> Iterator[tuple[Hook, str]]:
    hook = Hook()

    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            hook.times.append(time.time())
            hook.taken.append(({k.lower(): v for k, v in self.headers.items()}, json.loads(body)))
            hook.came.set()
            hook.answer.wait(20)
            time.sleep(hook.pause_s)
            self.send_response(hook.status)
            if hook.location:
                self.send_header("Location", hook.location)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args) -> None:
            """Say nothing in the test's output."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hook, f"http://127.0.0.1:{server.server_address[1]}/hook"
    finally:
        hook.answer.set()
        server.shutdown()
        server.server_close()
