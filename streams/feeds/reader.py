"""Many records in one call: what our own encoder spelled is read by compiled code, the rest is named (`spelling`)."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from streams.engine.bars import Ints
from streams.engine.kernels.kernel import source_digest
from streams.engine.kernels.program import compile_function
from streams.feeds.spelling import read, spelling_of
from streams.feeds.words import NAME_WORDS, PAD, enter, words_of

_ROOM: Final = 256


class _Machine(NamedTuple):
    read: Callable[..., bool]
    enter: Callable[..., None]


@cache
def _machine() -> _Machine:
    """Compiled, or from numba's cache; `source` is part of its key, nothing else."""
    source = source_digest(read, enter)

    def reading(
        text: int, text_end: int, keys: int, keys_end: int, starts: int, key_starts: int, count: int, limit: int,
        how: int, names: int, table: int, places: int, rows: int, ids: int, kinds: int,
    ) -> bool:  # fmt: skip
        if source == 0:
            return False
        return read(
            text, text_end, keys, keys_end, starts, key_starts, count, limit, how, names, table, places, rows, ids,
            kinds,
        )  # fmt: skip

    def entering(names: int, count: int, table: int, places: int) -> None:
        if source != 0:
            enter(names, count, table, places)

    return _Machine(
        compile_function(f"boolean({', '.join(['int64'] * 15)})", reading),
        compile_function("void(int64, int64, int64, int64)", entering),
    )


class Reader:
    """Of bars of one interval, in records of at most `limit` bytes. It knows the symbols that it was told."""

    def __init__(self, interval: str, limit: int) -> None:
        self.symbols: list[str] = []
        self._limit = limit
        self._how = spelling_of(interval)
        self._numbers: dict[str, int] = {}
        self._names = np.zeros((_ROOM, NAME_WORDS + 1), np.int64)
        self._known: tuple[int, ...] = ()
        self._enter()

    def number(self, symbol: str) -> int:
        """The symbol's, a new one where it has none. Only symbols that are sound may be told."""
        if symbol not in self._numbers:
            count = self._numbers[symbol] = len(self.symbols)
            self.symbols.append(symbol)
            if count == len(self._names):
                self._names = np.concatenate([self._names, np.zeros_like(self._names)])
            name = symbol.encode()
            self._names[count, :NAME_WORDS] = words_of(name, NAME_WORDS)
            self._names[count, NAME_WORDS] = len(name)
            self._enter()
        return self._numbers[symbol]

    def _enter(self) -> None:
        self._table = np.zeros(4 * len(self._names), np.int32)
        self._known = address(self._names), address(self._table), len(self._table)
        _machine().enter(self._known[0], len(self.symbols), *self._known[1:])

    def read(
        self, values: Sequence[bytes | None], keys: Sequence[bytes | None], rows: int, ids: int, kinds: int
    ) -> None:
        """At `kinds` (int8) is told what each record is; at `rows` (float64, six: open, high, low, close, volume, open
        time) and `ids` (int32, numbers of symbols) what is said of the bars, nothing of others.
        """
        try:
            done = self._read(values, keys, (0, 0), rows, ids, kinds)
        except TypeError:  # a null among them, which cannot be joined
            done = False
        if not done:
            texts, names = [value or b"" for value in values], [key or b"" for key in keys]
            starts, key_starts = _starts(texts), _starts(names)
            self._read(texts, names, (address(starts), address(key_starts)), rows, ids, kinds)

    def _read(self, values: Any, keys: Any, starts: tuple[int, int], rows: int, ids: int, kinds: int) -> bool:
        text, key_text = b"\n".join([*values, PAD]), b"\n".join([*keys, PAD])
        at, key_at = address(np.frombuffer(text, np.uint8)), address(np.frombuffer(key_text, np.uint8))
        ends = len(text) - len(PAD), len(key_text) - len(PAD)
        return bool(_machine().read(
            at, at + ends[0], key_at, key_at + ends[1], *starts, len(values), self._limit, address(self._how),
            *self._known, rows, ids, kinds,
        ))  # fmt: skip


def _starts(texts: Sequence[bytes]) -> Ints:
    """Where each begins when a byte comes between them, and where one more would."""
    return np.cumsum([0, *(len(text) + 1 for text in texts)])


def address(array: NDArray[Any]) -> int:
    """Of its first number."""
    found: int = array.__array_interface__["data"][0]
    return found
