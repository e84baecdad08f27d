"""What the reconciler compares: plain rows of one partition, all of one moment."""

from collections.abc import Mapping
from typing import NamedTuple

from sinks.executor.state import Bot


class BotSums(NamedTuple):
    """A bot's own totals."""

    bot_id: str
    user_id: str
    version: int
    closed_deals: int
    realized_profit: str


class PairCount(NamedTuple):
    """A pair's generation counter."""

    bot_id: str
    symbol: str
    generation: int


class GroupState(NamedTuple):
    """The last command of a group that is armed, or that belongs to an open deal."""

    group_id: str
    bot_id: str
    symbol: str
    generation: int
    armed: bool


class DealFigures(NamedTuple):
    """What a deal says of itself; amounts are decimal strings, `body` is all of it."""

    deal_id: str
    bot_id: str
    symbol: str
    side: str
    state: str
    quantity: str
    profit: str
    fills: int
    body: str


class OpenDeal(NamedTuple):
    """A deal that is open. `shared`: its alerts are in the entry's group of its pair."""

    bot_id: str
    symbol: str
    shared: bool


class Booked(NamedTuple):
    """One fill, or one ledger entry: what `account` gained at `level` of a generation. `number` tells the fills of one
    order apart.
    """

    deal_id: str
    level: str
    generation: int
    account: str
    amount: str
    number: int


class Place(NamedTuple):
    """How far a topic is applied, and offsets below `next_offset` that the inbox has no row of, as (first, last)."""

    topic: str
    next_offset: int
    holes: tuple[tuple[int, int], ...] = ()


class Books(NamedTuple):
    """A partition. `bots` to `open_deals` are whole; `closely` holds some bots with everything about them, `deals` some
    deals with their `filled` and `ledger` sums, `closed` the closed deals of some bots: how many, and their profits.
    """

    partition: int
    epoch: int
    newest_ms: int
    bots: Mapping[str, BotSums]
    with_config: frozenset[str]
    pairs: tuple[PairCount, ...]
    groups: tuple[GroupState, ...]
    open_deals: Mapping[str, OpenDeal]
    outbox_head: int | None
    outbox_rows: int
    untold_positions: frozenset[str]
    places: tuple[Place, ...]
    closely: Mapping[str, Bot]
    deals: tuple[DealFigures, ...]
    filled: tuple[Booked, ...]
    ledger: tuple[Booked, ...]
    closed: Mapping[str, tuple[str, ...]]


class TopicBounds(NamedTuple):
    """Offsets of one partition of a topic: the first that is kept, and the next to be given."""

    begin: int
    end: int
