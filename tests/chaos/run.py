"""One run: start, make trouble in two lanes at once (workers, executor), drain, verify, compare."""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from streams.cli.differences import differences
from streams.cli.kafka import KafkaCluster
from tests.chaos import evidence, reference
from tests.chaos.children import STOOD_STILL, Ended
from tests.chaos.cluster import Cluster
from tests.chaos.databases import Kind, database
from tests.chaos.equality import counts
from tests.chaos.equality import differences as compared
from tests.chaos.points import executor_points, worker_points
from tests.chaos.scenario import Scenario
from tests.chaos.troubles import STOP_S, Tally, Trouble
from tests.chaos.verifier import verify

Say = Callable[[str], None]


@dataclass(frozen=True)
class Plan:
    """How much trouble, and where: kills of workers and of the executor, deaths per fail-point, stops of each kind and
    how long they are, joins and leaves. `patience`: seconds at most from getting to work to a kill; `delay_max`: by how
    much at most the executor is delayed per fetch; `copies`: the share of triggers that come again; `outages`: how
    often the database is away.
    """

    database: Kind = "sqlite"
    worker_kills: int = 20
    executor_kills: int = 20
    hits: int = 3
    worker_stops: int = 6
    executor_stops: int = 4
    stop_seconds: float = STOP_S
    joins: int = 30
    patience: float = 3.0
    delay_max: float = 2.0
    copies: float = 0.0
    outages: int = 0
    outage_seconds: float = 60.0


QUICK = Plan(
    worker_kills=3, executor_kills=3, hits=0, worker_stops=1, executor_stops=0, stop_seconds=8.0, joins=1,
    patience=1.0, delay_max=0.5, copies=0.2,
)  # fmt: skip
EXECUTOR = Plan(
    worker_kills=0, executor_kills=200, hits=0, worker_stops=0, executor_stops=0, joins=0, patience=1.0,
    delay_max=1.5, copies=0.3,
)  # fmt: skip
"""kill -9 of the executor alone, many times, with triggers that come again."""
OUTAGE = Plan(
    worker_kills=0, executor_kills=0, hits=0, worker_stops=0, executor_stops=0, joins=0, delay_max=1.0, copies=0.3,
    outages=2,
)  # fmt: skip
"""The database is away for a minute, twice."""


@dataclass(frozen=True)
class Result:
    """What was done and what came of it. `problems` is empty when all laws held."""

    scenario: Scenario
    plan: Plan
    tally: Tally
    hits: Counter[str]
    ended: list[Ended]
    counts: dict[str, int]
    problems: list[str]
    segments: int
    seconds: dict[str, float]
    copies: int


def play(scenario: Scenario, folder: Path, plan: Plan, say: Say, *, partitions: int = 12) -> Result:
    """Run it in `folder`. Raises Stuck where something never happened."""
    tally = Tally()
    seconds: dict[str, float] = {}
    with (
        database(plan.database, folder) as deals,
        Cluster(
            scenario, folder, deals.url, partitions=partitions, delay_max=plan.delay_max, copies=plan.copies
        ) as cluster,
    ):
        with _timed(seconds, "start"):
            cluster.start()
        with _timed(seconds, "trouble"):
            _trouble(cluster, tally, plan, say)
            if plan.outages:
                trouble = Trouble(cluster, tally, scenario.seed + 4, say)
                trouble.take_away(deals.outages(), plan.outages, plan.outage_seconds)
        say("draining")
        with _timed(seconds, "drain"):
            cluster.drain()
        children = (*cluster.workers, cluster.executor)
        for child in children:
            child.leave()
        with _timed(seconds, "verify"):
            names = {short: getattr(cluster.topics, short).name for short in evidence.TOPICS}
            dead = [spec.name for spec in cluster.topics.all() if spec.name.endswith(".dlq")]
            live = evidence.gather(cluster.broker.bootstrap, names, dead, cluster.database)
            found = differences(KafkaCluster(cluster.settings), cluster.topics, cluster.database)
        ended = [ended for child in children for ended in child.ended]
        fed, announced, copies = cluster.fed, cluster.announced, cluster.duplicator.copies
    say(f"{fed} segments of {scenario.segment_minutes} minutes; now without interruption")
    with _timed(seconds, "reference"):
        calm = asyncio.run(reference.run(scenario, cluster.klines, folder, partitions, fed, announced))
    with _timed(seconds, "compare"):
        problems = [*_unforeseen(ended), *verify(live), *compared(live, calm, scenario.changed)]
        problems += [
            f"reconciler: {finding.kind} of {finding.subject}: {finding.reason}" for finding in found
        ]
    hits = Counter(cluster.failpoint_log.read_text().split() if cluster.failpoint_log.exists() else [])
    return Result(scenario, plan, tally, hits, ended, counts(live), problems, fed, seconds, copies)


def _trouble(cluster: Cluster, tally: Tally, plan: Plan, say: Say) -> None:
    seed = cluster.scenario.seed
    workers, executor = cluster.workers, [cluster.executor]

    # Found here: two threads of Python 3.11 that parse at the same time fail ("recursion depth mismatch").
    points_of_workers, points_of_executor = worker_points(), executor_points()

    def worker_lane() -> None:
        trouble = Trouble(cluster, tally, seed + 1, say)
        trouble.kill(workers, plan.worker_kills, plan.patience)
        trouble.hit(workers, points_of_workers, plan.hits)
        trouble.stop(workers, plan.worker_stops, plan.stop_seconds)

    def executor_lane() -> None:
        trouble = Trouble(cluster, tally, seed + 2, say)
        trouble.kill(executor, plan.executor_kills, plan.patience)
        trouble.hit(executor, points_of_executor, plan.hits)
        trouble.stop(executor, plan.executor_stops, plan.stop_seconds)

    _side_by_side(worker_lane, executor_lane)
    # On their own: an executor that is killed or suspended sends nothing, and the group would seem not to go on.
    if plan.joins:
        Trouble(cluster, tally, seed + 3, say).join_and_leave(workers[1], plan.joins)


def _side_by_side(*lanes: Callable[[], None]) -> None:
    failures: list[BaseException] = []

    def run(lane: Callable[[], None]) -> None:
        try:
            lane()
        except BaseException as error:  # noqa: BLE001 (raised again in the thread that waits for the lanes)
            failures.append(error)

    threads = [threading.Thread(target=run, args=(lane,), daemon=True) for lane in lanes]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads) and not failures:
        for thread in threads:
            thread.join(0.2)
    if failures:
        raise failures[0]


def _unforeseen(ended: list[Ended]) -> list[str]:
    """Processes that ended though nothing had been done to them; to end after a standstill is by design."""
    return [
        f"{end.name} ended with {end.code} after {end.why or 'nothing'}:\n{end.tail}"
        for end in ended
        if not end.expected and end.code != STOOD_STILL
    ]


@contextmanager
def _timed(seconds: dict[str, float], name: str) -> Iterator[None]:
    began = time.monotonic()
    yield
    seconds[name] = time.monotonic() - began
