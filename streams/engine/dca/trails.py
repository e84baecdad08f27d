"""Where on a bar's path its trails are met, as the walk needs it."""

from collections.abc import Mapping
from typing import NamedTuple

from schemas.triggers import Bar
from streams.engine.dca.deal import Deal
from streams.engine.dca.levels import Kind, trails
from streams.engine.dca.money import Number
from streams.engine.dca.trailing import fill_ticks
from streams.engine.trail import OPEN, Passage

_CLOSING = 3


class MetTrail(NamedTuple):
    """A trail that the bar met at `level` (in ticks, not rounded) on the path's way along `leg`; what it pays is
    `ticks`.
    """

    name: str
    kind: Kind
    number: int
    leg: int
    level: Number
    falling: bool
    ticks: int

    def way_from(self, price: Number) -> Number:
        """How far the market is from meeting it; 0 where it is beyond."""
        way = price - self.level if self.falling else self.level - price
        return max(way, 0)


def met_trails(
    deal: Deal, bar: Bar, passages: Mapping[str, Passage], *, falls_first: bool
) -> tuple[MetTrail, ...]:
    """The trails of `deal` that `bar` met, on a path whose low is first or second.

    Where a trail is met is its own walk's word; on the path it stands on the way that leads to its level: towards the
    extreme it runs from, or to the close.
    """
    out: list[MetTrail] = []
    for one in trails(deal):
        met = passages[one.name].met
        if met is None:
            continue
        falling = one.trail.side == "below"
        leg = met.leg
        if leg not in {OPEN, _CLOSING}:
            leg = 1 if falling == falls_first else 2
        ticks = fill_ticks(deal.terms, deal.exit_side, met, bar)
        level = deal.terms.instrument.in_ticks(met.level)
        out.append(MetTrail(one.name, one.kind, one.number, leg, level, falling, ticks))
    return tuple(out)
