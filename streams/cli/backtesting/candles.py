"""Candles for a backtest from parquet and CSV: a file, a folder of them, or a glob; checked row by row.

A bar that several files hold counts once: the first file, by name, has it; if another file says otherwise, that is
reported.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from schemas.interval import interval_ms
from streams.cli.errors import Invalid
from streams.engine.backtest.candles import Candles
from streams.engine.bars import TIME, BarArrays, Floats
from streams.feeds.columns import PRICES
from streams.feeds.files import BrokenRow, FileProblem, read_klines

_SUFFIXES = (".parquet", ".csv")


@dataclass(frozen=True)
class Loaded:
    """`candles` by symbol; `broken` rows by file, which were left out; `restated`: bars of which two files differ;
    `undecodable`: records of topics that nobody can read.
    """

    files: tuple[Path, ...]
    candles: Mapping[str, Candles]
    broken: tuple[tuple[Path, BrokenRow], ...]
    rows: int
    restated: int
    undecodable: int = 0

    @property
    def first_ms(self) -> int:
        """When the first bar of all opens."""
        return min(int(candles.open_ms[0]) for candles in self.candles.values())

    @property
    def end_ms(self) -> int:
        """When the last bar of all closes."""
        return max(candles.ticks_until_ms for candles in self.candles.values())


def load(
    path: str, symbols: Collection[str], interval: str = "1m", to_ms: int | None = None, fill_up_to: int = 5
) -> Loaded:
    """Candles of `symbols` (all of the file where none is named) that open before `to_ms`. Raises Invalid."""
    files = _files(path)
    frames, broken = [], []
    for file in files:
        try:
            read = read_klines(file, interval=interval, to_ms=to_ms)
        except (FileProblem, ValueError) as wrong:
            if len(files) > 1 and "no usable rows" in str(wrong) and "first:" not in str(wrong):
                continue
            raise Invalid(f"--klines: {wrong}") from None
        frames.append(read.frame)
        broken += [(file, row) for row in read.broken]
    if not frames:
        raise Invalid(f"--klines: {path} has no usable rows in the time asked for")
    rows, restated = _merged(frames)
    held = sorted(rows["symbol"].unique().to_list())
    if missing := sorted(set(symbols) - set(held)):
        raise Invalid(f"--klines: {path} has no {', '.join(missing)} (it has {', '.join(held)})")
    wanted = sorted(symbols) or held
    return Loaded(files, by_symbol(rows, wanted, interval, fill_up_to), tuple(broken), rows.height, restated)


def by_symbol(
    rows: pl.DataFrame, symbols: Collection[str], interval: str, fill_up_to: int
) -> dict[str, Candles]:
    """The candles of `symbols` out of one table; all of them have ticks until the last bar of any closes."""
    end_ms = int(rows["open_time"].max()) + interval_ms(interval)  # type: ignore[arg-type]
    own = rows.filter(pl.col("symbol").is_in(list(symbols))).partition_by("symbol", as_dict=True)
    return {symbol: _candles(own[symbol,], symbol, interval, fill_up_to, end_ms) for symbol in symbols}


def of_topic(
    bars: Mapping[str, Floats], symbols: Collection[str], interval: str, fill_up_to: int
) -> dict[str, Candles]:
    """The same out of a topic's bars, see `TopicKlines`."""
    end_ms = max(int(columns[TIME, -1]) for columns in bars.values()) + interval_ms(interval)
    return {
        symbol: Candles.of_columns(
            symbol, bars[symbol], interval, fill_up_to=fill_up_to, ticks_until_ms=end_ms
        )
        for symbol in symbols
    }


def _files(path: str) -> tuple[Path, ...]:
    place = Path(path)
    if place.is_file():
        return (place,)
    if place.is_dir():
        found = [file for file in place.rglob("*") if file.suffix in _SUFFIXES]
        if not found:
            raise Invalid(f"--klines: folder {path} has no .parquet or .csv in it")
    else:
        root = Path(place.anchor or ".")
        pattern = str(place.relative_to(place.anchor)) if place.anchor else path
        found = [file for file in root.glob(pattern) if file.is_file() and file.suffix in _SUFFIXES]
        if not found:
            raise Invalid(f"--klines: {path} is no file, no folder, and matches none")
    return tuple(sorted(found))


def _merged(frames: list[pl.DataFrame]) -> tuple[pl.DataFrame, int]:
    if len(frames) == 1:
        return frames[0], 0
    every = pl.concat(frames)
    once = every.unique(["symbol", "open_time"], keep="first", maintain_order=True)
    restated = every.unique(maintain_order=True).height - once.height
    return once.sort("open_time", "symbol"), restated


def _candles(own: pl.DataFrame, symbol: str, interval: str, fill_up_to: int, end_ms: int) -> Candles:
    columns = [own[name].to_numpy() for name in (*PRICES, "volume")]
    bars = BarArrays.columns(own["open_time"].to_numpy(), *columns)
    return Candles.of(symbol, bars, interval, fill_up_to=fill_up_to, ticks_until_ms=end_ms)
