"""Nodes: one indicator with its parameters (or one price) on one timeframe, and its state."""

from collections.abc import Mapping
from typing import Final, TypeAlias

import numpy as np

from schemas.conditions import Indicator, Price
from streams.engine import indicators
from streams.engine.bars import Floats, Ints
from streams.engine.kernels.kernel import Step
from streams.engine.market.prices import price_plan

Leaf: TypeAlias = Price | Indicator
# What a node is shared by: an indicator without output and bars_ago, or a price field.
Key: TypeAlias = tuple[str, tuple[tuple[str, float | int], ...], str]
State: TypeAlias = tuple[Floats, Ints]
States: TypeAlias = Mapping["Node", State]

_PRICE: Final = "price:"


def key_of(leaf: Leaf, path: str = "") -> tuple[Key, str]:
    """The key of the node that computes `leaf`, and which of its outputs is meant."""
    if isinstance(leaf, Price):
        return (_PRICE + leaf.field, (), ""), leaf.field
    full = indicators.canonical(leaf, path)
    return (full.name, full.params, full.seed), str(full.output)


class Node:
    """State and place of one node. `column` is its first in the frame; it was computed from row `start_row`
    on, and its values are kept from row `from_row` on, `depth` of them beyond what a restart would otherwise
    keep.
    """

    def __init__(self, key: Key, depth: int = 2) -> None:
        self.key = key
        self.depth = depth
        name, params, seed = key
        if name.startswith(_PRICE):
            field = name.removeprefix(_PRICE)
            self.outputs: tuple[str, ...] = (field,)
            self.step: Step
            self.step, plan = price_plan(field)
        else:
            definition, plan = indicators.plan_for(name, params, seed)
            self.step = definition.short if plan.short and definition.short else definition.step
            self.outputs = definition.outputs
        self.p = np.array(plan.p, np.float64)
        self.lookback = plan.lookback
        self.reads = plan.reads
        self.ready = plan.ready
        self.tells_reach = plan.tells_reach
        self.width = len(self.outputs) + plan.tells_reach
        self.f: Floats = np.zeros(max(plan.floats, 1))
        self.i: Ints = np.zeros(max(plan.ints, 1), np.int64)
        self.column = -1
        self.start_row = 0
        self.from_row = 0
        self.refs = 0
        self.released_ms: int | None = None
        self.seeded_from_ms: int | None = None

    @property
    def one_size(self) -> bool:
        """Whether the state is as many numbers whatever the parameters are."""
        name = self.key[0]
        return name.startswith(_PRICE) or indicators.one_size(name, self.step)

    def bytes_in_row(self, depth: int) -> int:
        """What the node takes of its symbol's row, its last `depth` values included."""
        return int(self.f.nbytes + self.i.nbytes) + 8 * self.width * depth + 128

    def state(self) -> State:
        """A copy of the state."""
        return self.f.copy(), self.i.copy()

    def restore(self, state: State) -> None:
        """Take over a copy of `state`, in the arrays a program already points at. ValueError if it is another
        node's.
        """
        self.f[:] = state[0].reshape(self.f.shape)  # numpy would spread a single number over all
        self.i[:] = state[1].reshape(self.i.shape)

    def reset(self) -> None:
        """Back to before the first bar."""
        self.f[:] = 0.0
        self.i[:] = 0
