"""The table's exceptions, shown: `ta` looks ahead, prints numbers where it has none, divides nothing by nothing."""

import numpy as np
import pandas as pd
import pytest
import ta

from streams.engine.bars import CLOSE, HIGH, LOW, Floats
from tests.streams.engine.candles import walk
from tests.streams.engine.indicators.references_ta import CLASSES, TaClass, in_force, run
from tests.streams.engine.regimes import quiet, trend

FLAT = np.tile([5.0, 5.0, 5.0, 5.0, 1.0], (60, 1))


def series(ohlcv: Floats, column: int) -> "pd.Series[float]":
    return pd.Series(ohlcv[:, column])


def case(name: str) -> TaClass:
    return next(case for case in CLASSES if case.name == name)


@pytest.mark.parametrize(
    "one",
    [one for one in CLASSES if any("prints 0" in e.why for e in one.excepted)],
    ids=lambda one: one.name,
)
def test_zeros_are_printed_before_there_is_a_value(one: TaClass) -> None:
    bars = walk(200, seed=31).ohlcv
    theirs = run(one, bars, {})
    for excepted in one.excepted:
        if "prints 0" in excepted.why:
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
