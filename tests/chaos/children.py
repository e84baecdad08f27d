"""Processes that are killed on purpose, and the supervisor that starts them again.

Every signal goes to the pid of a child that this process started and has not reaped, so it can hit nobody else.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, NamedTuple, Self

from tests.deadline import DEADLINE_S
from topics.failpoints import LOG_VARIABLE, VARIABLE

STOOD_STILL: Final = 75
STOPPED: Final = "stopped for a while"
LEAVE: Final = "told to leave"
_LOOK_S: Final = 0.05
_AFTER_A_CRASH_S: Final = 0.5


class Ended(NamedTuple):
    """How a child ended; `why` is what was done to it, empty where nothing was. `tail` is the end of its log."""

    name: str
    code: int
    why: str
    tail: str

    @property
    def expected(self) -> bool:
        """Whether what was done to it explains how it ended."""
        if self.code == -signal.SIGKILL:
            return bool(self.why)
        if self.code == -signal.SIGTERM:
            return self.why == LEAVE  # it had not come so far as to end in order
        return self.code == (STOOD_STILL if self.why == STOPPED else 0) and bool(self.why)


class Child:
    """`strikeline ARGUMENTS`, started again whenever it ends while it is wanted.

    `points` holds what further starts are to be armed with, each as `fail-point:count`, in order.
    """

    def __init__(
        self, name: str, arguments: Sequence[str], ready: str, folder: Path, env: Mapping[str, str]
    ) -> None:
        self.name = name
        self.wanted = False
        self.points: deque[str] = deque()
        self.armed: str | None = None
        self.started_at = 0.0
        self.ended: list[Ended] = []
        self.lock = threading.RLock()
        self._arguments = arguments
        self._ready = ready
        self._log = folder / f"{name}.log"
        self._env = dict(env)
        self._process: subprocess.Popen[bytes] | None = None
        self._log_start = 0
        self._why = ""

    @property
    def pid(self) -> int | None:
        """Its pid while it lives."""
        with self.lock:
            return None if self._process is None or self._process.poll() is not None else self._process.pid

    @property
    def working(self) -> bool:
        """Whether this life has got its partitions."""
        with self.lock:
            return self.pid is not None and self._ready in self._said()

    def set(self, name: str, value: str) -> None:
        """A variable of its environment, from its next start on."""
        self._env[name] = value

    def start(self) -> None:
        """Start it, armed with the next of `points`; nothing where it runs."""
        with self.lock:
            self.wanted = True
            if self.pid is not None:
                return
            self.armed = self.points.popleft() if self.points else None
            env = self._env | ({VARIABLE: self.armed} if self.armed else {})
            self._why = f"fail-point {self.armed}" if self.armed else ""
            with self._log.open("ab") as log:
                self._log_start = log.tell()
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "streams.cli", *self._arguments],
                    stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, env=env, start_new_session=True,
                )  # fmt: skip
            self.started_at = time.monotonic()

    def signal(self, number: signal.Signals, why: str) -> bool:
        """Send a signal, if it lives; what it then ends with is by our will."""
        with self.lock:
            if self._process is None or self._process.poll() is not None:
                return False
            self._why = why
            self._process.send_signal(number)
            return True

    def leave(self, deadline: float = DEADLINE_S) -> None:
        """End it in order and keep it ended."""
        with self.lock:
            self.wanted = False
        self.signal(signal.SIGTERM, LEAVE)
        self._wait(deadline)
        self.tend()

    def end(self) -> None:
        """End it at once and for good."""
        with self.lock:
            self.wanted = False
        self.signal(signal.SIGCONT, "the end")
        self.signal(signal.SIGKILL, "the end")
        self._wait(DEADLINE_S)

    def tend(self) -> None:
        """Note that it ended, and start it again where it is wanted."""
        with self.lock:
            if self._process is None or self._process.poll() is None:
                return
            self.ended.append(Ended(self.name, self._process.returncode, self._why, self._said()[-3_000:]))
            expected, self._process = self.ended[-1].expected, None
        if self.wanted:
            if not expected:
                time.sleep(_AFTER_A_CRASH_S)
            self.start()

    def _wait(self, deadline: float) -> None:
        process = self._process
        if process is not None:
            process.wait(deadline)

    def _said(self) -> str:
        if not self._log.exists():
            return ""
        with self._log.open("rb") as log:
            log.seek(self._log_start)
            return log.read().decode(errors="replace")


class Supervisor:
    """Tends children in a thread of its own while it is entered; ends them all when it is left."""

    def __init__(self, *children: Child) -> None:
        self.children = children
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="supervisor", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()
        for child in self.children:
            child.end()

    def _run(self) -> None:
        while not self._over.wait(_LOOK_S):
            for child in self.children:
                child.tend()


def environment(settings: Mapping[str, str], failpoint_log: Path) -> dict[str, str]:
    """This process's environment without what others set for the product, with `settings`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("STRIKELINE_")}
    kept |= {name: value for name, value in os.environ.items() if name == "STRIKELINE_KAFKA_CACHE"}
    return kept | {LOG_VARIABLE: str(failpoint_log)} | dict(settings)
