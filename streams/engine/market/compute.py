"""An indicator over whole arrays: every output at every bar, as *defined* (law 5 does not mask anything
here).
"""

from collections.abc import Callable
from typing import Final

import numpy as np

from schemas.conditions import Indicator
from schemas.interval import MINUTE_MS
from streams.engine.bars import BarArrays, Floats, Ints
from streams.engine.kernels.program import CompiledProgram, Program
from streams.engine.market.frames import Frame
from streams.engine.market.nodes import Node, key_of

# Only what a program pushes steps on by the timeframe; here the rows come with their times.
_ANY: Final = "1m"


def compute(
    leaf: Indicator,
    ohlcv: Floats,
    programs: Callable[[], Program] = CompiledProgram,
    open_time_ms: Ints | None = None,
) -> dict[str, Floats]:
    """All outputs of `leaf`'s indicator over bars float64[n, 5]: name to float64[n], NaN where missing.

    `open_time_ms` int64[n] is when they opened, a minute apart from 0 on if not given: sessions are told by it.
    Raises UnknownIndicator and BadParameter.
    """
    times = np.arange(len(ohlcv)) * MINUTE_MS if open_time_ms is None else open_time_ms
    node = Node(key_of(leaf)[0])
    frame = Frame(_ANY, programs)
    frame.begin_at(len(ohlcv), BarArrays(times, ohlcv).rows(), 0)
    frame.add(node)
    frame.compute(node, [])
    return {name: frame.values(node.column + k) for k, name in enumerate(node.outputs)}
