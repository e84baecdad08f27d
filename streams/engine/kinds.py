"""Bots by kind: the one place that knows which engine a bot or a deal belongs to. Pure."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final, Literal, NamedTuple, TypeAlias

import msgspec
from msgspec.structs import replace

from schemas.alerts import GroupCommand, Member, WhenTrue
from schemas.bots import BotConfig, BotSide, Intrabar
from schemas.positions import OpenDeal
from schemas.triggers import Trigger
from streams.engine import dca, grid
from streams.engine.dca import EntryRefused, Instrument, Problem

AnyDeal: TypeAlias = dca.Deal | grid.Deal
AnySettlement: TypeAlias = dca.Settlement | grid.Settlement
AnyEvent: TypeAlias = grid.GridEvent


class Ending(msgspec.Struct, frozen=True):
    """A deletion ends a deal at `at_ms`; with `keep` it leaves the position to the user."""

    at_ms: int
    keep: bool


class _Kind(msgspec.Struct):
    kind: Literal["dca", "grid"] = "dca"


_kind: Final = msgspec.json.Decoder(_Kind)
_dca: Final = msgspec.json.Decoder(dca.Deal, strict=False)
_grid: Final = msgspec.json.Decoder(grid.Deal, strict=False)


def problems(config: BotConfig, instrument: Instrument | None = None, interval: str = "1m") -> list[Problem]:
    """What stands in the way of `config` on base bars of `interval`; empty when it can be armed."""
    if config.kind == "grid":
        return grid.problems(config, instrument, interval)
    return dca.problems(config, instrument, interval)


def entry_group(
    config: BotConfig,
    symbol: str,
    *,
    generation: int,
    armed_from_ms: int,
    when_true: WhenTrue,
    cooldown_until_ms: int | None = None,
    start_at_ms: int | None = None,
    end_at_ms: int | None = None,
    wanted: bool = True,
    deals: Sequence[Member] = (),
    interval: str = "1m",
) -> GroupCommand:
    """Arm the entry of a bot, with the members of the deals that share its group (never a grid's).

    Raises EntryInvalid for a condition that does not parse.
    """
    # A bot that was a ladder may still have deals in the group, or a start that is due: those are a ladder's to arm.
    if config.kind == "grid" and not deals and start_at_ms is None:
        return grid.entry_group(
            config,
            symbol,
            generation=generation,
            armed_from_ms=armed_from_ms,
            when_true=when_true,
            cooldown_until_ms=cooldown_until_ms,
            end_at_ms=end_at_ms,
            interval=interval,
        )
    return dca.entry_group(
        config,
        symbol,
        generation=generation,
        armed_from_ms=armed_from_ms,
        when_true=when_true,
        cooldown_until_ms=cooldown_until_ms,
        start_at_ms=start_at_ms,
        end_at_ms=end_at_ms,
        wanted=wanted,
        deals=deals,
        interval=interval,
    )


deal_group_id = dca.deal_group_id  # the same for deals of every kind


def deal_group(
    deal: AnyDeal, *, generation: int, armed_from_ms: int, close_at_ms: int | None = None
) -> GroupCommand:
    """Arm what the deal waits for, and its close at an instant; one with nothing to wait for: remove its group."""
    if isinstance(deal, grid.Deal):
        return grid.deal_group(
            deal, generation=generation, armed_from_ms=armed_from_ms, close_at_ms=close_at_ms
        )
    return dca.deal_group(deal, generation=generation, armed_from_ms=armed_from_ms, close_at_ms=close_at_ms)


def deal_members(deal: AnyDeal, close_at_ms: int | None = None) -> list[Member]:
    """Everything that the deal waits for."""
    if isinstance(deal, grid.Deal):
        return grid.deal_members(deal, close_at_ms)
    return dca.deal_members(deal, close_at_ms)


def walked(deal: AnyDeal) -> tuple[BotSide, Intrabar]:
    """Which way a bar is walked for it."""
    if isinstance(deal, grid.Deal):
        return deal.terms.walk_side, deal.terms.walk_intrabar
    return deal.side, deal.terms.intrabar


def open_deal(config: BotConfig, symbol: str, instrument: Instrument, trigger: Trigger) -> AnySettlement:
    """The deal that an entry opens on paper. Raises EntryRefused where it cannot be opened at this price."""
    if config.kind == "grid":
        return grid.open_deal(config, symbol, instrument, trigger)
    return dca.open_deal(config, symbol, instrument, trigger)


def add_base(deal: AnyDeal, trigger: Trigger) -> AnySettlement:
    """A deal that entries add to with one more base order. Raises EntryRefused where it cannot be made."""
    if isinstance(deal, grid.Deal):
        raise EntryRefused("accumulate", "nothing is added to a grid")
    return dca.add_base(deal, trigger)


def settle(deal: AnyDeal, trigger: Trigger) -> AnySettlement:
    """The deal after the bar of `trigger`, on paper. Raises DealError for a trigger that contradicts the deal."""
    return grid.settle(deal, trigger) if isinstance(deal, grid.Deal) else dca.settle(deal, trigger)


def deletion(config: BotConfig, at_ms: int) -> Ending | None:
    """What the deletion `config` does to a deal of its bot at `at_ms`; None: the deal's exits stay armed (keep)."""
    keep = config.on_delete == "keep"
    if keep and config.kind != "grid":
        return None
    return Ending(at_ms, keep)


def ending(deal: AnyDeal, end: Ending) -> AnyDeal:
    """The deal told what its end does with the position."""
    return replace(deal, keep=end.keep) if isinstance(deal, grid.Deal) else deal


def was_deleted(deal: AnyDeal) -> bool:
    """Did a grid end because its bot was deleted? A bot that is applied again afterwards is a new one."""
    return isinstance(deal, grid.Deal) and deal.reason == "close"


def starts_once(config: BotConfig) -> bool:
    """Does the config open one deal and no more? A grid without an entry condition does."""
    return grid.starts_once(config)


def open_deal_view(deal: AnyDeal) -> OpenDeal:
    """The snapshot of an open deal."""
    return grid.open_deal_view(deal) if isinstance(deal, grid.Deal) else dca.open_deal_view(deal)


def average_price(deal: AnyDeal) -> Decimal | None:
    """Average entry price, for people; None without one."""
    return grid.average_price(deal) if isinstance(deal, grid.Deal) else dca.average_price(deal)


def invested(deal: AnyDeal) -> Decimal:
    """Quote that the deal's entries (a grid's position) cost; of a short: brought."""
    if isinstance(deal, grid.Deal):
        return grid.invested(deal)
    return deal.terms.instrument.quote(deal.ledger.entry_quote)


def quantity(deal: AnyDeal) -> Decimal:
    """What is held, in base; for a short what is owed, for a neutral grid negative where it owes."""
    if isinstance(deal, dca.Deal):
        return dca.held(deal)
    position = deal.ledger.position
    return deal.terms.instrument.quantity(-position if deal.side == "short" else position)


class Traded(NamedTuple):
    """Sums of a deal's fills in lots and tick×lots: `entry` is the side that its kind opens with."""

    entry_lots: int
    entry_quote: int
    exit_lots: int
    exit_quote: int


def traded(deal: AnyDeal) -> Traded:
    """What was traded so far; a neutral grid's entries are its buys."""
    ledger = deal.ledger
    if isinstance(ledger, dca.Ledger):
        return Traded(ledger.entry_lots, ledger.entry_quote, ledger.exit_lots, ledger.exit_quote)
    if deal.side == "short":
        return Traded(ledger.sell_lots, ledger.sell_quote, ledger.buy_lots, ledger.buy_quote)
    return Traded(ledger.buy_lots, ledger.buy_quote, ledger.sell_lots, ledger.sell_quote)


def booked_off(deal: AnyDeal, dust: dca.Dust) -> Decimal:
    """What the account of base gains by a rest that was booked off: a grid's is signed, a ladder's is what it held."""
    owed = isinstance(deal, dca.Deal) and not deal.terms.long
    return dust.quantity if owed else dust.quantity.copy_negate()


def safety_orders_filled(deal: AnyDeal) -> int:
    return deal.safety_orders_filled if isinstance(deal, dca.Deal) else 0


def to_json(deal: AnyDeal) -> str:
    """All of the deal; `from_json` reads it back."""
    return msgspec.json.encode(deal).decode()


def from_json(body: str) -> AnyDeal:
    """Raises msgspec.ValidationError for what `to_json` did not write."""
    return _grid.decode(body) if _kind.decode(body).kind == "grid" else _dca.decode(body)
