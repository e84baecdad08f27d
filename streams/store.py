"""The tables in memory: a dictionary per table and partition, so that a lost partition is forgotten whole."""

from collections.abc import Iterable
from typing import Final, NamedTuple

from streams.rows import Entry, decode_row
from topics.registry import TABLES, Table


class Row(NamedTuple):
    """A kept value. `latest` tells whether it is also the last one its changelog holds."""

    entry: Entry
    value: bytes
    latest: bool


class RowStore:
    """Recovered and written rows. Of two values of a key it keeps the one with the higher version, not the
    later one.
    """

    def __init__(self) -> None:
        self._rows: Final[dict[Table, dict[int, dict[bytes, Row]]]] = {table: {} for table in TABLES}

    def load(self, table: Table, partition: int, key: bytes, value: bytes | None) -> None:
        """Take a value read from the changelog, in changelog order; None purges the key. Raises
        RowUnreadable.
        """
        rows = self._rows[table].setdefault(partition, {})
        if value is None:
            rows.pop(key, None)
            return
        entry = decode_row(table, key, value)
        kept = rows.get(key)
        if kept is None or entry.version >= kept.entry.version:
            rows[key] = Row(entry, value, True)
        else:
            rows[key] = kept._replace(latest=False)

    def wrote(
        self, table: Table, partition: int, key: bytes, entry: Entry | None, value: bytes | None
    ) -> None:
        """Remember a value whose write the broker acknowledged; None as a purge."""
        rows = self._rows[table].setdefault(partition, {})
        if entry is None or value is None:
            rows.pop(key, None)
        else:
            rows[key] = Row(entry, value, True)

    def rows(self, table: Table, partition: int) -> dict[bytes, Row]:
        """All rows of one partition; empty when there are none."""
        return self._rows[table].get(partition, {})

    def overshadowed(self, table: Table, partition: int) -> list[tuple[bytes, Row]]:
        """Kept rows behind which an older value was written: to be written again before compaction drops
        them.
        """
        return [(key, row) for key, row in self.rows(table, partition).items() if not row.latest]

    def forget(self, table: Table, partitions: Iterable[int]) -> None:
        """Drop whole partitions."""
        for partition in partitions:
            self._rows[table].pop(partition, None)
