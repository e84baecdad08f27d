"""The network's truths, kept up by changes, are those of the definition at every bar, whoever comes and goes."""

from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.conditions import Condition
from schemas.market import Kline, Tick
from streams.engine.bars import BarArrays
from streams.engine.market.market import Market
from streams.engine.market.outcomes import Applied
from streams.engine.network.moments import Moments
from streams.engine.network.network import Network
from streams.engine.network.predicates import Node
from tests.streams.engine.candles import klines, recorded, walk, with_gaps
from tests.streams.engine.test_network_properties import (
    AT_CLOSES,
    FILL,
    HOLDS,
    SCHEDULES,
    SEQUENCES,
    SYMBOL,
    TREES,
    candles,
)

SETTINGS = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


@st.composite
def questions(draw: st.DrawFn) -> list[Condition]:
    return [
        draw(st.one_of(TREES, HOLDS, SEQUENCES, SCHEDULES, AT_CLOSES)) for _ in range(draw(st.integers(1, 8)))
    ]


class Bench:
    """A market and its network; some of `asked` are acquired and released between bars."""

    def __init__(self, asked: list[Condition], seed: int) -> None:
        self.market = Market(SYMBOL, fill_up_to=FILL)
        self._moments = Moments(self.market)
        self._network = Network(self.market)
        self._asked = asked
        self._dice = Random(seed)
        self._held: list[Node] = []
        self.compared = 0

    def take(self, kline: Kline) -> None:
        outcome = self.market.apply(kline)
        if not isinstance(outcome, Applied):
            return
        anew = outcome.first == 0 or outcome.gap_ms is not None
        for index in range(outcome.first, outcome.next):
            moment = self._moments.of_bar(self.market.bar(index))
            if anew:
                self._network.resync(moment)
            else:
                self._network.step(moment, newest=index == outcome.next - 1)
            for node in self._held:
                assert node.truth == node.decide(moment), node.key
                self.compared += 1
        self._come_and_go()

    def _come_and_go(self) -> None:
        if self._dice.random() < 0.3:
            self._held.append(self._network.acquire(self._dice.choice(self._asked)))
        if self._held and self._dice.random() < 0.1:
            self._network.release(self._held.pop(self._dice.randrange(len(self._held))), self._moments.now_ms)


def follows_the_definition(asked: list[Condition], records: list[Kline], seed: int) -> None:
    bench = Bench(asked, seed)
    for record in records:
        bench.take(record)


@SETTINGS
@given(questions(), candles(), st.integers(0, 10_000))
def test_truths_follow_the_definition(asked: list[Condition], records: list[Kline | Tick], seed: int) -> None:
    follows_the_definition(asked, [one for one in records if isinstance(one, Kline)], seed)


@SETTINGS
@given(questions(), st.integers(1, 50), st.integers(0, 10_000))
def test_truths_follow_the_definition_on_a_walk_with_gaps(
    asked: list[Condition], market: int, seed: int
) -> None:
    bars = with_gaps(walk(150, market, decimals=1), 0.02, 6, market)
    follows_the_definition(asked, klines(bars, SYMBOL), seed)


def scaled(bars: BarArrays) -> BarArrays:
    """Around 100, where the conditions look."""
    ohlcv = bars.ohlcv.copy()
    ohlcv[:, :4] = (ohlcv[:, :4] / ohlcv[0, 3] * 100).round(1)
    return BarArrays(bars.open_time_ms, ohlcv)


@pytest.mark.shared
@SETTINGS
@given(questions(), st.sampled_from(["BTCUSDT", "ETHUSDT"]), st.integers(0, 20), st.integers(0, 10_000))
def test_truths_follow_the_definition_on_recorded_candles(
    asked: list[Condition], symbol: str, hour: int, seed: int
) -> None:
    bars = recorded(symbol, 60 * 24)
    part = slice(60 * hour, 60 * hour + 150)
    follows_the_definition(
        asked, klines(scaled(BarArrays(bars.open_time_ms[part], bars.ohlcv[part])), SYMBOL), seed
    )
