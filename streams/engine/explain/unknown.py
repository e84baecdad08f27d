"""Why an operand has no value that counts: not there yet, not ready (law 5), tainted by a gap (law 4), not finite."""

from streams.engine.conditions.comparisons import (
    AnyReader,
    ArithmeticReader,
    Comparison,
    LeafReader,
    Moment,
    grid,
)
from streams.engine.explain.words import bars, when
from streams.engine.market.folding import HigherFrame
from streams.engine.market.market import Market, Slot


def why_unknown(
    market: Market, comparison: Comparison, reader: AnyReader, moment: Moment, closes_back: int = 0
) -> str:
    """The reason why `reader`, a side of `comparison`, is unknown at `moment` (or closes of its clock before)."""
    if moment.stand_in:
        return "a tick stands in for the bar: only instants count on it"
    at_ms = comparison.clock_at(moment.close_ms) - closes_back * comparison.length
    return _why(market, reader, moment, at_ms) or "no finite number comes of it"


def _why(market: Market, reader: AnyReader, moment: Moment, at_ms: int) -> str:
    if isinstance(reader, ArithmeticReader):
        return _why(market, reader.left, moment, at_ms) or _why(market, reader.right, moment, at_ms)
    if not isinstance(reader, LeafReader):
        return ""
    value = reader.read(moment.number, moment.close_ms, at_ms)
    return _why_leaf(market, reader, moment, at_ms) if value != value else ""


def _why_leaf(market: Market, reader: LeafReader, moment: Moment, at_ms: int) -> str:
    frame = reader.slot.frame
    length, shift = grid(frame.timeframe)
    closed_since = (moment.close_ms - shift) // length - (at_ms - shift) // length
    row = frame.row_seen_at(moment.number) - reader.bars_ago - closed_since
    clean = frame.clean_row(moment.number)
    behind, need = row - clean + 1, _need(reader.slot, row)
    if need is None:
        return "not ready: its value here still rests on bars before the first that counts"
    if behind >= need:
        return "undefined: the formula has no value here"
    ready_ms = at_ms - (at_ms - shift) % length + (need - behind) * length
    until = f"until {when(ready_ms)}, if no more bars are missing"
    # The first bucket of a higher timeframe may have begun before the first bar, which is no gap.
    if clean > isinstance(frame, HigherFrame):
        index = next(index for index, clean_row in reversed(frame.marks) if clean_row == clean)
        since = (
            when(market.bar(index).open_time_ms) if market.first <= index < market.next else "an earlier bar"
        )
        return f"tainted by the gap before {since} {until}"
    seen = f"has seen {bars(max(behind, 0))}"
    return f"not ready before bar {need} of {frame.timeframe}, {seen}: unknown {until}"


def _need(slot: Slot, row: int) -> int | None:
    """How many clean rows the value at `row` needs behind it, itself included; None: no number of them would do."""
    node, frame = slot.node, slot.frame
    if not node.tells_reach or not frame.first <= row < frame.next:
        return node.ready[slot.column - node.column] + frame.began_late(node)
    reach = float(frame.rows(frame.out, row, row + 1)[0, node.column + node.width - 1])
    return None if reach != reach else int(reach)
