"""Faust's aiokafka consumer with five things added: whole fetches as one event, fetches of what is taken (see
fetches), where to read on, commits by offset, and heartbeats seen.

All five use methods of Faust and aiokafka that begin with an underscore; tests/e2e fails when a new version
changes them, and the versions are pinned.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Final, cast

from aiokafka.errors import ConsumerStoppedError
from faust import App
from faust.events import Event
from faust.transport.conductor import Conductor
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Consumer, Transport
from faust.types import TP

from streams.fetches import plan_fetches
from streams.guard import StandstillGuard, watched
from topics.records import Record

Offsets = Mapping[tuple[str, int], int]
_LOOK_AGAIN_S: Final = 0.05


class SourceThread(AIOKafkaConsumerThread):
    """Lets the guard see every heartbeat, and has the client fetch what the consumer takes."""

    async def on_start(self) -> None:
        """Start aiokafka's consumer, listen in on its heartbeats and plan its fetches."""
        await super().on_start()
        client, transport = self._ensure_consumer(), cast(SourceTransport, self.transport)
        client._coordinator._do_heartbeat = watched(client._coordinator._do_heartbeat, transport.guard)
        plan_fetches(client._fetcher, cast(SourceConsumer, self.consumer).takes, transport.sources)


class SourceConsumer(Consumer):
    """Hands each fetch of a source partition to the agent as one event whose value is a list of records.

    Faust's own loop costs four tasks and three turns of the event loop per record, most of its 80 µs.
    Changelog records still go its way.
    """

    def _new_consumer_thread(self) -> SourceThread:
        return SourceThread(self, loop=self.loop, beacon=self.beacon)

    def takes(self, tp: TP) -> bool:
        """Whether its records are taken at present; sources are not during recovery, changelogs only then."""
        return tp in self._active_partitions

    def verify_event_path(self, now: float, tp: TP) -> None:
        """What is not taken is left out of fetches on purpose; from five minutes on Faust would log that as an error,
        every few seconds for each partition.
        """
        if self.takes(tp):
            super().verify_event_path(now, tp)

    async def _drain_messages(self, fetcher: Any) -> None:
        try:
            while not (self.should_stop or fetcher.should_stop):
                if not self.flow_active:
                    await self.wait(cast(Any, self.can_resume_flow))
                await self._drain_fetch()
        except (asyncio.CancelledError, ConsumerStoppedError):
            # To be cancelled while the app stops is no crash.
            if not self.transport.app.should_stop:
                raise

    async def _drain_fetch(self) -> None:
        if not self._active_partitions:
            # Faust would look again after a second, and a rebalance that ends meanwhile would wait for it.
            await asyncio.sleep(_LOOK_AGAIN_S)
            return
        generation = self.app.consumer_generation_id
        fetched, _ = await self._wait_next_records(1.0)
        await asyncio.sleep(0)
        for tp, records in (fetched or {}).items():
            if self.flow_active and generation == self.app.consumer_generation_id and self._wanted(tp):
                await self._deliver(tp, records)
            else:
                await self._give_back(tp, records)

    def _wanted(self, tp: TP) -> bool:
        # Until a rebalance is over Faust seeks the sources and empties the agents' queues, in this order: what
        # comes in between would be lost.
        return not self.app.rebalancing or tp.topic not in cast(SourceTransport, self.transport).sources

    async def _give_back(self, tp: TP, records: list[Any]) -> None:
        """What came at the wrong moment of a rebalance is not to be trusted, nor to be lost: unless somebody has sought
        elsewhere since, it is fetched again. (Recovery would wait for ever for a changelog record that was lost.)
        """
        assignment = cast(Any, self._thread)._ensure_consumer()._subscription.subscription.assignment
        if assignment is None or tp not in assignment.tps:
            return
        state = assignment.state_value(tp)
        if state.has_valid_position and state.position == records[-1].offset + 1:
            await self.seek(tp, records[0].offset)

    async def _deliver(self, tp: TP, records: list[Any]) -> None:
        transport = cast(SourceTransport, self.transport)
        if tp.topic in transport.sources:
            await self._deliver_fetch(tp, records)
            return
        fresh = [record for record in records if record.offset >= (self._read_offset[tp] or 0)]
        if not fresh:
            return
        self._read_offset[tp] = fresh[-1].offset
        transport.changelog(tp.topic, tp.partition, fresh)
        # Faust needs to see how far its recovery has come, not the records.
        message = self._to_message(tp, fresh[-1])
        await self.wait_first(self.callback(message), self.suspend_flow.wait())

    async def _deliver_fetch(self, tp: TP, records: list[Any]) -> None:
        start = self._read_offset[tp] or 0
        batch = [
            Record(r.topic, r.partition, r.offset, r.timestamp, r.key, r.value, r.headers)
            for r in records
            if r.offset >= start
        ]
        if not batch:
            return
        self._read_offset[tp] = batch[-1].offset
        event = Event(self.app, None, batch, None, self._to_message(tp, records[-1]))
        for channel in cast(Conductor, self.app.topics)._tp_index[tp]:
            # Not `put`: Faust cancels waiting putters at a rebalance, and with them this loop.
            while channel.queue.qsize() > 1 and self.flow_active:  # noqa: ASYNC110
                await asyncio.sleep(0)
            channel.queue.put_nowait(event)

    async def perform_seek(self) -> None:
        """Faust seeks to the committed offsets; then our positions, where they differ, have the last word."""
        await super().perform_seek()
        committed = dict(self._committed_offset)
        owned = self.assignment()
        for (topic, partition), offset in cast(SourceTransport, self.transport).positions().items():
            tp = TP(topic, partition)
            if tp in owned and committed.get(tp) != offset:
                await self.seek(tp, offset)

    async def commit_offsets(self, offsets: Offsets) -> None:
        """Commit next offsets; partitions that are not ours any more are left out."""
        await self._commit({TP(*tp): offset for tp, offset in offsets.items()})


class SourceTransport(Transport):
    """`positions`: where to read on, by (topic, partition). `changelog` takes records of tables, in order. `guard` is
    told of heartbeats in the consumer's thread.
    """

    Consumer = SourceConsumer

    def __init__(
        self,
        app: App,
        sources: frozenset[str],
        positions: Callable[[], Offsets],
        changelog: Callable[[str, int, list[Any]], None],
        guard: StandstillGuard,
    ) -> None:
        super().__init__(app.conf.broker_consumer, app)
        self.sources = sources
        self.positions = positions
        self.changelog = changelog
        self.guard = guard
