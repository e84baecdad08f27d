"""The same minute of many symbols at once: their bars go over all nodes and boards in one or two compiled calls.

What a frame of klines brings, or a replay. Symbols of the same plan go side by side (`lanes`), the others one after the
other. An engine is told of the bars it has not seen itself when something is due on it, or when it is asked for.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from schemas.market import Kline
from streams.engine.bars import Floats, Ints
from streams.engine.groups.reports import Output
from streams.engine.lanes.machine import ANCHOR, DUE, ENGINES, EXPECTED, PASS, QUIET, STEP_MS
from streams.engine.lanes.machine import machine as lanes_machine
from streams.engine.lanes.packs import Packs
from streams.engine.market.anchors import EVERY
from streams.engine.market.nodes import States
from streams.engine.market.operands import NEVER_MS
from streams.engine.network.machine import machine
from streams.engine.symbol import SymbolEngine


class Said(NamedTuple):
    """What the engine at `place` says to its bar."""

    place: int
    outputs: list[Output]


class Together:
    """Engines of one base interval, in a fixed order. While they are lent to it, reach them by `engine` only."""

    def __init__(self, engines: Sequence[SymbolEngine]) -> None:
        self._engines = list(engines)
        self._interval = engines[0].market.interval
        if any(engine.market.interval != self._interval for engine in engines):
            raise ValueError("engines of different base intervals")
        self._step_ms = engines[0].length_ms
        self._do = machine().bars
        self._go, self._step = lanes_machine().go, lanes_machine().step
        count = len(engines)
        self._blocks = np.array([engine.blocks for engine in engines], np.int64).reshape(-1, 2)
        self._flips = np.zeros(count, np.int64)
        self._behind = np.zeros(count, np.int64)
        self._pos = max(engine.pos for engine in engines)
        self._expected_ms = np.zeros(count, np.int64)
        self._quiet_until_ms = np.zeros(count, np.int64)
        self._anchor_ms = np.full(count, NEVER_MS, np.int64)
        self._due = np.zeros(count, np.int64)
        self._block = np.zeros(PASS, np.int64)
        self._block_at = int(self._block.ctypes.data)
        self._block[ENGINES], self._block[STEP_MS] = count, self._step_ms
        for word, array in (
            (EXPECTED, self._expected_ms), (QUIET, self._quiet_until_ms), (ANCHOR, self._anchor_ms), (DUE, self._due),
        ):  # fmt: skip
            self._block[word] = array.ctypes.data
        self._packs = Packs(self._engines, self._block)
        for place in range(count):
            self._look(place)

    def engine(self, place: int) -> SymbolEngine:
        """The engine at `place`, which knows of all its bars; commands may be given to it until the next bar."""
        self._catch_up(place, self._pos)
        self._quiet_until_ms[place] = 0
        return self._engines[place]

    @property
    def side_by_side(self) -> int:
        """How many engines are in packs just now."""
        return self._packs.count

    def on_bars(self, open_time_ms: int, ohlcv: Floats, pos: int) -> list[Said]:
        """Fold in one closed bar per engine, float64[n, 5], all opened at `open_time_ms`, in the engines' order.

        The bars must be what the edge lets pass: finite, high at least low; `pos` greater than any before. Raises
        ValueError for another shape or an older `pos`.
        """
        if ohlcv.shape != (len(self._engines), 5):
            raise ValueError(f"bars of shape {ohlcv.shape} for {len(self._engines)} engines")
        if pos <= self._pos:
            raise ValueError(f"bars at {pos} after those at {self._pos}")
        before, self._pos = self._pos, pos
        rows = np.ascontiguousarray(ohlcv, np.float64)
        said = self._go(self._block_at, open_time_ms, rows)
        if said == 0 and self._packs.count == len(rows):
            return []
        alone: list[int] = []
        if said < 0:
            alone = self._prepare(self._due[:-said], open_time_ms, before)
            said = self._step(self._block_at, open_time_ms, rows)
        flipped = self._packs.said(said)
        if self._packs.count < len(rows):
            flipped = sorted(flipped + self._one_by_one(rows, alone))
        told = [(place, self._passed(place, open_time_ms, rows, flips)) for place, flips in flipped]
        told += [(place, self._alone(place, open_time_ms, rows)) for place in alone]
        return [Said(place, outputs) for place, outputs in told if outputs]

    def _prepare(self, due: Ints, open_time_ms: int, before: int) -> list[int]:
        """Do what is due on engines before their next bar. Those that must take it by themselves."""
        in_time = (self._expected_ms[due] == open_time_ms) & (self._quiet_until_ms[due] > open_time_ms)
        if (anchors := due[in_time]).size:
            self._packs.note(anchors)
            self._anchor_ms[anchors] += EVERY * self._step_ms
        return [place for place in due[~in_time].tolist() if not self._kept_up(place, open_time_ms, before)]

    def _kept_up(self, place: int, open_time_ms: int, pos: int) -> bool:
        """Whether nothing is due on an engine but what the market does by itself before its next bar. It is done."""
        self._catch_up(place, pos)
        if not self._quiet_until_ms[place] or self._expected_ms[place] != open_time_ms:
            return False
        self._engines[place].keep_up()
        self._look(place)
        return bool(self._quiet_until_ms[place] > open_time_ms)

    def _one_by_one(self, rows: Floats, alone: list[int]) -> list[list[int]]:
        """The bars of quiet engines that are in no pack: place and flips of those whose board has some."""
        mine = ~self._packs.held
        mine[alone] = False
        places = np.flatnonzero(mine)
        blocks, bars = self._blocks[places], rows[places]
        self._do(blocks.ctypes.data, len(places), bars.ctypes.data, self._flips.ctypes.data)
        self._behind[places] += 1
        flips = self._flips[: len(places)]
        return [[int(places[k]), int(flips[k])] for k in np.flatnonzero(flips).tolist()]

    def _passed(self, place: int, open_time_ms: int, rows: Floats, flips: int) -> list[Output]:
        """What an engine says to flips on its board, which its bar has gone over."""
        before = self._pos - 1
        noted = self._hand_over(place, before, but=1)
        _, high, low, _, _ = rows[place].tolist()
        outputs = self._engines[place].passed(open_time_ms, self._pos, flips, low, high)
        self._engines[place].note_anchors(noted)
        self._look(place)
        return outputs

    def _alone(self, place: int, open_time_ms: int, rows: Floats) -> list[Output]:
        engine = self._engines[place]
        o, h, low, c, v = rows[place].tolist()
        kline = Kline(
            symbol=engine.symbol, interval=self._interval, open_time_ms=open_time_ms, open=o, high=h, low=low, close=c,
            volume=v,
        )  # fmt: skip
        outputs = engine.on_kline(kline, self._pos)
        self._look(place)
        return outputs

    def _catch_up(self, place: int, pos: int) -> None:
        """Tell an engine of the bars up to `pos` that it has not seen itself."""
        self._engines[place].note_anchors(self._hand_over(place, pos))

    def _hand_over(self, place: int, pos: int, but: int = 0) -> list[tuple[int, States]]:
        """The same, but for the last bar or none, and for the anchors that were noted: they move bars, so they come
        after the last.
        """
        bars = int(self._behind[place])
        noted: list[tuple[int, States]] = []
        if self._packs.held[place]:
            bars, noted = self._packs.give_back(place)
        self._behind[place] = 0
        self._anchor_ms[place] = NEVER_MS
        if bars > but:
            self._engines[place].caught_up(bars - but, pos)
        return noted

    def _look(self, place: int) -> None:
        engine = self._engines[place]
        self._expected_ms[place] = engine.expected_ms
        self._quiet_until_ms[place] = engine.quiet_until_ms
        if engine.quiet_until_ms > engine.expected_ms and self._packs.take(place):
            self._quiet_until_ms[place] = engine.still_until_ms
            if engine.still_until_ms > engine.quiet_until_ms:
                self._anchor_ms[place] = engine.expected_ms + engine.market.bars_to_anchor * self._step_ms
