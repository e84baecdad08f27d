"""What the evaluator's tables hold, and which of two values of one key is the newer.

Three tables, one key space each per partition: `groups` (one row per group of alerts), `symbols` (one per
symbol) and `partitions` (one per partition, written last). Every value carries its own version, because the
order in a changelog proves nothing: a worker that was suspended and woke up writes after its successor.
"""

from typing import Any, Final, TypeAlias

import msgspec

Version: TypeAlias = tuple[int, ...]
Offsets: TypeAlias = tuple[int, int, int]
"""The next offset of each source: klines, alerts, user alerts."""

MAX_ROW_BYTES: Final = 64 * 1024
"""No table value may exceed this: one over the broker's limit would kill the worker at every restart."""


class RowUnreadable(ValueError):
    """A table row of another format: the process stops, because guessing would fire wrong triggers."""


class GroupEntry(msgspec.Struct, frozen=True, array_like=True):
    """A row of `groups`. `pos`: the last kline folded in; `command_offset`: the last command, on the topic it
    came by.

    `held_ms` is the open time of the bar whose trigger awaits its answer.
    """

    symbol: str
    generation: int
    pos: int
    command_offset: int
    held_ms: int | None
    body: bytes

    @property
    def version(self) -> Version:
        return (self.generation, self.pos, self.command_offset)


class SymbolEntry(msgspec.Struct, frozen=True, array_like=True):
    """A row of `symbols`. `offsets`: where every source stood. `back_to`: a kline offset at or before the
    anchor's bar, from which the bars up to `last_ms` are read back; `origin_offset`: that of the symbol's
    first bar; `stand_ins`: the bars that ticks stood in for, of the same moment as the market.
    """

    symbol: str
    interval: str
    pos: int
    offsets: Offsets
    origin_offset: int
    back_to: int
    anchor_ms: int
    last_ms: int
    snapshot: bytes
    stand_ins: bytes = b""

    @property
    def version(self) -> Version:
        return (self.pos, *self.offsets)


class PartitionEntry(msgspec.Struct, frozen=True, array_like=True):
    """The row of a partition: the next offset of every source, and how far each symbol's row was at that
    moment. `poisoned`: klines that were dead-lettered although they can be read, for reading back to pass over.
    """

    offsets: Offsets
    positions: dict[str, int]
    poisoned: tuple[int, ...] = ()

    @property
    def version(self) -> Version:
        return self.offsets


class SuspectEntry(msgspec.Struct, frozen=True, array_like=True):
    """A record on which the process died `deaths` times with an exception; in `partitions`, one per source
    topic.
    """

    offset: int
    deaths: int

    @property
    def version(self) -> Version:
        return (self.offset, self.deaths)


Entry: TypeAlias = GroupEntry | SymbolEntry | PartitionEntry | SuspectEntry

_FORMAT: Final = b"\x02"  # 2: nodes of sums have a session
_encoder = msgspec.msgpack.Encoder()
_decoders: Final[dict[type[Entry], msgspec.msgpack.Decoder[Any]]] = {
    kind: msgspec.msgpack.Decoder(kind) for kind in (GroupEntry, SymbolEntry, PartitionEntry, SuspectEntry)
}
PARTITION_KEY: Final = b"partition"
SUSPECT: Final = b"suspect "


def encode_row(entry: Entry) -> bytes:
    """One byte of format, then the entry as a msgpack array."""
    return _FORMAT + _encoder.encode(entry)


def decode_row(table: str, key: bytes, value: bytes) -> Entry:
    """The entry that `value` holds. Raises RowUnreadable."""
    if value[:1] != _FORMAT:
        raise RowUnreadable(f"{table}[{key!r}]: format {value[:1].hex()}, this version reads {_FORMAT.hex()}")
    try:
        entry: Entry = _decoders[_kind(table, key)].decode(memoryview(value)[1:])
    except msgspec.DecodeError as error:
        raise RowUnreadable(f"{table}[{key!r}]: {error}") from error
    return entry


def _kind(table: str, key: bytes) -> type[Entry]:
    if table == "groups":
        return GroupEntry
    if table == "symbols":
        return SymbolEntry
    return SuspectEntry if key.startswith(SUSPECT) else PartitionEntry


def group_key(symbol: str, name: str) -> bytes:
    """Key in `groups` of the group (or user's alert) `name`; two symbols of a partition never share one."""
    return f"{symbol} {name}".encode()


def suspect_key(topic: str) -> bytes:
    """Key in `partitions` of the suspect record of a source topic."""
    return SUSPECT + topic.encode()
