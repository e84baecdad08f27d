"""How many deals a bot may have open, and how many it opens before it is done."""

from schemas.bots import BotConfig
from schemas.triggers import Trigger
from sinks.executor.draft import Draft
from sinks.executor.state import Accepted
from streams.engine import dca


def limit_reached(draft: Draft, symbol: str, config: BotConfig) -> tuple[str, str] | None:
    """(field, reason) where one more deal on `symbol` would be too many. Deals that entries add to do not count among
    the bot's.
    """
    held = [held for held in draft.bot.deals.values() if held.open]
    active = sum(1 for one in held if not one.deal.terms.accumulate)
    here = sum(1 for one in held if one.deal.symbol == symbol)
    opened, most = draft.bot.closed_deals + len(held), config.disable_after_deals
    if most is not None and opened >= most:
        return "disable_after_deals", f"the bot has opened {opened} deals, after which it opens no more"
    if active >= config.max_active_deals and not dca.accumulates(config, draft.interval):
        return "max_active_deals", f"{active} of at most {config.max_active_deals} deals are open"
    if here >= config.max_active_deals_per_pair:
        return (
            "max_active_deals_per_pair",
            f"{here} of at most {config.max_active_deals_per_pair} deals of {symbol} are open",
        )
    return None


def tell_if_disabled(draft: Draft, accepted: Accepted, trigger: Trigger) -> None:
    """Report that the deal just opened was the last one."""
    most = accepted.config.disable_after_deals
    opened = draft.bot.closed_deals + sum(1 for held in draft.bot.deals.values() if held.open)
    if most is None or opened < most:
        return
    draft.tell(
        f"{trigger.trigger_id}:disabled",
        "disabled",
        symbol=trigger.symbol,
        reason=f"deal {opened} of {most} was opened: no further entries (disable_after_deals)",
        detail={"opened": opened},
    )
