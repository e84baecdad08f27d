"""A process found again by its pid file, and ended only when it is really ours."""

import os
import signal
import subprocess
import time
from pathlib import Path


def command_line(pid: int) -> str:
    """The arguments of a living process, joined by spaces; empty when it is gone or a zombie."""
    if Path("/proc/self").exists():
        try:
            return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            return ""
    shown = subprocess.run(["ps", "-ww", "-o", "command=", "-p", str(pid)], capture_output=True, check=False)
    return shown.stdout.decode(errors="replace").strip()


class PidFile:
    """The pid of a process whose command line contains `mark` (something only ours has, like its folder)."""

    def __init__(self, path: Path, mark: str) -> None:
        self.path = path
        self._mark = mark

    def write(self, pid: int) -> None:
        scratch = self.path.with_suffix(".tmp")
        scratch.write_text(f"{pid}\n")
        scratch.replace(self.path)

    def running(self) -> int | None:
        """The pid when that process lives and is ours, else None."""
        try:
            pid = int(self.path.read_text())
        except (FileNotFoundError, ValueError):
            return None
        return pid if self._mark in command_line(pid) else None

    def signal(self, number: signal.Signals) -> None:
        """Signals the process, if it is ours."""
        if (pid := self.running()) is not None:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                return

    def wait_gone(self, deadline: float) -> bool:
        """Waits up to `deadline` seconds; True when the process is gone, its pid file with it."""
        end = time.monotonic() + deadline
        while self.running() is not None:
            if time.monotonic() > end:
                return False
            time.sleep(0.02)
        self.path.unlink(missing_ok=True)
        return True
