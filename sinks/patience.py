"""Waiting for a database that is away, that is locked, or in which a transaction lost a race.

What is tried again is always one whole transaction that reads what is there before it judges: the COMMIT whose
answer was lost may have happened. The pauses grow, so that nobody spins while a server restarts.
"""

import logging
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final, Literal, TypeVar

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

T = TypeVar("T")
Why = Literal["away", "locked", "serialization", "deadlock"]

WHYS: Final[tuple[Why, ...]] = ("away", "locked", "serialization", "deadlock")
_FIRST_PAUSE_S: Final[Mapping[Why, float]] = {
    "away": 0.1, "locked": 0.1, "serialization": 0.01, "deadlock": 0.01,
}  # fmt: skip
_LONGEST_PAUSE_S: Final = 5.0
_HANGS_S: Final = 5.0
"""A transaction that takes longer than this is a database that does not answer."""

_SQLITE: Final[Mapping[int, Why]] = {
    5: "locked", 6: "locked",  # BUSY, LOCKED
    10: "away", 13: "away", 14: "away", 15: "away",  # IOERR, FULL, CANTOPEN, PROTOCOL
}  # fmt: skip
_STATES: Final[Mapping[str, Why]] = {
    "40001": "serialization", "40P01": "deadlock", "40003": "away", "55P03": "locked", "25006": "away",
}  # fmt: skip
_CLASSES: Final[Mapping[str, Why]] = {
    "08": "away", "53": "away", "57": "away", "58": "away",  # connection, resources, operator, system
}  # fmt: skip
_log = logging.getLogger("strikeline.executor")


def passing(error: DBAPIError) -> Why | None:
    """What went wrong, where it may pass by itself; None for a defect, which comes again however often one tries."""
    if error.connection_invalidated:
        return "away"
    sqlite_code: int | None = getattr(error.orig, "sqlite_errorcode", None)
    if sqlite_code is not None:
        return _SQLITE.get(sqlite_code & 0xFF)  # the rest says more about the same thing
    state: str | None = getattr(error.orig, "sqlstate", None)
    if state is not None:
        return _STATES.get(state) or _CLASSES.get(state[:2])
    return "away" if isinstance(error, OperationalError | InterfaceError) else None


def _nobody(_why: Why) -> None:
    """Where nobody counts."""


class Patience:
    """Runs transactions, each for at most `limit_s` seconds of failures that may pass; then it raises the last.

    One for all threads of a process: it knows since when one of them waits (`away_s`). `noted` is told of each failure.
    """

    def __init__(
        self,
        limit_s: float,
        noted: Callable[[Why], None] = _nobody,
        clock: Callable[[], float] = time.monotonic,
        wait: Callable[[float], object] | None = None,
    ) -> None:
        self.limit_s = limit_s
        self._noted = noted
        self._clock = clock
        self._given_up = threading.Event()
        self._wait = wait or self._given_up.wait
        self._lock = threading.Lock()
        self._began: dict[object, float] = {}
        self._failing: dict[object, float] = {}

    @property
    def away_s(self) -> float:
        """For how long the database has not answered somebody who asked; 0 while all is well."""
        with self._lock:
            failing = list(self._failing.values())
            hanging = [at for at in self._began.values() if self._clock() - at > _HANGS_S]
        return max((self._clock() - at for at in (*failing, *hanging)), default=0.0)

    def give_up(self) -> None:
        """Raise at the next failure: the process was told to end."""
        self._given_up.set()

    def run(self, action: Callable[[], T]) -> T:
        """What `action`, one whole transaction, gives. Blocking; for a thread of its own."""
        with self._asking() as asking:
            pause = 0.0
            while True:
                began = self._clock()
                try:
                    return self._attempt(asking, began, action)
                except DBAPIError as error:
                    why = passing(error)
                    if why is None or self._over(asking, began):
                        raise
                    pause = min(_LONGEST_PAUSE_S, 2 * pause or _FIRST_PAUSE_S[why])
                    first = (str(error.orig) or type(error).__name__).splitlines()[0]
                    _log.warning("the database (%s) is asked again in %.1f s: %s", why, pause, first)
                    self._noted(why)
                    # Many executors that were refused together do not come back together.
                    self._wait(pause * random.uniform(0.5, 1.0))

    def _attempt(self, asking: object, began: float, action: Callable[[], T]) -> T:
        with self._lock:
            self._began[asking] = began
        try:
            return action()
        finally:
            with self._lock:
                del self._began[asking]

    def _over(self, asking: object, began: float) -> bool:
        """Was it enough? What fails has failed since the first attempt began: a lock is waited for in there, too."""
        with self._lock:
            since = self._failing.setdefault(asking, began)
        return self._given_up.is_set() or self._clock() - since > self.limit_s

    @contextmanager
    def _asking(self) -> Iterator[object]:
        asking = object()
        try:
            yield asking
        finally:
            with self._lock:
                self._failing.pop(asking, None)


def patiently(action: Callable[[], T], limit_s: float) -> T:
    """`action` once, with a patience of its own."""
    return Patience(limit_s).run(action)
