"""Commands → resolved conditions, or the reason why not."""

from functools import lru_cache
from typing import Final

from schemas.alerts import AlertCommand, GroupCommand
from schemas.conditions import Condition, ConditionError, Trail, condition_from_json
from schemas.interval import bucket_start_ms, interval_ms
from streams.engine.conditions.expression import parse
from streams.engine.conditions.resolve import resolve
from streams.engine.conditions.short_text import read_short
from streams.engine.conditions.template import Piece, template_of
from streams.engine.trail import problem

_CONDITION: Final = "condition"
_MESSAGE: Final = "message"


def conditions_of(command: GroupCommand | AlertCommand, base: str) -> list[Condition]:
    """The resolved condition of every member, in order. Raises ConditionError with the path of the field."""
    if isinstance(command, AlertCommand):
        return [_of_alert(command, base)]
    if command.interval != base:
        raise ConditionError("interval", f"this symbol has {base} bars, not {command.interval}")
    names = [member.alert_id for member in command.members]
    if len(set(names)) != len(names):
        raise ConditionError("members", "two members have the same alert_id")
    return [_of_member(command, place, base) for place in range(len(names))]


def message_of(command: AlertCommand, base: str) -> tuple[Piece, ...]:
    """The pieces of an alert's message, none where it has no placeholders. Raises ConditionError with the path."""
    if "{{" not in command.message:
        return ()
    try:
        return _template(command.message, command.timeframe, base)
    except ConditionError as error:
        raise _within(_MESSAGE, error) from error


def first_bar_ms(effective_from_ms: int, base: str) -> int:
    """Open time of the first bar that an alert effective from then on sees: rounded up to the next base bar."""
    return bucket_start_ms(effective_from_ms + interval_ms(base) - 1, base)


def _of_member(command: GroupCommand, place: int, base: str) -> Condition:
    member, path = command.members[place], f"members[{place}]"
    if member.action.bot_id != command.bot_id:
        raise ConditionError(f"{path}.action.bot_id", f"a group of {command.bot_id} fires no other bot")
    try:
        condition = resolve(condition_from_json(member.condition), base, base)
    except ConditionError as error:
        raise _within(f"{path}.{_CONDITION}", error) from error
    if member.trail is not None:
        if not isinstance(condition, Trail):
            raise ConditionError(f"{path}.trail", "only a trail has a state to start from")
        if (wrong := problem(condition, member.trail)) is not None:
            raise ConditionError(f"{path}.trail.{wrong[0]}", wrong[1])
    return condition


def _of_alert(command: AlertCommand, base: str) -> Condition:
    if interval_ms(command.timeframe) % interval_ms(base):
        raise ConditionError("timeframe", f"{command.timeframe} is no multiple of the base interval {base}")
    raw = command.condition
    try:
        if isinstance(raw, str):
            return _of_text(raw, command.timeframe, base)
        return resolve(condition_from_json(raw), command.timeframe, base)
    except ConditionError as error:
        raise _within(_CONDITION, error) from error


@lru_cache(maxsize=16_384)
def _of_text(text: str, timeframe: str, base: str) -> Condition:
    """Many users write the same line, and one is asked for several times on its way in."""
    return read_short(text, timeframe, base) or resolve(parse(text), timeframe, base)


_template = lru_cache(maxsize=4_096)(template_of)


def _within(prefix: str, error: ConditionError) -> ConditionError:
    path = error.path
    if path.startswith("column "):
        return ConditionError(prefix, f"{path}: {error.reason}")
    return ConditionError(f"{prefix}.{path}" if path else prefix, error.reason)
