"""The Keltner channel, both versions, and the bands that `ta` prints before its window is full."""

from typing import Any

import numpy as np
import pytest
from ta.volatility import KeltnerChannel

from tests.streams.engine.candles import walk
from tests.streams.engine.indicators.likeness import candles, flat_from, ours, ready, theirs, theirs_of

BANDS = ("mband", "hband", "lband", "wband", "pband", "hband_indicator", "lband_indicator")
BARS = candles([4.0, 5.0, 8.0], high=[5.0, 7.0, 8.0], low=[3.0, 3.0, 5.0])


def band(name: str) -> str:
    return f"keltner_channel_{name}"


def assert_equals_ta_once_full(name: str, seed: int, **params: Any) -> None:
    """The same from bar `window` on (of the ATR too, where it counts); missing before, whatever `ta` prints."""
    bars = walk(300, seed=seed, start=0.07, decimals=6).ohlcv
    x, y = ours(band(name), bars, **params), theirs_of(KeltnerChannel, band(name), bars, **params)
    uses_atr = name != "mband" and not params["original_version"]
    first = int(max(params["window"], params["window_atr"] if uses_atr else 0)) - 1
    assert np.isnan(x[:first]).all()
    x, y = x[first:], y[first:]
    assert np.array_equal(np.isfinite(x), np.isfinite(y))
    there = np.isfinite(y)
    assert np.all(np.abs(x - y)[there] <= 1e-9 * max(np.abs(y[there]).max(), 0.07))


def test_the_original_takes_means_of_typical_prices_and_of_ranges() -> None:
    got = {name: ours(band(name), BARS, window=2)[1:].tolist() for name in BANDS}
    # typical prices 4, 5, 7 and ranges 2, 4, 3
    assert got["mband"] == pytest.approx([4.5, 6.0])
    assert got["hband"] == pytest.approx([7.5, 9.5])
    assert got["lband"] == pytest.approx([1.5, 2.5])
    assert got["wband"] == pytest.approx([100 * 6 / 4.5, 100 * 7 / 6])
    assert got["pband"] == pytest.approx([3.5 / 6, 5.5 / 7])
    assert got["hband_indicator"] == got["lband_indicator"] == [0.0, 0.0]


def test_the_other_takes_the_ema_and_the_true_range() -> None:
    params: dict[str, Any] = {"window": 3, "window_atr": 2, "original_version": 0, "multiplier": 0.5}
    # EMA 4, 4.5, 6.25; true ranges 2, 4, 3: ATR 3, 3
    assert ours(band("mband"), BARS, **params)[2] == 6.25
    assert ours(band("hband"), BARS, **params)[2] == 7.75
    assert ours(band("lband"), BARS, **params)[2] == 4.75
    assert ours(band("hband_indicator"), BARS, **params)[2] == 1.0
    mean_first = ours(band("mband"), BARS, seed="sma", **params)
    assert mean_first[2] == pytest.approx(17 / 3)


def test_ta_prints_bands_before_the_window_is_full() -> None:
    bars = walk(60, seed=3).ohlcv
    assert np.isfinite(theirs(band("hband"), bars)[:19]).all()
    assert (theirs(band("hband_indicator"), bars)[:19] == 0.0).all()
    assert all(np.isnan(ours(band(name), bars)[:19]).all() for name in BANDS)
    late: dict[str, Any] = {"window": 5, "window_atr": 20, "original_version": 0}
    mean, upper = (theirs(band(name), bars, **late) for name in ("mband", "hband"))
    assert (mean[4:19] == upper[4:19]).all()  # an ATR of 0
    assert np.isnan(ours(band("hband"), bars, **late)[:19]).all()
    assert np.isfinite(ours(band("mband"), bars, **late)[4:19]).all()


def test_a_flat_window_is_the_price_exactly_and_has_no_width() -> None:
    for price in (0.07, 67_123.45, 1 / 3):
        bars = flat_from(walk(80, seed=4, start=price, decimals=12).ohlcv, 40)
        close = bars[-1, 3]
        assert [ours(band(name), bars)[-1] for name in BANDS[:4]] == [close, close, close, 0.0]
        assert np.isnan(ours(band("pband"), bars)[-1])
        assert [ours(band(name), bars)[-1] for name in BANDS[5:]] == [0.0, 0.0]
    still = candles([5.0] * 40)
    assert np.isnan(ours(band("pband"), still, original_version=0)).all()
    assert np.isnan(theirs(band("pband"), still, original_version=0)).all()


@pytest.mark.parametrize(
    "params", [(20, 10, 1, 2), (1, 1, 1, 2), (20, 10, 0, 2), (5, 14, 0, 3), (1, 1, 0, 1)]
)
@pytest.mark.parametrize("name", BANDS)
def test_equals_ta_once_the_windows_are_full(name: str, params: tuple[int, int, int, int]) -> None:
    window, window_atr, original, multiplier = params
    for seed in (1, 2):
        assert_equals_ta_once_full(
            name, seed, window=window, window_atr=window_atr, original_version=original, multiplier=multiplier
        )


def test_a_close_on_the_band_is_not_outside_it() -> None:
    for price in (0.7, 2.1, 33.3, 0.07):
        # ranges 0.02 and 0, typical prices price and price + 0.02: the upper band is price + 0.02
        bars = candles(
            [price, price + 0.02], high=[price + 0.01, price + 0.02], low=[price - 0.01, price + 0.02]
        )
        below = candles(
            [price, price - 0.02], high=[price + 0.01, price - 0.02], low=[price - 0.01, price - 0.02]
        )
        assert ours(band("hband_indicator"), bars.round(6), window=2)[1] == 0.0
        assert ours(band("pband"), bars.round(6), window=2)[1] == 1.0
        assert ours(band("lband_indicator"), below.round(6), window=2)[1] == 0.0
        assert ours(band("pband"), below.round(6), window=2)[1] == 0.0


def test_a_price_that_outgrows_the_unit_leaves_the_means_right() -> None:
    bars = walk(60).ohlcv
    bars[30:, :4] *= 1e7
    typical = bars[40:60, 1:4].mean(axis=1).mean()
    assert ours(band("mband"), bars)[-1] == pytest.approx(typical, rel=1e-12)


def test_it_is_ready_when_its_averages_are() -> None:
    assert ready("keltner") == (20,) * 7
    (ema,), (atr,) = ready("ema", window=5), ready("atr", window=30)
    assert ready("keltner", window=5, window_atr=30, original_version=0) == (ema, *(atr,) * 6)
