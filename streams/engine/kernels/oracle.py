"""The oracle: the program that the compiled one must equal to the bit."""

import math
from collections.abc import Sequence

import numpy as np

from streams.engine.bars import Floats, Ints
from streams.engine.kernels.kernel import preparation
from streams.engine.kernels.program import Push, Runnable
from streams.engine.kernels.rows import fold_rows, mask, write_bar


class SourceProgram:
    """The same program run by Python as it is written: the oracle of the compiled one, slow."""

    block_at = 0
    """It has no block that compiled code could read."""

    def __init__(self) -> None:
        self._clean = 0
        self._times = (0, 0)
        self.push: Push = self._push

    def bind(self, bars: Floats, out: Floats, need: Ints, usable: Floats, nodes: Sequence[Runnable]) -> None:
        self._bars, self._out, self._need, self._usable = bars, out, need, usable
        self._nodes = tuple(nodes)

    def set_clean(self, row: int) -> None:
        self._clean = row

    def set_times(self, opens_ms: int, step_ms: int) -> None:
        self._times = (opens_ms, step_ms)

    def set_last(self, row: int) -> None:
        """Nobody asks."""

    def _push(self, t: int, o: float, h: float, low: float, c: float, v: float) -> None:
        write_bar(self._bars, t, o, h, low, c, v, *self._times)
        for node in self._nodes:
            self.run(node, t, t + 1)
        mask(self._out, self._need, self._usable, t, self._clean)

    def run(self, node: Runnable, start: int, stop: int) -> None:
        for t in range(start, stop):
            row = self._out[t, node.column : node.column + node.width]
            row[:] = math.nan
            when, prepare = preparation(node.step)
            if when(t, self._bars, node.p, node.f, node.i):
                prepare(t, self._bars, node.p, node.f, node.i)
            node.step(t, self._bars, node.p, node.f, node.i, row)
            row[~np.isfinite(row)] = math.nan

    def fold(self, acc: Floats, start: int, stop: int, fresh: bool) -> None:
        fold_rows(self._bars, acc, start, stop, fresh)
