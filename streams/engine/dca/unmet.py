"""Members that fired and for which nothing was done: each gets its reason (law 14)."""

from collections.abc import Sequence

from schemas.triggers import Bar, FiredMember
from streams.engine.dca.closing import RULE, is_rule
from streams.engine.dca.deal import Deal
from streams.engine.dca.events import DealEvent, Dust, Merged, OrderFilled, Skipped
from streams.engine.dca.orders import CLOSE, STOP, is_safety


def unmet(
    before: Deal, after: Deal, bar: Bar, fired: Sequence[FiredMember], events: Sequence[DealEvent]
) -> tuple[Skipped, ...]:
    """One event for each fired member whose level was not filled, in the order in which they fired."""
    filled = {event.level for event in events if isinstance(event, OrderFilled | Merged | Skipped)}
    names = [_name(before, member) for member in fired if member.action.action_type != "stop_timer"]
    if CLOSE in filled and after.reason == "condition":
        filled.add(RULE)
    return tuple(
        Skipped(name, _why(before, after, bar, name, events)) for name in names if name not in filled
    )


def _name(deal: Deal, member: FiredMember) -> str:
    action = member.action
    match action.action_type:
        case "execute_dca":
            return f"dca_{action.dca_index}"
        case "take_profit":
            return f"tp_{action.tp_index or 1}"
        case "stop_loss":
            return STOP
        case "close" | "timeout":
            return RULE if is_rule(deal, member) else CLOSE
        case other:
            return other


def _why(before: Deal, after: Deal, bar: Bar, name: str, events: Sequence[DealEvent]) -> str:
    exits = any(isinstance(e, OrderFilled) and e.side == after.exit_side for e in events)
    if before.closed:
        return "the deal was already closed"
    if any(isinstance(event, Dust) for event in events) and not exits:
        return "what is left is below the minimum notional"
    if after.closed:
        return f"the deal was closed before, by {after.reason}"
    if bar.stale_price and name != CLOSE:
        return "no trade in this bar: levels wait"
    if name == RULE:
        return f"closing would bring less than {after.terms.min_profit} % of what was invested"
    averaged = any(isinstance(e, OrderFilled) and is_safety(e.level) for e in events)
    if name.startswith("tp_") and averaged and not after.terms.same_bar_exit:
        return "no take profit in a bar that filled a safety order (same_bar_exit: false)"
    if is_safety(name) and averaged and after.terms.gap_through == "one_per_bar":
        return "one safety order a bar (gap_through: one_per_bar)"
    return "the bar's path did not meet it"
