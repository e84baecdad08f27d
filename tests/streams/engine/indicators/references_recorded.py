"""Published series beside our indicators: Stock.Indicators' over 502 daily quotes, and StockCharts' sheets.

Both lie in the shared data; what is compared is skipped without them.
"""

import csv
import json
import tarfile
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np

from streams.engine.bars import BarArrays, Floats, Ints
from tests.streams.engine.candles import MONDAY, SHARED
from tests.streams.engine.indicators.reference import Reference

SKENDER: Final = SHARED / "indicators" / "skender"
SHEETS: Final = SHARED / "indicators" / "ta_stockcharts"
STOCK_INDICATORS: Final = "Stock.Indicators"
DAY_MS: Final = 86_400_000
FIRST_QUOTE_MS: Final = 1_483_401_600_000  # 2017-01-03
STOCKCHARTS: Final = "StockCharts"
COLUMNS: Final = ("open", "high", "low", "close", "volume")


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig") as lines:
        return list(csv.DictReader(lines))


@cache
def _dates() -> Ints:
    """When the days of the quotes began, in epoch milliseconds."""
    days = [datetime.fromisoformat(row["date"]) for row in table(SKENDER / "quotes_default.csv")]
    return np.array([round(day.replace(tzinfo=UTC).timestamp()) * 1_000 for day in days], np.int64)


@cache
def quotes() -> Floats:
    """Stock.Indicators' default quotes, float64[502, 5]."""
    rows = table(SKENDER / "quotes_default.csv")
    return np.array([[float(row[name]) for name in COLUMNS] for row in rows])


def expected(name: str, key: str) -> Floats:
    """The series `key` of Stock.Indicators' results called `name`, NaN where it is null."""
    return np.array([np.nan if row[key] is None else row[key] for row in _results()[name]], float)


@cache
def _results() -> dict[str, list[dict[str, Any]]]:
    """Their rows by indicator."""
    found = {}
    with tarfile.open(SKENDER / "results_standard_json.tar.gz") as tar:
        for member in tar.getmembers():
            file = tar.extractfile(member)
            name = member.name.split("/")[-1]
            if file is not None and name.endswith(".standard.json") and not name.startswith("._"):
                found[name.removesuffix(".standard.json")] = json.load(file)
    return found


def _number(text: str | None) -> float:
    try:
        return float((text or "nan").replace(",", "").rstrip("%"))
    except ValueError:
        return float("nan")


@cache
def _sheet(name: str) -> list[dict[str, str]]:
    """The rows that hold a number, by the sheet's own headings."""
    rows = table(SHEETS / f"{name}.csv")
    inputs = [key for key in rows[0] if (key or "").strip().lower() in COLUMNS]
    return [row for row in rows if any(np.isfinite(_number(row[key])) for key in inputs)]


def _sheet_bars(rows: list[dict[str, str]]) -> BarArrays:
    """Its columns as bars. A price that it does not have is the close, or 1; a volume 0, or 1 where it has none."""
    lower = [{(key or "").strip().lower(): value for key, value in row.items()} for row in rows]
    columns = {name: np.array([_number(row.get(name)) for row in lower]) for name in COLUMNS}
    for name in ("close", "open", "high", "low"):
        missing = ~np.isfinite(columns[name])
        columns[name][missing] = 1.0 if name == "close" else columns["close"][missing]
    volumes = np.isfinite(columns["volume"])
    columns["volume"][~volumes] = 0.0 if volumes.any() else 1.0
    return BarArrays.columns(MONDAY + DAY_MS * np.arange(len(rows)), *(columns[name] for name in COLUMNS))


def bars_and_series(reference: Reference) -> tuple[BarArrays, Floats]:
    """Bars and their series float64[n], NaN where it is empty."""
    where, _, key = reference.series.partition(" ")
    if reference.source == STOCK_INDICATORS:
        return BarArrays(_dates(), quotes()), expected(where, key)
    sheet = _sheet(where)
    return _sheet_bars(sheet), np.array([_number(row[key]) for row in sheet])


