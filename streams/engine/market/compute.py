"""An indicator over whole arrays: every output at every bar, as *defined* (law 5 does not mask anything
here).
"""

from collections.abc import Callable

from schemas.conditions import Indicator
from streams.engine.bars import Floats
from streams.engine.kernels.program import CompiledProgram, Program
from streams.engine.market.frames import Frame
from streams.engine.market.nodes import Node, key_of


def compute(
    leaf: Indicator, ohlcv: Floats, programs: Callable[[], Program] = CompiledProgram
) -> dict[str, Floats]:
    """All outputs of `leaf`'s indicator over bars float64[n, 5]: name to float64[n], NaN where missing.

    Raises UnknownIndicator and BadParameter.
    """
    node = Node(key_of(leaf)[0])
    frame = Frame("", programs)
    frame.begin_at(len(ohlcv), ohlcv, 0)
    frame.add(node)
    frame.compute(node, [])
    return {name: frame.values(node.column + k) for k, name in enumerate(node.outputs)}
