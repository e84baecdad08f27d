"""One partition's records on their way into its evaluator: in offset order per topic, one record at a time.

Klines may have to wait (for bars read back, or for the answer to a trigger) while commands go on, so each
kind has its own queue. Nothing here blocks the caller; a driver watches `pressure` to stop fetching.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from time import monotonic
from typing import Final

from streams.history import History
from streams.partition import PartitionEvaluator
from streams.partition_state import MustWait, NeedsBars
from topics.records import Record

HIGH: Final = 2_000
LOW: Final = 500
_SLICE: Final = 200
"""Records handled from a queue before other tasks get their turn."""


class Lane:
    """The way into one evaluator. What breaks it in `offer` is raised there; what breaks it later goes to
    `failed`.
    """

    def __init__(
        self,
        evaluator: PartitionEvaluator,
        history: History,
        klines: str,
        failed: Callable[["Lane", BaseException], None],
        pressure: Callable[[int, bool], None] = lambda partition, high: None,
    ) -> None:
        self.evaluator = evaluator
        self.waiting_since: float | None = None
        """When klines began to wait for an answer (monotonic seconds)."""
        self._history = history
        self._klines_topic = klines
        self._failed = failed
        self._pressure = pressure
        self._high = False
        self._klines: deque[Record] = deque()
        self._commands: deque[Record] = deque()
        self._work: asyncio.Task[None] | None = None
        self._closed = False

    def offer(self, record: Record) -> None:
        """Take the next record of its topic: handled at once unless something is in its way."""
        kline = record.topic == self._klines_topic
        if self._work is None and not (self._klines if kline else self._commands) and not self._closed:
            obstacle = self.evaluator.step(record)
            if obstacle is None:
                if not kline and self._klines:
                    self._start()
                return
            if isinstance(obstacle, MustWait):
                self._klines.append(record)
                self._begin_wait()
                return
            self._commands.append(record)
            self._start()
            return
        (self._klines if kline else self._commands).append(record)
        if kline and not self._high and len(self._klines) >= HIGH:
            self._high = True
            self._pressure(self.evaluator.partition, True)

    def expected(self, topic: str) -> int:
        """The offset of `topic` that `offer` has not seen yet."""
        queue = self._klines if topic == self._klines_topic else self._commands
        last = next((record for record in reversed(queue) if record.topic == topic), None)
        following = 0 if last is None else last.offset + 1
        return max(following, self.evaluator.next_offset(topic))

    def lose_patience(self) -> None:
        """The answer did not come: klines go on without it, until the next command shows that somebody
        answers.
        """
        self.evaluator.give_up_waiting()
        self.waiting_since = None
        if self._work is None and self._klines:
            self._start()

    @property
    def waits(self) -> bool:
        """Whether klines wait for an answer."""
        return self.waiting_since is not None

    @property
    def idle(self) -> bool:
        """Nothing is under way; klines may still wait for an answer."""
        return self._work is None

    async def settle(self) -> None:
        """Return when nothing is under way."""
        while self._work is not None:
            await asyncio.wait([self._work])

    def close(self) -> None:
        """Drop everything: the partition is gone."""
        self._closed = True
        self._klines.clear()
        self._commands.clear()
        if self._work is not None:
            self._work.cancel()
            self._work = None

    def _start(self) -> None:
        self._work = asyncio.ensure_future(self._run())
        self._work.add_done_callback(self._done)

    def _done(self, task: "asyncio.Task[None]") -> None:
        if task is self._work:
            self._work = None
            # Between its last step and this call a record may have come, and queued behind a task that has ended.
            if not self._closed and not task.cancelled() and task.exception() is None and self._has_work:
                self._start()
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failed(self, error)

    @property
    def _has_work(self) -> bool:
        return bool(self._commands or (self._klines and not self.waits))

    async def _run(self) -> None:
        handled = 0
        # `close` empties both queues.
        while self._commands or self._klines:
            # Commands first: an answer among them may be what the klines wait for.
            queue = self._commands or self._klines
            obstacle = self.evaluator.step(queue[0])
            if isinstance(obstacle, NeedsBars):
                obstacle = await self._fetch(obstacle, queue[0])
            if self._closed:
                return
            if obstacle is not None:
                self._begin_wait()
                return
            if queue is self._klines:
                self._relieve()
            queue.popleft()
            handled += 1
            if handled % _SLICE == 0:
                await asyncio.sleep(0)

    async def _fetch(self, needs: NeedsBars, record: Record) -> NeedsBars | MustWait | None:
        evaluator = self.evaluator
        upto = evaluator.next_offset(self._klines_topic)
        supplied = False
        while not supplied:
            bars = await self._history.origin_bars(evaluator.partition, needs, upto)
            if self._closed:
                return None
            supplied = evaluator.supply(needs.symbol, bars)
        return evaluator.step(record, forced=True)

    def _begin_wait(self) -> None:
        if self.waiting_since is None:
            self.waiting_since = monotonic()

    def _relieve(self) -> None:
        self.waiting_since = None
        if self._high and len(self._klines) <= LOW:
            self._high = False
            self._pressure(self.evaluator.partition, False)
