"""What a row of a kline file must be, as polars expressions that name the column at fault and the reason.

One table of rules, read in order: the first that a row breaks is the one that is reported.
"""

from typing import Final

import polars as pl

PRICES: Final = ("open", "high", "low", "close")
REQUIRED: Final = ("symbol", "open_time", *PRICES, "volume")
_SYMBOL: Final = r"^[A-Z0-9][A-Z0-9._:-]{0,31}$"
_LATEST_MS: Final = 253_402_300_799_999
_SECONDS: Final = 100_000_000_000
"""Epoch milliseconds below this lie before March 1973: the file holds seconds."""

Rule = tuple[str, pl.Expr, pl.Expr]
"""(column, when the row is broken, the reason as text)"""


def _said(column: str) -> pl.Expr:
    """The value as it stands in the file."""
    return pl.col(f"{column}_as_written").cast(pl.String).fill_null("nothing")


def _text(column: str, reason: str) -> pl.Expr:
    return pl.concat_str(_said(column), pl.lit(f" {reason}"))


def _symbol_rules() -> list[Rule]:
    symbol = pl.col("symbol")
    return [
        ("symbol", symbol.is_null() | (symbol == ""), pl.lit("is missing")),
        ("symbol", ~symbol.str.contains(_SYMBOL), _text("symbol", "is no symbol such as BTCUSDT")),
    ]


def _time_rules(step_ms: int, first_ms: int) -> list[Rule]:
    time = pl.col("open_time")
    return [
        (
            "open_time",
            time.is_null(),
            _text("open_time", "is no time (whole epoch milliseconds, or ISO 8601)"),
        ),
        (
            "open_time",
            (time > 0) & (time < _SECONDS),
            _text("open_time", "looks like seconds, not milliseconds"),
        ),
        ("open_time", (time < 0) | (time > _LATEST_MS), _text("open_time", "is out of range")),
        (
            "open_time",
            (time - first_ms) % step_ms != 0,
            _text("open_time", f"is not on a boundary of {step_ms // 60_000} min"),
        ),
    ]


def _number_rules(column: str) -> list[Rule]:
    value = pl.col(column)
    low = value < 0 if column == "volume" else value <= 0
    return [
        (column, value.is_null(), _text(column, "is no number")),
        (column, ~value.is_finite(), _text(column, "is not finite")),
        (column, low, _text(column, "is negative" if column == "volume" else "is not a positive price")),
    ]


def _shape_rules() -> list[Rule]:
    high, low = pl.col("high"), pl.col("low")
    rules: list[Rule] = [("high", high < low, _text("high", "is below low"))]
    for column in ("open", "close"):
        value = pl.col(column)
        rules.append((column, (value < low) | (value > high), _text(column, "lies outside low..high")))
    return rules


def rules(step_ms: int, first_ms: int = 0) -> list[Rule]:
    """All rules of a row by itself, for bars `step_ms` long of which one opens at `first_ms`."""
    numbers = [rule for column in (*PRICES, "volume") for rule in _number_rules(column)]
    return [*_symbol_rules(), *_time_rules(step_ms, first_ms), *numbers, *_shape_rules()]


def repeated() -> Rule:
    """The rule of a row among the sound ones: one bar per symbol and open time, the first in the file."""
    twice = pl.struct("symbol", "open_time").is_first_distinct().not_()
    return "open_time", twice, _text("open_time", "came before for this symbol")
