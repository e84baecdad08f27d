"""Truths of a symbol's nodes as numbers, and how a change of one reaches those above it. Compiled.

A node is a row of int32 numbers. Leaves are set from outside, inner nodes count the truths of their children, so that a
change below costs the same however many children there are. Nodes are settled rank by rank: each is decided once,
after all that it depends on.
"""

from typing import Any, Final

import numpy as np

from streams.engine.kernels.kernel import kernel
from streams.engine.network.tables import NODE, RANKS, Rows, Words

FALSE: Final = 0
TRUE: Final = 1
UNKNOWN: Final = 2

LEAF: Final = 0
ALL: Final = 1
ANY: Final = 2
NOT: Final = 3
CALLED: Final = 4
"""Decided in Python, when a child has changed: `settle` stops and names it."""

# A row of `nodes`: 16 bytes, so that a condition of a few parts lies in one or two lines of the processor's cache.
WORD, COUNTS, EDGE, QUEUED = range(NODE)
# In WORD: the truth, then kind, rank and whether somebody watches, whether it has flipped.
TRUTH: Final = 3
KIND_AT: Final = 2
RANK_AT: Final = 5
LOW_FIVE: Final = 31
LOW_THREE: Final = 7
WATCHED: Final = 1 << 10
FLIPPED: Final = 1 << 11
# In COUNTS: children that are true, that are false, and all of them.
ONE_TRUE: Final = 1
ONE_FALSE: Final = 1 << 8
ONE_CHILD: Final = 1 << 16
LOW_BYTE: Final = 255
# In EDGE: END, the first of `edges` to several parents, or ONLY - parent where there is but one.
END: Final = -1
ONLY: Final = -2
OUT: Final = -2
"""Of QUEUED and PULSED: in no list. Otherwise they name the next node, or END."""
# A row of `pulses`, beside that of the node.
PULSED, CLOCK = range(2)

# Words of `state`: how many flipped, how many are to be called, how many tallies were noted, whether a node is queued,
# the queues by rank.
FLIPS, CALLS, TOLD, WAITING, QUEUES = range(5)


@kernel
def joined(nodes: Rows, n: int) -> int:
    """Truth of an inner node from its children's truths as counted (Kleene)."""
    counts = nodes[n, COUNTS]
    trues = counts & LOW_BYTE
    falses = (counts >> 8) & LOW_BYTE
    children = counts >> 16
    kind = (nodes[n, WORD] >> KIND_AT) & LOW_THREE
    if kind == ALL:
        return FALSE if falses > 0 else TRUE if trues == children else UNKNOWN
    if kind == ANY:
        return TRUE if trues > 0 else FALSE if falses == children else UNKNOWN
    return FALSE if trues > 0 else TRUE if falses > 0 else UNKNOWN


@kernel
def counted(truth: int) -> int:
    """What a child of that truth adds to the counts."""
    return ONE_TRUE if truth == TRUE else ONE_FALSE if truth == FALSE else 0


@kernel
def queue(nodes: Rows, state: Words, n: int) -> None:
    """Have an inner node decided when all below it is."""
    if nodes[n, QUEUED] == OUT:
        rank = (nodes[n, WORD] >> RANK_AT) & LOW_FIVE
        nodes[n, QUEUED] = state[QUEUES + rank]
        state[QUEUES + rank] = n
        state[WAITING] = 1


@kernel
def remind(nodes: Rows, state: Words, flipped: Rows, n: int) -> None:
    """Note a node as if its truth had changed, where somebody watches."""
    word = nodes[n, WORD]
    if word & WATCHED and not word & FLIPPED:
        nodes[n, WORD] = word | FLIPPED
        flipped[state[FLIPS], 0] = n
        state[FLIPS] += 1


@kernel
def tell_parent(nodes: Rows, state: Words, parent: int, by: int) -> None:
    """Change a parent's counts, and queue it where it must be decided anew."""
    nodes[parent, COUNTS] += by
    word = nodes[parent, WORD]
    if (word >> KIND_AT) & LOW_THREE == CALLED or joined(nodes, parent) != word & TRUTH:
        queue(nodes, state, parent)


@kernel
def put(nodes: Rows, edges: Rows, state: Words, flipped: Rows, n: int, truth: int) -> None:
    """Set a truth, count it in the parents, and queue them; note it where somebody watches."""
    word = nodes[n, WORD]
    before = word & TRUTH
    if before == truth:
        return
    nodes[n, WORD] = word - before + truth
    remind(nodes, state, flipped, n)
    by = counted(truth) - counted(before)
    edge = nodes[n, EDGE]
    if edge <= ONLY:
        tell_parent(nodes, state, ONLY - edge, by)
    while edge >= 0:
        tell_parent(nodes, state, edges[edge, 0], by)
        edge = edges[edge, 1]


@kernel
def settle(nodes: Rows, edges: Rows, state: Words, flipped: Rows, called: Rows) -> int:
    """Decide what is queued, in order of rank. Returns how many nodes must be called before it can go on, else 0."""
    state[CALLS] = 0
    if state[WAITING] == 0:
        return 0
    for rank in range(RANKS):
        n = state[QUEUES + rank]
        if n < 0:
            continue
        state[QUEUES + rank] = END
        while n >= 0:
            after = nodes[n, QUEUED]
            nodes[n, QUEUED] = OUT
            if (nodes[n, WORD] >> KIND_AT) & LOW_THREE == CALLED:
                called[state[CALLS], 0] = n
                state[CALLS] += 1
            else:
                put(nodes, edges, state, flipped, n, joined(nodes, n))
            n = after
        if state[CALLS] > 0:
            return int(state[CALLS])
    state[WAITING] = 0
    return 0


def new_nodes(count: int) -> Rows:
    """Rows of nodes that nobody has taken yet."""
    rows: Any = np.zeros((count, NODE), np.int32)
    rows[:, WORD] = UNKNOWN
    rows[:, EDGE] = END
    rows[:, QUEUED] = OUT
    return rows  # type: ignore[no-any-return]


def new_pulses(count: int) -> Rows:
    """Their rows of pulses."""
    rows: Any = np.zeros((count, 2), np.int32)
    rows[:, PULSED] = OUT
    return rows  # type: ignore[no-any-return]
