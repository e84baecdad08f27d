"""A fired alert on its way to its user's channels."""

from collections.abc import Callable, Iterable

from schemas.triggers import Fired
from topics.records import Record


class Pending:
    """`old`: too old to be sent like the others. `awaits`: names of channels that have neither taken nor failed it."""

    __slots__ = ("_done", "awaits", "fired", "old", "record", "taken")

    def __init__(
        self, record: Record, fired: Fired, channels: Iterable[str], done: Callable[["Pending"], None]
    ) -> None:
        self.record = record
        self.fired = fired
        self.old = False
        self.awaits = set(channels)
        self.taken: list[str] = []
        self._done = done

    def settle(self, channel: str, *, taken: bool) -> None:
        """`channel` has taken it, or never will. With the last one it is done."""
        self.awaits.discard(channel)
        if taken:
            self.taken.append(channel)
        if not self.awaits:
            self._done(self)