def _stock(series: str, name: str, output: str, first: int = 1, **more: object) -> Reference:
    return Reference(STOCK_INDICATORS, series, name, output, first=first, **more)  # type: ignore[arg-type]


def _chart(series: str, name: str, output: str, bound: float = 1e-9, **more: object) -> Reference:
    return Reference(STOCKCHARTS, series, name, output, bound=bound, **more)  # type: ignore[arg-type]


EARLY_SIGNAL: Final = "its signal begins with the first bar, ours with the slow average"

# Columns that are not compared, and why.
NOT_COMPARED: Final = {
    "ulcer ulcerIndex": "its highest close is that of the window so far, `ta`'s and ours that of a window of its own",
    "cs-ppo PPO_Signal_Line": "40 rows are too few for a signal that begins with the first bar to be forgotten",
    "cs-ppo PPO_Histogram": "the same",
    "cs-pvo PVO_Signal_Line": "the same",
    "cs-pvo PVO_Histogram": "the same",
}

# Stock.Indicators' STC is not here: it is another indicator (test_what_stock_indicators_does).
REFERENCES: Final[tuple[Reference, ...]] = (
    _stock("adl adl", "adi", "adi"),
    _stock("adx adx", "adx", "adx"),
    _stock("adx pdi", "adx", "adx_pos"),
    _stock("adx mdi", "adx", "adx_neg"),
    _stock("alma alma", "alma", "alma"),
    _stock("elder-ray bullPower", "elder_ray", "bull_power", seed="sma"),
    _stock("elder-ray bearPower", "elder_ray", "bear_power", seed="sma"),
    _stock("vwma vwma", "vwma", "vwma", params={"window": 14}),
    _stock("roc momentum", "mom", "mom", params={"window": 14}),
    _stock("aroon aroonUp", "aroon", "aroon_up"),
    _stock("aroon aroonDown", "aroon", "aroon_down"),
    _stock("aroon oscillator", "aroon", "aroon_indicator"),
    _stock("atr atr", "atr", "atr", first=225, why="leaves the first bar out; equal once that is forgotten"),
    _stock("awesome oscillator", "awesome_oscillator", "awesome_oscillator"),
    _stock("bb sma", "bollinger", "mavg"),
    _stock("bb upperBand", "bollinger", "hband"),
    _stock("bb lowerBand", "bollinger", "lband"),
    _stock("bb percentB", "bollinger", "pband"),
    _stock("bb width", "bollinger", "wband", factor=0.01),
    _stock("cci cci", "cci", "cci"),
    _stock("cmf cmf", "cmf", "cmf"),
    _stock("donchian upperBand", "donchian", "hband", params={"offset": 1}),
    _stock("donchian lowerBand", "donchian", "lband", params={"offset": 1}),
    _stock("donchian centerline", "donchian", "mband", params={"offset": 1}),
    _stock("dpo dpo", "dpo", "dpo", params={"window": 14}, shift=-8),
    _stock("ema ema", "ema", "ema", params={"window": 20}, seed="sma"),
    _stock("force forceIndex", "fi", "fi", params={"window": 2}, seed="sma"),
    _stock("hma hma", "hma", "hma", params={"window": 14}),
    _stock("slope slope", "linreg", "slope"),
    _stock("epma epma", "linreg", "linreg", params={"window": 10}),
    _stock("stdev stdDev", "stdev", "stdev", params={"window": 14}),
    _stock("stdev zScore", "zscore", "zscore", params={"window": 14}),
    _stock("bb zScore", "zscore", "zscore"),
    _stock("supertrend superTrend", "supertrend", "supertrend", first=137, why="its ATR leaves the first bar out"),
    _stock("vwap vwap", "vwap", "vwap", params={"anchor": FIRST_QUOTE_MS}),
    _stock("pivot-points pp", "pivots", "pivot", params={"anchor": 3}),
    _stock("pivot-points r1", "pivots", "r1", params={"anchor": 3}),
    _stock("pivot-points r2", "pivots", "r2", params={"anchor": 3}),
    _stock("pivot-points r3", "pivots", "r3", params={"anchor": 3}),
    _stock("pivot-points s1", "pivots", "s1", params={"anchor": 3}),
    _stock("pivot-points s2", "pivots", "s2", params={"anchor": 3}),
    _stock("pivot-points s3", "pivots", "s3", params={"anchor": 3}),
    _stock("ichimoku tenkanSen", "ichimoku", "conversion_line"),
    _stock("ichimoku kijunSen", "ichimoku", "base_line"),
    _stock("ichimoku senkouSpanA", "ichimoku", "a", shift=26),
    _stock("ichimoku senkouSpanB", "ichimoku", "b", shift=26),
    _stock("kama kama", "kama", "kama"),
    _stock("keltner centerline", "keltner", "mband", params={"original_version": 0}, seed="sma"),
    _stock("keltner upperBand", "keltner", "hband", params={"original_version": 0}, seed="sma", first=132,
           why="its ATR leaves the first bar out"),
    _stock("keltner lowerBand", "keltner", "lband", params={"original_version": 0}, seed="sma", first=132,
           why="its ATR leaves the first bar out"),
    _stock("macd macd", "macd", "macd", seed="sma"),
    _stock("macd signal", "macd", "macd_signal", seed="sma"),
    _stock("macd histogram", "macd", "macd_diff", seed="sma"),
    _stock("mfi mfi", "mfi", "mfi"),
    _stock("obv obv", "obv", "obv"),
    _stock("psar sar", "psar", "psar", first=132,
           why="starts from the first low, and holds the stop at the further of two lows"),
    _stock("pvo pvo", "pvo", "pvo", seed="sma"),
    _stock("pvo signal", "pvo", "pvo_signal", seed="sma"),
    _stock("pvo histogram", "pvo", "pvo_hist", seed="sma"),
    _stock("roc roc", "roc", "roc", params={"window": 14}),
    _stock("rsi rsi", "rsi", "rsi"),
    _stock("sma sma", "sma", "sma", params={"window": 20}),
    _stock("stoch oscillator", "stochastic", "stoch_signal"),
    _stock("stoch-rsi stochRsi", "stochrsi", "stochrsi", factor=100.0),
    _stock("stoch-rsi signal", "stochrsi", "stochrsi_k", factor=100.0),
    _stock("trix trix", "trix", "trix", params={"window": 14}, seed="sma", first=170,
           why="all three averages begin with one mean"),
    _stock("tsi tsi", "tsi", "tsi", seed="sma"),
    _stock("uo ultimate", "ultimate_oscillator", "ultimate_oscillator"),
    _stock("vortex pvi", "vortex", "vortex_pos"),
    _stock("vortex nvi", "vortex", "vortex_neg"),
    _stock("willr williamsR", "williams_r", "williams_r"),
    _stock("wma wma", "wma", "wma", params={"window": 14}),
    _chart("cs-accum ADLine", "adi", "adi"),
    _chart("cs-adx +DI14", "adx", "adx_pos", 1e-8),
    _chart("cs-adx -DI14", "adx", "adx_neg", 1e-8),
    _chart("cs-adx ADX", "adx", "adx", 1e-8),
    _chart("cs-atr ATR", "atr", "atr"),
    _chart("cs-atr2 ATR", "atr", "atr", params={"window": 10}),
    _chart("cs-bbands MiddleBand", "bollinger", "mavg"),
    _chart("cs-bbands HighBand", "bollinger", "hband", bound=1e-8),
    _chart("cs-bbands LowBand", "bollinger", "lband", bound=1e-8),
    _chart("cs-bbands WidthBand", "bollinger", "wband", bound=1e-7),
    _chart("cs-bbands PercentageBand", "bollinger", "pband", bound=1e-6),
    _chart("cs-cci CCI", "cci", "cci", 1e-6),
    _chart("cs-dc upper_band", "donchian", "hband"),
    _chart("cs-dc lower_band", "donchian", "lband"),
    _chart("cs-dc middle_band", "donchian", "mband", 1e-3),
    _chart("cs-dc dc_percentage", "donchian", "pband"),
    _chart("cs-dc dc_band_width", "donchian", "wband"),
    _chart("cs-dc2 upper_band", "donchian", "hband", params={"offset": 1}),
    _chart("cs-dc2 lower_band", "donchian", "lband", params={"offset": 1}),
    _chart("cs-dc2 middle_band", "donchian", "mband", 1e-3, params={"offset": 1}),
    _chart("cs-dc2 dc_percentage", "donchian", "pband", params={"offset": 1}),
    _chart("cs-dc2 dc_band_width", "donchian", "wband", params={"offset": 1}),
    _chart("cs-easeofmovement EMV", "eom", "eom"),
    _chart("cs-easeofmovement SMA_EMV", "eom", "sma_eom"),
    _chart("cs-fi FI", "fi", "fi", seed="first"),
    _chart("cs-kama KAMA", "kama", "kama", bound=1e-8),
    _chart("cs-kc middle_band", "keltner", "mband", params={"original_version": 0}, seed="first"),
    _chart("cs-kc upper_band", "keltner", "hband", params={"original_version": 0}, seed="first"),
    _chart("cs-kc lower_band", "keltner", "lband", params={"original_version": 0}, seed="first"),
    _chart("cs-macd MACD_line", "macd", "macd", seed="first"),
    _chart("cs-macd MACD_signal", "macd", "macd_signal", seed="first", first=115, why=EARLY_SIGNAL),
    _chart("cs-macd MACD_diff", "macd", "macd_diff", seed="first", first=118, why=EARLY_SIGNAL),
    _chart("cs-mfi MFI", "mfi", "mfi", bound=1e-7),
    _chart("cs-obv OBV", "obv", "obv"),
    _chart("cs-percentr Williams_%R", "williams_r", "williams_r", bound=1e-8),
    _chart("cs-ppo PPO", "ppo", "ppo", seed="first"),
    _chart("cs-psar psar_up", "psar", "psar_up"),
    _chart("cs-psar psar_down", "psar", "psar_down"),
    _chart("cs-psar psar_up_ind", "psar", "psar_up_indicator"),
    _chart("cs-psar psar_down_ind", "psar", "psar_down_indicator"),
    _chart("cs-pvo PVO", "pvo", "pvo", seed="first"),
    _chart("cs-roc ROC", "roc", "roc"),
    _chart("cs-rsi RSI", "rsi", "rsi", seed="first", bound=1e-8),
    _chart("cs-soo SO", "stochastic", "stoch", bound=1e-8),
    _chart("cs-soo SO_SIG", "stochastic", "stoch_signal", bound=1e-8),
    _chart("cs-stc stc", "stc", "stc", first=96, seed="first", why="its averages begin with the first bar"),
    _chart("cs-stochrsi StochRSI(14)", "stochrsi", "stochrsi", seed="first", bound=1e-6),
    _chart("cs-tsi TSI", "tsi", "tsi", 1e-3, seed="sma", why="its weights are rounded to four digits"),
    _chart("cs-ui ulcer_index", "ulcer_index", "ulcer_index"),
    _chart("cs-ultosc Ult_Osc", "ultimate_oscillator", "ultimate_oscillator", bound=1e-8),
    _chart("cs-vortex +VI14", "vortex", "vortex_pos", 1e-6),
    _chart("cs-vortex -VI14", "vortex", "vortex_neg", 1e-6),
    _chart("cs-vpt unsmoothed vpt", "vpt", "vpt"),
    _chart("cs-vpt 14-smoothed vpt", "vpt", "vpt", params={"smoothing_factor": 14}),
    _chart("cs-vwap vwap", "rolling_vwap", "rolling_vwap"),
    _chart("cs-wma WMA", "wma", "wma", 1e-7),
)  # fmt: skip
