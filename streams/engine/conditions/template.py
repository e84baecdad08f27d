"""A message with placeholders: `{{symbol}} at {{close}}, RSI {{rsi(14)}}` → pieces of text, words and operands.

What stands in a placeholder is one of the alert's own words, or an operand as conditions spell it. It is read by the
same grammar, never evaluated. A single brace is text.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple, TypeAlias

from schemas.conditions import ConditionError, Const, Operand, operand_from_json, operand_to_json
from streams.engine.conditions.expression_operands import operand_of
from streams.engine.conditions.lexer import ExpressionError
from streams.engine.conditions.resolve import resolve_operand
from streams.engine.conditions.syntax import read

MAX_OPERANDS: Final = 32
"""Different operands of one message: each is a node that the engine keeps up."""
WORDS: Final = ("symbol", "time", "interval", "alert_id")
_OPEN: Final = "{{"
_CLOSE: Final = "}}"


class Word(NamedTuple):
    """One of `WORDS`: what the alert itself tells."""

    name: str


Piece: TypeAlias = str | Word | Operand


def template_of(text: str, timeframe: str, base: str) -> tuple[Piece, ...]:
    """The pieces of `text` in their order, operands resolved. Raises ExpressionError with the column in `text`."""
    pieces: list[Piece] = []
    operands: set[Operand] = set()
    for column, piece in _split(text):
        if column is None or piece in WORDS:
            pieces.append(piece if column is None else Word(piece))
            continue
        operand = _operand(piece, column, timeframe, base)
        operands.add(operand)
        if len(operands) > MAX_OPERANDS:
            raise ExpressionError(column, f"more than {MAX_OPERANDS} different operands in one message")
        pieces.append(operand)
    return tuple(pieces)


def _split(text: str) -> Iterator[tuple[int | None, str]]:
    """(None, text between placeholders) and (column, what stands in a placeholder, stripped)."""
    place = 0
    while (opened := text.find(_OPEN, place)) >= 0:
        closed = text.find(_CLOSE, opened + len(_OPEN))
        if closed < 0:
            raise ExpressionError(opened + 1, "expected '}}' to close the placeholder that begins here")
        if opened > place:
            yield None, text[place:opened]
        inside = text[opened + len(_OPEN) : closed]
        # Columns count from 1, and the blanks before what is meant are no part of it.
        yield opened + len(_OPEN) + 1 + len(inside) - len(inside.lstrip()), inside.strip()
        place = closed + len(_CLOSE)
    if place < len(text):
        yield None, text[place:]


def _operand(text: str, column: int, timeframe: str, base: str) -> Operand:
    try:
        operand = operand_from_json(operand_to_json(operand_of(read(text))))
        operand = resolve_operand(operand, timeframe, base)
    except ExpressionError as error:
        # Who wrote a name alone may have meant a word.
        words = f" (or one of {', '.join(WORDS)})" if not text or text.isidentifier() else ""
        raise ExpressionError(column + error.column - 1, error.reason + words) from error
    except ConditionError as error:
        reason = f"{error.path}: {error.reason}" if error.path else error.reason
        raise ExpressionError(column, reason) from error
    if isinstance(operand, Const):
        raise ExpressionError(column, "expected a price or an indicator, found a constant")
    return operand
