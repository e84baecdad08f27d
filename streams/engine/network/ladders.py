"""Thresholds on a series of values, sorted, with the place where the value stands. Compiled.

A move touches only the thresholds between the value before and the value now, and while the value stays between the
two nearest ones it touches nothing. Each series has two ladders: a large one, and a small one that takes what is new
until the two are merged, so that a threshold comes and goes at the cost of the small one however many there are.
A rung is a constant and a code: `node << 4 | op`, or `tally << 4 | TALLY | op`; GONE: a rung that has left.
"""

import math
from typing import Final

from numba.np.numpy_support import carray

from streams.engine.kernels.kernel import floats_at, kernel, shorts_at
from streams.engine.network.tables import (
    Rows,
    Values,
    Words,
    edges_of,
    flipped_of,
    heads_of,
    ladders_of,
    nodes_of,
    pulses_of,
    series_of,
    state_of,
    tallies_of,
    told_of,
    values_of,
)
from streams.engine.network.tallies import change, count, weigh
from streams.engine.network.truths import CLOCK, FALSE, OUT, PULSED, TRUE, TRUTH, UNKNOWN, WORD, put

OPS: Final = ("lt", "lte", "gt", "gte", "crosses", "crosses_above", "crosses_below")
LT, LTE, GT, GTE, CROSSES, CROSSES_ABOVE, CROSSES_BELOW = range(7)
TALLY: Final = 8
GONE: Final = -16
"""Less than any code, and without TALLY."""

# A row of `ladders`: where constants and codes are, how many, the rungs below and up to the value, gone ones, room.
CONSTANTS_AT, CODES_AT, RUNGS, LEFT, RIGHT, DEAD, ROOM = range(7)

# A row of `series`: KNOWN: the value is; SETTLED: the one before was, too. CROSSING: how many rungs are crosses.
KIND, FRAME_AT, COLUMN, BACK, FRAME2_AT, COLUMN2, BACK2, KNOWN, SETTLED, CROSSING, NEXT = range(11)
# A row of `values`: the value now, the one before, and the guard: nothing happens while LOW < value < HIGH.
VALUE, BEFORE, LOW, HIGH = range(4)

MISSING, TAKEN, STALE = range(3)
HUNG: Final = -1
FULL: Final = -2

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
def constants_of(ladders: Words, which: int, rungs: int) -> Values:
    return carray(floats_at(ladders[which, CONSTANTS_AT]), (rungs,))


@kernel
def codes_of(ladders: Words, which: int, rungs: int) -> Rows:
    return carray(shorts_at(ladders[which, CODES_AT]), (rungs,))


@kernel
def place(at: int, left: int, right: int) -> int:
    """How the value stands to the constant of the rung `at`."""
    return ABOVE if at < left else EQUAL if at < right else BELOW


@kernel
def pulse(block: int, n: int) -> None:
    """Remember that a cross is true for one close of its clock."""
    pulses = pulses_of(block)
    if pulses[n, PULSED] == OUT:
        heads = heads_of(block)
        clock = pulses[n, CLOCK]
        pulses[n, PULSED] = heads[clock]
        heads[clock] = n


@kernel
def set_truth(block: int, code: int, before: int, now: int) -> None:
    """What a rung's comparison was and is: to its node, or to its tally."""
    if code & TALLY:
        if before != now:
            change(block, code >> 4, before, now)
        return
    put(nodes_of(block), edges_of(block), state_of(block), flipped_of(block), code >> 4, now)
    if now == TRUE and code & 7 >= CROSSES:
        pulse(block, code >> 4)


@kernel
def turn(block: int, code: int, stood: int, now: int) -> None:
    """Decide a rung, which the value stood so to, and stands so to now."""
    op = code & 7
    if code < 0:
        return
    if op < CROSSES:
        set_truth(block, code, ordered(op, stood), ordered(op, now))
    elif crossed(op, stood, now):
        set_truth(block, code, FALSE, TRUE)
    elif nodes_of(block)[code >> 4, WORD] & TRUTH == UNKNOWN:
        set_truth(block, code, UNKNOWN, FALSE)


@kernel
def rise(block: int, constants: Values, codes: Rows, left: int, right: int, value: float) -> tuple[int, int]:
    """The value rose to `value`: decide what it left, passed and reached. Its new places."""
    tallies = tallies_of(block)
    told = told_of(block)
    state = state_of(block)
    rungs = len(constants)
    for at in range(left, right):
        turn(block, int(codes[at]), EQUAL, ABOVE)
    while right < rungs and constants[right] < value:
        code = int(codes[right])
        if code & TALLY:
            count(tallies, told, state, code >> 4, 1 - (code & GT))
        else:
            turn(block, code, BELOW, ABOVE)
        right += 1
    left = right
    while right < rungs and constants[right] == value:
        turn(block, int(codes[right]), BELOW, EQUAL)
        right += 1
    return left, right


