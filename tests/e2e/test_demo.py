"""The demo on a real broker, as a user runs it: its report, and nothing left behind, Ctrl-C included."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from streams.cli.stack import StackFile, write_stack
from tests.deadline import DEADLINE_S
from topics.broker.process import command_line

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module", autouse=True)
def java() -> None:
    from topics.broker.errors import JarsMissing
    from topics.broker.maven import jars
    from topics.broker.maven import java as find

    try:
        find(), jars()
    except JarsMissing as missing:
        pytest.skip(str(missing))


def strikeline(folder: Path, *words: str) -> "subprocess.Popen[str]":
    environment = {k: v for k, v in os.environ.items() if not k.startswith("STRIKELINE_") or "CACHE" in k}
    return subprocess.Popen(
        [sys.executable, "-m", "streams.cli", "--dir", str(folder), *words],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, start_new_session=True,
    )  # fmt: skip


def processes_of(folder: Path) -> list[str]:
    """Command lines of living processes that name the folder."""
    pids = (int(path.name) for path in Path("/proc").iterdir() if path.name.isdecimal())
    lines = (command_line(pid) for pid in pids if pid != os.getpid())
    return [line for line in lines if f"{folder}/" in line or line.endswith(str(folder))]


def finished(process: "subprocess.Popen[str]") -> tuple[int, str, str]:
    try:
        out, err = process.communicate(timeout=DEADLINE_S)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=DEADLINE_S)
    return process.returncode, out, err


def wait_for(path: Path, process: "subprocess.Popen[str]") -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not path.exists():
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline, f"{path.name} never came"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any], str]:
    """One demo at full speed: the feed runs far ahead of the executor's answers. The folder remembers a stack that is
    gone, as after `up` and `down`: nobody asked for its broker.
    """
    folder = tmp_path_factory.mktemp("demo")
    write_stack(
        folder, StackFile("127.0.0.1:1", "sqlite:///gone.db", "", 12, keep_history=False, own_broker=True)
    )
    code, out, err = finished(strikeline(folder, "demo", "--speed", "max", "--json"))
    assert code == 0, err
    return folder, json.loads(out), err


def test_on_kafka_the_deals_are_those_of_the_in_process_run(
    ran: tuple[Path, dict[str, Any], str], tmp_path: Path
) -> None:
    _, report, told = ran
    assert report["mode"] == "kafka", told
    code, out, err = finished(strikeline(tmp_path, "demo", "--in-process", "--json"))
    assert code == 0, err
    same = json.loads(out)
    assert report["averaged_with_profit"] >= 1
    for part in ("klines", "triggers", "deals", "grids", "fills", "fired", "profit", "dead_letters"):
        assert report[part] == same[part]


def test_after_the_report_nothing_runs_and_the_topics_can_be_looked_at(
    ran: tuple[Path, dict[str, Any], str],
) -> None:
    folder = ran[0] / "demo"
    assert processes_of(ran[0]) == []
    try:
        code, _, err = finished(strikeline(folder, "up", "--no-feed", "--json"))
        assert code == 0, err
        code, out, err = finished(
            strikeline(folder, "triggers", "tail", "--no-follow", "--last", "5", "--json")
        )
        assert (code, len(out.splitlines())) == (0, 5), err
        code, out, err = finished(strikeline(folder, "topics", "check", "--json"))
        assert (code, json.loads(out)) == (0, []), err
    finally:
        code, out, err = finished(strikeline(folder, "down", "--json"))
    assert code == 0, err
    assert set(json.loads(out)["stopped"]) >= {"kafka", "executor"}
    assert processes_of(ran[0]) == []


@pytest.mark.parametrize(
    "until, number",
    [("kafka/broker.pid", signal.SIGINT), ("worker.pid", signal.SIGTERM), ("feed.pid", signal.SIGINT)],
)
def test_ctrl_c_ends_everything_that_was_started(tmp_path: Path, until: str, number: signal.Signals) -> None:
    process = strikeline(tmp_path, "demo")
    wait_for(tmp_path / "demo" / until, process)
    process.send_signal(number)
    code, _, err = finished(process)
    assert code == 130, err
    assert err.splitlines()[-1] == "strikeline: interrupted"
    assert processes_of(tmp_path) == []
