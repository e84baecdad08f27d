"""What a user's alert must not be: settings that contradict each other, and more than its user may have. Refused with
the field's path, so that nothing is ignored.
"""

from typing import Final

from schemas.alerts import AlertCommand
from schemas.conditions import All, AnyOf, At, Condition, ConditionError, Level, Schedule
from schemas.limits import Limits
from streams.engine.conditions.size import nodes_of
from streams.engine.conditions.template import Piece, Word

_ONE_BAR: Final[dict[type, str]] = {
    Schedule: "a schedule is true at one bar only, it lasts no longer",
    Level: "a level is met on a bar's way, it does not last: compare closes, such as close <= 95",
    At: "an instant has come or has not: name a later one",
}


def refuse_contradictions(command: AlertCommand, condition: Condition) -> None:
    """Raises ConditionError with the path of the setting that has no effect, or none that anybody could want."""
    _refuse_moments(command)
    if command.rearm == "after_bars" and command.frequency != "once_per_bar_close":
        raise ConditionError(
            "rearm", f"has no effect with frequency {command.frequency}: {_WHY[command.frequency]}"
        )
    if command.rearm_bars != 1 and command.rearm != "after_bars":
        raise ConditionError("rearm_bars", "has no effect without rearm: after_bars")
    if command.debounce_bars > 1 and (reason := _momentary(condition)) is not None:
        raise ConditionError("debounce_bars", reason)


def refuse_excess(limits: Limits, others: int, condition: Condition, message: tuple[Piece, ...]) -> None:
    """Raises ConditionError where a limit would be passed. `others`: active alerts of the user on the symbol."""
    if others >= limits.alerts_per_symbol:
        raise ConditionError(
            "alert_id", f"the user already has {others} alerts on this symbol, which is the limit"
        )
    told = sum(nodes_of(piece) for piece in message if not isinstance(piece, str | Word))
    for field, size in (("condition", nodes_of(condition)), ("message", told)):
        if size > limits.nodes:
            raise ConditionError(field, f"{size} nodes, the user's limit is {limits.nodes}")


def _refuse_moments(command: AlertCommand) -> None:
    """Settings of closed bars with `on: tick`, and the reverse."""
    if command.on == "close":
        if command.frequency == "once_per_bar":
            reason = "once_per_bar is for on: tick; at the close it is every or once_per_bar_close"
            raise ConditionError("frequency", reason)
        return
    if command.frequency not in {"once", "once_per_bar"}:
        raise ConditionError("frequency", f"on: tick fires once or once_per_bar, not {command.frequency}")
    if command.debounce_bars != 1:
        raise ConditionError("debounce_bars", "counts closed bars, which on: tick does not wait for")


_WHY: Final = {
    "once_per_bar": "it fires once on each bar on which it is true",
    "once": "an alert that fires once is not armed again",
    "every": "it fires on each bar on which it is true",
}


def _momentary(condition: Condition) -> str | None:
    """Why `condition` cannot be true for several bars on end, None where it can."""
    match condition:
        case All(items):
            reasons = [_momentary(item) for item in items if not isinstance(item, At)]
            return next((reason for reason in reasons if reason is not None), None)
        case AnyOf(items):
            reasons = [_momentary(item) for item in items]
            return reasons[0] if all(reason is not None for reason in reasons) else None
    return _ONE_BAR.get(type(condition))
