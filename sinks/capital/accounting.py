"""A bot's deals against its user's purse, while one record is decided."""

from decimal import Decimal

from msgspec.structs import replace

from schemas.bots import BotConfig
from schemas.triggers import Trigger
from sinks.capital.assets import quote_asset
from sinks.capital.deciding import cannot_open, first_unpaid, may_be_skipped, set_aside
from sinks.capital.holding import handed_over, spent
from sinks.capital.purse import Purse
from sinks.executor.decision import Rules
from sinks.executor.draft import Draft
from sinks.executor.state import HeldDeal
from streams.engine.dca import Deal, EntryRefused, Settlement, Skipped
from streams.engine.dca.booking import order_at, with_order
from streams.engine.dca.hanging import hung
from streams.engine.dca.money import EXACT, text
from streams.engine.kinds import AnyDeal, AnySettlement


def check_opening(draft: Draft, deal: AnyDeal, config: BotConfig) -> None:
    """Raises EntryRefused where the user cannot pay for the new deal."""
    purse = _purse(draft, deal)
    if purse is None:
        if draft.bot.purses and quote_asset(deal.symbol) is None:
            raise EntryRefused(
                "pairs", f"what {deal.symbol} is paid in is not known, and the user has balances"
            )
        return
    if (unpaid := cannot_open(purse, deal, config.reserve)) is not None:
        raise EntryRefused("reserve", f"the deal {unpaid.reason} (reserve: {config.reserve})")


def check_adding(draft: Draft, held: HeldDeal, settlement: AnySettlement) -> None:
    """Raises EntryRefused where the user cannot pay for one more base order."""
    purse = _purse(draft, held.deal)
    if purse is not None:
        unpaid = first_unpaid(purse, held.deal, Decimal(held.reserved), settlement)
        if unpaid is not None:
            raise EntryRefused("base_order_volume", f"the order {unpaid.reason}")


def settled(draft: Draft, held: HeldDeal, trigger: Trigger, rules: Rules) -> AnySettlement:
    """What the bar does to the deal, without the safety orders that cannot be paid: each is passed over for good, and
    the ladder goes on. Raises what the venue raises.
    """
    deal, passed = held.deal, []
    settlement = rules.venue.settle(deal, trigger)
    purse = _purse(draft, deal)
    while purse is not None and isinstance(settlement, Settlement):
        unpaid = first_unpaid(purse, deal, Decimal(held.reserved), settlement)
        if unpaid is None or not may_be_skipped(unpaid):
            break
        passed.append(Skipped(unpaid.level, f"it cannot be paid: it {unpaid.reason}"))
        deal = _without(deal, unpaid.level)
        settlement = rules.venue.settle(deal, trigger)
    if not passed or not isinstance(settlement, Settlement):
        return settlement
    levels = {skipped.level for skipped in passed}
    events = [e for e in settlement.events if not (isinstance(e, Skipped) and e.level in levels)]
    return replace(settlement, events=(*passed, *events))


def account(draft: Draft, before: HeldDeal | None, after: HeldDeal) -> HeldDeal:
    """`after` with what it sets aside; the purse knows what is held now, and what a closed deal earned."""
    purse = _purse(draft, after.deal)
    if purse is None:
        return after
    reserved = Decimal(0) if before is None else Decimal(before.reserved)
    was = EXACT.add(reserved, Decimal(0) if before is None else spent(before.deal))
    aside = set_aside(purse, None if before is None else before.deal, reserved, after.deal, after.reserve)
    now = EXACT.add(aside, spent(after.deal))
    if after.deal.closed:
        now, purse = Decimal(0), purse.earned(EXACT.subtract(after.deal.profit, handed_over(after.deal)))
    _put(draft, purse.holding(EXACT.subtract(now, was)))
    return replace(after, reserved=text(aside))


def _purse(draft: Draft, deal: AnyDeal) -> Purse | None:
    asset = quote_asset(deal.symbol)
    return None if asset is None else draft.bot.purses.get(asset)


def _put(draft: Draft, purse: Purse) -> None:
    draft.bot = replace(draft.bot, purses={**draft.bot.purses, purse.asset: purse})


def _without(deal: AnyDeal, level: str) -> AnyDeal:
    if not isinstance(deal, Deal):
        return deal
    order = order_at(deal, level)
    return deal if order is None else hung(with_order(deal, replace(order, state="skipped")))
