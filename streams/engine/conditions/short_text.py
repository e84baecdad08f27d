"""The line that most people write, read at a tenth of the cost: leaves against numbers, with `and`, or `or`, between.

Everything else, and everything with a mistake in it, is left to the grammar (`expression`), which says what is wrong.
"""

import re
from functools import lru_cache
from math import isfinite
from typing import Final

from schemas.conditions import (
    All,
    AnyOf,
    Compare,
    CompareOp,
    Condition,
    ConditionError,
    Const,
    Indicator,
    Price,
)
from streams.engine.conditions.expression import parse
from streams.engine.conditions.lexer import MAX_LENGTH
from streams.engine.conditions.reach import Leaf
from streams.engine.conditions.resolve import resolve

_MOST: Final = 8
"""Comparisons; so few that no limit on trees can be met."""
_OPS: Final[dict[str, CompareOp]] = {"<": "lt", "<=": "lte", ">": "gt", ">=": "gte"}
_COMPARISON: Final = re.compile(
    r"\s*([^\s<>=!][^<>=!]*?)\s*(<=|>=|<|>)\s*(-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*", re.ASCII
)


def read_short(text: str, timeframe: str, base: str) -> Condition | None:
    """What `resolve(parse(text), timeframe, base)` gives, where `text` is such a line; else None."""
    if len(text) > MAX_LENGTH:
        return None
    word = " and " if " and " in text else " or "
    parts = text.split(word, _MOST)
    if len(parts) > _MOST:
        return None
    found: list[Condition] = []
    for part in parts:
        match = _COMPARISON.fullmatch(part)
        leaf = match and _leaf(match[1], timeframe, base)
        if not match or not leaf:
            return None
        value = float(match[3])
        if not isfinite(value):
            return None
        found.append(Compare(_OPS[match[2]], leaf, Const(value)))
    if len(found) == 1:
        return found[0]
    return All(tuple(found)) if word == " and " else AnyOf(tuple(found))


@lru_cache(maxsize=4_096)
def _leaf(text: str, timeframe: str, base: str) -> Leaf | None:
    """The resolved leaf that `text` spells and that may be compared with a number; None: it is something else."""
    try:
        found = resolve(parse(f"{text} < 0"), timeframe, base)
    except ConditionError:
        return None
    if isinstance(found, Compare) and found.right == Const(0.0) and isinstance(found.left, Price | Indicator):
        return found.left
    return None
