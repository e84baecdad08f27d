"""Conditions that are nothing but comparisons joined by `and`, counted: one number of two bytes each. Compiled.

A tally counts how many of its comparisons are false and how many are unknown; a comparison is a rung and has no node of
its own, so that a value that passes one costs an addition. An `or` is kept as the negation of an `and` of negations.
"""

from typing import Final

from streams.engine.kernels.kernel import kernel
from streams.engine.network.tables import Halves, Rows, Words, state_of, tallies_of, told_of
from streams.engine.network.truths import FALSE, TOLD, TRUE, UNKNOWN

MOST: Final = 63
"""Comparisons of one condition."""

# A tally: how many are false, how many unknown, whether it is among those told of, and what it was before it was.
ONE_FALSE: Final = 1
FALSES: Final = MOST
ONE_UNKNOWN: Final = 1 << 6
UNKNOWNS: Final = MOST << 6
QUEUED: Final = 1 << 12
BEFORE_AT: Final = 13


@kernel
def tallied(tally: int) -> int:
    """Truth of the conjunction (Kleene)."""
    if tally & FALSES:
        return FALSE
    return UNKNOWN if tally & UNKNOWNS else TRUE


@kernel
def weight(truth: int) -> int:
    """What a comparison of that truth adds."""
    return ONE_FALSE if truth == FALSE else ONE_UNKNOWN if truth == UNKNOWN else 0


@kernel
def count(tallies: Halves, told: Rows, state: Words, n: int, by: int) -> None:
    """Change a tally, and note it where its truth may be another."""
    before = int(tallies[n])
    now = before + by
    tallies[n] = now
    if (before & FALSES == 0 or now & FALSES == 0) and now & QUEUED == 0:
        tallies[n] = now | QUEUED | tallied(before) << BEFORE_AT
        told[state[TOLD]] = n
        state[TOLD] += 1


@kernel
def sift(block: int) -> int:
    """How many tallies are not what they were, of those noted; the others are forgotten."""
    state = state_of(block)
    noted = state[TOLD]
    if noted == 0:
        return 0
    tallies = tallies_of(block)
    told = told_of(block)
    kept = 0
    for k in range(noted):
        n = told[k]
        tally = int(tallies[n])
        if tallied(tally) == tally >> BEFORE_AT:
            tallies[n] = tally & (QUEUED - 1)
        else:
            told[kept] = n
            kept += 1
    state[TOLD] = kept
    return kept


@kernel
def told_taken(block: int) -> int:
    """How many tallies were told of since the last call; they may be told of again."""
    kept = sift(block)
    if kept > 0:
        tallies = tallies_of(block)
        told = told_of(block)
        for k in range(kept):
            tallies[told[k]] &= QUEUED - 1
        state_of(block)[TOLD] = 0
    return kept
