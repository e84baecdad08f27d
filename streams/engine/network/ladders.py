"""Thresholds on a series of values, sorted, with the place where the value stands. Compiled.

A move touches only the thresholds between the value before and the value now, and while the value stays between the
two nearest ones it touches nothing. Each series has two ladders: a large one, and a small one that takes what is new
until the two are merged, so that a threshold comes and goes at the cost of the small one however many there are.
A rung is a constant and a code, `node * 8 + op`; GONE: a rung whose node has left.
"""

import math
from typing import Final, TypeAlias

import numpy as np
from numba.np.numpy_support import carray
from numpy.typing import NDArray

from streams.engine.kernels.kernel import floats_at, ints_at, kernel
from streams.engine.network.truths import (
    CLOCK,
    FALSE,
    OUT,
    PULSED,
    TRUE,
    TRUTH,
    UNKNOWN,
    WORD,
    Rows,
    Words,
    put,
)

Values: TypeAlias = NDArray[np.float64]

OPS: Final = ("lt", "lte", "gt", "gte", "crosses", "crosses_above", "crosses_below")
LT, LTE, GT, GTE, CROSSES, CROSSES_ABOVE, CROSSES_BELOW = range(7)
GONE: Final = -1

# A row of `ladders`: where constants and codes are, how many, the rungs below and up to the value, gone ones, room.
CONSTANTS_AT, CODES_AT, RUNGS, LEFT, RIGHT, DEAD, ROOM = range(7)
LADDER: Final = 7

# A row of `series`: KNOWN: the value is; SETTLED: the one before was, too. CROSSING: how many rungs are crosses.
KIND, FRAME_AT, COLUMN, BACK, FRAME2_AT, COLUMN2, BACK2, KNOWN, SETTLED, CROSSING, NEXT = range(11)
SERIES: Final = 11
# A row of `values`: the value now, the one before, and the guard: nothing happens while LOW < value < HIGH.
VALUE, BEFORE, LOW, HIGH = range(4)
VALUES: Final = 4

BELOW: Final = -1
EQUAL: Final = 0
ABOVE: Final = 1


@kernel
def ordered(op: int, standing: int) -> int:
    """Truth of a comparison of order where the value stands so to the constant."""
    if op == LT:
        return TRUE if standing < 0 else FALSE
    if op == LTE:
        return TRUE if standing <= 0 else FALSE
    if op == GT:
        return TRUE if standing > 0 else FALSE
    return TRUE if standing >= 0 else FALSE


@kernel
def crossed(op: int, before: int, now: int) -> bool:
    """Whether going from standing `before` to `now` is a cross: `previous <= and now >`, or the reverse."""
    if before == now or now == EQUAL:
        return False
    if op == CROSSES:
        return True
    return (now == ABOVE) == (op == CROSSES_ABOVE)


@kernel
def first_at_least(constants: Values, rungs: int, x: float) -> int:
    """How many of the sorted constants are less than `x`."""
    low = 0
    high = rungs
    while low < high:
        middle = (low + high) // 2
        if constants[middle] < x:
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def pulse(pulses: Rows, heads: Words, n: int) -> None:
    """Remember that a cross is true for one close of its clock."""
    if pulses[n, PULSED] == OUT:
        clock = pulses[n, CLOCK]
        pulses[n, PULSED] = heads[clock]
        heads[clock] = n


@kernel
def pass_over(
    nodes: Rows, edges: Rows, state: Words, flipped: Rows, pulses: Rows, heads: Words, codes: Words,
    start: int, stop: int, old_left: int, old_right: int, left: int, right: int,
) -> None:  # fmt: skip
    """Decide the rungs [start, stop), which the value stood to as the old places say, and stands to as the new."""
    for at in range(start, stop):
        code = codes[at]
        if code < 0:
            continue
        n = code >> 3
        op = code & 7
        now = ABOVE if at < left else EQUAL if at < right else BELOW
        if op < CROSSES:
            put(nodes, edges, state, flipped, n, ordered(op, now))
        elif crossed(op, ABOVE if at < old_left else EQUAL if at < old_right else BELOW, now):
            put(nodes, edges, state, flipped, n, TRUE)
            pulse(pulses, heads, n)
        elif nodes[n, WORD] & TRUTH == UNKNOWN:
            put(nodes, edges, state, flipped, n, FALSE)


@kernel
def guard(series: Words, values: Values, ladders: Words, s: int) -> None:
    """Find the nearest constants on both sides; none where the next value must be looked at in any case."""
    low = -math.inf
    high = math.inf
    open_ = series[s, KNOWN] == 0 or (series[s, CROSSING] > 0 and series[s, SETTLED] == 0)
    for which in range(2 * s, 2 * s + 2):
        left = ladders[which, LEFT]
        right = ladders[which, RIGHT]
        rungs = ladders[which, RUNGS]
        if rungs == 0:
            continue
        constants = carray(floats_at(ladders[which, CONSTANTS_AT]), (rungs,))
        if left != right:
            open_ = True
        if left > 0:
            low = max(low, constants[left - 1])
        if right < rungs:
            high = min(high, constants[right])
    values[s, LOW] = math.inf if open_ else low
    values[s, HIGH] = -math.inf if open_ else high


