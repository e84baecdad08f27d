"""A bot as the executor knows it: what is loaded before a record is decided, and saved after."""

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from schemas.alerts import GroupCommand
from schemas.bots import BotConfig
from sinks.capital.holding import Reserve
from sinks.capital.purse import NO_PURSES, Purses
from sinks.orders.intent import NO_INTENTS, Intent
from streams.engine.kinds import AnyDeal


class Accepted(msgspec.Struct, frozen=True):
    """A config that was accepted, the `seq`-th of its bot. It governs bars that open at or after `from_ms`.

    `signal` is a fingerprint of the entry conditions, `shape` of everything that an entry group shows.
    """

    seq: int
    config: BotConfig
    effective_from_ms: int
    from_ms: int
    signal: str
    shape: str

    def enters(self, symbol: str) -> bool:
        """May it open deals on `symbol`?"""
        return self.config.state == "active" and symbol in self.config.pairs


class Pair(msgspec.Struct, frozen=True):
    """One bot on one symbol. `generation` is the last one given out, never lowered, never deleted.

    Without an open deal, bars that open from `free_from_ms` on may bring an entry. `seen_signal` is the
    signal that was last acted on: it has to go false before it counts again. `start_at_ms`: an entry fired, its deal
    is opened then.
    """

    symbol: str
    free_from_ms: int
    generation: int = 0
    seen_signal: str | None = None
    cooldown_until_ms: int | None = None
    start_at_ms: int | None = None


class Group(msgspec.Struct, frozen=True):
    """The last command sent for a group. An entry group with `end_at_ms` ends there, when another config
    begins.
    """

    command: GroupCommand
    end_at_ms: int | None = None

    @property
    def armed(self) -> bool:
        """False once its last command was to remove it."""
        return self.command.op == "arm"


class HeldDeal(msgspec.Struct, frozen=True):
    """A deal and what the executor keeps beside it. `close_at_ms`: its bot was deleted, close it then. `reserved`: what
    is set aside of its user's balance by the policy `reserve`, in quote.
    """

    deal: AnyDeal
    config_seq: int
    fills: int = 0
    ambiguous_bars: int = 0
    close_at_ms: int | None = None
    closed_at_ms: int | None = None
    close_reason: str | None = None
    reserve: Reserve = "ladder"
    reserved: str = "0"

    @property
    def open(self) -> bool:
        """Does it still hold anything?"""
        return self.closed_at_ms is None


class Bot(msgspec.Struct, frozen=True):
    """A bot between two records, last changed at `as_of_ms`. `configs` are those that may still govern a bar,
    oldest first, never empty.

    `groups`, `deals` and `intents` hold what is armed or open, and what a record of the current transaction named or
    ended. `purses` are the user's, which other bots share.
    """

    bot_id: str
    user_id: str
    partition: int
    version: int
    as_of_ms: int
    closed_deals: int
    realized_profit: str
    configs: tuple[Accepted, ...]
    pairs: Mapping[str, Pair]
    groups: Mapping[str, Group]
    deals: Mapping[str, HeldDeal]
    intents: Mapping[str, Intent] = NO_INTENTS
    purses: Purses = NO_PURSES

    @property
    def newest(self) -> Accepted:
        """The config accepted last, whenever it begins to govern."""
        return self.configs[-1]


class Fill(NamedTuple):
    """One fill, by its business key (deal_id, level, generation, number); amounts are decimal strings.

    `fee_base`: a fee that was taken of the quantity instead. `number` tells the fills of one order apart: on paper
    there is one, at a venue it counts the deal's.
    """

    deal_id: str
    level: str
    generation: int
    position: int
    trigger_id: str
    at_ms: int
    side: str
    price: str
    quantity: str
    quote: str
    fee: str
    fee_base: str = "0"
    number: int = 1


class Entry(NamedTuple):
    """One amount booked with a fill: what `account` (base, quote or fee) gained."""

    deal_id: str
    level: str
    generation: int
    account: str
    amount: str
    number: int = 1
