"""What Faust may do with our tables, and what not."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import faust
import pytest
from faust.types import TP

from streams.rows import GroupEntry, encode_row
from streams.store import RowStore
from streams.tables import DeclaredTables, ReadOnlyTable, RowTable


@pytest.fixture
def rows() -> RowStore:
    store = RowStore()
    for partition in (0, 1):
        store.load("groups", partition, b"k", encode_row(GroupEntry("AAA", 1, 1, 0, None, b"")))
    return store


@pytest.fixture
def table(rows: RowStore, tmp_path: Path) -> RowTable:
    app = faust.App("strikeline-evaluator", autodiscover=False, datadir=tmp_path)
    return RowTable(app, rows, name="groups", partitions=2)


def test_assigning_to_a_key_is_refused(table: RowTable) -> None:
    with pytest.raises(ReadOnlyTable):
        table[b"k"] = b"v"
    with pytest.raises(ReadOnlyTable):
        table.on_key_del(b"k")


async def test_a_partition_that_goes_is_forgotten_whole_and_another_table_s_is_not(
    table: RowTable, rows: RowStore
) -> None:
    changelog = "strikeline-evaluator-groups-changelog"
    assert table.changelog_topic.get_topic_name() == changelog
    await table.on_rebalance(
        set(), {TP(changelog, 0), TP("strikeline-evaluator-symbols-changelog", 1)}, set(), 1
    )
    assert rows.rows("groups", 0) == {}
    assert len(rows.rows("groups", 1)) == 1


class StartingTables(DeclaredTables):
    """Tells what its start does, in order."""

    def __init__(self) -> None:
        self.did: list[str] = []

    @property
    def recovery(self) -> Any:
        return SimpleNamespace(start=self._start_recovery)

    async def _update_channels(self) -> None:
        self.did.append("subscribed")

    async def _start_recovery(self) -> None:
        self.did.append("recovery begins")


async def test_the_start_waits_for_no_declarations() -> None:
    tables = StartingTables()
    async with asyncio.timeout(0.9):  # Faust sleeps for 1 s
        await tables.on_start()
    assert tables.did == ["subscribed", "recovery begins"]
