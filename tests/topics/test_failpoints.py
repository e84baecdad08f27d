"""Fail-points: silent unless armed, and deadly where they are."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from topics.failpoints import Died, armed, failpoint

CHILD = """
from topics.failpoints import failpoint
for i in range(5):
    print(i, flush=True)
    failpoint("here")
    failpoint("there")
"""


def run(points: str, log: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"STRIKELINE_FAILPOINTS": points}
    if log is not None:
        environment["STRIKELINE_FAILPOINT_LOG"] = str(log)
    return subprocess.run(
        [sys.executable, "-c", CHILD], env=environment, capture_output=True, text=True, check=False
    )


def test_unarmed_it_does_nothing() -> None:
    failpoint("anything")


def test_it_goes_off_at_the_passage_it_was_armed_for() -> None:
    with armed({"here": 3}) as left:
        failpoint("here")
        failpoint("there")
        failpoint("here")
        assert left == {"here": 1}
        with pytest.raises(Died, match="here"):
            failpoint("here")
        assert left == {}


def test_no_ordinary_handler_survives_it() -> None:
    def careless() -> None:
        try:
            failpoint("here")
        except Exception:  # noqa: BLE001 - a death must get through just such a handler
            return

    with armed({"here": 1}), pytest.raises(Died):
        careless()


def test_it_is_disarmed_at_the_end_even_after_a_death() -> None:
    with pytest.raises(Died), armed({"here": 1}):
        failpoint("here")
    with armed({"here": 5}):
        failpoint("here")
    failpoint("here")


def test_a_child_process_is_killed_as_by_a_power_cut(tmp_path: Path) -> None:
    log = tmp_path / "log"
    done = run("there:2", log)
    assert done.returncode == -signal.SIGKILL
    assert done.stdout.split() == ["0", "1"]
    assert log.read_text() == "there\n"


def test_a_child_process_without_points_lives() -> None:
    done = run("")
    assert (done.returncode, done.stdout.split()) == (0, list("01234"))
