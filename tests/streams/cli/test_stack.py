"""The local stack's processes: found by their pid files, ended only when they are ours."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.cli.commands.stack import feed_command
from streams.cli.context import Place
from streams.cli.demo.interrupts import Interrupts
from streams.cli.demo.kafka import fresh_folder
from streams.cli.errors import Invalid, Problem
from streams.cli.stack import LocalProcess, StackFile, completed, read_stack, stop_processes, write_stack
from streams.cli.starting import require_alive
from tests.deadline import DEADLINE_S
from tests.streams.cli.commandline import CommandLine

STACK = StackFile("127.0.0.1:1", "sqlite:///x.db", "ns", 3, keep_history=True, own_broker=False)


@pytest.fixture
def stranger() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
    yield process
    process.kill()
    process.communicate()


def test_a_pid_that_went_to_somebody_else_is_left_alone(
    tmp_path: Path, stranger: subprocess.Popen[bytes]
) -> None:
    (tmp_path / "worker.pid").write_text(f"{stranger.pid}\n")
    assert LocalProcess(tmp_path, "worker").pid is None
    assert stop_processes(tmp_path) == []
    assert stranger.poll() is None


def test_our_process_is_found_by_another_object_and_ended(tmp_path: Path) -> None:
    started = LocalProcess(tmp_path, "feed")
    pid = started.start(STACK, ["feed", "simulate", "--minutes", "1"])
    found = LocalProcess(tmp_path, "feed")
    assert found.pid in (pid, None)  # it may have given up on its broker already
    stop_processes(tmp_path)
    started.wait_ended(DEADLINE_S)
    assert found.pid is None
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_process_that_dies_early_is_told_with_the_end_of_its_log(tmp_path: Path) -> None:
    process = LocalProcess(tmp_path, "executor")
    process.start(STACK, ["no-such-command"])
    process.wait_ended(DEADLINE_S)
    with pytest.raises(Problem, match=r"executor ended with exit code 2(.|\n)*No such command"):
        require_alive([process])


def test_later_commands_find_the_stack_of_their_folder(tmp_path: Path) -> None:
    assert read_stack(tmp_path) is None
    write_stack(tmp_path, STACK)
    place = completed(Place(folder=tmp_path))
    assert (place.bootstrap, place.database, place.namespace) == ("127.0.0.1:1", "sqlite:///x.db", "ns")
    assert (place.topics.partitions, place.topics.keep_history) == (3, True)
    other = completed(Place(folder=tmp_path, bootstrap="elsewhere:1"))
    assert (other.bootstrap, other.database) == ("elsewhere:1", None)
    (tmp_path / "stack.json").write_text("{")
    assert read_stack(tmp_path) is None


def test_the_local_stack_is_fed_by_a_simulated_market_or_by_a_live_one() -> None:
    assert feed_command(None, "AUSDT", 7)[:2] == ["feed", "simulate"]
    assert feed_command("AUSDT, BUSDT", "XUSDT", 7) == ["feed", "binance", "AUSDT", "BUSDT"]
    with pytest.raises(Invalid, match="--binance: 'b' is no symbol"):
        feed_command("b", "", 7)


@pytest.mark.parametrize("unset", ["", ",,", " "])
def test_a_live_market_of_no_symbols_is_refused_not_simulated(unset: str) -> None:
    with pytest.raises(Invalid, match="--binance: at least one symbol is needed"):
        feed_command(unset, "AUSDT", 7)


def test_down_where_nothing_runs_says_so(strikeline: CommandLine, tmp_path: Path) -> None:
    assert strikeline("down", "--json").json == {"stopped": [], "deleted": False}
    assert "nothing was running" in strikeline("down").out
    assert strikeline("down", "--delete-data").code == 1


def test_the_demo_empties_only_a_folder_of_its_own(tmp_path: Path) -> None:
    folder = fresh_folder(tmp_path)
    (folder / "old.db").write_text("")
    assert [path.name for path in fresh_folder(tmp_path).iterdir()] == ["DEMO"]
    (tmp_path / "other" / "demo").mkdir(parents=True)
    (tmp_path / "other" / "demo" / "precious").write_text("")
    with pytest.raises(Invalid, match="is not a demo's folder"):
        fresh_folder(tmp_path / "other")


def test_a_signal_whose_exception_got_lost_is_found_at_the_next_look() -> None:
    with Interrupts().installed() as interrupts:
        interrupts.check()
        with contextlib.suppress(KeyboardInterrupt):  # as a finalizer does that happens to run
            os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            interrupts.check()
        with interrupts.shield(final=True):
            pass
        interrupts.check()


def _start_a_child(interrupts: Interrupts, told: list[str]) -> None:
    with interrupts.shield():
        os.kill(os.getpid(), signal.SIGINT)
        told.append("still starting a child")


def test_a_signal_waits_until_the_shield_is_down() -> None:
    told: list[str] = []
    with Interrupts().installed() as interrupts:
        with pytest.raises(KeyboardInterrupt):
            _start_a_child(interrupts, told)
        with interrupts.shield(final=True):
            os.kill(os.getpid(), signal.SIGTERM)
            told.append("still ending children")
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGTERM)
    assert told == ["still starting a child", "still ending children"]


def test_an_address_that_nobody_answers_at_is_not_remembered(
    strikeline: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streams.cli.kafka._TIMEOUT_S", 0.5)
    answer = strikeline("--bootstrap", "127.0.0.1:1", "up", "--no-feed")
    assert answer.code == 3
    assert "127.0.0.1:1" in answer.err
    assert read_stack(tmp_path / "state") is None
