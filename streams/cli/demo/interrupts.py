"""Ctrl-C and SIGTERM while child processes are being started or stopped."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Interrupts:
    """Turns both signals into KeyboardInterrupt, but never inside a `shield`, where a child would be lost.

    Python swallows what is raised while it happens to run a finalizer, so whoever works in a loop calls `check`.
    """

    def __init__(self) -> None:
        self._shields = 0
        self._pending = False

    def check(self) -> None:
        """KeyboardInterrupt if a signal arrived, and what it raised got lost."""
        if self._pending and not self._shields:
            raise KeyboardInterrupt

    @contextmanager
    def installed(self) -> Iterator["Interrupts"]:
        """In force for the time of the block."""
        before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
        for number in before:
            signal.signal(number, self._arrived)
        try:
            yield self
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    @contextmanager
    def shield(self, *, final: bool = False) -> Iterator[None]:
        """Signals wait until the block is over; after a `final` one they are forgotten."""
        self._shields += 1
        try:
            yield
        finally:
            self._shields -= 1
            self._pending = self._pending and not (final and not self._shields)
        if not final:
            self.check()

    def _arrived(self, _number: int, _frame: FrameType | None) -> None:
        self._pending = True
        self.check()
