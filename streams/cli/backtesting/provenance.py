"""Where a backtest's candles came from, and what was wrong with them."""

from collections.abc import Iterator
from typing import Any

from streams.cli.backtesting.candles import Loaded


def provenance(loaded: Loaded, interval: str, from_ms: int) -> dict[str, Any]:
    """For `summary.json`: files, bars, and what was wrong with them."""
    return {
        "files": [str(file) for file in loaded.files],
        "interval": interval,
        "symbols": sorted(loaded.candles),
        "bars": sum(len(candles) - len(candles.filled) for candles in loaded.candles.values()),
        "filled_bars": sum(len(candles.filled) for candles in loaded.candles.values()),
        "gaps": sum(len(candles.runs) - 1 for candles in loaded.candles.values()),
        "broken_rows": len(loaded.broken),
        "restated_rows": loaded.restated,
        "undecodable_records": loaded.undecodable,
        "first_open_ms": loaded.first_ms,
        "from_ms": from_ms,
        "end_ms": loaded.end_ms,
    }


def remarks(klines: str, loaded: Loaded) -> Iterator[str]:
    """What was wrong with the candles, for people; `klines` is what was asked for."""
    yield from (f"{file}: {row}; left out" for file, row in loaded.broken)
    if loaded.restated:
        yield f"{klines}: {loaded.restated:,} bars differ between files; the first file counts"
