"""The evaluator's process: checks, warm-up, then the group.

Exit codes: 0 after SIGTERM or SIGINT, 1 an error nobody foresaw (its record is named), 70 no progress, 75
stood still.
"""

import asyncio
import logging
import sys
from collections import Counter
from collections.abc import Mapping
from typing import Final, TypeAlias, cast

from faust.tables.manager import TableManager
from faust.types import TP

from streams.app import Evaluator
from streams.config import WorkerSettings
from streams.guard import StandstillGuard, end_process
from streams.metrics import serve_metrics
from streams.warm import calm_collector, warm_up
from streams.watchdog import Behind, Watchdog
from topics.admin import TopicAdmin
from topics.producer import KafkaPublisher

FAILED: Final = 1
_ANSWER_S: Final = 10.0
Offsets: TypeAlias = Mapping[tuple[str, int], int]
_log = logging.getLogger("strikeline.worker")


def run_worker(settings: WorkerSettings) -> None:
    """Run one worker until it is told to stop; does not return. Raises TopicsDiffer before anything starts."""
    _log_to_stderr(settings.log_level)
    topics = settings.topics
    TopicAdmin(settings.kafka).require(topics.all())
    _log.info("loading compiled kernels; the first time they are compiled, a minute or more")
    warm_up()
    calm_collector()
    worker = Worker(settings)
    faust_worker = worker.evaluator.app.Worker(loglevel=None, quiet=True, override_logging=False)
    faust_worker.execute_from_commandline()


class Worker:
    """The evaluator with what watches over it."""

    def __init__(self, settings: WorkerSettings) -> None:
        publisher = KafkaPublisher(settings.kafka)
        guard = StandstillGuard(settings.session_timeout)
        self.evaluator = Evaluator(settings, publisher, guard, self._failed)
        self._watchdog = Watchdog(self._look, settings.watchdog_seconds)
        self._ending: asyncio.Task[None] | None = None
        self.evaluator.app.task(self._watchdog.run)
        if settings.metrics_port:
            serve_metrics(self.evaluator.station, settings.metrics_port)

    def _failed(self, error: BaseException) -> None:
        """Crash rather than guess: note the record that broke it, then end without committing anything."""
        record = self.evaluator.station.culprit
        where = f" at {record.address}" if record is not None else ""
        _log.critical("ending: %s%s", type(error).__name__, where, exc_info=error)
        if self._ending is None:
            self._ending = asyncio.ensure_future(self._end())

    async def _end(self) -> None:
        note = asyncio.ensure_future(self.evaluator.station.remember_culprit())
        await asyncio.wait([note], timeout=_ANSWER_S)
        end_process(FAILED)

    async def _look(self) -> Mapping[str, Behind]:
        return await asyncio.wait_for(self._behind(), _ANSWER_S)

    async def _behind(self) -> dict[str, Behind]:
        app, station = self.evaluator.app, self.evaluator.station
        if app.rebalancing or app.in_recovery:
            return {"group": Behind(self._recovered(), " is assigning partitions")}
        positions = station.next_offsets()
        if not positions:
            return {}
        ends = await app.consumer.highwaters(*(TP(*at) for at in positions))
        passes = self.evaluator.history.passes
        return lagging(
            positions, {(tp.topic, tp.partition): end for tp, end in ends.items()}, passes, station.sources[0]
        )

    def _recovered(self) -> object:
        """Changes with every changelog record, every partition restored and every rebalance."""
        app, station = self.evaluator.app, self.evaluator.station
        recovery = cast(TableManager, app.tables).recovery
        read = sum(offset or 0 for offset in recovery.active_offsets.values())
        passes = sum(self.evaluator.history.passes.copy().values())  # counted in other threads
        return read, app.rebalancing_count, station.counters["assignments"], passes


def lagging(positions: Offsets, ends: Offsets, passes: Mapping[int, int], klines: str) -> dict[str, Behind]:
    """Which sources have records that were not handled, by address.

    Within a partition commands share a queue and come before klines: any command handled is progress of all commands
    and of the klines, but no kline is progress of a command. So is a pass over klines that are read back (`passes`, by
    partition).
    """
    handled: Counter[tuple[bool, int]] = Counter()
    for (topic, partition), offset in positions.items():
        handled[True, partition] += offset
        handled[False, partition] += offset if topic != klines else 0
    return {
        f"{topic}[{partition}]": Behind(
            (handled[topic == klines, partition], passes.get(partition, 0)),
            f"@{positions[topic, partition]} of {end}",
        )
        for (topic, partition), end in ends.items()
        if end > positions[topic, partition]
    }


def _log_to_stderr(level: str) -> None:
    logging.basicConfig(
        stream=sys.stderr, level=level, format="%(asctime)s %(levelname)s %(name)s %(message)s"
    )
    # Faust's services log under the modules that define their classes.
    for chatty in ("aiokafka", "faust", "mode", "streams.app", "streams.tables", "streams.transport"):
        logging.getLogger(chatty).setLevel("WARNING" if level == "INFO" else level)
