"""Answering an entry group: open a deal, refuse it, end a cooldown, or hand over to the next config."""

from msgspec.structs import replace

from schemas.triggers import Trigger
from sinks.executor.arming import arm_deal, refresh_entry
from sinks.executor.book import book, tell_opened
from sinks.executor.deals import finish_deal
from sinks.executor.decision import Outcome, Rules
from sinks.executor.draft import Draft
from sinks.executor.snapshot import snapshot
from sinks.executor.state import Accepted, Group, HeldDeal
from sinks.executor.timeline import close_instant, governing
from sinks.orders.cause import Cause
from sinks.orders.sending import send
from streams.engine.dca import EntryRefused, Settlement

Answer = tuple[Outcome, str]


def answer_entry(draft: Draft, trigger: Trigger, group: Group, rules: Rules) -> Answer:
    """Act on what fired. Where the entry fires on the bar that ends its config, it counts: that bar opened
    before.
    """
    actions = {fired.action.action_type for fired in trigger.fired}
    opened_ms = trigger.bar.open_time_ms
    accepted = governing(draft.bot.configs, opened_ms)
    if "execute_entry" in actions and (group.end_at_ms is None or opened_ms < group.end_at_ms):
        if accepted is not None and accepted.enters(trigger.symbol):
            return _enter(draft, trigger, accepted, rules)
        return _refuse(draft, trigger, "state", "the bot took no entries when this bar opened")
    pair = draft.bot.pairs[trigger.symbol]
    if "cooldown" in actions:
        draft.put_pair(replace(pair, free_from_ms=trigger.bar.close_time_ms, cooldown_until_ms=None))
        reason = "the cooldown is over"
    else:
        # Not from the bar's close: after a gap the next config must see every bar that opened since its
        # start.
        draft.put_pair(replace(pair, free_from_ms=group.end_at_ms or trigger.bar.close_time_ms))
        reason = "the next config took over"
    refresh_entry(draft, trigger.symbol, answering=True)
    return "applied", reason


def _enter(draft: Draft, trigger: Trigger, accepted: Accepted, rules: Rules) -> Answer:
    config, symbol = accepted.config, trigger.symbol
    active = sum(1 for held in draft.bot.deals.values() if held.open)
    if active >= config.max_active_deals:
        reason = f"{active} of at most {config.max_active_deals} deals are open"
        return _refuse(draft, trigger, "max_active_deals", reason)
    try:
        settlement = rules.venue.open(config, symbol, rules.instrument(symbol), trigger)
    except EntryRefused as refused:
        return _refuse(draft, trigger, refused.field, refused.reason)
    _saw_signal(draft, trigger)
    close_at_ms = close_instant(draft.bot.configs, trigger.bar.open_time_ms, rules.base_ms)
    _open(draft, trigger, HeldDeal(settlement.deal, accepted.seq, close_at_ms=close_at_ms), settlement)
    return "applied", "a deal was opened"


def _open(draft: Draft, trigger: Trigger, held: HeldDeal, settlement: Settlement) -> None:
    tell_opened(draft, held, trigger)
    held = replace(held, fills=book(draft, settlement, trigger, 0))
    draft.put_deal(held)
    send(draft, settlement, Cause(trigger.trigger_id, trigger.group_id, trigger.generation))
    if settlement.deal.closed:
        finish_deal(draft, held, trigger.bar.close_time_ms)
    else:
        refresh_entry(draft, trigger.symbol, answering=True)
        arm_deal(draft, held, trigger.bar.close_time_ms)
    snapshot(draft)


def _refuse(draft: Draft, trigger: Trigger, field: str, reason: str) -> Answer:
    """Say why, and wait: the signal has to go false before it can bring an entry."""
    draft.tell(
        f"{trigger.trigger_id}:entry_refused",
        "entry_refused",
        symbol=trigger.symbol,
        group_id=trigger.group_id,
        reason=reason,
        detail={"field": field, "trigger_id": trigger.trigger_id},
    )
    _saw_signal(draft, trigger)
    pair = draft.bot.pairs[trigger.symbol]
    draft.put_pair(replace(pair, free_from_ms=trigger.bar.close_time_ms))
    refresh_entry(draft, trigger.symbol, answering=True)
    return "refused", reason


def _saw_signal(draft: Draft, trigger: Trigger) -> None:
    accepted = governing(draft.bot.configs, trigger.bar.open_time_ms)
    if accepted is not None:
        pair = draft.bot.pairs[trigger.symbol]
        draft.put_pair(replace(pair, seen_signal=accepted.signal))
