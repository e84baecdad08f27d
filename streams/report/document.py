"""The page: one HTML file that needs no network, made of a run's tables, a script, a style and the chart library."""

import json
from html import escape
from importlib.resources import files
from string import Template
from typing import Any, Final

import msgspec
import numpy as np
import polars as pl

from streams.report.charts import NOTICE, Charts
from streams.report.equity import Curve, booked_off, equity_curve
from streams.report.metrics import Metrics, metrics
from streams.report.packing import candles, packed_series, thinned
from streams.report.run import Run
from streams.report.tables import by_bot, by_month, by_symbol, deal_rows

CURVE_POINTS: Final = 4_000
"""More than any screen has columns; the curve's extremes are kept."""


def curve_of(run: Run) -> Curve:
    """The run's equity, bar by bar."""
    closes = run.klines.select("symbol", "close", close_time=pl.col("open_time") + run.interval_ms)
    left = booked_off(run.fills, run.deals)
    fills = pl.concat([run.fills, left], how="diagonal").with_columns(pl.col("fee_base").fill_null(0.0))
    return equity_curve(closes, fills, run.deals, run.capital, run.funding)


def metrics_of(run: Run) -> Metrics:
    """The run's figures."""
    return metrics(curve_of(run), run.deals, run.fills)


def page(run: Run, charts: Charts | None) -> str:
    """The whole page. Without the chart library its tables and figures stand alone, and it says so."""
    here = files("streams.report")
    data = _data(run)
    return Template((here / "page.html").read_text()).substitute(
        title=escape(run.title),
        style=(here / "page.css").read_text(),
        # What is inside a script element ends at the next "</": no text of a user's may end it.
        data=json.dumps(data, separators=(",", ":"), allow_nan=False).replace("</", "<\\/"),
        library=charts.script if charts else "",
        licence=escape(charts.licence if charts else ""),
        notice=escape(
            NOTICE if charts else "no chart library was found when this report was made: tables only"
        ),
        script=(here / "page.js").read_text(),
    )


def _data(run: Run) -> dict[str, Any]:
    curve = curve_of(run)
    found = metrics(curve, run.deals, run.fills)
    peak = curve.peak
    fall = np.divide(curve.equity - peak, peak, out=np.zeros_like(peak), where=peak > 0)
    return {
        "title": run.title,
        "interval_ms": run.interval_ms,
        "capital": run.capital,
        "metrics": msgspec.to_builtins(found),
        "equity": _line(curve.time_ms, curve.equity),
        "drawdown": _line(curve.time_ms, fall),
        "symbols": {str(symbol): _candles(bars) for (symbol,), bars in run.klines.group_by("symbol")},
        "fills": run.fills.sort("at_ms", maintain_order=True).to_dicts(),
        "levels": run.levels.to_dicts(),
        "deals": deal_rows(run.deals),
        "months": by_month(run.deals),
        "bots": by_bot(run.deals),
        "pairs": by_symbol(run.deals),
        "configs": run.bots,
        "settings": run.settings,
        "provenance": run.data,
        "notes": list(run.notes),
    }


def _line(time_ms: Any, values: Any) -> dict[str, Any]:
    time_ms, values = thinned(time_ms, values, CURVE_POINTS)
    return {
        "time_s": packed_series(time_ms // 1_000),
        "values": [round(value, 6) for value in values.tolist()],
    }


def _candles(bars: pl.DataFrame) -> dict[str, Any]:
    bars = bars.sort("open_time")
    prices = {name: bars[name].to_numpy() for name in ("open", "high", "low", "close")}
    return {"time_s": packed_series(bars["open_time"].to_numpy() // 1_000), **candles(prices)}
