"""Answering an entry group: settle the deals in it, open a deal, delay or refuse it, add to the one there is, end a
cooldown, or hand over to the next config.
"""

from msgspec.structs import replace

from schemas.alerts import ActionType
from schemas.triggers import Trigger
from sinks.capital.accounting import account, check_adding, check_opening
from sinks.executor.arming import arm_deal, members_of, refresh_entry
from sinks.executor.book import book, tell_opened
from sinks.executor.deals import close_deal, settle_sharing
from sinks.executor.decision import Outcome, Rules
from sinks.executor.draft import Draft
from sinks.executor.limits import limit_reached, tell_if_disabled
from sinks.executor.snapshot import snapshot
from sinks.executor.state import Accepted, Group, HeldDeal
from sinks.executor.timeline import ending_of, governing
from sinks.orders.cause import Cause
from sinks.orders.sending import send
from streams.engine import dca, kinds
from streams.engine.dca import EntryRefused
from streams.engine.kinds import AnySettlement

Answer = tuple[Outcome, str]


def answer_entry(draft: Draft, trigger: Trigger, group: Group, rules: Rules) -> Answer:
    """Act on what fired: first what the bar did to the pair's deals, then the entry, which is of its close."""
    known, sharing, closed_ms = set(draft.bot.deals), draft.sharing(trigger.symbol), trigger.bar.close_time_ms
    of_deals = {member.alert_id for held in sharing for member in members_of(held)}
    outcome, reason = settle_sharing(draft, sharing, trigger, rules)
    own = {fired.action.action_type for fired in trigger.fired if fired.alert_id not in of_deals}
    if own:
        outcome, reason = _answer(draft, trigger, group, own, rules)
    if sharing:  # they have seen the bar
        _free_from(draft, trigger.symbol, closed_ms)
    refresh_entry(draft, trigger.symbol, answering=True)
    opened = [held for deal_id, held in draft.bot.deals.items() if deal_id not in known]
    for held in opened:
        if held.open and not held.deal.terms.shared:
            arm_deal(draft, held, closed_ms)
    if opened or sharing:
        snapshot(draft)
    return outcome, reason


def _answer(draft: Draft, trigger: Trigger, group: Group, actions: set[ActionType], rules: Rules) -> Answer:
    """The answer to the entry's own members. Where the entry fires on the bar that ends its config, it counts: that bar
    opened before.
    """
    opened_ms, symbol = trigger.bar.open_time_ms, trigger.symbol
    accepted = governing(draft.bot.configs, opened_ms)
    if "execute_entry" in actions and (group.end_at_ms is None or opened_ms < group.end_at_ms):
        if accepted is not None and accepted.enters(symbol):
            return _enter(draft, trigger, accepted, rules)
        return _refuse(draft, trigger, "state", "the bot took no entries when this bar opened")
    if "cooldown" in actions:
        _free_from(draft, symbol, trigger.bar.close_time_ms)
        draft.put_pair(replace(draft.bot.pairs[symbol], cooldown_until_ms=None))
        return "applied", "the cooldown is over"
    # Not from the bar's close: after a gap the next config must see every bar that opened since its start.
    _free_from(draft, symbol, group.end_at_ms or trigger.bar.close_time_ms)
    return "applied", "the next config took over"


def _enter(draft: Draft, trigger: Trigger, accepted: Accepted, rules: Rules) -> Answer:
    config, symbol = accepted.config, trigger.symbol
    pair = draft.bot.pairs[symbol]
    if config.start_delay_s and pair.start_at_ms is None:
        return _delay(draft, trigger, accepted)
    draft.put_pair(replace(pair, start_at_ms=None))
    adds_to = next((held for held in draft.sharing(symbol) if held.deal.terms.accumulate), None)
    if adds_to is not None and dca.accumulates(config, draft.interval):
        return _add(draft, trigger, adds_to, rules)
    if (reached := limit_reached(draft, symbol, config)) is not None:
        return _refuse(draft, trigger, *reached)
    config = dca.reinvested(config, draft.bot.realized_profit)
    try:
        settlement = rules.venue.open(config, symbol, rules.instrument(symbol), trigger)
        check_opening(draft, settlement.deal, config)
    except EntryRefused as refused:
        return _refuse(draft, trigger, refused.field, refused.reason)
    _saw_signal(draft, trigger)
    held = HeldDeal(settlement.deal, accepted.seq, reserve=config.reserve)
    if end := ending_of(draft.bot.configs, trigger.bar.open_time_ms, rules.base_ms):
        held = replace(held, deal=kinds.ending(held.deal, end), close_at_ms=end.at_ms)
    _open(draft, trigger, held, settlement)
    tell_if_disabled(draft, accepted, trigger)
    return "applied", "a deal was opened"


def _open(draft: Draft, trigger: Trigger, held: HeldDeal, settlement: AnySettlement) -> None:
    tell_opened(draft, held, trigger)
    held = account(draft, None, replace(held, fills=book(draft, settlement, trigger, 0)))
    draft.put_deal(held)
    send(draft, settlement, Cause(trigger.trigger_id, trigger.group_id, trigger.generation))
    _free_from(draft, trigger.symbol, trigger.bar.close_time_ms)
    if settlement.deal.closed:
        close_deal(draft, held, trigger.bar.close_time_ms)


def _add(draft: Draft, trigger: Trigger, held: HeldDeal, rules: Rules) -> Answer:
    """One more base order for the deal that entries add to."""
    try:
        settlement = rules.venue.add(held.deal, trigger)
        check_adding(draft, held, settlement)
    except EntryRefused as refused:
        return _refuse(draft, trigger, refused.field, refused.reason)
    _saw_signal(draft, trigger)
    fills = book(draft, settlement, trigger, held.fills)
    draft.put_deal(account(draft, held, replace(held, deal=settlement.deal, fills=fills)))
    send(draft, settlement, Cause(trigger.trigger_id, trigger.group_id, trigger.generation))
    _free_from(draft, trigger.symbol, trigger.bar.close_time_ms)
    return "applied", "a base order was added"


def _delay(draft: Draft, trigger: Trigger, accepted: Accepted) -> Answer:
    """Wait before the deal is opened; it is, whether or not the condition is still true then."""
    start_ms = trigger.bar.close_time_ms + accepted.config.start_delay_s * 1_000
    _saw_signal(draft, trigger)
    _free_from(draft, trigger.symbol, trigger.bar.close_time_ms)
    draft.put_pair(replace(draft.bot.pairs[trigger.symbol], start_at_ms=start_ms))
    draft.tell(
        f"{trigger.trigger_id}:entry_delayed",
        "entry_delayed",
        symbol=trigger.symbol,
        group_id=trigger.group_id,
        reason=f"the deal is opened after {accepted.config.start_delay_s} s (start_delay_s)",
        detail={"start_at_ms": start_ms, "trigger_id": trigger.trigger_id},
    )
    return "applied", "the deal is opened after its delay"


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
    _free_from(draft, trigger.symbol, trigger.bar.close_time_ms)
    draft.put_pair(replace(draft.bot.pairs[trigger.symbol], start_at_ms=None))
    return "refused", reason


def _free_from(draft: Draft, symbol: str, from_ms: int) -> None:
    draft.put_pair(replace(draft.bot.pairs[symbol], free_from_ms=from_ms))


def _saw_signal(draft: Draft, trigger: Trigger) -> None:
    accepted = governing(draft.bot.configs, trigger.bar.open_time_ms)
    if accepted is not None:
        pair = draft.bot.pairs[trigger.symbol]
        draft.put_pair(replace(pair, seen_signal=accepted.signal))
