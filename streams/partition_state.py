"""Around a partition's evaluator: what may stand in its way, what it persists, what it is rebuilt from."""

from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from streams.rows import GroupEntry, Offsets, PartitionEntry, SuspectEntry, SymbolEntry
from streams.seat import Seat


class NeedsBars(NamedTuple):
    """The record was not handled: the symbol's bars from its origin to `before_ms` are needed first.

    What a file has from before `origin_ms` was never the symbol's.
    """

    symbol: str
    before_ms: int
    interval: str = "1m"
    origin_ms: int = 0


class MustWait(NamedTuple):
    """The kline was not handled: a trigger on the bar at `held_ms` awaits its answer, and the ring must not
    overrun it.
    """

    symbol: str
    held_ms: int


Obstacle: TypeAlias = NeedsBars | MustWait


@dataclass(frozen=True, slots=True)
class Frozen:
    """What one checkpoint persists, in this order: groups, symbols, the partition's row; then `offsets` are
    acked.
    """

    partition: int
    groups: list[tuple[bytes, GroupEntry | None]]
    symbols: list[tuple[bytes, SymbolEntry]]
    row: PartitionEntry
    offsets: dict[str, int]


@dataclass(slots=True)
class State:
    """What a partition is rebuilt from. `offsets`: the next offset of each source to be handled."""

    offsets: Offsets = (0, 0, 0)
    seats: dict[str, Seat] = field(default_factory=dict)
    suspects: dict[str, SuspectEntry] = field(default_factory=dict)
    changed: list[str] = field(default_factory=list)
    poisoned: set[int] = field(default_factory=set)
    """Offsets of klines that were dead-lettered as poison; reading back shares the set."""
    fill_up_to: int = 5
    """Missing bars that are filled, for symbols seen from now on."""
