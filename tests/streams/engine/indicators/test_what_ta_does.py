"""The table's exceptions, shown: `ta` looks ahead, prints numbers where it has none, divides nothing by nothing."""

import numpy as np
import pandas as pd
import pytest
import ta

from streams.engine.bars import CLOSE, HIGH, LOW, Floats
from tests.streams.engine.candles import walk
from tests.streams.engine.indicators.conformance import ours
from tests.streams.engine.indicators.references_ta import CLASSES
from tests.streams.engine.indicators.ta_library import TaClass, in_force, run
from tests.streams.engine.regimes import quiet, trend

FLAT = np.tile([5.0, 5.0, 5.0, 5.0, 1.0], (60, 1))


PRINTS_0 = "prints 0"


def series(ohlcv: Floats, column: int) -> "pd.Series[float]":
    return pd.Series(ohlcv[:, column])


def case(name: str) -> TaClass:
    return next(case for case in CLASSES if case.name == name)


@pytest.mark.parametrize(
    "one",
    [one for one in CLASSES if any(PRINTS_0 in e.why for e in one.excepted)],
    ids=lambda one: one.name,
)
def test_zeros_are_printed_before_there_is_a_value(one: TaClass) -> None:
    bars = walk(200, seed=31).ohlcv
    theirs = run(one, bars, {})
    for excepted in one.excepted:
        if PRINTS_0 in excepted.why:
            for output in excepted.outputs:
                begun = int(np.flatnonzero(excepted.where(bars, theirs[output], in_force(one, {})))[-1])
                assert begun > 0
                assert (theirs[output][: begun + 1] == 0.0).all(), output


def test_kst_looks_ahead() -> None:
    """Its first values change with closes that come later."""
    bars = walk(200, seed=32).ohlcv
    other = bars.copy()
    other[150:, CLOSE] *= 2.0
    now, later = run(case("kst"), bars, {}), run(case("kst"), other, {})
    assert np.nanmax(np.abs(now["kst"] - later["kst"])[:44]) > 1.0
    assert np.nanmax(np.abs(now["kst"] - later["kst"])[44:150]) < 1e-9
    assert np.isfinite(now["kst_sig"][14:44]).any()


def test_rsi_of_a_market_that_never_moved_is_called_100() -> None:
    assert (run(case("rsi"), FLAT, {})["rsi"][13:] == 100.0).all()


def test_stochrsi_of_an_rsi_that_did_not_move_is_what_rounding_left() -> None:
    bars = quiet()
    printed = run(case("stochrsi"), bars, {})["stochrsi"]
    still = series(bars, CLOSE).rolling(14)
    flat = np.asarray(still.max() == still.min())
    rsi = ta.momentum.RSIIndicator(series(bars, CLOSE)).rsi().rolling(14)
    reach = np.asarray(rsi.max() - rsi.min())[flat]
    assert 0.0 < np.nanmax(reach) < 1e-12
    assert np.isfinite(printed[flat]).any()


def test_stochrsi_of_a_market_that_only_falls_has_no_rsi_left_to_divide() -> None:
    bars = trend()
    printed = run(case("stochrsi"), bars, {"window": 5})["stochrsi"]
    assert np.isnan(printed[380:395]).any()
    closes = series(bars, CLOSE)
    assert (closes.diff()[380:395] < 0.0).all()


def test_cci_of_a_flat_window_is_what_rounding_left() -> None:
    bars = quiet()
    typical = (series(bars, HIGH) + series(bars, LOW) + series(bars, CLOSE)) / 3.0
    window = typical.rolling(20)
    flat = np.asarray(window.max() == window.min())
    assert flat.any()
    assert np.isfinite(run(case("cci"), bars, {})["cci"][flat]).any()


def test_a_running_sum_keeps_what_rounding_did_to_bars_that_have_left() -> None:
    """Why a class with a `memory` is asked again about the bars alone: bands around a price that stands still."""
    bars = quiet()
    still = series(bars, CLOSE).rolling(20)
    flat = np.flatnonzero(np.asarray(still.max() == still.min()))
    printed = run(case("bollinger"), bars, {})["pband"][flat]
    assert np.isfinite(printed).any(), "0/0 is a number"
    alone = [run(case("bollinger"), bars[t - 19 : t + 1], {})["pband"][-1] for t in flat.tolist()]
    assert np.isnan(alone).all()


def test_windows_that_are_not_full_give_numbers() -> None:
    bars = walk(200, seed=34).ohlcv
    assert np.isfinite(run(case("keltner"), bars, {})["hband"][:19]).all()
    assert np.isfinite(run(case("keltner"), bars, {})["pband"][:19]).any()
    assert np.isfinite(run(case("ichimoku"), bars, {})["b"][:51]).all()


def test_keltner_adds_an_average_true_range_of_0() -> None:
    bars = walk(200, seed=34).ohlcv
    params = {"window": 5, "window_atr": 20, "original_version": False}
    theirs = run(case("keltner"), bars, params)
    assert (theirs["hband"][4:19] == theirs["mband"][4:19]).all()
    assert (theirs["hband"][19:] > theirs["mband"][19:]).all()


def test_keltner_puts_a_close_that_is_on_its_band_outside_of_it() -> None:
    """Where all prices of the window are one: the band is that price, and what rounding left decides."""
    bars = quiet()
    still = np.asarray(series(bars, CLOSE).rolling(5).max() == series(bars, CLOSE).rolling(5).min())
    still = still & np.asarray((series(bars, HIGH) - series(bars, LOW)).rolling(5).max() == 0.0)
    printed = run(case("keltner"), bars, {"window": 5})["lband_indicator"]
    own = ours("keltner", {"window": 5}, "first", bars)["lband_indicator"]
    assert still.any()
    assert (printed[still] == 1.0).any()
    assert (own[still] == 0.0).all()


def test_psar_prints_the_close_for_two_bars() -> None:
    bars = walk(200, seed=34).ohlcv
    assert (run(case("psar"), bars, {})["psar"][:2] == bars[:2, CLOSE]).all()


def test_stc_lets_the_weights_decay_while_it_has_no_value() -> None:
    """pandas weighs a gap of 0/0 as if bars had passed; averages over the values that there are go elsewhere."""
    bars = walk(400, seed=35).ohlcv
    bars[150:300, CLOSE] = bars[149, CLOSE] * 1.01 ** np.arange(1, 151)  # the first stochastic stays at 100
    bars[300:, CLOSE] *= bars[299, CLOSE] / bars[300, CLOSE]
    close, params = series(bars, CLOSE), in_force(case("stc"), {})
    printed = run(case("stc"), bars, {})["stc"]

    def schaff(ignore_na: bool) -> Floats:
        def smooth(values: "pd.Series[float]", window: int) -> "pd.Series[float]":
            return values.ewm(span=window, min_periods=window, adjust=False, ignore_na=ignore_na).mean()

        line = smooth(close, 23) - smooth(close, 50)
        for _ in range(2):
            lowest, highest = line.rolling(10).min(), line.rolling(10).max()
            line = smooth(100 * (line - lowest) / (highest - lowest), 3)
        return np.asarray(line, np.float64)

    felt = next(e for e in case("stc").excepted).where(bars, printed, params)
    assert np.nanmax(np.abs(printed - schaff(False))) < 1e-9
    assert np.nanmax(np.abs(printed - schaff(True))[felt]) > 1e-6
    assert np.nanmax(np.abs(printed - schaff(True))[~felt]) < 1e-9
