"""Against published series: Stock.Indicators' (seeded with means, as TradingView's RSI) and StockCharts'
sheets.
"""

import csv
import json
import tarfile
from pathlib import Path

import numpy as np
import pytest

from schemas.conditions import Indicator, Seed
from streams.engine.bars import Floats
from streams.engine.market.compute import compute
from tests.streams.engine.candles import SHARED

SKENDER = SHARED / "indicators" / "skender"
SHEETS = SHARED / "indicators" / "ta_stockcharts"
PRICES = ("Close", "High", "Volume")
pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not SHARED.exists(), reason="the shared recordings are not beside the checkout"),
]


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig") as lines:
        return list(csv.DictReader(lines))


def quotes() -> Floats:
    rows = table(SKENDER / "quotes_default.csv")
    names = ("open", "high", "low", "close", "volume")
    return np.array([[float(row[name]) for name in names] for row in rows])


def expected(name: str, key: str) -> Floats:
    with tarfile.open(SKENDER / "results_standard_json.tar.gz") as tar:
        member = next(m for m in tar.getmembers() if m.name.split("/")[-1] == f"{name}.standard.json")
        file = tar.extractfile(member)
        assert file is not None
        return np.array([np.nan if row[key] is None else row[key] for row in json.load(file)], float)


# name and series there, name and output here, parameters, seed, first row compared, bound (largest value: 1)
SERIES: list[tuple[str, str, str, str, dict[str, int], Seed, int, float]] = [
    ("sma", "sma", "sma", "sma", {"window": 20}, "auto", 0, 1e-9),
    ("ema", "ema", "ema", "ema", {"window": 20}, "sma", 0, 1e-9),
    ("rsi", "rsi", "rsi", "rsi", {"window": 14}, "auto", 0, 1e-9),
    ("macd", "macd", "macd", "macd", {}, "sma", 0, 1e-9),
    ("macd", "signal", "macd", "macd_signal", {}, "sma", 0, 1e-9),
    ("macd", "histogram", "macd", "macd_diff", {}, "sma", 0, 1e-9),
    ("bb", "sma", "bollinger", "mavg", {}, "auto", 0, 1e-9),
    ("bb", "upperBand", "bollinger", "hband", {}, "auto", 0, 1e-9),
    ("bb", "lowerBand", "bollinger", "lband", {}, "auto", 0, 1e-9),
    ("bb", "percentB", "bollinger", "pband", {}, "auto", 0, 1e-9),
    ("stoch", "oscillator", "stochastic", "stoch_signal", {"window": 14}, "auto", 0, 1e-9),
    ("awesome", "oscillator", "awesome_oscillator", "awesome_oscillator", {}, "auto", 0, 1e-9),
    ("kama", "kama", "kama", "kama", {}, "auto", 0, 1e-9),
    ("roc", "roc", "roc", "roc", {"window": 14}, "auto", 0, 1e-9),
    ("tsi", "tsi", "tsi", "tsi", {}, "sma", 0, 1e-9),
    ("uo", "ultimate", "ultimate_oscillator", "ultimate_oscillator", {}, "auto", 0, 1e-9),
    ("willr", "williamsR", "williams_r", "williams_r", {}, "auto", 0, 1e-9),
    ("pvo", "pvo", "pvo", "pvo", {}, "sma", 0, 1e-9),
    ("pvo", "signal", "pvo", "pvo_signal", {}, "sma", 0, 1e-9),
    ("pvo", "histogram", "pvo", "pvo_hist", {}, "sma", 0, 1e-9),
    ("obv", "obv", "obv", "obv", {}, "auto", 0, 1e-9),
    ("adl", "adl", "adi", "adi", {}, "auto", 0, 1e-9),
    ("cmf", "cmf", "cmf", "cmf", {}, "auto", 0, 1e-9),
    ("force", "forceIndex", "fi", "fi", {"window": 2}, "sma", 0, 1e-9),
    ("mfi", "mfi", "mfi", "mfi", {}, "auto", 0, 1e-9),
    # its first average leaves the first bar's range out: equal once that is forgotten
    ("atr", "atr", "atr", "atr", {"window": 14}, "auto", 350, 1e-9),
]


@pytest.mark.parametrize("theirs, key, name, output, params, seed, first, bound", SERIES)
def test_stock_indicators(
    theirs: str,
    key: str,
    name: str,
    output: str,
    params: dict[str, int],
    seed: Seed,
    first: int,
    bound: float,
) -> None:
    ours = compute(Indicator(name, tuple(params.items()), seed=seed), quotes())[output]
    wanted = expected(theirs, key)
    both = np.isfinite(ours) & np.isfinite(wanted)
    assert both.sum() > 460
    assert np.all(np.abs(ours - wanted)[both][first:] <= bound * np.nanmax(np.abs(wanted)))
    if theirs != "atr":
        assert (np.isfinite(ours) | ~np.isfinite(wanted)).all()


