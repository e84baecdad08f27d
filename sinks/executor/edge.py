"""The executor's edge: what decodes may still be unfit to be stored or settled."""

import re
from math import inf
from typing import Final, NamedTuple

from schemas.bots import BotConfig
from schemas.interval import interval_ms
from schemas.message import Message
from schemas.orders import OrderReport
from schemas.triggers import Bar, StaleCommand, Trigger
from sinks.executor.decision import LATEST_MS, DeadReason
from topics.codec import Undecodable, decode
from topics.partitioner import partition_for
from topics.records import Record
from topics.spec import TopicSpec

# Ids become keys of the database: no control characters (PostgreSQL takes no NUL), no length an index cannot
# hold.
_ID: Final = re.compile(r"[!-~]{1,512}")
_LAST_GENERATION: Final = 2**52
_BOT_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@-]{0,63}")


class Incoming(NamedTuple):
    """A record and what it carries: a message, None for a tombstone, or the reason why it cannot be used."""

    record: Record
    message: Message | None
    refused: DeadReason | None = None

    @property
    def bot_id(self) -> str | None:
        """Whose record it is, None for what cannot be used."""
        if self.refused is not None:
            return None
        if isinstance(self.message, BotConfig | Trigger | StaleCommand | OrderReport):
            return self.message.bot_id
        return (self.record.key or b"").decode()


def read(record: Record, spec: TopicSpec) -> Incoming:
    """Decode and check `record`."""
    try:
        message = decode(record, spec)
    except Undecodable as error:
        return Incoming(record, None, DeadReason(error.error_class, error.reason))
    incoming = Incoming(record, message)
    bot_id = incoming.bot_id or ""
    if not _BOT_ID.fullmatch(bot_id):
        return Incoming(record, None, DeadReason("BadKey", "the key is no bot_id"))
    home = partition_for(bot_id.encode(), spec.partitions)
    if home != record.partition:
        # Another executor owns that bot; two that write one bot is what epochs are there to prevent.
        reason = f"{bot_id} belongs on partition {home}: produce with the murmur2 partitioner"
        return Incoming(record, None, DeadReason("WrongPartition", reason))
    reason = _unsound(message)
    if record.timestamp_ms > LATEST_MS:
        reason = f"timestamp: {record.timestamp_ms} is after the year 9000: is it in milliseconds?"
    return Incoming(record, None, DeadReason("Invalid", reason)) if reason else incoming


def storable(text: str, length: int = 1_000) -> str:
    """`text` as every database takes it: no NUL, no lone surrogate, cut."""
    return text[:length].replace("\x00", "\\x00").encode("utf-8", "backslashreplace").decode()


def _unsound(message: Message | None) -> str:
    match message:
        case Trigger():
            for name in ("trigger_id", "group_id"):
                if not _ID.fullmatch(getattr(message, name)):
                    return f"{name}: expected 1 to 512 printable characters"
            return _unsound_generation(message.generation) or _unsound_bar(message.bar)
        case StaleCommand() if not _ID.fullmatch(message.group_id):
            return "group_id: expected 1 to 512 printable characters"
        case StaleCommand():
            return _unsound_generation(message.generation)
        case _:
            return ""


def _unsound_generation(generation: int) -> str:
    # The counter is raised above whatever the evaluator holds, and a command carries at most 2^53.
    if generation > _LAST_GENERATION:
        return f"generation: {generation} leaves no room above it"
    return ""


def _unsound_bar(bar: Bar) -> str:
    if not (0.0 < bar.low <= min(bar.open, bar.close) and max(bar.open, bar.close) <= bar.high < inf):
        return "bar: its prices are no candle's"
    if bar.close_time_ms > LATEST_MS:
        return "bar.close_time_ms: it is after the year 9000"
    if bar.close_time_ms != bar.open_time_ms + interval_ms(bar.interval):
        return "bar.close_time_ms: it does not close an interval after it opens"
    return ""
