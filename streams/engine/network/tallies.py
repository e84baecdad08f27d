"""Conditions that are nothing but comparisons joined by `and`, counted: one byte for each that moves. Compiled.

A tally counts how many of its comparisons are false, and knows whether some are unknown; a comparison is a rung and has
no node of its own, so that a value that passes one costs an addition. An `or` is kept as the negation of an `and` of
negations.
"""

from typing import Final

from streams.engine.kernels.kernel import kernel
from streams.engine.network.tables import Bytes, Rows, Words, doubts_of, state_of, tallies_of, told_of
from streams.engine.network.truths import FALSE, TOLD, TRUE, UNKNOWN

MOST: Final = 63
"""Comparisons of one condition."""

# A tally: how many are false, whether some are unknown (how many stands in `doubts`), whether it is noted in `told`.
FALSES: Final = MOST
DOUBT: Final = 64
QUEUED: Final = 128
# A note in `told`: the tally, and below it the truth it had.
NOTE: Final = 2


@kernel
def tallied(tally: int) -> int:
    """Truth of the conjunction (Kleene)."""
    if tally & FALSES:
        return FALSE
    return UNKNOWN if tally & DOUBT else TRUE


@kernel
def note(tallies: Bytes, told: Rows, state: Words, n: int, before: int) -> None:
    """Remember, once, that the truth of a tally may not be what it was."""
    if before & QUEUED == 0:
        tallies[n] |= QUEUED
        told[state[TOLD]] = n << NOTE | tallied(before)
        state[TOLD] += 1


@kernel
def count(tallies: Bytes, told: Rows, state: Words, n: int, by: int) -> None:
    """One false comparison more or less."""
    before = int(tallies[n])
    now = before + by
    tallies[n] = now
    if before & FALSES == 0 or now & FALSES == 0:
        note(tallies, told, state, n, before)


@kernel
def weigh(block: int, n: int, truth: int, by: int) -> None:
    """One comparison of that truth more or less, without a word."""
    tallies = tallies_of(block)
    if truth == FALSE:
        tallies[n] += by
    elif truth == UNKNOWN:
        doubts = doubts_of(block)
        doubts[n] += by
        tallies[n] = (tallies[n] & ~DOUBT) | (DOUBT if doubts[n] > 0 else 0)


@kernel
def change(block: int, n: int, stood: int, now: int) -> None:
    """A comparison of a tally has another truth."""
    tallies = tallies_of(block)
    before = int(tallies[n])
    weigh(block, n, stood, -1)
    weigh(block, n, now, 1)
    if tallied(int(tallies[n])) != tallied(before):
        note(tallies, told_of(block), state_of(block), n, before)


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
        n = told[k] >> NOTE
        if tallied(int(tallies[n])) == told[k] & ((1 << NOTE) - 1):
            tallies[n] &= ~QUEUED
        else:
            told[kept] = told[k]
            kept += 1
    state[TOLD] = kept
    return kept


@kernel
def told_taken(block: int) -> int:
    """How many tallies were told of since the last call, which `told` now names; they may be told of again."""
    kept = sift(block)
    tallies = tallies_of(block)
    told = told_of(block)
    for k in range(kept):
        told[k] >>= NOTE
        tallies[told[k]] &= ~QUEUED
    state_of(block)[TOLD] = 0
    return kept
