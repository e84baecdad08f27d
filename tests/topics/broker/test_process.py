"""A pid file names a process only while that process is really ours."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deadline import DEADLINE_S
from topics.broker.process import PidFile, command_line

MARK = "only-ours-has-this"


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    script = "import sys; print(flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", script, MARK]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        process.kill()


def pid_file(tmp_path: Path, pid: int | str, mark: str = MARK) -> PidFile:
    path = tmp_path / "broker.pid"
    path.write_text(f"{pid}\n")
    return PidFile(path, mark)


def test_our_process_is_found(tmp_path: Path, child: subprocess.Popen[bytes]) -> None:
    assert pid_file(tmp_path, child.pid).running() == child.pid


def test_what_was_written_is_read(tmp_path: Path, child: subprocess.Popen[bytes]) -> None:
    file = PidFile(tmp_path / "broker.pid", MARK)
    file.write(child.pid)
    assert file.running() == child.pid


def test_a_process_of_somebody_else_is_not_ours(tmp_path: Path) -> None:
    file = pid_file(tmp_path, os.getpid())
    assert file.running() is None
    file.signal(signal.SIGKILL)  # had it reached us, no test would be left to fail


@pytest.mark.parametrize("text", ["", "not a number", "999999999"])
def test_a_damaged_or_stale_file_names_nobody(tmp_path: Path, text: str) -> None:
    assert pid_file(tmp_path, text).running() is None


def test_no_file_names_nobody(tmp_path: Path) -> None:
    assert PidFile(tmp_path / "absent", MARK).running() is None


def test_a_signal_ends_it_and_a_zombie_counts_as_gone(tmp_path: Path, child: subprocess.Popen[bytes]) -> None:
    file = pid_file(tmp_path, child.pid)
    file.signal(signal.SIGTERM)
    assert file.wait_gone(DEADLINE_S)
    assert not file.path.exists()
    assert command_line(child.pid) == ""


def test_waiting_ends_at_the_deadline(tmp_path: Path, child: subprocess.Popen[bytes]) -> None:
    file = pid_file(tmp_path, child.pid)
    assert not file.wait_gone(0.05)
    assert file.path.exists()
