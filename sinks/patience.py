"""Waiting for a database that is away for a moment."""

import logging
import time
from collections.abc import Callable
from typing import Final, TypeVar

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

T = TypeVar("T")

_PAUSE_S: Final = 0.2
_log = logging.getLogger("strikeline.executor")


def patiently(action: Callable[[], T], patience_s: float) -> T:
    """What `action` gives, tried again while the connection is lost, for `patience_s` seconds; then it
    raises.

    `action` must be one whole transaction that reads what is there before it judges: the COMMIT whose answer
    was lost may have happened. Blocking; runs in a thread of its own.
    """
    deadline = time.monotonic() + patience_s
    while True:
        try:
            return action()
        except DBAPIError as error:
            if not _may_pass(error) or time.monotonic() > deadline:
                raise
            _log.warning("the database is away, trying again: %s", str(error.orig).splitlines()[:1])
            time.sleep(_PAUSE_S)


def _may_pass(error: DBAPIError) -> bool:
    """A lost connection, a server that restarts, a lock that another process holds."""
    return error.connection_invalidated or isinstance(error, OperationalError | InterfaceError)
