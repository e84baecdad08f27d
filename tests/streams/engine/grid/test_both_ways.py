"""Whether a bar left a doubt: where one order was met the other way is not walked, and would say the same."""

from random import Random

import pytest

from streams.engine.dca.path import paths
from streams.engine.grid.orders import armed
from streams.engine.grid.walk import _along, _ended, walk
from tests.streams.engine.dca.support import bar
from tests.streams.engine.grid.support import LONG, NEUTRAL, SHORT, of, opened


@pytest.mark.parametrize("side", [LONG, SHORT, NEUTRAL], ids=["long", "short", "neutral"])
def test_ambiguous_is_what_both_ways_say(side: object) -> None:
    """120 grids of 12 bars, with stops; every bar walked both ways by the path alone."""
    random, met = Random(7), 0
    for _ in range(120):
        deal = opened(of(side, stop_below="70", stop_above="130"))  # type: ignore[arg-type]
        close = 100.0
        for number in range(1, 13):
            start, close = close, round(close + random.uniform(-14, 14), 1)
            low, high = (
                min(start, close) - round(random.random() * 6, 1),
                max(start, close) + round(random.random() * 6, 1),
            )
            candle = bar(start, round(high, 1), round(low, 1), close, number=number)
            both = paths(candle, deal.terms.instrument, deal.terms.walk_side, deal.terms.walk_intrabar)
            ways = [_ended(*_along(deal, way, armed(deal)), candle, ())[0] for way in both]
            settled = walk(deal, candle, ())
            assert settled.deal == ways[0]
            assert settled.ambiguous == (ways[0] != ways[1])
            met += settled.deal.ledger != deal.ledger
            deal = settled.deal
            if deal.closed:
                break
    assert met > 200
