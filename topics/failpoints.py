"""Named places between two steps of persistence where tests, and only tests, make a process die.

In process: `with armed({"checkpoint.before_ack": 3}): ...` raises `Died` at the third passage. In a child process the
environment variable STRIKELINE_FAILPOINTS (`name:count,name:count`) makes it kill itself with SIGKILL, as a machine
that loses power would. Unarmed, a fail-point is one dictionary look-up.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

VARIABLE: Final = "STRIKELINE_FAILPOINTS"
LOG_VARIABLE: Final = "STRIKELINE_FAILPOINT_LOG"


class Died(BaseException):
    """Stands for the end of the process. A BaseException, so that no handler on the way survives it."""


def _from_environment() -> dict[str, int]:
    text = os.environ.get(VARIABLE, "")
    return {name: int(count) for name, count in (item.split(":") for item in text.split(",") if item)}


_armed: dict[str, int] = _from_environment()
_in_process = False


def failpoint(name: str) -> None:
    """Pass the place called `name`; die there if it is armed and its count has run down."""
    if not _armed:
        return
    left = _armed.get(name)
    if left is None:
        return
    if left > 1:
        _armed[name] = left - 1
        return
    del _armed[name]
    if _in_process:
        raise Died(name)
    if log := os.environ.get(LOG_VARIABLE):
        with Path(log).open("a") as out:
            out.write(f"{name}\n")
            out.flush()
            os.fsync(out.fileno())
    os.kill(os.getpid(), signal.SIGKILL)


@contextmanager
def armed(points: dict[str, int]) -> Iterator[dict[str, int]]:
    """Arm fail-points of this process; yields the live counts (a name that has gone off is gone)."""
    global _in_process
    before, before_mode = dict(_armed), _in_process
    _armed.clear()
    _armed.update(points)
    _in_process = True
    try:
        yield _armed
    finally:
        _armed.clear()
        _armed.update(before)
        _in_process = before_mode
