"""Members that fired and for which nothing was done: each gets its reason (law 14)."""

from collections.abc import Sequence
from typing import Final

from schemas.alerts import ActionType
from schemas.triggers import Bar, FiredMember
from streams.engine.dca.events import Closed, CloseReason, OrderFilled, Skipped
from streams.engine.grid.deal import CLOSE, STOP_ABOVE, STOP_BELOW, Deal
from streams.engine.grid.events import GridEvent, Woken
from streams.engine.grid.orders import level_name

AT_CLOSE: Final[dict[ActionType, CloseReason]] = {"close": "close", "timeout": "timeout"}


def unmet(
    before: Deal, after: Deal, bar: Bar, fired: Sequence[FiredMember], events: Sequence[GridEvent]
) -> tuple[Skipped, ...]:
    """One event for each fired member that brought nothing, in the order in which they fired."""
    done = {event.level for event in events if isinstance(event, OrderFilled | Woken)}
    if any(isinstance(event, Closed) for event in events) and after.reason is not None:
        done.add({"stop_below": STOP_BELOW, "stop_above": STOP_ABOVE}.get(after.reason, CLOSE))
    names = [_name(member) for member in fired]
    return tuple(Skipped(name, _why(before, after, bar, name)) for name in names if name not in done)


def _name(member: FiredMember) -> str:
    action = member.action
    if action.grid_level is not None:
        return level_name(action.grid_level)
    if action.action_type == "stop_loss":
        return STOP_BELOW if member.alert_id.endswith(STOP_BELOW) else STOP_ABOVE
    return CLOSE if action.action_type in AT_CLOSE else action.action_type


def _why(before: Deal, after: Deal, bar: Bar, name: str) -> str:
    if before.closed:
        return "the grid had ended already"
    if after.closed:
        return f"the grid ended before, by {after.reason}"
    if bar.stale_price and name != CLOSE:
        return "no trade in this bar: levels wait"
    return "the bar's path did not meet it"
