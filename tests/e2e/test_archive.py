"""The archive on a real broker: killed again and again, every closed bar and trigger is in its files once."""

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest

from tests.deadline import DEADLINE_S
from tests.e2e.stage import Stage
from tests.streams.evaluator import scenario
from topics.broker.choose import Broker

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

BARS = 2_000
KILLS = 6


class Archiver:
    """`strikeline archive` as a process of its own."""

    def __init__(self, stage: Stage, root: Path, log: Path) -> None:
        self._command = [
            sys.executable, "-m", "streams.cli", "--namespace", stage.topics.namespace, "--partitions", "2",
            "--keep-history", "--bootstrap", stage.kafka.bootstrap, "archive", "--to", str(root), "--seconds", "0.1",
        ]  # fmt: skip
        self._log = log

    def start(self) -> "subprocess.Popen[bytes]":
        with self._log.open("ab") as log:
            return subprocess.Popen(
                self._command, stdout=log, stderr=log, env=os.environ | {"PYTHONUNBUFFERED": "1"}
            )


def rows(root: Path, kind: str) -> pl.DataFrame:
    while True:
        files = sorted(root.glob(f"{kind}/*/*.parquet"))
        try:
            return pl.concat([pl.read_parquet(file) for file in files]) if files else pl.DataFrame()
        except FileNotFoundError:
            continue  # merged meanwhile: its rows are in another file now


def wait_for(root: Path, kind: str, count: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while rows(root, kind).height < count:
        if process.poll() is not None or time.monotonic() > deadline:
            pytest.fail(f"{rows(root, kind).height} of {count} rows\n{log.read_text()[-3_000:]}")
        time.sleep(0.1)


def test_killed_again_and_again_it_keeps_every_record_once(kafka: Broker, tmp_path: Path) -> None:
    dice = random.Random(11)
    root, log = tmp_path / "archive", tmp_path / "archive.log"
    stage = Stage(kafka.bootstrap, tmp_path)
    archiver = Archiver(stage, root, log)
    symbols = scenario.SYMBOLS
    stage.feed(0, 50)
    fed = 50
    for kill in range(KILLS):
        process = archiver.start()
        try:
            # It must have got somewhere, so that there is something to lose.
            wait_for(root, "klines", fed * len(symbols) if kill else 1, process, log)
            stage.feed(fed, fed + BARS // KILLS)
            fed += BARS // KILLS
            time.sleep(dice.uniform(0, 0.3))  # the moment of death, not a wait for anything
        finally:
            process.kill()
            process.wait(DEADLINE_S)
    process = archiver.start()
    try:
        wait_for(root, "klines", fed * len(symbols), process, log)
        process.terminate()
        assert process.wait(DEADLINE_S) == 0, log.read_text()[-3_000:]
    finally:
        if process.poll() is None:
            process.kill()
            process.wait(DEADLINE_S)
    stage.close()
    found = rows(root, "klines")
    assert found.height == fed * len(symbols)
    assert found.select("partition", "offset").is_duplicated().sum() == 0
    assert found.select("symbol", "open_time").is_duplicated().sum() == 0
    assert not list(root.glob("**/*.unfinished"))


def test_a_second_one_on_the_same_folder_ends_with_a_message(kafka: Broker, tmp_path: Path) -> None:
    root, log = tmp_path / "archive", tmp_path / "archive.log"
    stage = Stage(kafka.bootstrap, tmp_path)
    archiver = Archiver(stage, root, log)
    stage.feed(0, 10)
    first = archiver.start()
    try:
        wait_for(root, "klines", 1, first, log)
        second = archiver.start()
        assert second.wait(DEADLINE_S) == 1
        assert "another archive writes to this folder" in log.read_text()
        assert first.poll() is None
    finally:
        first.kill()
        first.wait(DEADLINE_S)
        stage.close()
