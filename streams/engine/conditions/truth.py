"""Kleene's three values: True, False and None for unknown (law 13). Unknown is never true and never an edge."""

from typing import Final, TypeAlias

from schemas.conditions import CompareOp

Truth: TypeAlias = bool | None

EQUAL: Final = 0
ABOVE: Final = 1
BELOW: Final = -1

ORDERED: Final[dict[str, tuple[bool, bool, bool]]] = {
    "lt": (False, False, True),
    "lte": (True, False, True),
    "gt": (False, True, False),
    "gte": (True, True, False),
}
"""Truth of `left op right`, indexed by where left stands to right: EQUAL, ABOVE, BELOW (the last, as index -1)."""

MIRRORED: Final[dict[CompareOp, CompareOp]] = {
    "lt": "gt",
    "lte": "gte",
    "gt": "lt",
    "gte": "lte",
    "crosses": "crosses",
    "crosses_above": "crosses_below",
    "crosses_below": "crosses_above",
}
"""`left op right` is `right MIRRORED[op] left`."""


def standing(left: float, right: float) -> int:
    """Where `left` stands to `right`; both are known."""
    return EQUAL if left == right else ABOVE if left > right else BELOW


def crossed(op: str, before: int, now: int) -> bool:
    """Whether going from standing `before` to `now` is a cross: `previous <= and now >`, or the reverse."""
    if before == now or now == EQUAL:
        return False
    return op == "crosses" or (now == ABOVE) == (op == "crosses_above")
