"""Conditions and operands → their text: `parse(to_text(c)) == c`."""

from typing import Final

from schemas.conditions import (
    ANCHOR,
    All,
    AnyOf,
    Arithmetic,
    At,
    Channel,
    Compare,
    Condition,
    Const,
    Holds,
    Indicator,
    Level,
    Moves,
    Node,
    Not,
    Operand,
    Price,
    Schedule,
    Sequenced,
    Trail,
    anchor_word,
)
from streams.engine.errors import UnknownIndicator
from streams.engine.indicators import lookup

_OPERATORS: Final = {"lt": "<", "lte": "<=", "gt": ">", "gte": ">="}
_TIGHT: Final = {"*", "/"}


def to_text(node: Node) -> str:
    """One line that `parse` reads back into an equal tree (of an operand: that may stand in such a line)."""
    match node:
        case Const() | Price() | Indicator() | Arithmetic():
            return operand_text(node)
        case Compare(op, left, right):
            if op in _OPERATORS:
                return f"{operand_text(left)} {_OPERATORS[op]} {operand_text(right)}"
            return f"{op}({operand_text(left)}, {operand_text(right)})"
        case All(items):
            return _joined("and", "all", items)
        case AnyOf(items):
            return _joined("or", "any", items)
        case Not(item):
            return f"not {_grouped(item, (All, AnyOf, Compare))}"
        case At(ms):
            return f"at({ms})"
        case Level(price, side):
            return f'level("{price}", "{side}")'
        case Trail(percent, activate_at, side):
            activates = f', activate_at="{activate_at}"' if activate_at is not None else ""
            return f'trail("{percent}", side="{side}"{activates})'
        case _:
            return _in_time(node)


def _in_time(node: Channel | Moves | Holds | Sequenced | Schedule) -> str:
    match node:
        case Channel(op, left, low, high):
            return f"{op}({operand_text(left)}, {operand_text(low)}, {operand_text(high)})"
        case Moves(op, left, right, bars):
            return f"{op}({operand_text(left)}, {operand_text(Const(right))}, {bars})"
        case Holds(item, bars):
            return f"holds({to_text(item)}, {bars})"
        case Sequenced(items, within):
            return f"sequence({', '.join(to_text(item) for item in items)}, within={within})"
        case Schedule(cron, tz):
            return f'schedule("{cron}", "{tz}")'


def _joined(word: str, function: str, items: tuple[Condition, ...]) -> str:
    if len(items) == 1:
        return f"{function}({to_text(items[0])})"
    return f" {word} ".join(_grouped(item, (All, AnyOf)) for item in items)


def _grouped(node: Condition, kinds: tuple[type, ...]) -> str:
    one = isinstance(node, All | AnyOf) and len(node.items) == 1  # written as a call already
    return f"({to_text(node)})" if isinstance(node, kinds) and not one else to_text(node)


def operand_text(node: Operand) -> str:
    """Text of one operand, parameters by position as far as they are given in order."""
    match node:
        case Const(value):
            return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)
        case Price(field, timeframe, bars_ago):
            return field + (f'("{timeframe}")' if timeframe else "") + _ago(bars_ago)
        case Indicator():
            return _indicator(node)
        case Arithmetic(op, left, right):
            return f"{_side(left, op, first=True)} {op} {_side(right, op, first=False)}"


def _side(node: Operand, op: str, *, first: bool) -> str:
    text = operand_text(node)
    if not isinstance(node, Arithmetic):
        return text
    loose = node.op not in _TIGHT
    return f"({text})" if not first or (loose and op in _TIGHT) else text


def _indicator(node: Indicator) -> str:
    given = dict(node.params)
    try:
        names = tuple(param.name for param in lookup(node.name).params if param.name != ANCHOR)
    except UnknownIndicator:
        names = ()
    words: list[str] = []
    for name in names:
        if name not in given:
            break
        words.append(repr(given.pop(name)))
    if node.timeframe:
        words.append(f'"{node.timeframe}"')
    if ANCHOR in given:
        word = anchor_word(given.pop(ANCHOR))
        words.append(f'{ANCHOR}="{word}"' if isinstance(word, str) else f"{ANCHOR}={word}")
    words += [f"{name}={value!r}" for name, value in given.items()]
    if node.seed != "auto":
        words.append(f'seed="{node.seed}"')
    output = f".{node.output}" if node.output else ""
    return f"{node.name}({', '.join(words)}){output}{_ago(node.bars_ago)}"


def _ago(bars: int) -> str:
    return f"[{bars}]" if bars else ""
