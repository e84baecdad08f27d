"""Law 10: what is persisted in which order, and never acked before it is.

Outputs, then groups, then symbols, then the partitions' rows, then the acks; each is acknowledged by the
broker before the next is written. A row may be newer than the row that follows it, never older: a death in
between costs a repetition, not a loss. Between any two writes stands a fail-point.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, Protocol

from streams.partition_state import Frozen
from streams.rows import PARTITION_KEY, Entry, encode_row
from streams.store import RowStore
from topics.failpoints import failpoint
from topics.records import Outgoing, Publisher
from topics.registry import Table, Topics

_SLICE: Final = 500
"""Rows written before other tasks get their turn."""


class Acks(Protocol):
    """Tells the group how far its sources were handled."""

    async def ack(self, offsets: Mapping[tuple[str, int], int]) -> None:
        """Commit next offsets by (topic, partition); those of partitions that are gone may be dropped."""


class Revoked(Exception):
    """The partitions were taken away while they were being written: stop writing, ack nothing."""


class Checkpoint:
    """Writes what partitions froze. One runs at a time: it is the only writer of the tables."""

    def __init__(self, topics: Topics, publisher: Publisher, store: RowStore, acks: Acks) -> None:
        self._publisher = publisher
        self._store = store
        self._acks = acks
        self._changelogs: dict[Table, str] = {
            "groups": topics.changelog("groups").name,
            "symbols": topics.changelog("symbols").name,
            "partitions": topics.changelog("partitions").name,
        }

    async def run(self, frozen: Sequence[Frozen], owned: Callable[[], bool] = lambda: True) -> None:
        """Persist and ack. `owned` is asked before each write; raises Revoked, DeliveryFailed."""
        failpoint("checkpoint.frozen")
        await self._publisher.flush()
        failpoint("checkpoint.outputs_acknowledged")
        await self._write("groups", ((f.partition, *row) for f in frozen for row in f.groups), owned)
        failpoint("checkpoint.groups_acknowledged")
        await self._write("symbols", ((f.partition, *row) for f in frozen for row in f.symbols), owned)
        failpoint("checkpoint.symbols_acknowledged")
        await self._write("partitions", ((f.partition, PARTITION_KEY, f.row) for f in frozen), owned)
        failpoint("checkpoint.partition_acknowledged")
        _demand(owned)
        await self._acks.ack({(topic, f.partition): at for f in frozen for topic, at in f.offsets.items()})
        failpoint("checkpoint.acked")

    async def repair(self, partitions: Iterable[int]) -> int:
        """Write again, at assignment, kept rows behind which older ones were written; how many there were."""
        count = 0
        for table, changelog in self._changelogs.items():
            for partition in partitions:
                for key, row in self._store.overshadowed(table, partition):
                    self._publisher.send(_row(changelog, partition, key, row.value))
                    self._store.wrote(table, partition, key, row.entry, row.value)
                    count += 1
        if count:
            await self._publisher.flush()
        return count

    async def note(self, partition: int, key: bytes, entry: Entry) -> None:
        """Write one row of `partitions` by itself."""
        await self._write("partitions", [(partition, key, entry)], lambda: True)

    async def _write(
        self, table: Table, rows: Iterable[tuple[int, bytes, Entry | None]], owned: Callable[[], bool]
    ) -> None:
        _demand(owned)
        changelog, written = self._changelogs[table], []
        for partition, key, entry in rows:
            value = None if entry is None else encode_row(entry)
            self._publisher.send(_row(changelog, partition, key, value))
            written.append((partition, key, entry, value))
            failpoint(f"checkpoint.{table}_row")
            if len(written) % _SLICE == 0:
                await asyncio.sleep(0)
                _demand(owned)
        if written:
            await self._publisher.flush()
            # The store must never be ahead of the changelog: a later assignment rebuilds from the store.
            for row in written:
                self._store.wrote(table, *row)


def _demand(owned: Callable[[], bool]) -> None:
    if not owned():
        raise Revoked


def _row(changelog: str, partition: int, key: bytes, value: bytes | None) -> Outgoing:
    # Wall time: the broker counts the compaction lag from it.
    return Outgoing(changelog, key, value, time.time_ns() // 1_000_000, partition=partition)
