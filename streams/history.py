"""Bars read back from the kline topic: for a new operand, from the symbol's origin; after a restart, from its
anchor.

A partition's klines are read in one pass for all symbols that want them, and what was read for an origin is
kept a while, because at start-up a thousand commands ask one after the other. Broken records are passed over,
as the evaluator passed over them; which bar counts when one was sent twice is the market's own rule.
"""

import asyncio
from array import array
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Final, NamedTuple, Protocol, TypeAlias

import numpy as np

from schemas.market import Kline
from streams.engine.bars import COLUMNS, BarArrays
from streams.history_files import OlderBars
from streams.partition_state import NeedsBars
from topics.codec import Undecodable, decode
from topics.records import Record
from topics.spec import TopicSpec


class Wanted(NamedTuple):
    """Bars of `interval` that opened in [from_ms, to_ms); those of another were refused when they came."""

    from_ms: int
    to_ms: int
    interval: str = "1m"


class KlinesUnreadable(Exception):
    """The broker did not give the records asked for in time: the process stops and starts again."""


class RecordReader(Protocol):
    """Reads the kline topic without being anybody's consumer."""

    def read(self, partition: int, from_offset: int, to_offset: int) -> Iterator[Record]:
        """Records of offsets in [from_offset, to_offset) that still exist, in order. Blocking."""


class History(Protocol):
    """What a lane and a recovery ask for. `older`: bars of files, for times that the topic does not reach back to."""

    older: OlderBars

    def pass_over(self, partition: int, offsets: AbstractSet[int]) -> None:
        """Klines that were never handled, and must not be read back as if they had been; the set may grow."""

    async def origin_bars(self, partition: int, needs: NeedsBars, to_offset: int) -> BarArrays:
        """The symbol's bars from the first that still exists to before `needs.before_ms`."""

    async def read_back(
        self, partition: int, wanted: Mapping[str, Wanted], from_offset: int, to_offset: int
    ) -> dict[str, BarArrays]:
        """Bars of several symbols in one pass. A symbol without any is there with no bars."""


Series: TypeAlias = tuple[str, str]
"""A symbol and an interval."""


class Columns:
    """Collects one symbol's bars: 48 bytes each."""

    def __init__(self) -> None:
        self.times = array("q")
        self.values = array("d")

    def add(self, kline: Kline) -> None:
        """Append one bar."""
        self.times.append(kline.open_time_ms)
        self.values.extend((kline.open, kline.high, kline.low, kline.close, kline.volume))

    def bars(self) -> BarArrays:
        """What was collected."""
        times = np.array(self.times, np.int64)
        return BarArrays(times, np.array(self.values, np.float64).reshape(-1, COLUMNS))


def closed_klines(
    records: Iterable[Record], spec: TopicSpec, symbols: frozenset[bytes] | None
) -> Iterator[Kline]:
    """The closed bars among `records`, of `symbols` or of all; whatever cannot be decoded is passed over."""
    for record in records:
        if symbols is not None and record.key not in symbols:
            continue
        try:
            message = decode(record, spec)
        except Undecodable:
            continue
        if isinstance(message, Kline) and message.closed:
            yield message


_FOR_EVER_MS: Final = 1 << 62
_KEPT_BARS: Final = 4_000_000
"""About 200 MB over all partitions."""


class ReadBack:
    """History over any reader. Reading happens in a thread, so that heartbeats and other partitions go on."""

    def __init__(
        self,
        reader: RecordReader,
        klines: TopicSpec,
        *,
        kept_bars: int = _KEPT_BARS,
        in_thread: bool = True,
        older: OlderBars | None = None,
    ) -> None:
        self.older = older or OlderBars()
        self._reader = reader
        self._klines = klines
        self._kept_bars = kept_bars
        self._in_thread = in_thread
        self._kept: OrderedDict[int, dict[Series, Columns]] = OrderedDict()
        self._passed_over: dict[int, AbstractSet[int]] = {}
        self.passes: Counter[int] = Counter()
        """Passes over the klines of each partition, as a sign of progress."""

    def pass_over(self, partition: int, offsets: AbstractSet[int]) -> None:
        self._passed_over[partition] = offsets

    async def origin_bars(self, partition: int, needs: NeedsBars, to_offset: int) -> BarArrays:
        series = needs.symbol, needs.interval
        kept = self._kept.get(partition, {}).get(series)
        # What was read reaches to where the market stood then; it lacks nothing once it overlaps what the
        # market has.
        if kept is None or kept.times[-1] < needs.before_ms:
            columns = await self._call(lambda: self._everything(partition, needs.symbol, to_offset))
            self._keep(partition, columns)
            kept = columns.get(series)
        topic = _topics_own(kept)
        return self.older.joined(needs.symbol, needs.interval, topic, 0, needs.before_ms, needs.origin_ms)

    async def read_back(
        self, partition: int, wanted: Mapping[str, Wanted], from_offset: int, to_offset: int
    ) -> dict[str, BarArrays]:
        symbols = frozenset(symbol.encode() for symbol in wanted)
        columns = await self._call(lambda: self._some(partition, from_offset, to_offset, symbols))
        found = {}
        for symbol, want in wanted.items():
            topic = _topics_own(columns.get((symbol, want.interval)))
            found[symbol] = self.older.joined(symbol, want.interval, topic, want.from_ms, want.to_ms)
        return found

    def forget(self) -> None:
        """Drop what was kept: the partitions have gone."""
        self._kept.clear()

    def _some(self, partition: int, start: int, end: int, symbols: frozenset[bytes]) -> dict[Series, Columns]:
        self.passes[partition] += 1
        columns: dict[Series, Columns] = {}
        for kline in closed_klines(self._records(partition, start, end), self._klines, symbols):
            columns.setdefault((kline.symbol, kline.interval), Columns()).add(kline)
        return columns

    def _everything(self, partition: int, symbol: str, end: int) -> dict[Series, Columns]:
        """All symbols of the partition, or only `symbol` where all would be too much to keep."""
        self.passes[partition] += 1
        columns: dict[Series, Columns] = {}
        klines = closed_klines(self._records(partition, 0, end), self._klines, None)
        for count, kline in enumerate(klines):
            columns.setdefault((kline.symbol, kline.interval), Columns()).add(kline)
            if count >= self._kept_bars:
                columns.clear()
                return self._some(partition, 0, end, frozenset((symbol.encode(),)))
        return columns

    def _records(self, partition: int, start: int, end: int) -> Iterator[Record]:
        records, passed_over = self._reader.read(partition, start, end), self._passed_over.get(partition)
        return (r for r in records if r.offset not in passed_over) if passed_over else records

    def _keep(self, partition: int, columns: dict[Series, Columns]) -> None:
        self._kept.pop(partition, None)
        self._kept[partition] = columns
        while len(self._kept) > 1 and sum(map(_size, self._kept.values())) > self._kept_bars:
            self._kept.popitem(last=False)

    async def _call(self, read: Callable[[], dict[Series, Columns]]) -> dict[Series, Columns]:
        return await asyncio.to_thread(read) if self._in_thread else read()


def _topics_own(kept: Columns | None) -> BarArrays:
    return BarArrays.empty() if kept is None else kept.bars().accepted(0, _FOR_EVER_MS)


def _size(columns: dict[Series, Columns]) -> int:
    return sum(len(column.times) for column in columns.values())
