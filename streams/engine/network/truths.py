"""Truths of a symbol's nodes as numbers, and how a change of one reaches those above it. Compiled.

A node is a row of int32 numbers. Leaves are set from outside, inner nodes count the truths of their children, so that a
change below costs the same however many children there are. Nodes are settled rank by rank: each is decided once,
after all that it depends on.
"""

from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from streams.engine.kernels.kernel import kernel

Rows: TypeAlias = NDArray[np.int32]
Words: TypeAlias = NDArray[np.int64]

FALSE: Final = 0
TRUE: Final = 1
UNKNOWN: Final = 2

LEAF: Final = 0
ALL: Final = 1
ANY: Final = 2
NOT: Final = 3
CALLED: Final = 4
"""Decided in Python, when a child has changed: `settle` stops and names it."""

# A row of `nodes`. EDGE: the first of `edges` to its parents; QUEUED and PULSED: the next node of a list it is in.
TRUTH, KIND, TRUES, FALSES, CHILDREN, RANK, EDGE, WATCHED, FLIPPED, QUEUED, PULSED, CLOCK = range(12)
NODE: Final = 12
END: Final = -1
OUT: Final = -2

# Words of `state`: how many flipped, how many are to be called, then the queues by rank.
FLIPS, CALLS, QUEUES = range(3)
RANKS: Final = 16
STATE: Final = QUEUES + RANKS


@kernel
def put(nodes: Rows, edges: Rows, state: Words, flipped: Rows, n: int, truth: int) -> None:
    """Set a truth, count it in the parents, and queue them; note it where somebody watches."""
    before = nodes[n, TRUTH]
    if before == truth:
        return
    nodes[n, TRUTH] = truth
    if nodes[n, WATCHED] > 0 and nodes[n, FLIPPED] == 0:
        nodes[n, FLIPPED] = 1
        flipped[state[FLIPS], 0] = n
        state[FLIPS] += 1
    edge = nodes[n, EDGE]
    while edge >= 0:
        parent = edges[edge, 0]
        edge = edges[edge, 1]
        if before == TRUE:
            nodes[parent, TRUES] -= 1
        elif before == FALSE:
            nodes[parent, FALSES] -= 1
        if truth == TRUE:
            nodes[parent, TRUES] += 1
        elif truth == FALSE:
            nodes[parent, FALSES] += 1
        if nodes[parent, QUEUED] == OUT:
            rank = nodes[parent, RANK]
            nodes[parent, QUEUED] = state[QUEUES + rank]
            state[QUEUES + rank] = parent


@kernel
def joined(nodes: Rows, n: int) -> int:
    """Truth of an inner node from its children's truths as counted (Kleene)."""
    trues = nodes[n, TRUES]
    falses = nodes[n, FALSES]
    kind = nodes[n, KIND]
    if kind == ALL:
        return FALSE if falses > 0 else TRUE if trues == nodes[n, CHILDREN] else UNKNOWN
    if kind == ANY:
        return TRUE if trues > 0 else FALSE if falses == nodes[n, CHILDREN] else UNKNOWN
    return FALSE if trues > 0 else TRUE if falses > 0 else UNKNOWN


@kernel
def settle(nodes: Rows, edges: Rows, state: Words, flipped: Rows, called: Rows) -> int:
    """Decide what is queued, in order of rank. Returns how many nodes must be called before it can go on, else 0."""
    state[CALLS] = 0
    for rank in range(RANKS):
        n = state[QUEUES + rank]
        if n < 0:
            continue
        state[QUEUES + rank] = END
        while n >= 0:
            after = nodes[n, QUEUED]
            nodes[n, QUEUED] = OUT
            if nodes[n, KIND] == CALLED:
                called[state[CALLS], 0] = n
                state[CALLS] += 1
            else:
                put(nodes, edges, state, flipped, n, joined(nodes, n))
            n = after
        if state[CALLS] > 0:
            return int(state[CALLS])
    return 0


def new_nodes(count: int) -> Rows:
    """Rows of nodes that nobody has taken yet."""
    rows: Any = np.zeros((count, NODE), np.int32)
    rows[:, TRUTH] = UNKNOWN
    rows[:, EDGE] = END
    rows[:, QUEUED] = rows[:, PULSED] = OUT
    return rows  # type: ignore[no-any-return]
