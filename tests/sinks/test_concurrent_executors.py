"""Several executors want the same partition at the same moment: each record is applied by one of them, once."""

import pickle
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from threading import Barrier

import pytest
from sqlalchemy import Engine, select

from sinks.database.engine import open_engine
from sinks.database.tables import deployment, partitions
from sinks.errors import Fenced
from sinks.executor.core import Executor
from sinks.executor.relay import Relay
from sinks.patience import Patience
from tests.deadline import DEADLINE_S
from tests.sinks.bots import TOPICS
from tests.sinks.claimant import SOURCES, left
from tests.sinks.conftest import Day
from tests.sinks.loop import RULES, outcomes, rows
from topics.records import Record

ROOT = Path(__file__).parents[2]


def busiest(day: Day) -> list[Record]:
    return max(day.records.values(), key=len)


def apply_all(engine: Engine, day: Day, but: int) -> None:
    """The other partitions, by one executor."""
    executor = Executor(engine, TOPICS, RULES)
    for partition, records in day.records.items():
        if partition != but and records:
            executor.apply(executor.claim(partition, SOURCES), records)


def told(engine: Engine) -> set[bytes | None]:
    executor = Executor(engine, TOPICS, RULES)
    claims = (executor.claim(partition, SOURCES) for partition in range(TOPICS.partitions))
    return {row.message.value for claim in claims for row in Relay(engine, claim, 100_000).waiting()}


def all_told(day: Day) -> set[bytes | None]:
    return day.told.commands | day.told.events | day.told.positions | {value for _, value in day.told.dead}


def test_of_four_that_claim_at_once_one_applies(engine: Engine, day: Day) -> None:
    """Round by round all claim, then all apply: whoever claimed last counts, the others leave nothing."""
    records = busiest(day)
    partition = records[0].partition
    barrier = Barrier(4)

    def work(owner: str) -> tuple[int, int]:
        """How many rounds it lost, and how many records it applied."""
        lost, applied = 0, 0
        executor, patience = Executor(engine, TOPICS, RULES, owner), Patience(DEADLINE_S)
        while True:
            barrier.wait(DEADLINE_S)
            claim = patience.run(partial(executor.claim, partition, SOURCES))
            barrier.wait(DEADLINE_S)
            waiting = left(records, claim)
            if not waiting:
                return lost, applied
            try:
                done = patience.run(partial(executor.apply, claim, waiting[:4]))
                applied += sum(done.outcomes.values())
            except Fenced:
                lost += 1

    with ThreadPoolExecutor(4) as threads:
        working = [threads.submit(work, f"thread-{number}") for number in range(4)]
        done = [future.result(DEADLINE_S) for future in working]
    apply_all(engine, day, but=partition)
    assert sum(lost for lost, _ in done) == 3 * -(-len(records) // 4)
    assert sum(applied for _, applied in done) == len(records)
    assert rows(engine) == day.rows
    assert outcomes(engine) == day.outcomes
    assert told(engine) == all_told(day)


def start(url: str, records: Path, owner: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "tests.sinks.claimant", url, str(records), owner]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def test_two_processes_one_of_which_is_killed(engine: Engine, day: Day, tmp_path: Path) -> None:
    """Started together; the one that claims first is killed at once, whatever it has done."""
    records = busiest(day)
    path = tmp_path / "records"
    path.write_bytes(pickle.dumps(records))
    url = engine.url.render_as_string(hide_password=False)
    victim, survivor = start(url, path, "victim"), start(url, path, "survivor")
    with victim, survivor:
        assert victim.stdout is not None
        assert victim.stdout.readline().startswith("claimed")
        victim.kill()
        assert survivor.wait(DEADLINE_S) == 0
    apply_all(engine, day, but=records[0].partition)
    assert rows(engine) == day.rows
    assert outcomes(engine) == day.outcomes


def test_a_claim_that_came_in_between_leaves_nothing_of_the_other(engine: Engine, day: Day) -> None:
    records = busiest(day)
    partition = records[0].partition
    old, new = Executor(engine, TOPICS, RULES, "old"), Executor(engine, TOPICS, RULES, "new")
    lost = old.claim(partition, SOURCES)
    old.apply(lost, records[:3])
    before = rows(engine), outcomes(engine)
    kept = new.claim(partition, SOURCES)
    relay = Relay(engine, lost)
    attempts: list[Callable[[], object]] = [
        lambda: old.apply(lost, records[3:]),
        lambda: old.rearm_all(lost),
        relay.waiting,
        lambda: relay.forget(Relay(engine, kept).waiting()),
    ]
    for attempt in attempts:
        with pytest.raises(Fenced):
            attempt()
    assert (rows(engine), outcomes(engine)) == before
    with engine.connect() as connection:
        row = connection.execute(select(partitions).where(partitions.c.partition == partition)).one()
    assert (row.owner, row.epoch) == ("new", kept.epoch)


def test_executors_that_start_together_settle_whose_database_it_is_once(engine: Engine) -> None:
    url = engine.url
    barrier = Barrier(4)

    def begin(_: int) -> None:
        mine = open_engine(url)
        barrier.wait(DEADLINE_S)
        Patience(DEADLINE_S).run(Executor(mine, TOPICS, RULES).begin)
        mine.dispose()

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(begin, range(4)))
    with engine.connect() as connection:
        assert len(connection.execute(select(deployment)).all()) == 1
