"""How large a condition is."""

from schemas.conditions import (
    All,
    AnyOf,
    Arithmetic,
    Channel,
    Compare,
    Condition,
    Holds,
    Moves,
    Not,
    Operand,
    Sequenced,
)


def nodes_of(node: Condition | Operand) -> int:
    """Its nodes as the schema counts them: operands, comparisons, and what joins them, each once."""
    match node:
        case All(items) | AnyOf(items) | Sequenced(items, _):
            return 1 + sum(nodes_of(item) for item in items)
        case Not(item) | Holds(item, _):
            return 1 + nodes_of(item)
        case Compare(_, left, right) | Arithmetic(_, left, right):
            return 1 + nodes_of(left) + nodes_of(right)
        case Channel(_, left, low, high):
            return 1 + nodes_of(left) + nodes_of(low) + nodes_of(high)
        case Moves(_, left, _, _):
            return 1 + nodes_of(left)
        case _:
            return 1
