"""Channels: where one user's messages go. The port, and apprise behind it."""

import asyncio
import logging
import threading
from collections.abc import Callable
from typing import Final, Protocol

from apprise import NotifyFormat, NotifyType
from apprise.conversion import convert_between
from apprise.plugins import NotifyBase

from sinks.notifier.errors import ChannelFailed
from sinks.notifier.guard import Attempt

_log = logging.getLogger("strikeline.notifier")
_GRACE_S: Final = 1.0
"""After its connections were ended, how long a delivery is waited for: what is left is a resolver that hangs."""


class Channel(Protocol):
    """`name` is unique among a user's channels; it and `scheme` may be shown, nothing else may."""

    name: str
    scheme: str

    async def send(self, title: str, body: str) -> None:
        """Return when the message was taken. Raises ChannelFailed."""


class AppriseChannel:
    """One apprise service. A message takes a thread of its own, and `deadline_s` at most: one that hangs holds up
    nobody.
    """

    def __init__(self, name: str, scheme: str, service: NotifyBase, deadline_s: float) -> None:
        self.name = name
        self.scheme = scheme
        self._service = service
        self._deadline_s = deadline_s

    async def send(self, title: str, body: str) -> None:
        attempt = Attempt()
        sending = _in_thread(lambda: self._notify(attempt, title, body), f"notify-{self.scheme}")
        done, _ = await asyncio.wait([sending], timeout=self._deadline_s)
        if not done:
            attempt.abort()
            await asyncio.wait([sending], timeout=_GRACE_S)
            raise ChannelFailed(f"not done within {self._deadline_s:g} s", again=True)
        if not sending.result():
            raise ChannelFailed(attempt.reason or "the service did not take it", again=not attempt.final)

    def _notify(self, attempt: Attempt, title: str, body: str) -> bool:
        service = self._service
        with attempt:
            wanted = service.resolve_format(NotifyFormat.TEXT)
            in_body = service.title_maxlen <= 0
            return service.notify(
                body=_converted(body, wanted),
                title=_converted(title, wanted) if in_body else title,
                notify_type=NotifyType.INFO,
                body_format=wanted,
            )  # fmt: skip


def _converted(text: str, wanted: NotifyFormat) -> str:
    """`text` in the service's format: its signs are text there, not markup."""
    converted: str = convert_between(NotifyFormat.TEXT, wanted, content=text)  # type: ignore[no-untyped-call]
    return converted


def _in_thread(action: Callable[[], bool], name: str) -> "asyncio.Future[bool]":
    """What `action` gives; False where it raises, which is the fault of the service's code and says no more.

    Daemon threads and no pool: hanging ones must hold up neither others nor the end of the process.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[bool] = loop.create_future()

    def settle(result: bool) -> None:
        if not future.done():
            future.set_result(result)

    def run() -> None:
        try:
            result = bool(action())
        except Exception as error:  # noqa: BLE001 - a hundred services' code, any of which may be wrong
            _log.warning("a service failed with %s", type(error).__name__)
            result = False
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, result)

    threading.Thread(target=run, name=name, daemon=True).start()
    return future
