"""A look at a bar that has not closed (law 2): of every indicator it shows what will be, and leaves no trace."""

from schemas.conditions import Indicator
from streams.engine.bars import VOLUME
from streams.engine.kernels.program import CompiledProgram
from streams.engine.market.frames import Frame
from streams.engine.market.nodes import Node, key_of
from tests.streams.engine.candles import walk
from tests.streams.engine.indicators.every import HOUR, each, hourly, live, same


@each
def test_a_glance_shows_what_the_bar_will_give_and_leaves_no_trace(leaf: Indicator) -> None:
    """Also where prices outgrow the unit of exact sums, and they are made afresh for the bar that is looked at."""
    bars = hourly(walk(240, seed=5).ohlcv)
    bars.ohlcv[200:, :VOLUME] *= 1e7
    undisturbed = live(leaf, bars)
    frame, node = Frame("1h", CompiledProgram), Node(key_of(leaf)[0])
    frame.add(node)
    frame.opens_at(int(bars.open_time_ms[0]))
    for number, row in enumerate(bars.ohlcv.tolist()):
        opened = float(bars.open_time_ms[0] + number * HOUR)
        elsewhere = [price * 3.0 for price in row[:VOLUME]]
        frame.glance((*elsewhere, row[VOLUME] + 5.0, opened), [node])
        frame.glance((*row, opened), [node])
        columns = range(node.column, node.column + len(node.outputs))
        seen = [frame.usable(column, frame.next, 0) for column in columns]
        frame.append(*row)
        given = [frame.usable(column, frame.next - 1, 0) for column in columns]
        assert repr(seen) == repr(given), f"bar {number}"
    assert same(frame.rows(frame.out, 0, frame.next)[:, node.column :][:, : node.width], undisturbed.values)
