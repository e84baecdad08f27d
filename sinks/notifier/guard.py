"""Where deliveries connect to, decided when a socket connects: after the name was resolved, whatever library asks.

Python tells its audit hooks of every connect before it happens, and a hook may refuse. So a name that resolves to
another address the second time, a library that resolves by itself and a redirect all meet the same check. The main
thread is exempt: there the event loop talks to the broker, and no delivery runs.
"""

import os
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from sinks.notifier.addresses import refusal

_EVENTS: Final = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})
_FAMILIES: Final = frozenset({socket.AF_INET, socket.AF_INET6})
_guards: list["Guard"] = []
_here = threading.local()


class Refused(OSError):
    """The address is none that a delivery may connect to."""


class Attempt:
    """One delivery, in its thread. `reason`: the newest thing that went wrong; `status`: of the newest HTTP answer.

    `abort` may be called from another thread: its connections end, and it opens no new ones.
    """

    def __init__(self) -> None:
        self.reason: str | None = None
        self.status: int | None = None
        self.final = False
        """Whether trying again would be no use."""
        self._lock = threading.Lock()
        self._aborted = False
        self._doubles: list[socket.socket] = []

    def __enter__(self) -> "Attempt":
        _here.attempt = self
        return self

    def __exit__(self, *_: object) -> None:
        _here.attempt = None
        with self._lock:
            self._aborted = True
            for double in self._doubles:
                double.close()
            self._doubles.clear()

    def abort(self) -> None:
        """End it: what it waits for on a connection fails at once."""
        with self._lock:
            self._aborted = True
            for double in self._doubles:
                try:
                    double.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue  # not connected (any more)

    def connects(self, sock: socket.socket) -> None:
        """It is about to connect `sock`. Raises Refused when it was aborted."""
        with self._lock:
            if self._aborted:
                raise Refused("the delivery took too long")
            # A second handle on the connection: TLS takes the first one away from its socket object.
            self._doubles.append(socket.socket(fileno=os.dup(sock.fileno())))


def current() -> Attempt | None:
    """The delivery that runs in this thread."""
    return getattr(_here, "attempt", None)


class Guard:
    """`allow_private`: the operator's word that loopback and private networks may be reached."""

    _installed = False

    def __init__(self, *, allow_private: bool = False) -> None:
        self._allow_private = allow_private

    @contextmanager
    def enforced(self) -> Iterator[None]:
        """While this lasts no thread but the main one connects anywhere else. Raises Refused where one tries."""
        if not Guard._installed:
            sys.addaudithook(_audit)  # for the process's life: a hook cannot be removed, ours asks `_guards`
            Guard._installed = True
        _guards.append(self)
        try:
            yield
        finally:
            _guards.remove(self)

    def check(self, sock: socket.socket, address: Any) -> None:
        """Raises Refused where `sock` must not connect to `address`."""
        reason = self._problem(sock, address)
        attempt = current()
        if reason is not None:
            if attempt is not None:
                attempt.reason, attempt.final = f"refused: {reason}", True
            raise Refused(reason)
        if attempt is not None:
            attempt.connects(sock)

    def _problem(self, sock: socket.socket, address: Any) -> str | None:
        if sock.family not in _FAMILIES:
            return "only the internet may be reached"
        if not (isinstance(address, tuple) and address and isinstance(address[0], str)):
            return "the address cannot be read"
        return refusal(address[0], allow_private=self._allow_private)


def _audit(event: str, args: tuple[Any, ...]) -> None:
    if event not in _EVENTS or not _guards or threading.get_ident() == threading.main_thread().ident:
        return
    sock, address = args[0], args[1]
    if address is not None:  # a datagram on a connected socket
        for guard in _guards:
            guard.check(sock, address)