@kernel
def fall(block: int, constants: Values, codes: Rows, left: int, right: int, value: float) -> tuple[int, int]:
    """The value fell to `value`: decide what it left, passed and reached. Its new places."""
    tallies = tallies_of(block)
    told = told_of(block)
    state = state_of(block)
    for at in range(left, right):
        turn(block, int(codes[at]), EQUAL, BELOW)
    while left > 0 and constants[left - 1] > value:
        left -= 1
        code = int(codes[left])
        if code & TALLY:
            count(tallies, told, state, code >> 4, (code & GT) - 1)
        else:
            turn(block, code, ABOVE, BELOW)
    right = left
    while left > 0 and constants[left - 1] == value:
        left -= 1
        turn(block, int(codes[left]), ABOVE, EQUAL)
    return left, right


@kernel
def settle_crosses(block: int, constants: Values, codes: Rows, left: int, right: int, before: float) -> None:
    """The value has been known twice: crosses, of which nothing was known, are true or false."""
    for at in range(len(codes)):
        code = int(codes[at])
        if code >= 0 and code & 7 >= CROSSES:
            constant = constants[at]
            stood = EQUAL if before == constant else ABOVE if before > constant else BELOW
            turn(block, code, stood, place(at, left, right))


@kernel
def guard(block: int, s: int) -> None:
    """Find the nearest constants on both sides; none where the next value must be looked at in any case."""
    series = series_of(block)
    values = values_of(block)
    ladders = ladders_of(block)
    low = -math.inf
    high = math.inf
    open_ = series[s, KNOWN] == 0 or (series[s, CROSSING] > 0 and series[s, SETTLED] == 0)
    for which in range(2 * s, 2 * s + 2):
        left = ladders[which, LEFT]
        right = ladders[which, RIGHT]
        rungs = ladders[which, RUNGS]
        if rungs == 0:
            continue
        constants = constants_of(ladders, which, rungs)
        if left != right:
            open_ = True
        if left > 0:
            low = max(low, constants[left - 1])
        if right < rungs:
            high = min(high, constants[right])
    values[s, LOW] = math.inf if open_ else low
    values[s, HIGH] = -math.inf if open_ else high


@kernel
def forget(block: int, s: int) -> None:
    """The value became unknown, and with it all that hangs here."""
    series = series_of(block)
    ladders = ladders_of(block)
    if series[s, KNOWN] != 0:
        for which in range(2 * s, 2 * s + 2):
            rungs = ladders[which, RUNGS]
            left = ladders[which, LEFT]
            right = ladders[which, RIGHT]
            if rungs > 0:
                codes = codes_of(ladders, which, rungs)
                for at in range(rungs):
                    code = int(codes[at])
                    if code >= 0:
                        set_truth(block, code, ordered(code & 7, place(at, left, right)), UNKNOWN)
    series[s, KNOWN] = 0
    series[s, SETTLED] = 0
    guard(block, s)


@kernel
def learn(block: int, codes: Rows, left: int, right: int) -> None:
    """The value of a ladder became known; of crosses it takes two."""
    for at in range(len(codes)):
        code = int(codes[at])
        if code >= 0 and code & 7 < CROSSES:
            set_truth(block, code, UNKNOWN, ordered(code & 7, place(at, left, right)))


