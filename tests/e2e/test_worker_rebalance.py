"""Workers join, leave, die and are suspended under load: each change settles and changes no trigger.

How long that takes is measured by `make chaos`.
"""

import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import pytest

from tests.deadline import DEADLINE_S
from tests.e2e.stage import SESSION_S, Stage, undisturbed
from topics.broker.choose import Broker

pytestmark = [pytest.mark.e2e, pytest.mark.slow]
SYMBOLS = tuple(f"SYM{n}" for n in range(12))
BARS_PER_SECOND = 30
NO_MEMBER = 75


class Feed(threading.Thread):
    """Feeds all symbols at a steady pace while it is entered."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(daemon=True)
        self.bars = 0
        self.over = threading.Event()
        self._stage = stage

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.join()

    def run(self) -> None:
        while not self.over.wait(0.1):
            self._stage.feed(self.bars, self.bars + BARS_PER_SECOND // 10, SYMBOLS)
            self.bars += BARS_PER_SECOND // 10


@pytest.fixture
def stage(kafka: Broker, tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(kafka.bootstrap, tmp_path)
    yield stage
    stage.close()


def settled(stage: Stage) -> None:
    """Every partition is heard again after now."""
    start = time.monotonic()
    stage.answer_until(lambda: len(stage.heard) == 2 and min(stage.heard.values()) > start)
    # Heard once may be an echo from before the rebalance: it must still be so a little later.
    soon = time.monotonic() + 1.0
    stage.answer_until(lambda: time.monotonic() > soon)
    start = time.monotonic()
    stage.answer_until(lambda: min(stage.heard.values()) > start)


def joined(stage: Stage) -> "subprocess.Popen[bytes]":
    """One more worker, that has partitions."""
    worker = stage.worker()
    said = stage.newest_log
    stage.answer_until(lambda: "assigned partitions" in said.read_text())
    settled(stage)
    return worker


def test_joins_leaves_deaths_and_suspensions_under_load(stage: Stage) -> None:
    stage.arm(SYMBOLS)
    with Feed(stage) as feed:
        fourth = disturbed(stage)
    expected = undisturbed(feed.bars, SYMBOLS)
    stage.answer_until(lambda: len(stage.seen) >= len(expected))
    assert stage.seen == expected
    assert fourth.poll() is None


def disturbed(stage: Stage) -> "subprocess.Popen[bytes]":
    """A join, a leave, a join, a death, a join, and one that stands still and finds itself given up; who is left."""
    first = joined(stage)
    second = joined(stage)
    first.send_signal(signal.SIGTERM)
    settled(stage)
    assert first.wait(DEADLINE_S) == 0
    third = joined(stage)
    second.kill()
    settled(stage)
    fourth = joined(stage)
    third.send_signal(signal.SIGSTOP)
    given_up = time.monotonic() + SESSION_S
    stage.answer_until(lambda: time.monotonic() > given_up)
    settled(stage)
    third.send_signal(signal.SIGCONT)
    stage.answer_until(lambda: third.poll() is not None)
    assert third.returncode == NO_MEMBER
    return fourth
