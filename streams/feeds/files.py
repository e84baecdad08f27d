"""Klines from parquet and CSV files, merged in event-time order across symbols.

Columns symbol, open_time, open, high, low, close, volume; others are ignored. `open_time` is epoch
milliseconds UTC, or a datetime (without a zone: UTC). A file that cannot be read raises FileProblem; a broken
row is reported with its number (1 is the first row of data), counted and left out.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import polars as pl

from schemas.interval import bucket_start_ms, interval_ms
from schemas.market import Kline
from streams.feeds.columns import PRICES, REQUIRED, Rule, repeated, rules
from streams.feeds.ticks import Boundary, boundaries

MAX_SILENCE_MS: Final = 366 * 86_400_000
"""A hole this long in *all* symbols is a wrong year, not a quiet market; every minute of it is a tick."""
_CHUNK: Final = 50_000


class FileProblem(ValueError):
    """A kline file that cannot be used at all: the path, then what is wrong with it."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")


class BrokenRow(NamedTuple):
    """A row left out: its number in the file (the first row of data is 1), the column and the reason."""

    row: int
    column: str
    reason: str

    def __str__(self) -> str:
        return f"row {self.row}, column {self.column}: {self.reason}"


@dataclass(frozen=True)
class KlineFile:
    """The sound rows of a file, in order of (open_time, symbol), and the rows that were left out."""

    frame: pl.DataFrame
    interval: str
    broken: tuple[BrokenRow, ...]

    def __len__(self) -> int:
        return self.frame.height

    @property
    def symbols(self) -> list[str]:
        return sorted(self.frame["symbol"].unique().to_list())

    def klines(self, feed: str = "file") -> Iterator[Kline]:
        """Every bar as a message of `feed`, oldest first."""
        for chunk in self.frame.iter_slices(_CHUNK):
            for symbol, time, open_, high, low, close, volume in chunk.iter_rows():
                yield Kline(
                    symbol=symbol, interval=self.interval, open_time_ms=time, feed=feed,
                    open=open_, high=high, low=low, close=close, volume=volume,
                )  # fmt: skip

    def boundaries(self, feed: str = "file") -> Iterator[Boundary]:
        return boundaries(self.klines(feed), self.interval)


def read_klines(
    path: Path,
    *,
    interval: str = "1m",
    symbols: Collection[str] = (),
    from_ms: int | None = None,
    to_ms: int | None = None,
) -> KlineFile:
    """Read `path`; keep `symbols` (empty: all) with `from_ms <= open_time < to_ms`. Raises FileProblem."""
    rows = _typed(_raw(path), path).with_row_index("row", offset=1)
    rows = rows.filter(_asked_for(symbols, from_ms, to_ms))
    sound, malformed = _sifted(rows, rules(interval_ms(interval), bucket_start_ms(0, interval)))
    sound, twice = _sifted(sound, [repeated()])
    sound = sound.select(REQUIRED).sort("open_time", "symbol")
    broken = tuple(sorted(malformed + twice))
    missing = sorted(set(symbols) - set(sound["symbol"].unique().to_list()))
    if missing:
        raise FileProblem(path, f"has no usable rows of {', '.join(missing)} (in the time asked for)")
    if sound.is_empty():
        raise FileProblem(path, "has no usable rows" + (f"; the first: {broken[0]}" if broken else ""))
    _refuse_silence(sound, path)
    return KlineFile(sound, interval, broken)


def _raw(path: Path) -> pl.DataFrame:
    if not path.is_file():
        raise FileProblem(path, "is no file")
    try:
        if path.suffix == ".parquet":
            return pl.read_parquet(path)
        if path.suffix == ".csv":
            # Everything as text: our own casts can then say which row and which words were wrong.
            return pl.read_csv(path, infer_schema=False)
    except (pl.exceptions.PolarsError, OSError) as problem:
        raise FileProblem(path, " ".join(str(problem).split())[:200]) from None
    raise FileProblem(path, f"ends in {path.suffix or 'nothing'}; .parquet and .csv are read")


def _typed(raw: pl.DataFrame, path: Path) -> pl.DataFrame:
    absent = [name for name in REQUIRED if name not in raw.columns]
    if absent:
        raise FileProblem(path, f"has no column {', '.join(absent)} (it has {', '.join(raw.columns)})")
    written = [pl.col(name).alias(f"{name}_as_written") for name in REQUIRED]
    numbers = [pl.col(name).cast(pl.Float64, strict=False) for name in (*PRICES, "volume")]
    try:
        return raw.select(REQUIRED).with_columns(
            *written, pl.col("symbol").cast(pl.String), _milliseconds(raw.schema["open_time"]), *numbers
        )
    except pl.exceptions.PolarsError as problem:
        raise FileProblem(path, " ".join(str(problem).split())[:200]) from None


def _milliseconds(dtype: pl.DataType) -> pl.Expr:
    time = pl.col("open_time")
    if isinstance(dtype, pl.Datetime):
        return time.dt.epoch("ms")
    if dtype == pl.String:
        utc = time.str.replace("T", " ", literal=True).str.replace(r"(Z|\+00:?00| UTC)$", "")
        iso = utc.str.to_datetime("%Y-%m-%d %H:%M:%S%.f", time_unit="ms", strict=False).dt.epoch("ms")
        return pl.coalesce(time.cast(pl.Int64, strict=False), iso)
    if dtype.is_float():
        whole = pl.when(time == time.floor()).then(time)
        return whole.cast(pl.Int64, strict=False).alias("open_time")
    return time.cast(pl.Int64, strict=False)


def _asked_for(symbols: Collection[str], from_ms: int | None, to_ms: int | None) -> pl.Expr:
    """A row whose symbol or time is unreadable might have been asked for: it is kept, and reported."""
    symbol, time = pl.col("symbol"), pl.col("open_time")
    asked = pl.lit(value=True)
    if symbols:
        asked &= symbol.is_in(list(symbols)) | symbol.is_null() | (symbol == "")
    if from_ms is not None:
        asked &= (time >= from_ms) | time.is_null()
    if to_ms is not None:
        asked &= (time < to_ms) | time.is_null()
    return asked


def _sifted(rows: pl.DataFrame, table: list[Rule]) -> tuple[pl.DataFrame, list[BrokenRow]]:
    column = pl.coalesce(pl.when(broken).then(pl.lit(name)) for name, broken, _ in table)
    reason = pl.coalesce(pl.when(broken).then(said) for _, broken, said in table)
    marked = rows.with_columns(column.alias("column"), reason.alias("reason"))
    broken = marked.filter(pl.col("column").is_not_null()).select("row", "column", "reason")
    return marked.filter(pl.col("column").is_null()), [BrokenRow(*row) for row in broken.iter_rows()]


def _refuse_silence(sound: pl.DataFrame, path: Path) -> None:
    times = sound["open_time"].unique().sort()
    jump = times.diff().arg_max()
    if jump is not None and times[jump] - times[jump - 1] > MAX_SILENCE_MS:
        days = (times[jump] - times[jump - 1]) // 86_400_000
        raise FileProblem(
            path, f"column open_time: nothing for {days} days before {times[jump]}; use --from or --to"
        )
