"""Candles with their future cut off, as a file that ends there would give them."""

from collections.abc import Mapping
from dataclasses import replace

from streams.engine.backtest.candles import Candles


def until(candles: Mapping[str, Candles], to_ms: int) -> dict[str, Candles]:
    """Bars that open before `to_ms`, as `--to` reads them; a symbol that has none is left out.

    Bars that fill a hole come with the bar that ends it: where that one is cut off they are too.
    """
    ends = {symbol: _rows(one, to_ms) for symbol, one in candles.items()}
    kept = {symbol: rows for symbol, rows in ends.items() if rows}
    last_ms = max((int(candles[symbol].close_ms[rows - 1]) for symbol, rows in kept.items()), default=0)
    return {symbol: _first(candles[symbol], rows, last_ms) for symbol, rows in kept.items()}


def since(candles: Mapping[str, Candles], from_ms: int) -> dict[str, Candles]:
    """Bars that open at or after `from_ms`, as a file that begins there would give them; empty symbols are left out."""
    found = {}
    for symbol, one in candles.items():
        first = one.row_from(from_ms)
        while first < len(one) and first in one.is_filled:
            first += 1  # nothing before it is known, so there is no hole to fill
        if first < len(one):
            runs = [(max(row - first, 0), opened) for row, opened in one.runs]
            later = [run for run in runs if run[0] > 0]
            found[symbol] = replace(
                one, columns=one.columns[:, first:].copy(), open_ms=one.open_ms[first:].copy(),
                runs=((0, int(one.open_ms[first])), *later), filled=one.filled[one.filled >= first] - first,
            )  # fmt: skip
    return found


def _rows(candles: Candles, to_ms: int) -> int:
    rows = candles.row_from(to_ms)
    while rows and rows - 1 in candles.is_filled:
        rows -= 1
    return rows


def _first(candles: Candles, rows: int, last_ms: int) -> Candles:
    if rows == len(candles) and last_ms == candles.ticks_until_ms:
        return candles
    return replace(
        candles, columns=candles.columns[:, :rows].copy(), open_ms=candles.open_ms[:rows].copy(),
        runs=tuple(run for run in candles.runs if run[0] < rows), filled=candles.filled[candles.filled < rows],
        ticks_until_ms=last_ms,
    )  # fmt: skip
