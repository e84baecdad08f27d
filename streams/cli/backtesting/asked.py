"""What a backtest was asked for, and whether it makes sense."""

from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any, Final

from schemas.interval import interval_ms
from sinks.errors import BadInstruments
from sinks.instruments import load_instruments
from streams.cli.backtesting.candles import Loaded
from streams.cli.errors import Invalid
from streams.cli.times import show_time

_MOST_FUNDING: Final = 100
"""Percent per 8 hours: all that a position is worth, many times what any venue takes."""


@dataclass(frozen=True)
class Settings:
    """What was asked for. `bots` None: those that topics recorded. `from_ms` None: from the first bar; `jobs` None: one
    process per core; `capital` (quote, what returns are measured against) None: the most that was tied up at once.
    `check`: run all of `checking` as well. `funding`: percent per 8 hours on open positions.
    """

    klines: str
    bots: Path | None
    from_ms: int | None = None
    to_ms: int | None = None
    instruments: Path | None = None
    interval: str = "1m"
    fill_up_to: int = 5
    jobs: int | None = None
    capital: float | None = None
    report: bool = True
    check: bool = False
    funding: float = 0.0


def begin_of(settings: Settings, loaded: Loaded) -> int:
    """From when on bots are in force. Raises Invalid where the candles end before."""
    from_ms = max(loaded.first_ms, settings.from_ms or 0)
    if from_ms >= loaded.end_ms:
        raise Invalid(f"--from: the candles end before it, at {show_time(loaded.end_ms)}")
    return from_ms


def check_times(settings: Settings) -> None:
    """Raises Invalid for an interval, a span, an amount or a rate that is none."""
    try:
        interval_ms(settings.interval)
    except ValueError as wrong:
        raise Invalid(f"--interval: {wrong}") from None
    if settings.capital is not None and not isfinite(settings.capital):
        raise Invalid(f"--capital: {settings.capital} is no amount")
    if not isfinite(settings.funding):
        raise Invalid(f"--funding: {settings.funding} is no percent")
    if abs(settings.funding) > _MOST_FUNDING:
        raise Invalid(
            f"--funding: {settings.funding} is not from -{_MOST_FUNDING} to {_MOST_FUNDING} percent"
        )
    if None not in (settings.from_ms, settings.to_ms) and settings.from_ms >= settings.to_ms:  # type: ignore[operator]
        raise Invalid("--from: is not before --to")


def instruments_of(path: Path | None) -> dict[str, Any]:
    """Of the file, if one is given. Raises Invalid."""
    try:
        return {} if path is None else load_instruments(path)
    except BadInstruments as wrong:
        raise Invalid(f"--instruments: {wrong}") from None
