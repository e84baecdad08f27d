"""Records as rows: which columns each kind of file has. Pure.

Every row names the record it was made of (`partition`, `offset`), so that whoever reads files can tell a record from
its repetition. Klines are those that a feed called closed; the rest keep their JSON text in `value` beside the columns
that people ask for.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple

import polars as pl

from schemas.market import Kline, Tick
from schemas.message import Message
from schemas.triggers import StaleCommand, Trigger
from topics.codec import Undecodable, decode
from topics.records import Record
from topics.registry import Topics
from topics.spec import TopicSpec

Kind = Literal["klines", "triggers", "configs", "user_alerts"]
KINDS: Final[tuple[Kind, ...]] = ("klines", "triggers", "configs", "user_alerts")

_PLACE: Final[dict[str, Any]] = {"partition": pl.Int32, "offset": pl.Int64, "timestamp_ms": pl.Int64}
_KLINE: Final[dict[str, Any]] = {
    "symbol": pl.String, "interval": pl.String, "open_time": pl.Int64, "open": pl.Float64, "high": pl.Float64,
    "low": pl.Float64, "close": pl.Float64, "volume": pl.Float64, "feed": pl.String,
}  # fmt: skip
_MESSAGE: Final[dict[str, Any]] = {"key": pl.String, "type": pl.String, "value": pl.String}
_TRIGGER: Final[dict[str, Any]] = {
    "trigger_id": pl.String, "group_id": pl.String, "generation": pl.Int64, "bot_id": pl.String, "user_id": pl.String,
    "symbol": pl.String, "action_type": pl.String, "bar_open_time": pl.Int64, "bar_close": pl.Float64,
}  # fmt: skip
SCHEMAS: Final[Mapping[Kind, dict[str, Any]]] = {
    "klines": _KLINE | _PLACE,
    "triggers": _TRIGGER | _MESSAGE | _PLACE,
    "configs": _MESSAGE | _PLACE,
    "user_alerts": _MESSAGE | _PLACE,
}
_ORDER: Final[Mapping[Kind, list[str]]] = {"klines": ["symbol", "open_time", "offset"]}


class Row(NamedTuple):
    """One record to be kept: its values by column, and its event time, which decides the day."""

    values: tuple[Any, ...]
    time_ms: int


def topic_of(kind: Kind, topics: Topics) -> TopicSpec:
    """The topic that a kind of file is made of."""
    spec: TopicSpec = getattr(topics, kind)
    return spec


def row_of(kind: Kind, record: Record, spec: TopicSpec) -> Row | None:
    """The record's row; None for a tick, or a bar that is still forming. Raises Undecodable."""
    message = decode(record, spec)
    place = (record.partition, record.offset, record.timestamp_ms)
    match message:
        case Kline():
            return Row((*_bar(message), *place), message.open_time_ms) if message.closed else None
        case Tick():
            return None
        case _:
            told = _trigger(message) if kind == "triggers" else ()
            return Row((*told, *_text(record, message), *place), max(record.timestamp_ms, 0))


def frame(kind: Kind, rows: Sequence[Row]) -> pl.DataFrame:
    """The table of `rows`: klines by symbol and time, which reading by symbol wants; others as they came."""
    made = pl.DataFrame([row.values for row in rows], schema=SCHEMAS[kind], orient="row")
    return made.sort(_ORDER[kind]) if kind in _ORDER else made


def merged(kind: Kind, parts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Several tables of neighbouring offsets as one."""
    made = pl.concat(parts)
    return made.sort(_ORDER[kind]) if kind in _ORDER else made


def _bar(kline: Kline) -> tuple[Any, ...]:
    return (
        kline.symbol, kline.interval, kline.open_time_ms, kline.open, kline.high, kline.low, kline.close, kline.volume,
        kline.feed,
    )  # fmt: skip


def _trigger(message: Message | None) -> tuple[Any, ...]:
    match message:
        case Trigger():
            bar = message.bar
            return (
                message.trigger_id, message.group_id, message.generation, message.bot_id, message.user_id,
                message.symbol, message.action.action_type, bar.open_time_ms, bar.close,
            )  # fmt: skip
        case StaleCommand():
            return (
                None, message.group_id, message.generation, message.bot_id, message.user_id, message.symbol,
                None, None, None,
            )  # fmt: skip
        case _:
            raise Undecodable("Invalid", f"{type(message).__name__} is no message of the triggers topic")


def _text(record: Record, message: Message | None) -> tuple[str, str | None, str | None]:
    key = (record.key or b"").decode()
    if message is None or record.value is None:
        return key, None, None
    return key, str(message.__struct_config__.tag), record.value.decode()
