"""Arming a live deal after a report: no trigger asked for it, and a fire may be on its way.

The new generation sees the bar in which the fill happened: what the price did before within that bar is seconds or
harmless (a target is never sold below its price), and without it the deal would be a bar without its stop. It sees no
bar that the deal answered already. A fire of the older generation that was on its way is not applied; its bar is armed
again, and what it met is met again if the deal still has it.
"""

from schemas.alerts import GroupCommand
from schemas.triggers import Trigger
from sinks.executor.arming import arm_deal
from sinks.executor.draft import Draft
from sinks.executor.state import HeldDeal
from streams.engine import dca


def rearm_deal(draft: Draft, held: HeldDeal, at_ms: int, base_ms: int) -> None:
    """Arm what the deal waits for now, if that is not what is armed."""
    group = draft.bot.groups.get(dca.deal_group_id(held.deal))
    from_ms = at_ms // base_ms * base_ms
    if group is not None:
        from_ms = max(from_ms, group.command.armed_from_ms)
        wanted = dca.deal_group(
            held.deal,
            generation=group.command.generation,
            armed_from_ms=group.command.armed_from_ms,
            close_at_ms=held.close_at_ms,
        )
        if _same(wanted, group.command):
            return
    arm_deal(draft, held, from_ms)


def bring_back(draft: Draft, trigger: Trigger) -> bool:
    """Arm the bar of a trigger that a report overtook again. False: nothing overtook it, or nobody waits for it."""
    group = draft.bot.groups.get(trigger.group_id)
    held = next((h for h in draft.bot.deals.values() if dca.deal_group_id(h.deal) == trigger.group_id), None)
    if group is None or held is None or not held.open or not group.armed:
        return False
    if trigger.bar.open_time_ms >= group.command.armed_from_ms:
        return False
    arm_deal(draft, held, trigger.bar.open_time_ms)
    return True


def _same(wanted: GroupCommand, armed: GroupCommand) -> bool:
    return wanted.op == armed.op and (wanted.op == "remove" or wanted == armed)
