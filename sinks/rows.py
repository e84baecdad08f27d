"""What queries give: plain structs, ready to be shown or encoded. Amounts are decimal strings."""

from typing import Any, Literal

import msgspec


class BotRow(msgspec.Struct, frozen=True):
    """A bot with the config accepted last. Amounts are decimal strings in quote units."""

    bot_id: str
    user_id: str
    state: str
    revision: int
    seq: int
    pairs: list[str]
    side: str
    entry: Any
    effective_from_ms: int
    open_deals: int
    closed_deals: int
    realized_profit: str


class DealRow(msgspec.Struct, frozen=True):
    """A deal, open or closed. `profit` of an open one is what its fills come to so far."""

    deal_id: str
    bot_id: str
    symbol: str
    side: str
    state: str
    config_seq: int
    opened_at_ms: int
    closed_at_ms: int | None
    close_reason: str | None
    quantity: str
    average_price: str | None
    invested: str
    profit: str
    safety_orders_filled: int
    ambiguous_bars: int


class FillRow(msgspec.Struct, frozen=True):
    """One fill; `position` is its place within the deal, from 1."""

    deal_id: str
    bot_id: str
    symbol: str
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


class BalanceRow(msgspec.Struct, frozen=True):
    """A user's money in one asset. `held` = spent by open deals + `reserved`; `free` = start + realized − held."""

    user_id: str
    asset: str
    start: str
    realized: str
    held: str
    reserved: str
    free: str


class GroupRow(msgspec.Struct, frozen=True):
    """A group as the executor last commanded it: `expected` is what the evaluator should have.

    The evaluator holds a group from its trigger until the executor's answer; the database knows only answers.
    """

    group_id: str
    bot_id: str
    symbol: str
    generation: int
    expected: Literal["armed", "removed"]
    armed_from_ms: int
    end_at_ms: int | None
    alert_ids: list[str]


class InboxRow(msgspec.Struct, frozen=True):
    """A record the executor took, and what became of it, in the order in which it was decided."""

    id: int
    topic: str
    partition: int
    source_offset: int
    timestamp_ms: int
    kind: str
    bot_id: str | None
    trigger_id: str | None
    config_seq: int | None
    outcome: str
    reason: str


class Counts(msgspec.Struct, frozen=True):
    """The whole database in numbers; `waiting` counts outbox rows not yet published."""

    bots: dict[str, int]
    deals: dict[str, int]
    groups: dict[str, int]
    records: dict[str, int]
    fills: int
    waiting: int
