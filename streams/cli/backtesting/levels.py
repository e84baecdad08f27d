"""Where a deal's orders stood while it was open, for pictures: its triggers settled once more, seen after each.

A deal that cannot be told like this (its entry was delayed, or its volumes came from reinvested profit) is drawn with
its fills and average alone.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from schemas.alerts import Member
from schemas.bots import BotConfig
from schemas.triggers import Trigger
from streams.engine import kinds
from streams.engine.backtest.result import BotResult, FillRow
from streams.engine.dca import DealError, EntryRefused, Instrument


class LevelRow(NamedTuple):
    """`level` of a deal stood at `price` in [from_ms, to_ms)."""

    deal_id: str
    level: str
    from_ms: int
    to_ms: int | None
    price: float


def levels_of(
    result: BotResult, bot: BotConfig | None, instruments: Mapping[str, Instrument], wanted: Collection[str]
) -> Iterator[LevelRow]:
    """The levels of the deals in `wanted`: `average`, `dca_1`, `tp_1`, `sl`, … as their fills and orders are called.
    Without a bot only the average.
    """
    closed = {deal.deal_id: deal.closed_at_ms for deal in result.deals if deal.deal_id in wanted}
    for deal_id, fills in _by_deal(result.fills, wanted).items():
        yield from _average(fills, closed[deal_id])
    if bot is None:
        return
    for deal_id, seen in _waiting(result, bot, instruments, wanted).items():
        yield from _stretches(deal_id, seen, closed[deal_id])


def _by_deal(fills: Sequence[FillRow], wanted: Collection[str]) -> dict[str, list[FillRow]]:
    found: dict[str, list[FillRow]] = {}
    for fill in fills:
        if fill.deal_id in wanted:
            found.setdefault(fill.deal_id, []).append(fill)
    return found


def _average(fills: list[FillRow], closed_ms: int | None) -> Iterator[LevelRow]:
    """The average entry price after each entry; entries are what goes the way of the first fill."""
    quote = base = Decimal(0)
    steps: list[tuple[int, float]] = []
    for fill in fills:
        if fill.side == fills[0].side:
            quote, base = quote + fill.quote, base + fill.quantity
            steps.append((fill.at_ms, float(quote / base)))
    for place, (from_ms, price) in enumerate(steps):
        to_ms = steps[place + 1][0] if place + 1 < len(steps) else closed_ms
        yield LevelRow(fills[0].deal_id, "average", from_ms, to_ms, price)


Seen = list[tuple[int, dict[str, float]]]
"""By instant, what the deal waits for from then on."""


def _waiting(
    result: BotResult, bot: BotConfig, instruments: Mapping[str, Instrument], wanted: Collection[str]
) -> dict[str, Seen]:
    deals: dict[str, kinds.AnyDeal] = {}
    seen: dict[str, Seen] = {}
    for trigger, outcome in zip(result.triggers, result.outcomes, strict=True):
        if outcome != "applied":
            continue
        try:
            deal = _after(trigger, deals, bot, instruments)
        except (DealError, EntryRefused):
            deal = None
        if deal is not None and deal.deal_id in wanted:
            deals[deal.deal_id] = deal
            members = kinds.deal_members(deal)
            seen.setdefault(deal.deal_id, []).append(
                (trigger.bar.close_time_ms, _prices(members, deal.alert_prefix))
            )
    return seen


def _after(
    trigger: Trigger,
    deals: Mapping[str, kinds.AnyDeal],
    bot: BotConfig,
    instruments: Mapping[str, Instrument],
) -> kinds.AnyDeal | None:
    """The deal after the trigger's bar: opened by it, or one that is known."""
    name = trigger.group_id.rsplit("/", 1)[-1]
    if name != "entry":
        deal = deals.get(name)
        return None if deal is None else kinds.settle(deal, trigger).deal
    if all(fired.action.action_type != "execute_entry" for fired in trigger.fired):
        return None
    instrument = instruments.get(trigger.symbol, Instrument())
    return kinds.open_deal(bot, trigger.symbol, instrument, trigger).deal


def _prices(members: list[Member], prefix: str) -> dict[str, float]:
    found = {}
    for member in members:
        level = member.condition.get("level")
        if level is not None:
            found[member.alert_id.removeprefix(f"{prefix}_")] = float(level["price"])
    return found


def _stretches(deal_id: str, seen: Seen, closed_ms: int | None) -> Iterator[LevelRow]:
    names = sorted({name for _, prices in seen for name in prices})
    for name in names:
        since: tuple[int, float] | None = None
        for at_ms, prices in seen:
            price = prices.get(name)
            if since is not None and price != since[1]:
                yield LevelRow(deal_id, name, since[0], at_ms, since[1])
                since = None
            if since is None and price is not None:
                since = (at_ms, price)
        if since is not None:
            yield LevelRow(deal_id, name, since[0], closed_ms, since[1])
