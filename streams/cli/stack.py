"""The local stack: a broker and our processes, detached, found by pid files, ended by pid when really ours.

Everything lives in one state folder: `kafka/` (the broker's own), `strikeline.db`, `logs/`, a `NAME.pid` per
process and `stack.json`, by which later commands find broker, namespace and database.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import msgspec

from streams.cli.context import (
    BOOTSTRAP_VARIABLE,
    DATABASE_VARIABLE,
    FOLDER_VARIABLE,
    KEEP_VARIABLE,
    NAMESPACE_VARIABLE,
    PARTITIONS_VARIABLE,
    Place,
)
from streams.cli.errors import Problem
from topics.broker.process import PidFile

PROCESSES: Final = ("executor", "worker", "notifier", "feed")
"""Our own processes, in the order in which they start; they end in the opposite one."""


class StackFile(msgspec.Struct, frozen=True):
    """`stack.json`: where a stack that was started from this folder is. `own_broker`: we started it."""

    bootstrap: str
    database: str
    namespace: str
    partitions: int
    keep_history: bool
    own_broker: bool


def read_stack(folder: Path) -> StackFile | None:
    """The stack of `folder`, None when there is none (or its file is not one of ours)."""
    try:
        return msgspec.json.decode((folder / "stack.json").read_bytes(), type=StackFile)
    except (OSError, msgspec.MsgspecError):
        return None


def write_stack(folder: Path, stack: StackFile) -> None:
    """Remember the stack."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "stack.json").write_bytes(msgspec.json.format(msgspec.json.encode(stack)))


def completed(place: Place) -> Place:
    """`place` with what the stack of its folder says, where nothing else was said."""
    stack = read_stack(place.folder)
    if stack is None or place.bootstrap not in (None, stack.bootstrap):
        return place
    return replace(
        place,
        bootstrap=stack.bootstrap,
        database=place.database or stack.database,
        namespace=place.namespace or stack.namespace,
        partitions=place.partitions or stack.partitions,
        keep_history=place.keep_history or stack.keep_history,
    )


class LocalProcess:
    """One of our processes, `strikeline ARGUMENTS`, in a session of its own."""

    def __init__(self, folder: Path, name: str) -> None:
        self.name = name
        self.log = folder / "logs" / f"{name}.log"
        self._folder = folder
        self._child: subprocess.Popen[bytes] | None = None
        self._pid_file = PidFile(folder / f"{name}.pid", mark=f"streams.cli --dir {folder} ")

    @property
    def pid(self) -> int | None:
        """Its process id while it lives."""
        return self._pid_file.running()

    def start(self, stack: StackFile, arguments: Sequence[str]) -> int:
        """Start it, its output going to `log`; returns at once. One that runs already is left alone."""
        if (running := self.pid) is not None:
            return running
        self.log.parent.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "streams.cli", "--dir", str(self._folder), *arguments]
        with self.log.open("ab") as log:
            self._child = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                start_new_session=True, env=_environment(stack, self._folder),
            )  # fmt: skip
        self._pid_file.write(self._child.pid)
        return self._child.pid

    def ended(self) -> int | None:
        """The exit code of a process that this object started, None while it runs."""
        return None if self._child is None else self._child.poll()

    def ask_to_end(self) -> bool:
        """SIGTERM, if it runs and is ours."""
        was_running = self.pid is not None
        self._pid_file.signal(signal.SIGTERM)
        return was_running

    def wait_ended(self, deadline: float) -> None:
        """Wait for it to be gone, by force after `deadline` seconds. Raises Problem when it survives that."""
        if self._gone(deadline):
            return
        self._pid_file.signal(signal.SIGKILL)
        if not self._gone(30.0):
            raise Problem(f"{self.name} survived SIGKILL: pid {self.pid}")

    def _gone(self, deadline: float) -> bool:
        if self._child is not None:
            try:
                self._child.wait(deadline)
            except subprocess.TimeoutExpired:
                return False
        return self._pid_file.wait_gone(deadline)

    def log_tail(self, lines: int = 5) -> str:
        """The end of its log."""
        if not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


def _environment(stack: StackFile, folder: Path) -> Mapping[str, str]:
    return {
        **os.environ,
        BOOTSTRAP_VARIABLE: stack.bootstrap,
        DATABASE_VARIABLE: stack.database,
        NAMESPACE_VARIABLE: stack.namespace,
        PARTITIONS_VARIABLE: str(stack.partitions),
        KEEP_VARIABLE: "true" if stack.keep_history else "false",
        FOLDER_VARIABLE: str(folder),
    }


def stop_all(processes: Iterable[LocalProcess], deadline: float = 15.0) -> list[str]:
    """End them together, so that waits overlap; the names of those that were running."""
    known = list(processes)
    running = [process.name for process in known if process.ask_to_end()]
    end = time.monotonic() + deadline
    for process in known:
        process.wait_ended(max(0.5, end - time.monotonic()))
    return running


def stop_processes(folder: Path) -> list[str]:
    """End our processes of this folder; the names of those that were running."""
    return stop_all(LocalProcess(folder, name) for name in reversed(PROCESSES))
