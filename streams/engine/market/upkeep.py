"""What a market does now and then: take an anchor, drop bars that are too old."""

from typing import Final

from streams.engine.market.anchors import KEPT, Anchor
from streams.engine.market.nodes import States
from streams.engine.market.operands import Operands
from streams.engine.market.tape import Tape

# Rows kept before the first bar that may be asked for: conditions look back 500 bars at most.
MARGIN: Final = 512
# Of more rows than that, a quarter must be too old before the others are moved down: moving them costs what they weigh.
MANY: Final = 2_048


def take_anchor(tape: Tape, operands: Operands) -> None:
    """Copy the state before the next bar; the oldest copy goes."""
    anchor = Anchor(tape.next)
    for frame in operands.frames.values():
        anchor.take(frame)
    operands.anchors[:] = [*operands.anchors[-KEPT + 1 :], anchor]


def take_noted(tape: Tape, operands: Operands, index: int, states: States) -> None:
    """The same for bar `index`, before which the nodes, all of base bars, were in these states."""
    anchor = Anchor(index)
    anchor.put(tape.frame, index, states)
    operands.anchors[:] = [*operands.anchors[-KEPT + 1 :], anchor]


def trim(tape: Tape, operands: Operands, capacity: int, upto: int) -> None:
    """Of the bars before `upto`, keep `capacity`, those since the older anchor, and what windows and `bars_ago` reach
    before them.

    An anchor has just been taken: the open buckets are folded, so their base bars may go.
    """
    tape.first = max(tape.first, min(upto - capacity, operands.anchors[0].index))
    if tape.first <= tape.frame.first:
        return
    keep = tape.real_at_or_before(tape.frame.whole_from(tape.first - tape.frame.rows_behind(MARGIN)))
    drop, kept = keep - tape.frame.first, upto - keep
    if drop <= 0 or (kept > MANY and drop * 4 < kept):
        return
    operands.history_loaded = False
    for frame in operands.higher:
        frame.forget_before(frame.row_seen_at(tape.first) - frame.rows_behind(MARGIN), tape.first)
    tape.forget_before(keep)