@kernel
def forget(
    nodes: Rows,
    edges: Rows,
    state: Words,
    flipped: Rows,
    series: Words,
    values: Values,
    ladders: Words,
    s: int,
) -> None:
    """The value became unknown, and with it all that hangs here."""
    if series[s, KNOWN] != 0:
        for which in range(2 * s, 2 * s + 2):
            rungs = ladders[which, RUNGS]
            if rungs > 0:
                codes = carray(ints_at(ladders[which, CODES_AT]), (rungs,))
                for at in range(rungs):
                    if codes[at] >= 0:
                        put(nodes, edges, state, flipped, codes[at] >> 3, UNKNOWN)
    series[s, KNOWN] = 0
    series[s, SETTLED] = 0
    guard(series, values, ladders, s)


@kernel
def move(
    nodes: Rows, edges: Rows, state: Words, flipped: Rows, pulses: Rows, heads: Words, series: Words, values: Values,
    ladders: Words, s: int, value: float,
) -> None:  # fmt: skip
    """The next value of series `s`: put every truth that changes; crosses that become true are pulses."""
    if math.isnan(value):
        forget(nodes, edges, state, flipped, series, values, ladders, s)
        return
    known = series[s, KNOWN] != 0
    settled = series[s, SETTLED] != 0
    for which in range(2 * s, 2 * s + 2):
        rungs = ladders[which, RUNGS]
        if rungs == 0:
            continue
        constants = carray(floats_at(ladders[which, CONSTANTS_AT]), (rungs,))
        codes = carray(ints_at(ladders[which, CODES_AT]), (rungs,))
        old_left = ladders[which, LEFT]
        old_right = ladders[which, RIGHT]
        left = old_left if known else first_at_least(constants, rungs, value)
        while left < rungs and constants[left] < value:
            left += 1
        while left > 0 and constants[left - 1] >= value:
            left -= 1
        right = left
        while right < rungs and constants[right] == value:
            right += 1
        if not known:
            for at in range(rungs):
                code = codes[at]
                if code >= 0 and code & 7 < CROSSES:
                    now = ABOVE if at < left else EQUAL if at < right else BELOW
                    put(nodes, edges, state, flipped, code >> 3, ordered(code & 7, now))
        else:
            start = min(left, old_left) if settled else 0
            stop = max(right, old_right) if settled else rungs
            pass_over(
                nodes,
                edges,
                state,
                flipped,
                pulses,
                heads,
                codes,
                start,
                stop,
                old_left,
                old_right,
                left,
                right,
            )
        ladders[which, LEFT] = left
        ladders[which, RIGHT] = right
    if known:
        series[s, SETTLED] = 1
    series[s, KNOWN] = 1
    guard(series, values, ladders, s)


@kernel
def truth_at(op: int, constant: float, before: float, now: float) -> int:
    """Truth of `value op constant` by the definition, from the last two values of its clock."""
    if math.isnan(now):
        return UNKNOWN
    standing = EQUAL if now == constant else ABOVE if now > constant else BELOW
    if op < CROSSES:
        return ordered(op, standing)
    if math.isnan(before):
        return UNKNOWN
    stood = EQUAL if before == constant else ABOVE if before > constant else BELOW
    return TRUE if crossed(op, stood, standing) else FALSE


@kernel
def stand(
    nodes: Rows, edges: Rows, state: Words, flipped: Rows, pulses: Rows, heads: Words, series: Words, values: Values,
    ladders: Words, s: int, before: float, now: float,
) -> None:  # fmt: skip
    """Put series `s` where the definition says it is, and every truth that hangs there."""
    values[s, BEFORE] = before
    values[s, VALUE] = now
    series[s, KNOWN] = 0 if math.isnan(now) else 1
    series[s, SETTLED] = 0 if math.isnan(now) or math.isnan(before) else 1
    for which in range(2 * s, 2 * s + 2):
        rungs = ladders[which, RUNGS]
        if rungs == 0:
            continue
        constants = carray(floats_at(ladders[which, CONSTANTS_AT]), (rungs,))
        codes = carray(ints_at(ladders[which, CODES_AT]), (rungs,))
        if not math.isnan(now):
            left = first_at_least(constants, rungs, now)
            right = left
            while right < rungs and constants[right] == now:
                right += 1
            ladders[which, LEFT] = left
            ladders[which, RIGHT] = right
        for at in range(rungs):
            code = codes[at]
            if code >= 0:
                truth = truth_at(code & 7, constants[at], before, now)
                put(nodes, edges, state, flipped, code >> 3, truth)
                if truth == TRUE and code & 7 >= CROSSES:
                    pulse(pulses, heads, code >> 3)
    guard(series, values, ladders, s)


