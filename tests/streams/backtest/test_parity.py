"""Law 12, the closed loop: from event to event = bar by bar, for random bots over random candles, to the last bit."""

from random import Random

import numpy as np
import pytest

from sinks.executor.decision import Rules
from sinks.venues.paper import Paper
from streams.cli.backtesting.desk import Desk, accept_all
from streams.cli.backtesting.jumps import Jumps
from streams.cli.backtesting.replay import replay
from streams.engine.backtest.candles import Candles
from streams.engine.backtest.finder import Finder
from streams.engine.bars import BarArrays
from streams.feeds.ticks import boundaries
from tests.streams.backtest.compare import story
from tests.streams.backtest.random_bots import INSTRUMENTS, bot
from tests.streams.engine.candles import klines, walk, with_gaps

BARS = 400
BOTS = 12


def market(seed: int, symbol_no: int) -> BarArrays:
    bars = walk(BARS, seed * 31 + symbol_no, start=100.0 + symbol_no)
    return with_gaps(bars, 0.02, 9, seed) if seed % 2 else bars


@pytest.mark.parametrize("seed", range(4))
def test_from_event_to_event_is_bar_by_bar(seed: int) -> None:
    random = Random(seed)
    symbols = {"COARSE": market(seed, 0), "CENTS": market(seed, 1), "DEFAULT": market(seed, 2)}
    first = min(int(bars.open_time_ms[0]) for bars in symbols.values())
    names = sorted(symbols)
    bots = []
    for number in range(BOTS):
        pairs = random.sample(names, random.choice([1, 1, 3]))
        bots.append(
            bot(random, f"b{number}", pairs, INSTRUMENTS["COARSE"], first + random.choice([0, 3_600_000]))
        )
    rules = Rules(Paper(), INSTRUMENTS)
    slow = Desk(rules)
    feed = sorted(
        (kline for name in names for kline in klines(symbols[name], name)),
        key=lambda kline: (kline.open_time_ms, kline.symbol),
    )
    replay(slow, accept_all(slow, bots), boundaries(feed))
    end_ms = max(int(bars.open_time_ms[-1]) for bars in symbols.values()) + 60_000
    finders = {name: Finder(Candles.of(name, bars, ticks_until_ms=end_ms)) for name, bars in symbols.items()}
    fast = Desk(rules)
    Jumps(fast, finders).run(accept_all(fast, bots))
    assert len(slow.fills) > 50
    one, other = story(slow), story(fast)
    for kind in one:
        assert other[kind] == one[kind], kind
    assert np.isfinite([len(fast.triggers)])
