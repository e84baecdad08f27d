"""Bars from kline files, for times that the kline topic does not reach back to: 48 bytes a bar, kept in memory.

The topic has the last word from its first bar on. The file's bars are used before that, and only while those that both
have are the same: a file that says otherwise is refused for the symbol, because nobody could tell which is right.
"""

import logging
from collections.abc import Mapping
from typing import Final

import numpy as np

from streams.engine.bars import BarArrays

NOT_ITS_OWN: Final = "its bars are not those that the symbol's market was made of"
_log = logging.getLogger("strikeline.history")


class OlderBars:
    """By symbol, bars of one interval, accepted (law 2). `refused` says why a symbol's are not used any more."""

    def __init__(self, bars: Mapping[str, BarArrays] | None = None, interval: str = "1m") -> None:
        self.interval = interval
        self.refused: dict[str, str] = {}
        self.broken_rows = 0
        self._bars = dict(bars or {})

    def __len__(self) -> int:
        return sum(map(len, self._bars.values()))

    @property
    def symbols(self) -> list[str]:
        """Symbols whose bars may be used."""
        return sorted(self._bars)

    def before(self, symbol: str, interval: str, topic: BarArrays, from_ms: int, upto_ms: int) -> BarArrays:
        """Bars that opened in [from_ms, first of `topic`), or [from_ms, upto_ms) where the topic has none.

        None of them where one that both have differs; then `refused` has the reason.
        """
        own = self._bars.get(symbol)
        if own is None or interval != self.interval:
            return BarArrays.empty()
        differs = _difference(own, topic)
        if differs is not None:
            self.refuse(symbol, differs)
            return BarArrays.empty()
        return own.accepted(from_ms, int(topic.open_time_ms[0]) if len(topic) else upto_ms)

    def joined(
        self, symbol: str, interval: str, topic: BarArrays, from_ms: int, upto_ms: int, origin_ms: int = 0
    ) -> BarArrays:
        """The topic's bars that opened in [from_ms, upto_ms), after those of the file that it lacks.

        None of the file's from before `origin_ms`: the symbol began there, and stays what it was.
        """
        wanted = topic.accepted(from_ms, upto_ms)
        start = max(from_ms, origin_ms)
        if len(topic) and topic.open_time_ms[0] <= start:
            return wanted
        older = self.before(symbol, interval, topic, start, upto_ms)
        return joined(older.accepted(start, upto_ms), wanted)

    def refuse(self, symbol: str, reason: str) -> bool:
        """Use no more of its bars; False where there were none to refuse."""
        if self._bars.pop(symbol, None) is None:
            return False
        _log.error("%s: the history file is not used: %s", symbol, reason)
        self.refused[symbol] = reason
        return True


def joined(older: BarArrays, newer: BarArrays) -> BarArrays:
    """One after the other."""
    return BarArrays(
        np.concatenate((older.open_time_ms, newer.open_time_ms)), np.concatenate((older.ohlcv, newer.ohlcv))
    )


def _difference(file: BarArrays, topic: BarArrays) -> str | None:
    """What the first bar that both have, and that is not the same, is in each."""
    common, here, there = np.intersect1d(file.open_time_ms, topic.open_time_ms, True, return_indices=True)
    differ = np.flatnonzero((file.ohlcv[here] != topic.ohlcv[there]).any(axis=1))
    if not len(differ):
        return None
    at = differ[0]
    return (
        f"the bar that opened at {common[at]} is {_told(file, here[at])} in the file "
        f"and {_told(topic, there[at])} on the topic"
    )


def _told(bars: BarArrays, at: int) -> str:
    return "/".join(repr(number) for number in bars.ohlcv[at].tolist())
