"""What could be computed but says nothing: refused with the field's path and the reason."""

from collections.abc import Callable, Iterator
from typing import Final

from msgspec.structs import replace

from schemas.conditions import (
    MAX_BARS_BACK,
    All,
    AnyOf,
    Arithmetic,
    At,
    Channel,
    Compare,
    Condition,
    ConditionError,
    Const,
    Holds,
    Indicator,
    Level,
    Moves,
    Not,
    Operand,
    Schedule,
    Sequenced,
)
from streams.engine.conditions.expression_text import operand_text
from streams.engine.conditions.reach import clock_of, reaches
from streams.engine.indicators import lookup

_NO_TRUTH_AT_A_CLOSE: Final[dict[type, str]] = {
    Level: "a level is met on the way, not true at a close: compare a price instead, such as low <= 95",
    At: "an instant is no question about candles: put it beside, as in at(…) and …",
    Schedule: "a schedule is no question about candles: put it beside, as in schedule(…) and …",
}
_IN_HOLDS: Final[dict[type, str]] = {
    **_NO_TRUTH_AT_A_CLOSE,
    Holds: "holds within holds: write the larger number of bars",
    Sequenced: "a sequence is true at one close only, it does not hold",
}
_IN_SEQUENCE: Final[dict[type, str]] = {
    **_NO_TRUTH_AT_A_CLOSE,
    Sequenced: "a sequence within a sequence: write its steps in a row",
}


def refuse_compare(node: Compare, path: str) -> None:
    """Constants only, an operand with itself, the level of a sum whose start is arbitrary."""
    if clock_of(node) is None:
        raise ConditionError(path, "compares constants only")
    if node.left == node.right:
        raise ConditionError(path, f"compares {operand_text(node.left)} with itself")
    for key, side, other in (("left", node.left, node.right), ("right", node.right, node.left)):
        if isinstance(other, Const):
            _refuse_arbitrary(side, _join(path, key))


def refuse_channel(node: Channel, path: str) -> None:
    """As a comparison, and a channel with nothing in it."""
    if clock_of(node) is None:
        raise ConditionError(path, "compares constants only")
    if node.left in (node.low, node.high):
        raise ConditionError(path, f"compares {operand_text(node.left)} with itself")
    if node.low == node.high:
        raise ConditionError(_join(path, "high"), "nothing lies between an operand and itself")
    if isinstance(node.low, Const) and isinstance(node.high, Const) and node.low.value > node.high.value:
        raise ConditionError(_join(path, "high"), "is below low: nothing lies between")
    if isinstance(node.low, Const) or isinstance(node.high, Const):
        _refuse_arbitrary(node.left, _join(path, "left"))
    if isinstance(node.left, Const):
        _refuse_arbitrary(node.low, _join(path, "low"))
        _refuse_arbitrary(node.high, _join(path, "high"))


def refuse_moves(node: Moves, path: str) -> None:
    """A constant, and percents of a sum whose start is arbitrary."""
    if clock_of(node) is None:
        raise ConditionError(_join(path, "left"), "a constant does not move")
    if node.op.endswith("_percent"):
        _refuse_arbitrary(node.left, _join(path, "left"))
    _refuse_too_far(node, _join(path, "bars"))


def refuse_holds(node: Holds, path: str) -> None:
    """What has no truth at closes, and what would reach too far back."""
    for kind, where in _inner(node.item, _join(path, "holds")):
        if kind in _IN_HOLDS:
            raise ConditionError(where, _IN_HOLDS[kind])
    _refuse_too_far(node, _join(path, "bars"))


def refuse_sequence(node: Sequenced, path: str) -> None:
    """What has no truth at closes, and what would reach too far back."""
    for place, item in enumerate(node.items):
        for kind, where in _inner(item, _join(path, f"sequence[{place}]")):
            if kind in _IN_SEQUENCE:
                raise ConditionError(where, _IN_SEQUENCE[kind])
    _refuse_too_far(node, _join(path, "within"))


def arbitrary_level(operand: Operand, never_forgets: Callable[[Indicator], bool]) -> Indicator | None:
    """The indicator because of which `operand` would be another one had its symbol's history begun on another day.

    A difference of one indicator's values at two bars is free of where it began.
    """
    match operand:
        case Indicator():
            return operand if never_forgets(operand) else None
        case Arithmetic("-", Indicator() as left, Indicator() as right) if _as_of_now(left) == _as_of_now(
            right
        ):
            return None
        case Arithmetic(_, left, right):
            return arbitrary_level(left, never_forgets) or arbitrary_level(right, never_forgets)
    return None


def _as_of_now(leaf: Indicator) -> Indicator:
    return replace(leaf, bars_ago=0)


def _never_forgets(leaf: Indicator) -> bool:
    return lookup(leaf.name).never_forgets and "anchor" not in dict(leaf.params)


def _refuse_arbitrary(operand: Operand, path: str) -> None:
    found = arbitrary_level(operand, _never_forgets)
    if found is not None:
        raise ConditionError(
            path,
            f"{found.name} sums up everything since the symbol's first candle, so its level says nothing by itself: "
            f'give it an anchor, such as anchor="day", or compare it with its own earlier value',
        )


def _refuse_too_far(node: Condition, path: str) -> None:
    for reach in reaches(node):
        if reach.bars > MAX_BARS_BACK:
            raise ConditionError(
                path, f"reaches {reach.bars} bars of {operand_text(reach.leaf)} back, {MAX_BARS_BACK} at most"
            )


def _inner(node: Condition, path: str) -> Iterator[tuple[type, str]]:
    yield type(node), path
    match node:
        case All(items):
            for place, item in enumerate(items):
                yield from _inner(item, _join(path, f"all[{place}]"))
        case AnyOf(items):
            for place, item in enumerate(items):
                yield from _inner(item, _join(path, f"any[{place}]"))
        case Not(item):
            yield from _inner(item, _join(path, "not"))
        case Holds(item, _):
            yield from _inner(item, _join(path, "holds"))


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key
