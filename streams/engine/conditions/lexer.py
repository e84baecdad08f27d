"""Text of a condition → tokens with columns, and the error that points at one."""

import re
from typing import Final, Literal, NamedTuple

from schemas.conditions import ConditionError

MAX_LENGTH: Final = 4_096

Kind = Literal["number", "name", "string", "operator", "end"]


class ExpressionError(ConditionError):
    """Text that is no condition. `column` counts characters from 1; `reason` says what was expected there."""

    def __init__(self, column: int, reason: str) -> None:
        super().__init__(f"column {column}", reason)
        self.column = column


class Token(NamedTuple):
    kind: Kind
    text: str
    column: int

    def __str__(self) -> str:
        return "the end of the text" if self.kind == "end" else repr(self.text)


_TOKEN: Final = re.compile(
    r"""(?P<space>\s+)
      | (?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
      | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
      | (?P<string>"[^"'\\\n]*"|'[^"'\\\n]*')
      | (?P<operator><=|>=|==|!=|[<>+\-*/()\[\],.=])""",
    re.VERBOSE | re.ASCII,
)
_KINDS: Final[dict[str, Kind]] = {"number": "number", "name": "name", "operator": "operator"}
_WORDS: Final = {"and", "or", "not"}


def tokens_of(text: str) -> list[Token]:
    """The tokens of `text`, ended by one of kind "end". Raises ExpressionError at the first foreign character."""
    if len(text) > MAX_LENGTH:
        raise ExpressionError(MAX_LENGTH + 1, f"longer than {MAX_LENGTH} characters")
    tokens: list[Token] = []
    place = 0
    while place < len(text):
        found = _TOKEN.match(text, place)
        if found is None:
            what = "a closing quote" if text[place] in "\"'" else "an operand, an operator or a parenthesis"
            raise ExpressionError(place + 1, f"expected {what}, found {text[place]!r}")
        kind, word = found.lastgroup, found.group()
        if kind == "number" and text[found.end() : found.end() + 1].isidentifier():
            raise ExpressionError(found.end() + 1, f"expected a space or an operator after {word}")
        if kind == "name" and word.lower() in _WORDS:
            tokens.append(Token("operator", word.lower(), place + 1))
        elif kind == "string":
            tokens.append(Token("string", word[1:-1], place + 1))
        elif kind != "space":
            tokens.append(Token(_KINDS[str(kind)], word, place + 1))
        place = found.end()
    tokens.append(Token("end", "", len(text) + 1))
    return tokens
