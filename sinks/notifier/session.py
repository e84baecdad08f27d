"""The HTTP session of every delivery: no redirects, no proxies or passwords from the environment, short answers only.

Apprise's services call `requests.post` and its like, which open a session by its name in the `requests` package. So
this class takes that name while deliveries run.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import requests
from requests import PreparedRequest, Response, sessions
from requests.exceptions import (
    ConnectionError as NoConnection,
)
from requests.exceptions import (
    ConnectTimeout,
    ReadTimeout,
    RequestException,
    SSLError,
)

from sinks.notifier.guard import current

MAX_ANSWER: Final = 65_536
"""Bytes of an answer that are read."""
_RETRYABLE: Final = frozenset({408, 425, 429})
_WHAT: Final = (
    (ConnectTimeout, "no connection in time"),
    (ReadTimeout, "no answer in time"),
    (SSLError, "TLS: its certificate or protocol is not accepted"),
    (NoConnection, "the connection failed"),
)


class RedirectRefused(RequestException):
    """The answer sends elsewhere, where nobody asked us to go."""


class _Short:
    """An answer's body, of which no more than MAX_ANSWER bytes are read."""

    def __init__(self, raw: Any) -> None:
        self._raw = raw

    def stream(self, amount: int, decode_content: bool | None = None) -> Iterator[bytes]:
        left = MAX_ANSWER
        for piece in self._raw.stream(min(amount, left), decode_content):
            yield piece[:left]
            left -= len(piece)
            if left <= 0:
                self._raw.close()
                return

    def __getattr__(self, name: str) -> Any:
        return getattr(self._raw, name)


class GuardedSession(requests.Session):
    """Tells the attempt that runs in its thread how it went, in words without the URL, which holds secrets."""

    def __init__(self) -> None:
        super().__init__()
        self.trust_env = False

    def send(self, request: PreparedRequest, **kwargs: Any) -> Response:
        """As requests does it. Raises RedirectRefused for an answer that redirects."""
        try:
            response = super().send(request, **kwargs | {"stream": True, "allow_redirects": False})
            response.raw = _Short(response.raw)
            _ = response.content  # read now: who asks for a stream could otherwise read for ever
        except RequestException as error:
            _note(next((text for kind, text in _WHAT if isinstance(error, kind)), "the request failed"))
            raise
        _judge(response)
        return response


def _judge(response: Response) -> None:
    status = response.status_code
    attempt = current()
    if attempt is not None:
        attempt.status = status
    if response.is_redirect or 300 <= status < 400:
        _note(f"refused: HTTP {status} is a redirect", final=True)
        raise RedirectRefused("redirects are refused")
    if status >= 400:
        _note(f"HTTP {status}", final=status < 500 and status not in _RETRYABLE)


def _note(reason: str, *, final: bool = False) -> None:
    attempt = current()
    if attempt is not None and not (attempt.final and attempt.reason):
        attempt.reason, attempt.final = reason, final


@contextmanager
def guarded_sessions() -> Iterator[None]:
    """While this lasts every session that `requests` opens is a GuardedSession."""
    places = (requests, sessions)
    before = [place.Session for place in places]
    for place in places:
        setattr(place, "Session", GuardedSession)  # noqa: B010 - for mypy a class is no variable
    try:
        yield
    finally:
        for place, session in zip(places, before, strict=True):
            setattr(place, "Session", session)  # noqa: B010
