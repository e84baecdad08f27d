"""Members that fired and for which nothing was done: each gets its reason (law 14)."""

from collections.abc import Sequence
from typing import Final

from schemas.alerts import ActionType
from schemas.triggers import Bar, FiredMember
from streams.engine.dca.deal import CLOSE, STOP, Deal
from streams.engine.dca.events import CloseReason, DealEvent, Dust, OrderFilled, Skipped

AT_CLOSE: Final[dict[ActionType, CloseReason]] = {"close": "close", "timeout": "timeout"}


def unmet(
    before: Deal, after: Deal, bar: Bar, fired: Sequence[FiredMember], events: Sequence[DealEvent]
) -> tuple[Skipped, ...]:
    """One event for each fired member whose level was not filled, in the order in which they fired."""
    filled = {event.level for event in events if isinstance(event, OrderFilled)}
    names = [_name(member) for member in fired]
    return tuple(
        Skipped(name, _why(before, after, bar, name, events)) for name in names if name not in filled
    )


def _name(member: FiredMember) -> str:
    action = member.action
    match action.action_type:
        case "execute_dca":
            return f"dca_{action.dca_index}"
        case "take_profit":
            return f"tp_{action.tp_index or 1}"
        case "stop_loss":
            return STOP
        case "close" | "timeout":
            return CLOSE
        case other:
            return other


def _why(before: Deal, after: Deal, bar: Bar, name: str, events: Sequence[DealEvent]) -> str:
    if before.closed:
        return "the deal was already closed"
    if any(isinstance(event, Dust) for event in events):
        return "what is left is below the minimum notional"
    if after.closed:
        return f"the deal was closed before, by {after.reason}"
    if bar.stale_price and name != CLOSE:
        return "no trade in this bar: levels wait"
    if name.startswith("tp_") and any(
        isinstance(e, OrderFilled) and e.level.startswith("dca_") for e in events
    ):
        return "no take profit in a bar that filled a safety order (same_bar_exit: false)"
    return "the bar's path did not meet it"