@kernel
def move(block: int, s: int, value: float) -> None:
    """The next value of series `s`: put every truth that changes; crosses that become true are pulses."""
    if math.isnan(value):
        forget(block, s)
        return
    series = series_of(block)
    ladders = ladders_of(block)
    before = values_of(block)[s, BEFORE]
    known = series[s, KNOWN] != 0
    settled = series[s, SETTLED] != 0
    for which in range(2 * s, 2 * s + 2):
        rungs = ladders[which, RUNGS]
        if rungs == 0:
            continue
        constants = constants_of(ladders, which, rungs)
        codes = codes_of(ladders, which, rungs)
        left = ladders[which, LEFT]
        right = ladders[which, RIGHT]
        if not known:
            left = first_at_least(constants, rungs, value)
            right = left
            while right < rungs and constants[right] == value:
                right += 1
            learn(block, codes, left, right)
        elif value > before:
            left, right = rise(block, constants, codes, left, right, value)
        elif value < before:
            left, right = fall(block, constants, codes, left, right, value)
        if known and not settled and series[s, CROSSING] > 0:
            settle_crosses(block, constants, codes, left, right, before)
        ladders[which, LEFT] = left
        ladders[which, RIGHT] = right
    if known:
        series[s, SETTLED] = 1
    series[s, KNOWN] = 1
    guard(block, s)


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
def stand(block: int, s: int, before: float, now: float) -> None:
    """Put series `s` where the definition says it is, and every truth that hangs there."""
    series = series_of(block)
    values = values_of(block)
    ladders = ladders_of(block)
    known = series[s, KNOWN] != 0
    values[s, BEFORE] = before
    values[s, VALUE] = now
    series[s, KNOWN] = 0 if math.isnan(now) else 1
    series[s, SETTLED] = 0 if math.isnan(now) or math.isnan(before) else 1
    for which in range(2 * s, 2 * s + 2):
        rungs = ladders[which, RUNGS]
        if rungs == 0:
            continue
        constants = constants_of(ladders, which, rungs)
        codes = codes_of(ladders, which, rungs)
        old_left = ladders[which, LEFT]
        old_right = ladders[which, RIGHT]
        for at in range(rungs):
            code = int(codes[at])
            if code >= 0:
                op = code & 7
                stood = ordered(op, place(at, old_left, old_right)) if known else UNKNOWN
                set_truth(block, code, stood, truth_at(op, constants[at], before, now))
        if not math.isnan(now):
            left = first_at_least(constants, rungs, now)
            right = left
            while right < rungs and constants[right] == now:
                right += 1
            ladders[which, LEFT] = left
            ladders[which, RIGHT] = right
    guard(block, s)


@kernel
def enter(block: int, s: int, constant: float, code: int) -> None:
    """Let a comparison that is new count."""
    series = series_of(block)
    values = values_of(block)
    now = values[s, VALUE] if series[s, KNOWN] != 0 else math.nan
    truth = truth_at(code & 7, constant, values[s, BEFORE], now)
    if code & TALLY:
        weigh(block, code >> 4, truth, 1)
        return
    if code & 7 >= CROSSES:
        series[s, CROSSING] += 1
    set_truth(block, code, UNKNOWN, truth)


@kernel
def hang(block: int, s: int, constant: float, code: int, small: int) -> int:
    """Put a rung on a ladder of series `s`, and decide its comparison. HUNG, or which ladder has no room, or FULL where
    both have `small` rungs or more and must be merged first.
    """
    series = series_of(block)
    ladders = ladders_of(block)
    which = 2 * s
    if ladders[which, RUNGS] >= small:
        which += 1
        if ladders[which, RUNGS] >= small:
            return FULL
    if ladders[which, RUNGS] == ladders[which, ROOM]:
        return which
    rungs = ladders[which, RUNGS] + 1
    ladders[which, RUNGS] = rungs
    constants = constants_of(ladders, which, rungs)
    codes = codes_of(ladders, which, rungs)
    at = first_at_least(constants, rungs - 1, constant)
    for k in range(rungs - 1, at, -1):
        constants[k] = constants[k - 1]
        codes[k] = codes[k - 1]
    constants[at] = constant
    codes[at] = code
    if series[s, KNOWN] != 0:
        now = values_of(block)[s, VALUE]
        if constant < now:
            ladders[which, LEFT] += 1
            ladders[which, RIGHT] += 1
        elif constant == now:
            ladders[which, RIGHT] += 1
    enter(block, s, constant, code)
    guard(block, s)
    return HUNG


@kernel
def unhang(block: int, s: int, constant: float, code: int, small: int) -> int:
    """Take a rung away: TAKEN, MISSING where it is not there. On a ladder of more than `small` rungs its place stays,
    marked; STALE where most are.
    """
    series = series_of(block)
    ladders = ladders_of(block)
    found = False
    for which in range(2 * s, 2 * s + 2):
        rungs = ladders[which, RUNGS]
        if rungs == 0 or found:
            continue
        constants = constants_of(ladders, which, rungs)
        codes = codes_of(ladders, which, rungs)
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
    if not found:
        return MISSING
    guard(block, s)
    return STALE if 2 * ladders[2 * s, DEAD] > ladders[2 * s, RUNGS] else TAKEN


@kernel
def merge(block: int, s: int, constants: Values, codes: Rows) -> None:
    """Both ladders of `s`, without what is gone, into `constants` and `codes`, which become its large one."""
    series = series_of(block)
    values = values_of(block)
    ladders = ladders_of(block)
    big = 2 * s
    fresh = big + 1
    one = ladders[big, RUNGS]
    other = ladders[fresh, RUNGS]
    # an empty ladder may have no arrays: the other's stand in for them, unread
    here = big if one > 0 else fresh
    there = fresh if other > 0 else big
    a = constants_of(ladders, here, max(one, 1))
    a_codes = codes_of(ladders, here, max(one, 1))
    b = constants_of(ladders, there, max(other, 1))
    b_codes = codes_of(ladders, there, max(other, 1))
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
