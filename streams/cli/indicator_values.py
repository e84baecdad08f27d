"""Indicators over a file of klines: what was asked for, and the table of values."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import polars as pl
from msgspec import structs

from schemas.conditions import Indicator, Seed
from schemas.interval import interval_ms
from streams.cli.errors import Invalid
from streams.cli.times import show_time
from streams.engine import indicators
from streams.engine.bars import BarArrays
from streams.engine.conditions.expression_operands import operand_of
from streams.engine.conditions.lexer import ExpressionError
from streams.engine.conditions.syntax import read
from streams.engine.market.compute import compute
from streams.engine.market.series import Series, series
from streams.feeds.columns import PRICES
from streams.feeds.files import KlineFile


@dataclass(frozen=True)
class Asked:
    """Canonical leaves with the outputs wanted of each and the columns they go to; all of one timeframe."""

    leaves: tuple[tuple[Indicator, dict[str, str]], ...]
    timeframe: str


@dataclass(frozen=True)
class Written:
    """What went into the file; `notes` are remarks on gaps."""

    rows: int
    symbols: list[str]
    columns: list[str]
    timeframe: str
    notes: list[str]

    def to_json(self) -> dict[str, Any]:
        return {
            "rows": self.rows, "symbols": self.symbols, "columns": self.columns, "timeframe": self.timeframe,
            "notes": self.notes,
        }  # fmt: skip


def asked_for(texts: Sequence[str], timeframe: str | None, seed: str, interval: str) -> Asked:
    """What the expressions ask for. Raises Invalid, with the column, for what is no indicator."""
    if seed not in get_args(Seed):
        raise Invalid(f"--seed: {seed!r} is none of {', '.join(get_args(Seed))}")
    read_leaves = [_leaf(text, seed) for text in texts]
    frames = {leaf.timeframe or timeframe or interval for leaf, _ in read_leaves}
    if len(frames) != 1:
        raise Invalid(f"one table has bars of one timeframe; asked for are {', '.join(sorted(frames))}")
    chosen = frames.pop()
    _check_timeframe(chosen, interval)
    shared = Counter(output for _, outputs in read_leaves for output in outputs)
    leaves = tuple(
        (leaf, {output: f"{text}.{output}" if shared[output] > 1 else output for output in outputs})
        for text, (leaf, outputs) in zip(texts, read_leaves, strict=True)
    )
    columns = Counter(column for _, named in leaves for column in named.values())
    if doubled := [column for column, times in columns.items() if times > 1]:
        raise Invalid(f"{doubled[0]} is asked for twice")
    return Asked(leaves, chosen)


def write_values(asked: Asked, file: KlineFile, fill_up_to: int, out: Path) -> Written:
    """Compute and write; Invalid where `out` cannot be written."""
    notes: list[str] = []
    parts = []
    for symbol in file.symbols:
        rows = file.frame.filter(pl.col("symbol") == symbol)
        columns = [rows[name].to_numpy() for name in (*PRICES, "volume")]
        bars = BarArrays.columns(rows["open_time"].to_numpy(), *columns)
        one = series(bars, file.interval, asked.timeframe, fill_up_to)
        notes += _notes(symbol, one)
        parts.append(_values(asked, symbol, one))
    table = pl.concat(parts)
    try:
        if out.suffix == ".parquet":
            table.write_parquet(out)
        else:
            table.write_csv(out)
    except OSError as problem:
        raise Invalid(f"--out: {out}: {problem.strerror or problem}") from None
    return Written(table.height, file.symbols, table.columns[2:], asked.timeframe, notes)


def _leaf(text: str, seed: str) -> tuple[Indicator, list[str]]:
    """The indicator, with its timeframe as written, and the outputs wanted."""
    try:
        leaf = operand_of(read(text))
    except ExpressionError as wrong:
        raise Invalid(f"{wrong}\n  {text}\n  {' ' * (wrong.column - 1)}^") from None
    if not isinstance(leaf, Indicator):
        raise Invalid(f"column 1: expected one indicator such as rsi(14)\n  {text}\n  ^")
    if leaf.bars_ago:
        raise Invalid(f"{text}: bars_ago has no place here: every bar has its own row")
    definition = indicators.lookup(leaf.name)
    if leaf.seed == "auto":
        leaf = structs.replace(leaf, seed=seed)
    full = indicators.canonical(leaf)
    one_only = leaf.output is not None or leaf.name != definition.name
    return full, [str(full.output)] if one_only else list(definition.outputs)


def _check_timeframe(timeframe: str, interval: str) -> None:
    lengths = []
    for option, text in (("--timeframe", timeframe), ("--interval", interval)):
        try:
            lengths.append(interval_ms(text))
        except ValueError as wrong:
            raise Invalid(f"{option}: {wrong}") from None
    if lengths[0] % lengths[1]:
        raise Invalid(f"--timeframe: {timeframe} is no multiple of the file's {interval} (--interval)")


def _values(asked: Asked, symbol: str, bars: Series) -> pl.DataFrame:
    table = {"open_time": pl.Series(bars.open_time_ms[bars.real], dtype=pl.Int64)}
    for leaf, named in asked.leaves:
        values = compute(leaf, bars.ohlcv, open_time_ms=bars.open_time_ms)
        table |= {column: pl.Series(values[output][bars.real]) for output, column in named.items()}
    named_symbol = pl.lit(symbol, dtype=pl.String).alias("symbol")
    frame = pl.DataFrame(table)
    return frame.select(named_symbol, "open_time", pl.exclude("open_time").fill_nan(None))


def _notes(symbol: str, bars: Series) -> list[str]:
    notes = []
    if bars.begins_inside:
        notes.append(f"{symbol}: the first bar of the timeframe misses its beginning")
    if bars.gaps_ms:
        first = show_time(bars.gaps_ms[0])
        notes.append(
            f"{symbol}: {len(bars.gaps_ms)} gaps too long to fill, the first before {first}; "
            "the values after them are written as defined, no alert would use them until they are clean"
        )
    return notes
