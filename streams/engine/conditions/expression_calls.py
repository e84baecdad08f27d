"""Calls of the text form that are conditions with more than two sides: channels, moves, and what looks back in time.

`inside(close, 90, 110)`, `moves_up_percent(close, 5, 10)`, `holds(rsi(14) < 30, 3)`,
`sequence(rsi(14) < 30, close > open, within=10)`, `schedule("0 9 * * MON", "Europe/Berlin")`.
"""

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias, get_args

from schemas.conditions import (
    MAX_BARS_BACK,
    Channel,
    ChannelOp,
    Condition,
    ConditionError,
    Const,
    Holds,
    Moves,
    MovesOp,
    Schedule,
    Sequenced,
)
from streams.engine.conditions.cron import cron_of, zone_of
from streams.engine.conditions.expression_operands import operand_of
from streams.engine.conditions.lexer import ExpressionError, Token
from streams.engine.conditions.syntax import Call, Leaf, Tree, column_of

Read: TypeAlias = Callable[[Tree], Condition]
_CHANNELS: Final[dict[str, ChannelOp]] = {op: op for op in get_args(ChannelOp)}
_MOVES: Final[dict[str, MovesOp]] = {op: op for op in get_args(MovesOp)}


def _channel(call: Call, read: Read) -> Condition:
    left, low, high = _given(call, ("left", "low", "high"), "an operand, its low and its high")
    sides = operand_of(left), operand_of(low), operand_of(high)
    if all(isinstance(side, Const) for side in sides):
        raise ExpressionError(column_of(left), "expected a price or an indicator, found constants only")
    return Channel(_CHANNELS[call.name.text], *sides)


def _moves(call: Call, read: Read) -> Condition:
    left, by, bars = _given(call, ("left", "right", "bars"), "an operand, by how much, and in how many bars")
    operand, least = operand_of(left), operand_of(by)
    if isinstance(operand, Const):
        raise ExpressionError(column_of(left), "expected a price or an indicator, found a constant")
    if not isinstance(least, Const) or not least.value > 0.0:
        raise ExpressionError(column_of(by), "expected a number above 0: by how much it moves at least")
    return Moves(_MOVES[call.name.text], operand, least.value, _bars(bars))


def _holds(call: Call, read: Read) -> Condition:
    item, bars = _given(call, ("holds", "bars"), "a condition and a number of bars")
    return Holds(read(item), _bars(bars))


def _sequence(call: Call, read: Read) -> Condition:
    expected = "sequence expects two conditions or more, then within=a number of bars"
    words = [word.text for word, _ in call.keywords]
    if words != ["within"] or len(call.arguments) < 2:
        raise ExpressionError(call.name.column, expected)
    return Sequenced(tuple(read(step) for step in call.arguments), _bars(call.keywords[0][1]))


def _schedule(call: Call, read: Read) -> Condition:
    if not 1 <= len(call.arguments) + len(call.keywords) <= 2:
        raise ExpressionError(
            call.name.column, 'expected a schedule such as schedule("0 9 * * MON", "Europe/Berlin")'
        )
    given = _named(call, ("schedule", "tz"), "a crontab line and a time zone")
    if "schedule" not in given:
        raise ExpressionError(call.name.column, "schedule expects a crontab line first")
    line = _text(given["schedule"], 'a crontab line in quotes such as "0 9 * * MON"')
    zone = _text(given["tz"], 'a time zone in quotes such as "Europe/Berlin"') if "tz" in given else None
    for token, check in ((line, cron_of), (zone, zone_of)):
        try:
            if token is not None:
                check(token.text)
        except ConditionError as error:
            raise ExpressionError(token.column if token else 1, error.reason) from error
    return Schedule(line.text, zone.text if zone is not None else "UTC")


CALLS: Final[Mapping[str, Callable[[Call, Read], Condition]]] = {
    **dict.fromkeys(_CHANNELS, _channel),
    **dict.fromkeys(_MOVES, _moves),
    "holds": _holds,
    "sequence": _sequence,
    "schedule": _schedule,
}
"""By name: how a call is read; `read` reads the conditions in it."""


def _given(call: Call, names: tuple[str, ...], what: str) -> list[Tree]:
    given = _named(call, names, what)
    if len(given) != len(names):
        raise ExpressionError(call.name.column, f"{call.name.text} expects {what}")
    return [given[name] for name in names]


def _named(call: Call, names: tuple[str, ...], what: str) -> dict[str, Tree]:
    if len(call.arguments) > len(names):
        raise ExpressionError(
            column_of(call.arguments[len(names)]), f"{call.name.text} expects {what}, and no more"
        )
    given = dict(zip(names, call.arguments, strict=False))
    for word, value in call.keywords:
        if word.text in given:
            raise ExpressionError(word.column, f"{word.text} is given twice")
        if word.text not in names:
            raise ExpressionError(word.column, f"expected one of {', '.join(names)}, found {word}")
        given[word.text] = value
    return given


def _bars(tree: Tree) -> int:
    match tree:
        case Leaf(Token("number", text)) if (
            text.isdecimal() and len(text) < 9 and 1 <= int(text) <= MAX_BARS_BACK
        ):
            return int(text)
    raise ExpressionError(column_of(tree), f"expected a whole number of bars from 1 to {MAX_BARS_BACK}")


def _text(tree: Tree, what: str) -> Token:
    if isinstance(tree, Leaf) and tree.token.kind == "string":
        return tree.token
    raise ExpressionError(column_of(tree), f"expected {what}")
