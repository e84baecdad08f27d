"""The simulated market: valid bars, the same ones for the same seed, and nobody mistakes it for a recording."""

from itertools import islice, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.interval import MINUTE_MS
from schemas.market import Kline
from streams.feeds.simulator import Market, simulate
from topics.codec import encode


def bars(market: Market) -> list[Kline]:
    return [kline for boundary in simulate(market) for kline in boundary.klines]


def as_bytes(market: Market) -> bytes:
    return b"\n".join(map(encode, bars(market)))


@given(st.integers(0, 2**32), st.floats(0.1, 20.0), st.floats(0.0, 0.5))
@settings(max_examples=15, deadline=None)
def test_same_seed_same_bytes_and_every_bar_is_valid(seed: int, volatility: float, gaps: float) -> None:
    market = Market(seed, ("BTCUSDT", "DOGEUSDT"), minutes=300, gaps=gaps, volatility=volatility)
    made = as_bytes(market)  # Kline refuses any bar that is not valid
    assert made == as_bytes(market)
    assert made != as_bytes(Market(seed + 1, market.symbols, minutes=300, gaps=gaps, volatility=volatility))


def test_a_longer_run_begins_with_the_bars_of_a_shorter_one() -> None:
    endless = islice(simulate(Market(minutes=None)), 1_500)
    assert list(endless)[:100] == list(simulate(Market(minutes=100)))


def test_a_symbol_does_not_depend_on_its_neighbours() -> None:
    alone = bars(Market(symbols=("ETHUSDT",), minutes=50))
    assert alone == [
        k for k in bars(Market(symbols=("SOLUSDT", "ETHUSDT"), minutes=50)) if k.symbol == "ETHUSDT"
    ]


def test_it_has_calm_and_wild_hours_jumps_quiet_minutes_and_continuous_prices() -> None:
    made = bars(Market(symbols=("BTCUSDT",), minutes=20_000))
    moves = sorted(abs(b.close / a.close - 1) for a, b in pairwise(made))
    assert all(a.close == b.open for a, b in pairwise(made))
    assert 50 < sum(kline.volume == 0 for kline in made) < 2_000
    assert all(k.open == k.high == k.low == k.close for k in made if k.volume == 0)
    assert moves[len(moves) // 2] < 0.001 < 0.01 < moves[-1]


def test_prices_are_rounded_to_the_tick() -> None:
    for kline in bars(Market(symbols=("BTCUSDT", "SOLUSDT"), minutes=200)):
        decimals = {"BTCUSDT": 1, "SOLUSDT": 3}[kline.symbol]
        assert all(
            len(repr(p).split(".")[1]) <= decimals for p in (kline.open, kline.high, kline.low, kline.close)
        )


def test_gaps_leave_boundaries_without_bars() -> None:
    boundaries = list(simulate(Market(symbols=("BTCUSDT",), minutes=1_000, gaps=0.2)))
    assert [b.time_ms for b in boundaries] == list(
        range(boundaries[0].time_ms, boundaries[0].time_ms + 1_000 * MINUTE_MS, MINUTE_MS)
    )
    assert 100 < sum(not b.klines for b in boundaries) < 300


def test_every_bar_says_that_it_is_simulated() -> None:
    assert {kline.feed for kline in bars(Market(minutes=5))} == {"simulated"}


@pytest.mark.parametrize(
    "settings_, complaint",
    [
        ({"start_ms": 1}, "start_ms: 1 is not on a minute"),
        ({"gaps": 1.0}, "gaps"),
        ({"volatility": 0.0}, "volatility"),
        ({"symbols": ()}, "symbols"),
        ({"symbols": ("A", "A")}, "each once"),
    ],
)
def test_a_market_that_cannot_be_is_refused(settings_: dict, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        Market(**settings_)
