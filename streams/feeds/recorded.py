"""Klines as a topic has them: what a live evaluator would have applied, and what it would have refused.

Records that our own encoder spelled are read many at a time by compiled code (`spelling`). The codec reads all others
one by one: it has the last word, and its refusals name the record.
"""

from collections.abc import Callable, Collection, Sequence
from typing import Final, NamedTuple

import numpy as np

from schemas.market import Kline, Tick
from streams.engine.bars import ROW_WIDTH, TIME, Floats, Ints
from streams.feeds.reader import Reader, address
from streams.feeds.settling import Ids, Kinds, machine
from streams.feeds.spelling import BAR, IGNORED, UNREAD
from topics.codec import Undecodable, decode
from topics.records import Record
from topics.spec import TopicSpec

_CHUNK: Final = 65_536
_ROOM: Final = 256
_NOTED: Final = 20
"""Addresses of records that were refused, of as many as a person reads."""


class Fetched(NamedTuple):
    """Records as a client hands them over: their values and keys, and how to make a whole record of one, which takes as
    long as reading ten does and is seldom asked for.
    """

    values: Sequence[bytes | None]
    keys: Sequence[bytes | None]
    record: Callable[[int], Record]

    @staticmethod
    def of(records: Sequence[Record]) -> "Fetched":
        """Records that are there already."""
        return Fetched([one.value for one in records], [one.key for one in records], lambda at: records[at])


class Recorded:
    """The closed bars of `interval` of the symbols asked for (none: of all), as they come: each symbol's in its order.

    `duplicates` and `late` count what law 2 leaves out of them; `undecodable` what nobody can read, of any symbol,
    of which `refused` names the first, each with its address and the reason.
    """

    def __init__(self, spec: TopicSpec, interval: str, symbols: Collection[str] = ()) -> None:
        self.refused: list[str] = []
        self.undecodable = 0
        self._spec = spec
        self._interval = interval
        self._asked = frozenset(symbols)
        self._reader = Reader(interval, spec.max_value_bytes)
        self._full: list[tuple[Ids, Floats]] = []
        self._ids, self._rows, self._filled = *_chunk(0), 0
        self._newest, self._counts = np.full(_ROOM, -1, np.int64), np.zeros(_ROOM, np.int64)
        self._unasked = np.zeros(_ROOM, bool)
        self._stale: list[Ints] = []

    def take(self, fetched: Fetched) -> None:
        """What was fetched next."""
        count = len(fetched.values)
        if self._filled + count > len(self._ids):
            self._full.append((self._ids[: self._filled], self._rows[: self._filled]))
            self._ids, self._rows, self._filled = *_chunk(count), 0
        ids, rows = self._ids[self._filled :][:count], self._rows[self._filled :][:count]
        kinds = np.empty(count, np.int8)
        self._reader.read(fetched.values, fetched.keys, address(rows), address(ids), address(kinds))
        if kinds.max(initial=0) == UNREAD:
            for at in np.flatnonzero(kinds == UNREAD).tolist():
                kinds[at] = self._decoded(fetched.record(at), at, rows, ids)
        if self._asked:
            kinds[self._unasked[ids] & (kinds == BAR)] = IGNORED
        self._filled += self._settled(kinds, ids, rows)

    def bars(self) -> dict[str, Floats]:
        """The bars that law 2 lets through, by symbol: float64[6, n] in one piece (open, high, low, close, volume, open
        time), oldest first. Symbols that have none are left out.
        """
        counts = self._counts[: len(self._reader.symbols)]
        columns = [np.empty((ROW_WIDTH, count)) for count in counts.tolist()]
        at, filled = np.array([address(one) for one in columns], np.int64), np.zeros_like(counts)
        for ids, rows in (*self._full, (self._ids[: self._filled], self._rows[: self._filled])):
            machine().gather(ids, rows, counts, filled, at)
        return {symbol: one for symbol, one in zip(self._reader.symbols, columns, strict=True) if one.size}

    def left_out(self, bars: dict[str, Floats]) -> tuple[int, int]:
        """How many bars came again, and how many came too late, beside those of `bars`."""
        stale = np.concatenate([np.empty((0, 2), np.int64), *self._stale])
        again = 0
        for number in np.unique(stale[:, 0]).tolist():
            times = bars[self._reader.symbols[number]][TIME]
            own = stale[stale[:, 0] == number, 1]
            again += int((times[np.searchsorted(times, own)] == own).sum())
        return again, len(stale) - again

    def _decoded(self, record: Record, at: int, rows: Floats, ids: Ids) -> int:
        """What the codec says of it."""
        try:
            message = decode(record, self._spec)
        except Undecodable as wrong:
            self.undecodable += 1
            if len(self.refused) < _NOTED:
                self.refused.append(f"{record.address}: {wrong}")
            return IGNORED
        if isinstance(message, Kline | Tick):
            ids[at] = self._number(message.symbol)
        if not isinstance(message, Kline) or not message.closed or message.interval != self._interval:
            return IGNORED
        rows[at] = (
            message.open, message.high, message.low, message.close, message.volume, message.open_time_ms,
        )  # fmt: skip
        return BAR

    def _number(self, symbol: str) -> int:
        number = self._reader.number(symbol)
        if number == len(self._counts):
            self._newest = np.concatenate([self._newest, np.full_like(self._newest, -1)])
            self._counts = np.concatenate([self._counts, np.zeros_like(self._counts)])
            self._unasked = np.concatenate([self._unasked, np.zeros_like(self._unasked)])
        self._unasked[number] = bool(self._asked) and symbol not in self._asked
        return number

    def _settled(self, kinds: Kinds, ids: Ids, rows: Floats) -> int:
        stale = np.empty((len(kinds) + 1, 2), np.int64)
        kept = machine().settle(kinds, ids, rows, self._newest, self._counts, stale)
        if count := int(stale[-1, 0]):
            self._stale.append(stale[:count].copy())
        return kept


def _chunk(least: int) -> tuple[Ids, Floats]:
    """Room for rows; memory that is not written to costs nothing."""
    size = max(_CHUNK, least)
    return np.zeros(size, np.int32), np.empty((size, ROW_WIDTH))
