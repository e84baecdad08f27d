"""The laws 2 to 5 once more, as plainly as they can be written: lists, dictionaries, no state kept between
questions.
"""

import math
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from schemas.conditions import Indicator, Price
from schemas.interval import bucket_start_ms
from schemas.market import Kline
from streams.engine.bars import Floats
from streams.engine.kernels.oracle import SourceProgram
from streams.engine.market.compute import compute
from streams.engine.market.nodes import Node, key_of
from tests.streams.engine.candles import MINUTE


@dataclass
class Row:
    """A closed bar of some timeframe: seen from base bar `seen_at` on; `clean` if nothing of it was
    missing.
    """

    open_ms: int
    ohlcv: list[float]
    seen_at: int
    clean: bool = True


@dataclass
class NaiveMarket:
    """Applies klines one by one; answers by starting over from all bars it ever had."""

    fill_up_to: int = 5
    bars: list[tuple[int, list[float], bool]] = field(default_factory=list)  # open time, numbers, filled
    gaps: list[int] = field(default_factory=list)  # indices of first bars after a long gap
    _known: dict[tuple[object, ...], Any] = field(
        default_factory=dict
    )  # answers do not change while no bar comes

    def apply(self, kline: Kline) -> str:
        numbers = [kline.open, kline.high, kline.low, kline.close, kline.volume]
        opened = kline.open_time_ms
        if not kline.closed:
            return "Forming"
        if self.bars and opened <= self.bars[-1][0]:
            applied = {bar[0]: bar[1] for bar in self.bars if not bar[2]}
            if opened not in applied:
                return "Late"
            return "Duplicate" if applied[opened] == numbers else "Restated"
        if self.bars:
            last_open, last, _ = self.bars[-1]
            missing = list(range(last_open + MINUTE, opened, MINUTE))
            if len(missing) <= self.fill_up_to:
                self.bars += [(at, [last[3]] * 4 + [0.0], True) for at in missing]
            else:
                self.gaps.append(len(self.bars))
        self.bars.append((opened, numbers, False))
        return "Applied"

    def rows(self, timeframe: str, i: int) -> list[Row]:
        """All bars of `timeframe` closed as seen at base bar `i`."""
        asked = (timeframe, i, len(self.bars))
        if asked not in self._known:
            self._known[asked] = self._rows(timeframe, i)
        found: list[Row] = self._known[asked]
        return found

    def _rows(self, timeframe: str, i: int) -> list[Row]:
        buckets: dict[int, list[int]] = {}
        for index in range(i + 1):
            buckets.setdefault(bucket_start_ms(self.bars[index][0], timeframe), []).append(index)
        length = _length(timeframe)
        rows = []
        for start, members in buckets.items():
            whole = len(members) == length // MINUTE
            ended = self.bars[members[-1]][0] + MINUTE == start + length
            if ended:
                seen_at = members[-1]
            elif members[-1] < i:
                seen_at = members[-1] + 1  # by the gap rule, when the next base bar arrives
            else:
                continue
            numbers = [self.bars[index][1] for index in members]
            volume = numbers[0][4]
            for bar in numbers[1:]:
                volume += bar[4]
            highs, lows = [bar[1] for bar in numbers], [bar[2] for bar in numbers]
            rows.append(
                Row(start, [numbers[0][0], max(highs), min(lows), numbers[-1][3], volume], seen_at, whole)
            )
        return rows

    def value(self, leaf: Price | Indicator, timeframe: str, i: int, back: int = 0) -> float:
        """What the operand is worth at the close of base bar `i`."""
        rows = self.rows(timeframe, i)
        at = len(rows) - 1 - back
        gap_ms = max((self.bars[g][0] for g in self.gaps if g <= i), default=-1)
        clean = 0
        for row in reversed(rows[: at + 1]):
            if row.open_ms < gap_ms or not row.clean:
                break
            clean += 1
        if at < 0 or clean == 0:
            return math.nan
        key, output = key_of(leaf)
        node = Node(key)
        if clean < node.ready[node.outputs.index(output)]:
            return math.nan
        if (
            isinstance(leaf, Indicator)
            and node.tells_reach
            and clean < _session(node, timeframe, rows[: at + 1])
        ):
            return math.nan
        ohlcv = np.array([row.ohlcv for row in rows[: at + 1]])
        if isinstance(leaf, Price):
            o, h, low, c, v = ohlcv[at].tolist()
            if leaf.field.startswith("ha_"):
                return heikin_ashi(ohlcv)[leaf.field][at]
            means = {"hl2": (h + low) / 2, "hlc3": (h + low + c) / 3, "ohlc4": (o + h + low + c) / 4}
            return float({"open": o, "high": h, "low": low, "close": c, "volume": v, **means}[leaf.field])
        asked = (key, timeframe, at, rows[at].seen_at, len(self.bars))
        if asked not in self._known:
            times = np.array([row.open_ms for row in rows[: at + 1]])
            self._known[asked] = compute(leaf, ohlcv, SourceProgram, times)
        return float(self._known[asked][output][at])


def heikin_ashi(ohlcv: Floats) -> dict[str, list[float]]:
    """Heikin-Ashi candles of all bars from the first on."""
    candles: dict[str, list[float]] = {"ha_open": [], "ha_high": [], "ha_low": [], "ha_close": []}
    opened = 0.0
    for at, (o, h, low, c, _) in enumerate(ohlcv.tolist()):
        opened = (opened + candles["ha_close"][-1]) / 2 if at else (o + c) / 2
        close = ((o + c) + (h + low)) / 4
        row = (opened, max(h, opened, close), min(low, opened, close), close)
        for name, value in zip(candles, row, strict=True):
            candles[name].append(value)
    return candles


def _session(node: Node, timeframe: str, rows: list[Row]) -> float:
    """How many rows the sessions of the last one hold that its value is made of: its own, or one more."""
    anchor = dict(node.key[1])["anchor"]
    begins = {at: _began(row.open_ms, int(anchor)) for at, row in enumerate(rows)}
    which = sorted(set(begins.values()))[-2 if node.key[0] == "pivots" else -1 :]
    first = min(at for at, began in begins.items() if began in which)
    if rows[first].open_ms != which[0]:
        return math.inf
    return len(rows) - first + (node.key[0] in {"obv", "vpt", "nvi"})  # they look at the bar before, too


def _began(open_ms: int, anchor: int) -> int:
    day = datetime.fromtimestamp(open_ms // 1_000, UTC).replace(hour=0, minute=0, second=0)
    back = {1: 0, 2: day.weekday(), 3: day.day - 1}[anchor]
    return round((day - timedelta(days=back)).timestamp() * 1_000)


def _length(timeframe: str) -> int:
    units = {"m": MINUTE, "h": 60 * MINUTE, "d": 1_440 * MINUTE, "w": 10_080 * MINUTE}
    return int(timeframe[:-1]) * units[timeframe[-1]]
