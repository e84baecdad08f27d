"""The lanes' code, compiled, or loaded from numba's cache, before a bar waits for it.

Not part of the worker's warm-up: a worker takes its klines one by one. Who uses `Together` calls this first; an
indicator with as many parameters as its window has bars (ALMA) is compiled for each window when a pack first has it.
"""

from collections.abc import Iterator
from typing import Final

from schemas.conditions import Indicator, Price
from streams.engine.indicators import lookup, names
from streams.engine.lanes.machine import machine
from streams.engine.lanes.pack import shape_of
from streams.engine.lanes.steps import lanes_address_of
from streams.engine.market.nodes import Leaf, Node, key_of

_LONG: Final = (("window", 100),)
"""Of an indicator that takes another kernel for short windows."""


def warm_up() -> None:
    """Everything that packs run, whatever their plans: it is compiled kernel by kernel."""
    machine()
    for leaf in _leaves():
        node = Node(key_of(leaf)[0])
        lanes_address_of(node.step, shape_of(node))


def _leaves() -> Iterator[Leaf]:
    yield Price("close")
    yield Price("ha_close")
    for name in names():
        yield Indicator(name)
        if lookup(name).short is not None:
            yield Indicator(name, _LONG)
