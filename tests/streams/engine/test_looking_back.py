"""What looks back in time finds what it needs: in a market that forgets old bars, and after a restart."""

import pytest

from schemas.conditions import Condition
from streams.engine.bars import BarArrays
from streams.engine.conditions.expression import parse
from streams.engine.conditions.resolve import resolve
from streams.engine.market.market import Market
from streams.engine.network.moments import Moments
from streams.engine.network.network import Network
from streams.engine.symbol import SymbolEngine
from tests.streams.engine.candles import klines, walk
from tests.streams.engine.desk import alert

FAR_BACK = [
    'holds(close("15m") > 90, 490)',
    'holds(close > ema(20, "1h") - 50, 499)',
    'holds(rsi(14, "15m") > 1, 120)',
    "sequence(close > 100.2, close < 100.1, close > 100.15, within=498)",
    'sequence(crosses_above(close("15m"), 100.2), holds(close < 110, 30), crosses(close, sma(50)), within=400)',
    'moves_up(close("1h") - open("15m"), 0.1, 300)',
    "enters(close, sma(20) - 0.1, sma(20) + 0.1)",
]
BARS = 500 * 15 + 800


def conditions() -> list[Condition]:
    return [resolve(parse(text), "1m") for text in FAR_BACK]


@pytest.mark.slow
def test_a_restart_finds_all_that_is_looked_back_at() -> None:
    bars = walk(BARS, 3)
    records = klines(bars)
    market = Market("BTCUSDT", capacity=1_000)
    network, moments = Network(market), Moments(market)
    nodes = [network.acquire(one) for one in conditions()]
    market.apply(records[0])
    network.resync(moments.of_bar(market.bar(0)))
    for index, record in enumerate(records[1:], 1):
        market.apply(record)
        network.step(moments.of_bar(market.bar(index)), newest=True)
    assert market.first > 0, "nothing was forgotten: the test shows nothing"
    snapshot = market.snapshot()
    from_ms = Market.read_from_ms(snapshot) or 0
    read_back = [one for one in records if one.open_time_ms >= from_ms]
    assert len(read_back) < 2_000 < BARS
    restored = Market.restore(snapshot, BarArrays.of(read_back))
    again, told = Network(restored), Moments(restored)
    newest = told.newest()
    assert newest is not None
    again.resync(newest)
    truths = [again.acquire(one).truth for one in conditions()]
    assert truths == [node.truth for node in nodes]
    assert None not in truths
    assert True in truths, "none is true: equal truths would show little"


def test_as_much_as_is_looked_back_at_counts_towards_the_state_of_the_symbol() -> None:
    engine = SymbolEngine("BTCUSDT", Market("BTCUSDT"))
    said = [
        engine.on_alert(alert(f'holds(ema({window}, "1h") > 1, 490)', alert_id=f"a{window}"), 1, 0)[0]
        for window in range(2, 30)
    ]
    events = [one.event for one in said if hasattr(one, "event")]
    assert events[0] == "armed"
    assert events[-1] == "rejected"