@kernel
def hang(
    nodes: Rows, edges: Rows, state: Words, flipped: Rows, pulses: Rows, heads: Words, series: Words, values: Values,
    ladders: Words, s: int, which: int, constant: float, code: int,
) -> None:  # fmt: skip
    """Put a rung on a ladder of series `s` that has room, and decide its node."""
    rungs = ladders[which, RUNGS] + 1
    ladders[which, RUNGS] = rungs
    constants = carray(floats_at(ladders[which, CONSTANTS_AT]), (rungs,))
    codes = carray(ints_at(ladders[which, CODES_AT]), (rungs,))
    at = first_at_least(constants, rungs - 1, constant)
    for k in range(rungs - 1, at, -1):
        constants[k] = constants[k - 1]
        codes[k] = codes[k - 1]
    constants[at] = constant
    codes[at] = code
    now = values[s, VALUE] if series[s, KNOWN] != 0 else math.nan
    before = values[s, BEFORE]
    if constant < now:
        ladders[which, LEFT] += 1
        ladders[which, RIGHT] += 1
    elif constant == now:
        ladders[which, RIGHT] += 1
    op = code & 7
    if op >= CROSSES:
        series[s, CROSSING] += 1
    truth = truth_at(op, constant, before, now)
    put(nodes, edges, state, flipped, code >> 3, truth)
    if truth == TRUE and op >= CROSSES:
        pulse(pulses, heads, code >> 3)
    guard(series, values, ladders, s)


@kernel
def unhang(
    series: Words, values: Values, ladders: Words, s: int, constant: float, code: int, small: int
) -> bool:
    """Take a rung away; False where it is not there. On a ladder of more than `small` rungs its place stays, marked."""
    found = False
    for which in range(2 * s, 2 * s + 2):
        rungs = ladders[which, RUNGS]
        if rungs == 0 or found:
            continue
        constants = carray(floats_at(ladders[which, CONSTANTS_AT]), (rungs,))
        codes = carray(ints_at(ladders[which, CODES_AT]), (rungs,))
        at = first_at_least(constants, rungs, constant)
        while at < rungs and constants[at] == constant and codes[at] != code:
            at += 1
        if at == rungs or constants[at] != constant:
            continue
        found = True
        if rungs > small:
            codes[at] = GONE
            ladders[which, DEAD] += 1
        else:
            for k in range(at, rungs - 1):
                constants[k] = constants[k + 1]
                codes[k] = codes[k + 1]
            ladders[which, RUNGS] = rungs - 1
            if at < ladders[which, LEFT]:
                ladders[which, LEFT] -= 1
            if at < ladders[which, RIGHT]:
                ladders[which, RIGHT] -= 1
    if found and code & 7 >= CROSSES:
        series[s, CROSSING] -= 1
    if found:
        guard(series, values, ladders, s)
    return found


@kernel
def merge(series: Words, values: Values, ladders: Words, s: int, constants: Values, codes: Words) -> None:
    """Both ladders of `s`, without what is gone, into `constants` and `codes`, which become its large one."""
    big = 2 * s
    fresh = big + 1
    one = ladders[big, RUNGS]
    other = ladders[fresh, RUNGS]
    # an empty ladder may have no arrays: the other's stand in for them, unread
    here = big if one > 0 else fresh
    there = fresh if other > 0 else big
    a = carray(floats_at(ladders[here, CONSTANTS_AT]), (max(one, 1),))
    a_codes = carray(ints_at(ladders[here, CODES_AT]), (max(one, 1),))
    b = carray(floats_at(ladders[there, CONSTANTS_AT]), (max(other, 1),))
    b_codes = carray(ints_at(ladders[there, CODES_AT]), (max(other, 1),))
    i = 0
    j = 0
    rungs = 0
    while i < one or j < other:
        if j >= other or (i < one and a[i] <= b[j]):
            constant = a[i]
            code = a_codes[i]
            i += 1
        else:
            constant = b[j]
            code = b_codes[j]
            j += 1
        if code >= 0:
            constants[rungs] = constant
            codes[rungs] = code
            rungs += 1
    left = 0
    right = 0
    if series[s, KNOWN] != 0:
        left = first_at_least(constants, rungs, values[s, VALUE])
        right = left
        while right < rungs and constants[right] == values[s, VALUE]:
            right += 1
    ladders[big, RUNGS] = rungs
    ladders[big, LEFT] = left
    ladders[big, RIGHT] = right
    ladders[big, DEAD] = 0
    ladders[fresh, RUNGS] = 0
    ladders[fresh, LEFT] = 0
    ladders[fresh, RIGHT] = 0
    ladders[fresh, DEAD] = 0
