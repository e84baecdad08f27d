"""Text of a condition → a tree of positioned tokens, before anything in it has a meaning.

Our own grammar, read by recursive descent, so that every error can name its column and what was expected there:
`or` < `and` < `not` < comparison < `+ -` < `* /` < unary `-` < call, `.output`, `[bars_ago]`. Nothing is ever
evaluated.
"""

from typing import Final, NamedTuple, TypeAlias

from schemas.conditions import MAX_NODES
from streams.engine.conditions.lexer import ExpressionError, Token, tokens_of

MAX_NESTING: Final = 40
_COMPARISONS: Final = {"<", "<=", ">", ">="}


class Leaf(NamedTuple):
    token: Token


class Infix(NamedTuple):
    """`parts` has one element for unary `not` and `-`, two for a comparison or arithmetic, two or more for and, or."""

    operator: Token
    parts: tuple["Tree", ...]


class Call(NamedTuple):
    name: Token
    arguments: tuple["Tree", ...]
    keywords: tuple[tuple[Token, "Tree"], ...]


class Output(NamedTuple):
    of: "Tree"
    name: Token


class BarsAgo(NamedTuple):
    of: "Tree"
    bars: Token


Tree: TypeAlias = Leaf | Infix | Call | Output | BarsAgo


def column_of(tree: Tree) -> int:
    """Where `tree` begins, from 1."""
    match tree:
        case Leaf(token) | Call(token, _, _):
            return token.column
        case Infix(operator, parts):
            return min(operator.column, column_of(parts[0]))
        case Output(of, _) | BarsAgo(of, _):
            return column_of(of)


def read(text: str) -> Tree:
    """The tree of `text`. Raises ExpressionError with the column of the first thing that does not belong there."""
    reader = _Reader(tokens_of(text))
    tree = reader.either()
    if reader.next.kind != "end":
        raise reader.refuse("'and', 'or', a comparison or the end")
    return tree


class _Reader:
    """Reads one token ahead; each method reads what binds at least as tightly as its name says."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._place = 0
        self._nesting = 0
        self._operators = 0

    @property
    def next(self) -> Token:
        return self._tokens[self._place]

    def refuse(self, expected: str) -> ExpressionError:
        return ExpressionError(self.next.column, f"expected {expected}, found {self.next}")

    def spend(self, token: Token) -> Token:
        """Count an operator: a tree that could not be accepted anyway is refused before anyone walks it."""
        self._operators += 1
        if self._operators > 2 * MAX_NODES:
            raise ExpressionError(token.column, f"more than {MAX_NODES} nodes")
        return token

    def take(self, *operators: str) -> Token | None:
        token = self.next
        if token.kind != "operator" or token.text not in operators:
            return None
        self._place += 1
        return self.spend(token)

    def need(self, operator: str, after: str) -> None:
        if self.take(operator) is None:
            raise self.refuse(f"{operator!r} {after}")

    def either(self) -> Tree:
        self._nesting += 1
        if self._nesting > MAX_NESTING:
            raise ExpressionError(self.next.column, f"nested deeper than {MAX_NESTING} levels")
        parts, operator = [self._both()], None
        while token := self.take("or"):
            operator = operator or token
            parts.append(self._both())
        self._nesting -= 1
        return Infix(operator, tuple(parts)) if operator else parts[0]

    def _both(self) -> Tree:
        parts, operator = [self._negation()], None
        while token := self.take("and"):
            operator = operator or token
            parts.append(self._negation())
        return Infix(operator, tuple(parts)) if operator else parts[0]

    def _negation(self) -> Tree:
        marks = []
        while mark := self.take("not"):
            marks.append(mark)
            if len(marks) > MAX_NESTING:
                raise ExpressionError(mark.column, f"nested deeper than {MAX_NESTING} levels")
        tree = self._comparison()
        for mark in reversed(marks):
            tree = Infix(mark, (tree,))
        return tree

    def _comparison(self) -> Tree:
        left = self._sum()
        if self.next.text in {"==", "!=", "="} and self.next.kind == "operator":
            raise self.refuse("one of < <= > >= (closed prices are hardly ever equal)")
        operator = self.take(*_COMPARISONS)
        if operator is None:
            return left
        tree = Infix(operator, (left, self._sum()))
        if self.next.kind == "operator" and self.next.text in _COMPARISONS:
            raise self.refuse("'and': comparisons are not chained, write a < b and b < c")
        return tree

    def _sum(self) -> Tree:
        tree = self._product()
        while token := self.take("+", "-"):
            tree = Infix(token, (tree, self._product()))
        return tree

    def _product(self) -> Tree:
        tree = self._signed()
        while token := self.take("*", "/"):
            tree = Infix(token, (tree, self._signed()))
        return tree

    def _signed(self) -> Tree:
        minus = self.take("-")
        if minus is None:
            return self._postfix()
        if self.next.text == "-" and self.next.kind == "operator":
            raise self.refuse("an operand after '-'")
        return Infix(minus, (self._postfix(),))

    def _postfix(self) -> Tree:
        tree = self._atom()
        while token := self.take(".", "["):
            if token.text == ".":
                if self.next.kind != "name":
                    raise self.refuse("the name of an output after '.'")
                tree = Output(tree, self._advance())
                continue
            if self.next.kind != "number":
                raise self.refuse("a whole number of bars in [ ]")
            tree = BarsAgo(tree, self._advance())
            self.need("]", "after the number of bars")
        return tree

    def _advance(self) -> Token:
        token = self.next
        self._place += 1
        return token

    def _atom(self) -> Tree:
        if self.take("("):
            tree = self.either()
            self.need(")", "to close the parenthesis")
            return tree
        token = self.next
        if token.kind not in {"number", "name", "string"}:
            raise self.refuse("a number, a price such as close, an indicator such as rsi(14), or '('")
        self._place += 1
        if token.kind == "name" and self.take("("):
            return self._call(token)
        return Leaf(token)

    def _call(self, name: Token) -> Call:
        arguments: list[Tree] = []
        keywords: list[tuple[Token, Tree]] = []
        while not self.take(")"):
            if (arguments or keywords) and not self.take(","):
                raise self.refuse(f"',' or ')' in the call of {name.text}")
            ahead = self._tokens[min(self._place + 1, len(self._tokens) - 1)]
            if self.next.kind == "name" and ahead.kind == "operator" and ahead.text == "=":
                word = self._advance()
                self._place += 1
                keywords.append((word, self.either()))
            elif keywords:
                raise self.refuse("name=value: positional values come first")
            else:
                arguments.append(self.either())
        return Call(name, tuple(arguments), tuple(keywords))
