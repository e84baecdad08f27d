"""Settling a bar: what it did to a deal is booked, then what is left is armed, or the deal is closed and the next entry
waited for.
"""

from collections.abc import Sequence

from msgspec.structs import replace

from schemas.triggers import Trigger
from sinks.capital.accounting import account, settled
from sinks.executor.arming import arm_deal, members_of, refresh_entry
from sinks.executor.book import book, told_under
from sinks.executor.decision import Outcome, Rules
from sinks.executor.draft import Draft
from sinks.executor.snapshot import snapshot
from sinks.executor.state import HeldDeal
from sinks.executor.timeline import governing
from sinks.orders.cause import Cause
from sinks.orders.sending import send
from streams.engine import kinds
from streams.engine.dca import DealError
from streams.engine.dca.money import EXACT, OffGrid, OffScale, text


def settle_deal(draft: Draft, held: HeldDeal, trigger: Trigger, rules: Rules) -> tuple[Outcome, str]:
    """Book what the bar did to a deal with a group of its own, and answer the group."""
    after, why = _settled(draft, held, trigger, rules)
    if after is None:
        arm_deal(draft, held, trigger.bar.close_time_ms)
        return "refused", why
    if after.deal.closed:
        close_deal(draft, after, trigger.bar.close_time_ms)
        refresh_entry(draft, trigger.symbol, answering=True)
    else:
        arm_deal(draft, after, trigger.bar.close_time_ms)
    snapshot(draft)
    return "applied", why


def settle_sharing(
    draft: Draft, sharing: Sequence[HeldDeal], trigger: Trigger, rules: Rules
) -> tuple[Outcome, str]:
    """Book what the bar did to the deals of a pair that share its entry group, each with its own members.

    One of which nothing fired only takes its trails along the bar.
    """
    outcome: Outcome = "applied"
    reasons: list[str] = []
    for held in sharing:
        ids = {member.alert_id for member in members_of(held)}
        fired = [one for one in trigger.fired if one.alert_id in ids]
        if not fired and not trigger.trails.keys() & ids:
            continue
        after, why = _settled(draft, held, replace(trigger, fired=fired), rules)
        if after is None:
            outcome = "refused"
        elif after.deal.closed:
            close_deal(draft, after, trigger.bar.close_time_ms)
        reasons.append(why)
    return outcome, "; ".join(reasons)


def close_deal(draft: Draft, held: HeldDeal, closed_ms: int) -> None:
    """Count a closed deal, take its own group away, and leave the pair to its next entry or its cooldown.

    The cooldown is that of the config that governed the bar: one that begins with the next may not have been read yet.
    """
    deal = held.deal
    draft.put_deal(replace(held, closed_at_ms=closed_ms, close_reason=deal.reason))
    profit = EXACT.add(EXACT.create_decimal(draft.bot.realized_profit), deal.profit)
    draft.bot = replace(draft.bot, closed_deals=draft.bot.closed_deals + 1, realized_profit=text(profit))
    group = draft.bot.groups.get(kinds.deal_group_id(held.deal))
    if group is not None and group.armed:
        draft.remove(kinds.deal_group_id(held.deal), deal.symbol)
    accepted = governing(draft.bot.configs, closed_ms - 1) or draft.bot.newest
    cooldown_ms = accepted.config.cooldown_s * 1_000
    draft.put_pair(
        replace(
            draft.bot.pairs[deal.symbol],
            free_from_ms=closed_ms,
            cooldown_until_ms=closed_ms + cooldown_ms if cooldown_ms else None,
            seen_signal=None if kinds.was_deleted(deal) else draft.bot.pairs[deal.symbol].seen_signal,
        )
    )


def _settled(draft: Draft, held: HeldDeal, trigger: Trigger, rules: Rules) -> tuple[HeldDeal | None, str]:
    """The deal after the bar, booked; None where the bar contradicts it: then nothing is booked."""
    try:
        settlement = settled(draft, held, trigger, rules)
    except (DealError, OffGrid, OffScale) as error:
        _tell_refused(draft, held, trigger, str(error))
        return None, str(error)
    after = replace(
        held,
        deal=settlement.deal,
        fills=book(draft, settlement, trigger, held.fills),
        ambiguous_bars=held.ambiguous_bars + settlement.ambiguous,
    )
    held = account(draft, held, after)
    draft.put_deal(held)
    send(draft, settlement, Cause(trigger.trigger_id, trigger.group_id, trigger.generation))
    closed = settlement.deal.closed
    return held, f"the deal was closed by {settlement.deal.reason}" if closed else "the deal goes on"


def _tell_refused(draft: Draft, held: HeldDeal, trigger: Trigger, why: str) -> None:
    draft.tell(
        f"{told_under(trigger.trigger_id, held.deal)}:refused",
        "ignored",
        symbol=trigger.symbol,
        group_id=trigger.group_id,
        deal_id=held.deal.deal_id,
        reason=why,
        detail={"trigger_id": trigger.trigger_id},
    )