@pytest.mark.parametrize("key, output", [("stochRsi", "stochrsi_k"), ("signal", "stochrsi_d")])
def test_stock_indicators_stochastic_rsi_is_in_percent(key: str, output: str) -> None:
    params = (("smooth1", 1), ("smooth2", 3))
    ours = 100.0 * compute(Indicator("stochrsi", params), quotes())[output]
    wanted = expected("stoch-rsi", key)
    assert np.array_equal(np.isfinite(ours), np.isfinite(wanted))
    assert np.nanmax(np.abs(ours - wanted)) <= 1e-9 * 100.0


def sheet(name: str, output: str, closes: bool) -> tuple[Floats, Floats]:
    """Bars float64[n, 5] and the column called `output`, NaN where empty; 1 for what the sheet has not."""
    rows = [row for row in table(SHEETS / f"{name}.csv") if any(row.get(key) for key in PRICES)]

    def column(key: str) -> Floats:
        return np.array([float(row.get(key) or 1.0) for row in rows])

    close = column("Close")
    high = close if closes else column("High")
    low = close if closes else column("Low")
    wanted = np.array([float(row[output] or "nan") for row in rows])
    return np.column_stack([close, high, low, close, column("Volume")]), wanted


# sheet, its column, whether it only has closes, name and output here, parameters, seed, bound (its digits)
COLUMNS: list[tuple[str, str, bool, str, str, dict[str, int], Seed, float]] = [
    ("cs-rsi", "RSI", True, "rsi", "rsi", {}, "first", 1e-4),
    ("cs-macd", "MACD_line", True, "macd", "macd", {}, "first", 1e-7),
    ("cs-bbands", "MiddleBand", True, "bollinger", "mavg", {}, "auto", 1e-5),
    ("cs-bbands", "HighBand", True, "bollinger", "hband", {}, "auto", 1e-5),
    ("cs-bbands", "LowBand", True, "bollinger", "lband", {}, "auto", 1e-5),
    ("cs-bbands", "PercentageBand", True, "bollinger", "pband", {}, "auto", 1e-5),
    ("cs-kama", "KAMA", True, "kama", "kama", {}, "auto", 1e-6),
    ("cs-ppo", "PPO", True, "ppo", "ppo", {}, "auto", 1e-9),
    ("cs-pvo", "PVO", True, "pvo", "pvo", {}, "auto", 1e-8),
    ("cs-percentr", "Williams_%R", False, "williams_r", "williams_r", {}, "auto", 1e-6),
    ("cs-mfi", "MFI", False, "mfi", "mfi", {}, "auto", 1e-5),
    ("cs-obv", "OBV", True, "obv", "obv", {}, "auto", 1e-9),
    ("cs-accum", "ADLine", False, "adi", "adi", {}, "auto", 1e-4),
    ("cs-fi", "FI", True, "fi", "fi", {}, "auto", 1e-5),
    ("cs-vpt", "unsmoothed vpt", True, "vpt", "vpt", {}, "auto", 1e-9),
    ("cs-vpt", "14-smoothed vpt", True, "vpt", "vpt", {"smoothing_factor": 14}, "auto", 1e-9),
    ("cs-easeofmovement", "EMV", False, "eom", "eom", {}, "auto", 1e-9),
    ("cs-easeofmovement", "SMA_EMV", False, "eom", "sma_eom", {}, "auto", 1e-9),
    ("cs-vwap", "vwap", False, "rolling_vwap", "rolling_vwap", {}, "auto", 1e-9),
    ("cs-atr", "ATR", False, "atr", "atr", {}, "auto", 1e-9),
]


@pytest.mark.parametrize("name, column, closes, here, output, params, seed, bound", COLUMNS)
def test_stockcharts(
    name: str,
    column: str,
    closes: bool,
    here: str,
    output: str,
    params: dict[str, int],
    seed: Seed,
    bound: float,
) -> None:
    ohlcv, wanted = sheet(name, column, closes)
    ours = compute(Indicator(here, tuple(params.items()), seed=seed), ohlcv)[output]
    both = np.isfinite(ours) & np.isfinite(wanted)
    assert both.sum() >= 10
    assert np.all(np.abs(ours - wanted)[both] <= bound)
