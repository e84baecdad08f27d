"""Faust's tables over our store: Faust says which changelogs are read, from where and how far, at every
assignment; the checkpoint writes them.

Four things differ from Faust's own memory table. Of two values of a key the newer counts, not the later. A
partition that goes is forgotten whole, keys written live too (Faust's store knows only what it loaded).
Records of a changelog are taken by the fetch (see SourceConsumer), ten times as fast. And nothing is written
through the table: a write there needs a current event, goes to that event's partition, costs 40 µs and hides
delivery errors, so assigning is refused here.
"""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any, NoReturn, cast

from faust import App, Table
from faust.stores.memory import Store as MemoryStore
from faust.tables import TableManager
from faust.types import TP, EventT
from yarl import URL

from streams.store import RowStore
from topics.registry import Table as TableName

Restored = Callable[[frozenset[int]], Awaitable[None]]


class ReadOnlyTable(TypeError):
    """Rows are written by the checkpoint alone."""


class PartitionedStore(MemoryStore[bytes, bytes]):
    """What Faust calls a store: forgets partitions that go."""

    def __init__(self, table: "RowTable", changelog: str, rows: RowStore, name: TableName) -> None:
        super().__init__(URL("memory://"), table.app, table, table_name=name)
        self._changelog = changelog
        self._rows = rows
        self._name = name

    def apply_changelog_batch(
        self, batch: Iterable[EventT[bytes]], to_key: Callable[[Any], Any], to_value: Callable[[Any], Any]
    ) -> None:
        """Nothing to do: the records were taken when they were fetched."""

    async def on_rebalance(
        self, assigned: set[TP], revoked: set[TP], newly_assigned: set[TP], generation_id: int = 0
    ) -> None:
        """Forget partitions that went; those that stay go on from where their changelog was read last."""
        self._rows.forget(self._name, [tp.partition for tp in revoked if tp.topic == self._changelog])

    async def on_recovery_completed(self, active_tps: set[TP], standby_tps: set[TP]) -> None:
        """Nothing to sweep up: `on_rebalance` has forgotten what went."""


class RowTable(Table[bytes, bytes]):
    """A table of one changelog. `restored` is called with the partitions owned once all tables are up to
    date.
    """

    def __init__(self, app: App, rows: RowStore, restored: Restored | None = None, **options: Any) -> None:
        self._row_store = rows
        self._restored = restored
        super().__init__(app, key_type=bytes, value_type=bytes, **options)

    def _new_store(self) -> PartitionedStore:
        name = cast(TableName, self.name)
        return PartitionedStore(self, self._changelog_topic_name(), self._row_store, name)

    async def on_recovery_completed(self, active_tps: set[TP], standby_tps: set[TP]) -> None:
        """Faust has read all changelogs, and waits for this before any source record flows."""
        await super().on_recovery_completed(active_tps, standby_tps)
        if self._restored is not None:
            await self._restored(frozenset(tp.partition for tp in active_tps))

    def on_key_set(self, key: Any, value: Any) -> NoReturn:
        """Refused."""
        raise ReadOnlyTable(f"{self.name}: rows are written by the checkpoint")

    def on_key_del(self, key: Any) -> NoReturn:
        """Refused."""
        raise ReadOnlyTable(f"{self.name}: rows are written by the checkpoint")


class DeclaredTables(TableManager):
    """Begins at once: Faust gives tables a second to be declared, and ours are there before the app starts."""

    async def on_start(self) -> None:
        """Subscribe to the changelogs and wait for an assignment."""
        await self._update_channels()
        await self.recovery.start()
