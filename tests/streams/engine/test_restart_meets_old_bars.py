"""A market restored from its snapshot meets bars it has seen, or that are older than anything: never an error."""

import numpy as np
import pytest

from schemas.conditions import Indicator
from schemas.market import Kline
from streams.engine.bars import BarArrays
from streams.engine.market.market import Market
from streams.engine.market.outcomes import Duplicate, Late
from tests.pipeline import START, bars

RSI = Indicator("rsi", (("window", 14),))


def arrays(klines: list[Kline]) -> BarArrays:
    rows = [[k.open, k.high, k.low, k.close, k.volume] for k in klines]
    return BarArrays(np.array([k.open_time_ms for k in klines]), np.array(rows))


@pytest.mark.parametrize("count", [100, 720, 1_441, 2_200])
@pytest.mark.parametrize("indicator", [None, RSI])
def test_old_bars_after_a_restart_are_late_or_duplicates(count: int, indicator: Indicator | None) -> None:
    seen = bars([100.0 + i % 7 for i in range(count)])
    market = Market("BTCUSDT")
    if indicator is not None:
        market.acquire(indicator, "1m")
    for kline in seen:
        market.apply(kline)
    snapshot = market.snapshot()
    begins = Market.read_from_ms(snapshot) or 0
    restored = Market.restore(snapshot, arrays([k for k in seen if k.open_time_ms >= begins]))
    for kline in (seen[0], seen[count // 2], seen[-2], seen[-1]):
        assert isinstance(restored.apply(kline), Duplicate)
    older = bars([50.0], start_ms=START - 600_000)[0]
    assert isinstance(restored.apply(older), Late)
