"""A trail over many bars: only those are walked that move it or meet it (`streams.engine.trail` says how)."""

from typing import NamedTuple

from schemas.alerts import TrailState
from schemas.bots import BotSide, Intrabar
from schemas.conditions import Trail
from streams.engine.backtest.candles import Candles
from streams.engine.backtest.extremes import Extremes
from streams.engine.network.trails import bounds
from streams.engine.trail import Meeting, follow


class Followed(NamedTuple):
    """How far a trail came: met at `row`, or not up to there (`met` None). `state_before` stood before that row,
    `state` after it.
    """

    row: int
    met: Meeting | None
    state_before: TrailState
    state: TrailState

    def before(self, row: int, newest: int) -> TrailState:
        """Its state before the bar at `row` if that is the last it walked, else as it stands."""
        return self.state_before if row == self.row and row == newest else self.state


def follow_until(
    trail: Trail, start: TrailState, candles: Candles, extremes: Extremes, first: int, last: int,
    side: BotSide, intrabar: Intrabar,
) -> Followed:  # fmt: skip
    """Along the bars [first, last], or to the first that meets it."""
    state = before = start
    row, at = first, first - 1
    while row <= last:
        at, before = row, state
        state, met = follow(trail, state, candles.bar(row), side, intrabar)
        if met is not None:
            return Followed(row, met, before, state)
        below, above = bounds(trail, state)
        row = min(
            len(candles) if below is None else extremes.below(row + 1, below),
            len(candles) if above is None else extremes.above(row + 1, above),
        )
    # Bars between the last that moved it and `last` changed nothing.
    return Followed(at, None, before, state) if at == last else Followed(last, None, state, state)
