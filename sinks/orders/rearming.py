"""Arming a live deal after a report: no trigger asked for it, and a fire may be on its way.

The new generation sees the bar in which the fill happened: what the price did before within that bar is seconds or
harmless (a target is never sold below its price), and without it the deal would be a bar without its stop. It sees no
bar that the deal answered already. A deal with trails is armed from where it was armed, for their states are of that
bar. A fire of the older generation that was on its way is not applied; its bar is armed again, and what it met is met
again if the deal still has it.
"""

from msgspec.structs import replace

from schemas.triggers import Trigger
from sinks.executor.arming import arm_deal, refresh_entry
from sinks.executor.draft import Draft
from sinks.executor.state import HeldDeal
from streams.engine import dca, kinds
from streams.engine.dca.levels import trails


def rearm_deal(draft: Draft, held: HeldDeal, at_ms: int, base_ms: int) -> None:
    """Arm what the deal waits for now, if that is not what is armed."""
    deal, symbol = held.deal, held.deal.symbol
    group = draft.bot.groups.get(kinds.deal_group_id(deal))
    bar_ms = at_ms // base_ms * base_ms
    if deal.terms.shared:
        _see_from(draft, symbol, draft.bot.pairs[symbol].free_from_ms, bar_ms)
        refresh_entry(draft, symbol, answering=False)
        return
    followed = _follows(held)
    if group is None:
        arm_deal(draft, held, bar_ms)
        return
    command = group.command
    wanted = kinds.deal_group(
        deal,
        generation=command.generation,
        armed_from_ms=command.armed_from_ms,
        close_at_ms=held.close_at_ms,
    )
    if wanted.op != command.op or (wanted.op == "arm" and wanted != command):
        arm_deal(draft, held, command.armed_from_ms if followed else max(bar_ms, command.armed_from_ms))


def rearm_after_close(draft: Draft, symbol: str, seen_ms: int, at_ms: int, base_ms: int) -> None:
    """Arm the pair's entry after a report closed a deal. Deals that share the group go on: they had seen the bars
    before `seen_ms`, and the bar in which the report came is theirs too.
    """
    if draft.sharing(symbol):
        _see_from(draft, symbol, seen_ms, at_ms // base_ms * base_ms)
    refresh_entry(draft, symbol, answering=True)


def _see_from(draft: Draft, symbol: str, seen_ms: int, bar_ms: int) -> None:
    """Let the pair's group see the bar of a report; where a deal in it has trails, all bars since it was armed."""
    followed = any(_follows(held) for held in draft.sharing(symbol))
    from_ms = seen_ms if followed else max(seen_ms, bar_ms)
    draft.put_pair(replace(draft.bot.pairs[symbol], free_from_ms=from_ms))


def _follows(held: HeldDeal) -> bool:
    return isinstance(held.deal, dca.Deal) and any(trails(held.deal))


def bring_back(draft: Draft, trigger: Trigger) -> bool:
    """Arm the bar of a trigger that a report overtook again. False: nothing overtook it, or nobody waits for it."""
    group, symbol, opened_ms = (
        draft.bot.groups.get(trigger.group_id),
        trigger.symbol,
        trigger.bar.open_time_ms,
    )
    if group is None or not group.armed or opened_ms >= group.command.armed_from_ms:
        return False
    if trigger.group_id == dca.entry_group_id(draft.bot.bot_id, symbol):
        if not draft.sharing(symbol):
            return False
        draft.put_pair(replace(draft.bot.pairs[symbol], free_from_ms=opened_ms))
        refresh_entry(draft, symbol, answering=True)
        return True
    held = next(
        (h for h in draft.bot.deals.values() if kinds.deal_group_id(h.deal) == trigger.group_id), None
    )
    if held is None or not held.open:
        return False
    arm_deal(draft, held, opened_ms)
    return True
