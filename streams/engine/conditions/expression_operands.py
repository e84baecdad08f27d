"""Operands of the text form: numbers, prices, indicators with positional or named parameters, arithmetic."""

from typing import Any, Final, get_args

from schemas.conditions import (
    ANCHOR,
    OTHER_SYMBOL,
    Arithmetic,
    ArithmeticOp,
    ConditionError,
    Const,
    Indicator,
    Operand,
    Price,
    PriceField,
    operand_from_json,
)
from schemas.interval import interval_ms
from streams.engine.conditions.lexer import ExpressionError, Token
from streams.engine.conditions.syntax import BarsAgo, Call, Infix, Leaf, Output, Tree, column_of
from streams.engine.errors import UnknownIndicator
from streams.engine.indicators import canonical, lookup

PRICES: Final[frozenset[str]] = frozenset(get_args(PriceField))
_ARITHMETIC: Final[dict[str, ArithmeticOp]] = {"+": "+", "-": "-", "*": "*", "/": "/"}
_WORDS: Final = {"timeframe", "bars_ago", "seed", "output"}
_EXPECTED: Final = "expected a number, a price such as close, or an indicator such as rsi(14)"


def operand_of(tree: Tree) -> Operand:
    """The operand `tree` spells. Raises ExpressionError at what is none."""
    match tree:
        case Leaf(token):
            return _word(token)
        case Infix(Token("operator", "-"), (Leaf(Token("number", text)),)):
            return Const(-float(text))
        case Infix(Token("operator", "-"), (part,)):
            return Arithmetic("-", Const(0.0), operand_of(part))
        case Infix(operator, (left, right)) if operator.text in _ARITHMETIC:
            return Arithmetic(_ARITHMETIC[operator.text], operand_of(left), operand_of(right))
        case Infix(operator, _):
            raise ExpressionError(operator.column, f"{_EXPECTED}, found a condition ({operator.text})")
        case _:
            return _leaf(tree)


def _word(token: Token) -> Operand:
    if token.kind == "number":
        return Const(float(token.text))
    if token.kind == "name":
        if token.text in PRICES:
            return Price(token.text)  # type: ignore[arg-type]
        _parameters(token)
        raise ExpressionError(token.column, f"expected '(' after the indicator, as in {token.text}()")
    raise ExpressionError(token.column, f"{_EXPECTED}, found the text {token}")


def _leaf(tree: Tree) -> Operand:
    """A call with, after it, an output, a number of bars ago, or both."""
    extra: dict[str, Any] = {}
    column = column_of(tree)
    if isinstance(tree, BarsAgo):
        extra["bars_ago"] = _whole(tree.bars)
        tree = tree.of
    if isinstance(tree, Output):
        extra["output"] = tree.name.text
        tree = tree.of
    if isinstance(tree, Leaf) and tree.token.text in PRICES and "output" not in extra:
        return _finish({"price": tree.token.text} | extra, column)
    if not isinstance(tree, Call):
        raise ExpressionError(column, "only an indicator has outputs, only it or a price is so many bars ago")
    raw = _price(tree) if tree.name.text in PRICES else _indicator(tree)
    if doubled := sorted(raw.keys() & extra.keys()):
        raise ExpressionError(column, f"{doubled[0]} is given twice")
    if "price" in raw and "output" in extra:
        raise ExpressionError(column, "a price has no outputs")
    return _finish(raw | extra, column)


def _finish(raw: dict[str, Any], column: int) -> Operand:
    try:
        operand = operand_from_json(raw)
        if isinstance(operand, Indicator):
            canonical(operand)
    except ConditionError as error:
        raise ExpressionError(column, str(error)) from error
    return operand


def _price(call: Call) -> dict[str, Any]:
    raw: dict[str, Any] = {"price": call.name.text}
    for argument in call.arguments:
        _put(raw, "timeframe", _text(argument), column_of(argument))
    return _keywords(call, raw)


def _indicator(call: Call) -> dict[str, Any]:
    known = _parameters(call.name)
    raw: dict[str, Any] = {"indicator": call.name.text}
    names = [name for name in known if name != ANCHOR]  # a word, so always named
    for argument in call.arguments:
        if isinstance(argument, Leaf) and argument.token.kind == "string":
            _put(raw, "timeframe", _text(argument), argument.token.column)
        elif not names:
            takes = f"{call.name.text} takes {', '.join(known)}"
            raise ExpressionError(
                column_of(argument), takes + (", the anchor by name" if ANCHOR in known else "")
            )
        else:
            raw[names.pop(0)] = _number(argument)
    return _keywords(call, raw)


def _keywords(call: Call, raw: dict[str, Any]) -> dict[str, Any]:
    known = () if "price" in raw else _parameters(call.name)
    for word, value in call.keywords:
        if word.text == ANCHOR and ANCHOR in known and _is_text(value):
            _put(raw, ANCHOR, _text(value), word.column)
        elif word.text in known:
            _put(raw, word.text, _number(value), word.column)
        elif word.text == "bars_ago" and isinstance(value, Leaf):
            _put(raw, word.text, _whole(value.token), word.column)
        elif word.text == "timeframe" or (word.text in _WORDS and "indicator" in raw):
            _put(raw, word.text, _text(value), word.column)
        elif word.text == "symbol":
            raise ExpressionError(word.column, OTHER_SYMBOL)
        else:
            takes = ", ".join((*known, "timeframe", "bars_ago"))
            raise ExpressionError(word.column, f"expected one of {takes}, found {word}")
    return raw


def _put(raw: dict[str, Any], name: str, value: str | float, column: int) -> None:
    if name in raw:
        raise ExpressionError(column, f"{name} is given twice")
    if name == "timeframe":
        try:
            interval_ms(str(value))
        except ValueError:
            raise ExpressionError(
                column, f"expected a timeframe such as 15m, 4h, 1d, found {value!r}"
            ) from None
    raw[name] = value


def _parameters(name: Token) -> tuple[str, ...]:
    try:
        return tuple(param.name for param in lookup(name.text).params)
    except UnknownIndicator as error:
        raise ExpressionError(name.column, f"{_EXPECTED}, found {name}: {error.reason}") from error


def _number(tree: Tree) -> float | int:
    match tree:
        case Leaf(Token("number", text)):
            return int(text) if text.isdecimal() else float(text)
        case Infix(Token("operator", "-"), (Leaf(Token("number", text)),)):
            return -int(text) if text.isdecimal() else -float(text)
    raise ExpressionError(column_of(tree), "expected a number: parameters are constants")


def _whole(token: Token) -> int:
    if token.kind != "number" or not token.text.isdecimal():
        raise ExpressionError(token.column, f"expected a whole number of bars, found {token}")
    return int(token.text)


def _is_text(tree: Tree) -> bool:
    return isinstance(tree, Leaf) and tree.token.kind in {"string", "name"}


def _text(tree: Tree) -> str:
    if isinstance(tree, Leaf) and _is_text(tree):
        return tree.token.text
    raise ExpressionError(column_of(tree), 'expected a text in quotes, such as "1h"')
