"""The one-line form of conditions: `rsi(14) < 30 and close > ema(200, "1h")`.

`parse` gives the tree of `schemas.conditions`; `to_text` (in `expression_text`) writes it back. Besides comparisons,
`and`, `or`, `not` and parentheses there are `crosses(a, b)`, `crosses_above`, `crosses_below`,
`level("95.25", "below")`, `at(1700000000000)` or `at("2023-11-14T22:13:20Z")`, `all(x, …)`, `any(x, …)`, the calls of
`expression_calls`, and alone `trail("3", side="below", activate_at="104.15")`.
"""

from datetime import datetime
from typing import Final

from schemas.conditions import (
    All,
    AnyOf,
    At,
    Compare,
    CompareOp,
    Condition,
    ConditionError,
    Const,
    Level,
    Not,
    Side,
    Trail,
    condition_from_json,
    condition_to_json,
)
from streams.engine.conditions.expression_calls import CALLS
from streams.engine.conditions.expression_operands import operand_of
from streams.engine.conditions.expression_text import to_text
from streams.engine.conditions.lexer import ExpressionError, Token
from streams.engine.conditions.syntax import Call, Infix, Leaf, Tree, column_of, read

__all__ = ["ExpressionError", "parse", "to_text"]

_COMPARE: Final[dict[str, CompareOp]] = {"<": "lt", "<=": "lte", ">": "gt", ">=": "gte"}
_CROSSES: Final[dict[str, CompareOp]] = {
    "crosses": "crosses",
    "crosses_above": "crosses_above",
    "crosses_below": "crosses_below",
}
_SIDES: Final[dict[str, Side]] = {"below": "below", "above": "above"}
_EXPECTED: Final = "expected a condition such as rsi(14) < 30"


def parse(text: str) -> Condition:
    """The tree of `text`. Raises ExpressionError: its column, and what was expected there."""
    tree = read(text)
    condition = _condition(tree)
    try:
        return condition_from_json(condition_to_json(condition))
    except ConditionError as error:
        raise ExpressionError(column_of(tree), error.reason) from error


def _condition(tree: Tree) -> Condition:
    match tree:
        case Infix(Token("operator", "and"), parts):
            return All(tuple(_condition(part) for part in parts))
        case Infix(Token("operator", "or"), parts):
            return AnyOf(tuple(_condition(part) for part in parts))
        case Infix(Token("operator", "not"), (part,)):
            return Not(_condition(part))
        case Infix(operator, (left, right)) if operator.text in _COMPARE:
            return _compare(_COMPARE[operator.text], left, right, operator.column)
        case Call(name, _, _):
            return _function(tree, name)
        case _:
            raise ExpressionError(
                column_of(tree), f"{_EXPECTED}, found an operand that is compared with nothing"
            )


def _compare(op: CompareOp, left: Tree, right: Tree, column: int) -> Compare:
    sides = operand_of(left), operand_of(right)
    if all(isinstance(side, Const) for side in sides):
        raise ExpressionError(column, "expected a price or an indicator on one side, found two constants")
    return Compare(op, *sides)


def _function(call: Call, name: Token) -> Condition:
    if name.text in _CROSSES:
        left, right = _arguments(call, "two operands")
        return _compare(_CROSSES[name.text], left, right, name.column)
    if name.text in {"all", "any"}:
        if call.keywords or not call.arguments:
            raise ExpressionError(name.column, f"{name.text} expects one condition or more")
        items = tuple(_condition(argument) for argument in call.arguments)
        return All(items) if name.text == "all" else AnyOf(items)
    if name.text in CALLS:
        return CALLS[name.text](call, _condition)
    if name.text == "at":
        return At(_instant(call))
    if name.text == "level":
        return _level(call)
    if name.text == "trail":
        return _trail(call)
    raise ExpressionError(name.column, f"{_EXPECTED}, found an operand that is compared with nothing")


def _arguments(call: Call, what: str) -> tuple[Tree, Tree]:
    if call.keywords or len(call.arguments) != 2:
        raise ExpressionError(call.name.column, f"{call.name.text} expects {what}")
    return call.arguments[0], call.arguments[1]


def _instant(call: Call) -> int:
    expected = 'at expects epoch milliseconds or "2023-11-14T22:13:20Z"'
    match call:
        case Call(_, (Leaf(Token("number", text)),), ()) if text.isdecimal() and len(text) < 18:
            return int(text)
        case Call(_, (Leaf(Token("string", text, column)),), ()):
            try:
                moment = datetime.fromisoformat(text)
            except ValueError:
                raise ExpressionError(column, expected) from None
            if moment.tzinfo is None:
                raise ExpressionError(column, f"{expected}: a time without its zone is not an instant")
            return round(moment.timestamp() * 1000)
    raise ExpressionError(call.name.column, expected)


def _level(call: Call) -> Level:
    price, side = _arguments(call, 'a price and a side, as in level("95.25", "below")')
    return Level(_decimal(price, 'a price such as "95.25"'), _side(side))


def _trail(call: Call) -> Trail:
    expected = 'trail expects a percent and a side, as in trail("3", side="below", activate_at="104.15")'
    given: dict[str, Tree] = {}
    if len(call.arguments) > 1:
        raise ExpressionError(column_of(call.arguments[1]), expected)
    for word, value in (
        *((call.name._replace(text="percent"), one) for one in call.arguments),
        *call.keywords,
    ):
        if word.text not in {"percent", "side", "activate_at"} or word.text in given:
            raise ExpressionError(word.column, expected)
        given[word.text] = value
    if not {"percent", "side"} <= given.keys():
        raise ExpressionError(call.name.column, expected)
    activates = given.get("activate_at")
    return Trail(
        _decimal(given["percent"], 'a percent such as "3"'),
        None if activates is None else _decimal(activates, 'a price such as "104.15"'),
        _side(given["side"]),
    )


def _decimal(tree: Tree, what: str) -> str:
    if not (isinstance(tree, Leaf) and tree.token.kind in {"string", "number"}):
        raise ExpressionError(column_of(tree), f"expected {what}")
    return tree.token.text


def _side(tree: Tree) -> Side:
    word = tree.token.text if isinstance(tree, Leaf) else ""
    if word not in _SIDES:
        raise ExpressionError(column_of(tree), 'expected "below" or "above"')
    return _SIDES[word]
