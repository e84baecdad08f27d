"""Answering a deal's group: settle the bar, then arm what is left, or close the deal and wait for the next
entry.
"""

from msgspec.structs import replace

from schemas.triggers import Trigger
from sinks.executor.arming import arm_deal, refresh_entry
from sinks.executor.book import book
from sinks.executor.decision import Outcome, Rules
from sinks.executor.draft import Draft
from sinks.executor.snapshot import snapshot
from sinks.executor.state import HeldDeal
from sinks.executor.timeline import governing
from sinks.orders.cause import Cause
from sinks.orders.sending import send
from streams.engine import dca
from streams.engine.dca import DealError
from streams.engine.dca.money import EXACT, OffGrid, OffScale, text


def settle_deal(draft: Draft, held: HeldDeal, trigger: Trigger, rules: Rules) -> tuple[Outcome, str]:
    """Book what the bar did to the deal."""
    try:
        settlement = rules.venue.settle(held.deal, trigger)
    except (DealError, OffGrid, OffScale) as error:
        return _cannot_settle(draft, held, trigger, str(error))
    held = replace(
        held,
        deal=settlement.deal,
        fills=book(draft, settlement, trigger, held.fills),
        ambiguous_bars=held.ambiguous_bars + settlement.ambiguous,
    )
    draft.put_deal(held)
    send(draft, settlement, Cause(trigger.trigger_id, trigger.group_id, trigger.generation))
    if settlement.deal.closed:
        finish_deal(draft, held, trigger.bar.close_time_ms)
        verdict = f"the deal was closed by {settlement.deal.reason}"
    else:
        arm_deal(draft, held, trigger.bar.close_time_ms)
        verdict = "the deal goes on"
    snapshot(draft)
    return "applied", verdict


def finish_deal(draft: Draft, held: HeldDeal, closed_ms: int) -> None:
    """Count a closed deal, take its group away, and arm the pair's next entry or its cooldown.

    The cooldown is that of the config that governs from here on, as everything about the next entry.
    """
    deal = held.deal
    draft.put_deal(replace(held, closed_at_ms=closed_ms, close_reason=deal.reason))
    profit = EXACT.add(EXACT.create_decimal(draft.bot.realized_profit), deal.profit)
    draft.bot = replace(draft.bot, closed_deals=draft.bot.closed_deals + 1, realized_profit=text(profit))
    group = draft.bot.groups.get(dca.deal_group_id(held.deal))
    if group is not None and group.armed:
        draft.remove(dca.deal_group_id(held.deal), deal.symbol)
    accepted = governing(draft.bot.configs, closed_ms) or draft.bot.newest
    cooldown_ms = accepted.config.cooldown_s * 1_000
    draft.put_pair(
        replace(
            draft.bot.pairs[deal.symbol],
            free_from_ms=closed_ms,
            cooldown_until_ms=closed_ms + cooldown_ms if cooldown_ms else None,
        )
    )
    refresh_entry(draft, deal.symbol, answering=True)


def _cannot_settle(draft: Draft, held: HeldDeal, trigger: Trigger, why: str) -> tuple[Outcome, str]:
    """The bar contradicts the deal: nothing is booked, but the group must not stay held for ever."""
    draft.tell(
        f"{trigger.trigger_id}:refused",
        "ignored",
        symbol=trigger.symbol,
        group_id=trigger.group_id,
        deal_id=held.deal.deal_id,
        reason=why,
        detail={"trigger_id": trigger.trigger_id},
    )
    arm_deal(draft, held, trigger.bar.close_time_ms)
    return "refused", why
