"""A real HTTP server on loopback that behaves as its paths say, and remembers what it was sent."""

import itertools
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.deadline import DEADLINE_S

DRIP_S = 0.05
PACE_S = 0.04


class Webhook:
    """`received`: (path, JSON body) of every request, in order. `unblock` ends those that hang.

    `first_paced`: so many paced requests are answered at once, those behind them when `go_on` is set (None: all).
    """

    def __init__(self) -> None:
        self.received: list[tuple[str, Any]] = []
        self.unblock = threading.Event()
        self.go_on = threading.Event()
        self.first_paced: int | None = None
        self._paced = itertools.count(1)
        self._flaky: dict[str, int] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True

    @property
    def port(self) -> int:
        return self._server.server_address[1]

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        """A channel's URL: json:// posts JSON."""
        return f"json://{host}:{self.port}/{path}"

    @property
    def bodies(self) -> list[str]:
        """The messages received, without their titles."""
        return [body["message"] for _, body in list(self.received)]

    def at(self, path: str) -> list[str]:
        """Messages received at one path."""
        return [body["message"] for found, body in list(self.received) if found == f"/{path}"]

    @contextmanager
    def running(self) -> Iterator["Webhook"]:
        thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self.unblock.set()
            self.go_on.set()
            self._server.shutdown()
            self._server.server_close()
            thread.join(5)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        webhook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length", 0))
                body = json.loads(self.rfile.read(length) or b"{}")
                webhook.received.append((self.path, body))
                self.kind, _, rest = self.path.strip("/").partition("/")
                webhook.answer(self, self.kind, rest)

            do_GET = do_POST  # noqa: N815 - the base class's name

            def log_message(self, *_: Any) -> None:
                pass

        return Handler

    def answer(self, request: BaseHTTPRequestHandler, kind: str, rest: str) -> None:
        """As the path says: ok, status/500, redirect/URL, flaky/2 (fails twice), paced, slow, drip, huge, close."""
        if kind == "close":
            request.close_connection = True
        elif kind == "status":
            self._say(request, int(rest))
        elif kind == "redirect":
            request.send_response(302)
            request.send_header("Location", f"http://{rest}")
            request.send_header("Content-Length", "0")
            request.end_headers()
        elif kind == "flaky":
            failed = self._flaky[rest] = self._flaky.get(rest, 0) + 1
            self._say(request, 500 if failed <= int(rest) else 200)
        elif kind == "paced":
            time.sleep(PACE_S)
            if self.first_paced is not None and next(self._paced) > self.first_paced:
                self.go_on.wait(DEADLINE_S)
            self._say(request, 200)
        elif kind == "slow":
            self.unblock.wait(DEADLINE_S)
        elif kind in {"drip", "huge"}:
            self._pour(request, kind)
        else:
            self._say(request, 200)

    def _pour(self, request: BaseHTTPRequestHandler, kind: str) -> None:
        request.send_response(200)
        request.send_header("Content-Length", str(10**9))
        request.end_headers()
        try:
            while not self.unblock.is_set():
                request.wfile.write(b"x" if kind == "drip" else b"x" * 65_536)
                if kind == "drip":
                    time.sleep(DRIP_S)
        except OSError:
            request.close_connection = True

    @staticmethod
    def _say(request: BaseHTTPRequestHandler, status: int) -> None:
        try:
            request.send_response(status)
            request.send_header("Content-Length", "2")
            request.end_headers()
            request.wfile.write(b"ok")
        except OSError:
            request.close_connection = True  # who asked is dead


@contextmanager
def webhook() -> Iterator[Webhook]:
    """A running one."""
    with Webhook().running() as made:
        yield made
