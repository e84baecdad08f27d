"""Klines as a topic has them, as one table: what a live evaluator would have applied, and what it would have refused.

Records are decoded many at a time, as lines of JSON. Wherever that could mean something else than decoding one by one
(a field that is missing, doubled or unknown, a line break inside a value), they are decoded one by one: the codec has
the last word, and its refusals name the record.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

import polars as pl

from schemas.interval import bucket_start_ms, interval_ms
from schemas.market import Kline
from topics.codec import Undecodable, decode
from topics.records import Record
from topics.spec import TopicSpec

_FIELDS: Final[dict[str, Any]] = {
    "type": pl.String, "symbol": pl.String, "interval": pl.String, "open_time_ms": pl.Int64, "open": pl.Float64,
    "high": pl.Float64, "low": pl.Float64, "close": pl.Float64, "volume": pl.Float64, "closed": pl.Boolean,
    "feed": pl.String, "time_ms": pl.Int64,
}  # fmt: skip
_SYMBOL: Final = r"^[A-Z0-9][A-Z0-9._:-]{0,31}$"
_BAR: Final = ("symbol", "open_time_ms", "open", "high", "low", "close", "volume")
COLUMNS: Final[dict[str, Any]] = {
    "symbol": pl.String, "open_time": pl.Int64, "open": pl.Float64, "high": pl.Float64, "low": pl.Float64,
    "close": pl.Float64, "volume": pl.Float64,
}  # fmt: skip


class Batch(NamedTuple):
    """Closed bars in the order of their records, and the addresses of what cannot be decoded, each with its reason."""

    bars: pl.DataFrame
    refused: list[str]


class Applied(NamedTuple):
    """The bars that law 2 lets through, by symbol and time; how many were repetitions, and how many came too late."""

    bars: pl.DataFrame
    duplicates: int
    late: int


class Fetched(NamedTuple):
    """Records as a client hands them over: their values and keys, and how to make whole records of them, which takes as
    long as reading them does and is seldom asked for.
    """

    values: Sequence[bytes | None]
    keys: Sequence[bytes | None]
    records: Callable[[], Sequence[Record]]

    @staticmethod
    def of(records: Sequence[Record]) -> "Fetched":
        """Records that are there already."""
        return Fetched([one.value for one in records], [one.key for one in records], lambda: records)


def closed_bars(fetched: Fetched, spec: TopicSpec, interval: str) -> Batch:
    """The closed bars of `interval` among what was fetched."""
    bars = _together(fetched, spec, interval) if fetched.values else None
    return _one_by_one(fetched.records(), spec, interval) if bars is None else Batch(bars, [])


def applied(bars: pl.DataFrame) -> Applied:
    """Of bars in the order in which they came (each symbol's), those that are newer than all before them."""
    newest = pl.col("open_time").cum_max().shift(1).over("symbol")
    marked = bars.with_columns(stale=(pl.col("open_time") <= newest).fill_null(value=False))
    kept, stale = marked.filter(~pl.col("stale")).drop("stale"), marked.filter("stale")
    late = stale.join(kept, on=["symbol", "open_time"], how="anti").height if stale.height else 0
    return Applied(kept.sort("open_time", "symbol"), stale.height - late, late)


def _together(fetched: Fetched, spec: TopicSpec, interval: str) -> pl.DataFrame | None:
    """All at once; None where only the codec can say what they are."""
    values = fetched.values
    try:
        if max(map(len, values)) > spec.max_value_bytes:  # type: ignore[arg-type]  # a null value raises, as it should
            return None
        lines = b"\n".join(values)  # type: ignore[arg-type]
    except TypeError:
        return None
    try:
        table = pl.read_ndjson(lines, schema=_FIELDS)
    except pl.exceptions.PolarsError:
        return None
    given = sum(table.height - column.null_count() for column in table.iter_columns())
    if table.height != len(values) or lines.count(b'":') != given or not lines.isascii():
        return None
    keys = pl.Series(fetched.keys, dtype=pl.Binary)
    if not (table["symbol"].cast(pl.Binary) == keys).all(ignore_nulls=False):
        return None
    bars, ticks = table.filter(table["type"] == "kline"), table.filter(table["type"] == "tick")
    if bars.height + ticks.height < table.height or not (
        _sound(bars, interval) and _sound_ticks(ticks, interval)
    ):
        return None
    closed = bars.filter(pl.col("closed").fill_null(value=True)).select(_BAR)
    return closed.rename({"open_time_ms": "open_time"})


def _sound(bars: pl.DataFrame, interval: str) -> bool:
    """Whether each is a kline as the schema wants it, and all are of one interval."""
    low, high = pl.col("low"), pl.col("high")
    start = pl.col("open_time_ms") - bucket_start_ms(0, interval)
    fine = (
        (low > 0) & (low <= pl.col("open")) & (pl.col("open") <= high) & high.is_finite()
        & (low <= pl.col("close")) & (pl.col("close") <= high)
        & (pl.col("volume") >= 0) & pl.col("volume").is_finite()
        & (start % interval_ms(interval) == 0) & (pl.col("open_time_ms") >= 0)
        & pl.col("symbol").str.contains(_SYMBOL)
        & (pl.col("interval") == interval) & pl.col("time_ms").is_null()
    )  # fmt: skip
    return bool(bars.select(fine.fill_null(value=False).all()).item())


def _sound_ticks(ticks: pl.DataFrame, interval: str) -> bool:
    """The same for ticks, whose interval may be left out where it is a minute."""
    time = pl.col("time_ms")
    fine = (
        (time >= 0) & ((time - bucket_start_ms(0, interval)) % interval_ms(interval) == 0)
        & (pl.col("interval").fill_null("1m") == interval) & pl.col("feed").is_not_null()
        & pl.col("symbol").str.contains(_SYMBOL)
    )  # fmt: skip
    return bool(ticks.select(fine.fill_null(value=False).all()).item())


def _one_by_one(records: Sequence[Record], spec: TopicSpec, interval: str) -> Batch:
    rows: list[tuple[Any, ...]] = []
    refused: list[str] = []
    for record in records:
        try:
            message = decode(record, spec)
        except Undecodable as wrong:
            refused.append(f"{record.address}: {wrong}")
            continue
        if isinstance(message, Kline) and message.closed and message.interval == interval:
            rows.append((
                message.symbol, message.open_time_ms, message.open, message.high, message.low, message.close,
                message.volume,
            ))  # fmt: skip
    return Batch(pl.DataFrame(rows, schema=COLUMNS, orient="row"), refused)
