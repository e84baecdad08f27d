"""Every indicator with the parameters and seeds that the shared invariants are tried with, and ways to run one."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from schemas.conditions import ANCHOR, MAX_WINDOW, Indicator
from streams.engine import indicators
from streams.engine.bars import BarArrays, Floats
from streams.engine.indicators.definition import Definition, Param
from streams.engine.kernels.program import CompiledProgram, Program
from streams.engine.kernels.sessions import DAY
from streams.engine.market.compute import compute
from streams.engine.market.frames import Frame
from streams.engine.market.nodes import Node, State, key_of
from tests.streams.engine.candles import MINUTE, MONDAY


def scaled(definition: Definition, factor: float) -> dict[str, float]:
    """Its windows times `factor`, as far as they may go; other parameters at their defaults."""
    return {
        p.name: min(max(p.low, int(p.default * factor)), p.high) if window(p) else p.default
        for p in definition.params
        if p.name != ANCHOR
    }


def window(param: Param) -> bool:
    return param.whole and param.high == MAX_WINDOW and param.default > 1


def variants(definition: Definition) -> list[dict[str, float]]:
    """The parameters that are tried: none, small windows, a switch turned, a session where there may be one."""
    tried = [{}, scaled(definition, 0.25)]
    if any(p.name == ANCHOR and p.default != DAY for p in definition.params):
        tried.append({ANCHOR: DAY})
    tried += [
        {p.name: 1.0 - p.default} for p in definition.params if p.whole and (p.low, p.high) == (0.0, 1.0)
    ]
    return tried


def leaves() -> list[Indicator]:
    """Each indicator with its defaults and with small windows, with every seed that makes a difference."""
    found = {
        indicators.canonical(Indicator(name, tuple(params.items()), seed=seed)): None
        for name in indicators.names()
        for params in variants(indicators.lookup(name))
        for seed in ("auto", "sma", "first")
        if indicators.lookup(name).refuse(params or scaled(indicators.lookup(name), 1.0)) is None
    }
    return list(found)


def ids(leaf: Indicator) -> str:
    return "-".join([leaf.name, *(f"{value:g}" for _, value in leaf.params), leaf.seed])


HOUR = 60 * MINUTE
LEAVES = leaves()
each = pytest.mark.parametrize("leaf", LEAVES, ids=ids)
every = pytest.mark.parametrize("name", indicators.names())


def same(a: Floats, b: Floats) -> bool:
    return a.tobytes() == b.tobytes() or np.array_equal(a, b, equal_nan=True)


def hourly(ohlcv: Floats) -> BarArrays:
    """The bars an hour apart, so that there are days among them."""
    return BarArrays(MONDAY + HOUR * np.arange(len(ohlcv)), ohlcv)


def whole(
    leaf: Indicator, bars: BarArrays, programs: Callable[[], Program] = CompiledProgram
) -> dict[str, Floats]:
    return compute(leaf, bars.ohlcv, programs, bars.open_time_ms)


def long_enough(node: Node, count: int) -> int:
    """`count` bars, or more where an operand is ready later (KAMA, which may be slow to forget)."""
    return max(count, max(node.ready) + 100)


@dataclass(frozen=True)
class Live:
    """A node that saw its bars one by one, and its state before each of them."""

    node: Node
    frame: Frame
    states: list[State]

    @property
    def values(self) -> Floats:
        return self.frame.rows(self.frame.out, 0, self.frame.next)[:, self.node.column :][
            :, : self.node.width
        ]

    def usable(self) -> dict[str, Floats]:
        """What may fire (law 5) at each bar, NaN where nothing may."""
        return {
            name: np.array(
                [self.frame.usable(self.node.column + k, row, 0) for row in range(self.frame.next)]
            )
            for k, name in enumerate(self.node.outputs)
        }


def live(leaf: Indicator, bars: BarArrays) -> Live:
    frame, node = Frame("1h", CompiledProgram), Node(key_of(leaf)[0])
    frame.add(node)
    frame.opens_at(int(bars.open_time_ms[0]))
    states = []
    for row in bars.ohlcv.tolist():
        states.append(node.state())
        frame.append(*row)
    return Live(node, frame, states)


def resumed(leaf: Indicator, bars: BarArrays, cut: int, state: State, stop: int) -> Floats:
    """Values of bars [cut, stop), given only `state` and the columns that the windows reach before `cut`."""
    frame, node = Frame("1h", CompiledProgram), Node(key_of(leaf)[0])
    rows = bars.rows()[max(cut - node.lookback, 0) : cut]
    unread = [column for column in range(rows.shape[1]) if column not in node.reads]
    rows[:, unread] = math.nan
    frame.begin_at(cut, rows, 0)
    frame.opens_at(int(bars.open_time_ms[cut]))
    frame.add(node)
    node.restore(state)
    for row in bars.ohlcv[cut:stop].tolist():
        frame.append(*row)
    return frame.rows(frame.out, cut, stop)[:, node.column : node.column + node.width]
