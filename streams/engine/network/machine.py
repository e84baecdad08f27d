"""The compiled calls on a board: what moves truths and thresholds. `tables` tells how they find its arrays."""

import math
from collections.abc import Callable
from functools import cache
from typing import Final, NamedTuple

from numba.np.numpy_support import carray

from streams.engine.bars import COLUMNS, ROW_WIDTH
from streams.engine.kernels.kernel import (
    BARS_AT,
    BLOCK,
    CLEAN,
    LAST,
    NEED_AT,
    OUT_AT,
    OUT_WIDTH,
    ROOM,
    USABLE_AT,
    floats_at,
    ints_at,
    kernel,
    shorts_at,
    source_digest,
)
from streams.engine.kernels.program import compile_function, push_bar
from streams.engine.kernels.rows import enough
from streams.engine.network.fetching import ahead
from streams.engine.network.ladders import (
    BACK,
    BACK2,
    BEFORE,
    COLUMN,
    COLUMN2,
    FRAME2_AT,
    FRAME_AT,
    HIGH,
    HUNG,
    KIND,
    LOW,
    MISSING,
    NEXT,
    VALUE,
    hang,
    merge,
    move,
    stand,
    unhang,
)  # fmt: skip
from streams.engine.network.tables import (
    Words,
    called_of,
    clocks_of,
    edges_of,
    flipped_of,
    heads_of,
    nodes_of,
    pulses_of,
    series_of,
    state_of,
    values_of,
)  # fmt: skip
from streams.engine.network.tallies import sift, told_taken
from streams.engine.network.truths import (
    CLOCK,
    COUNTS,
    EDGE,
    END,
    FALSE,
    FLIPPED,
    FLIPS,
    ONE_CHILD,
    ONLY,
    OUT,
    PULSED,
    TRUTH,
    WORD,
    counted,
    joined,
    put,
    queue,
    remind,
    settle,
)

# Kinds of series: a node's value now, or some rows back; a column of the bar; the difference of two; told from outside.
USABLE, EARLIER, BAR, PAIR, TOLD = range(5)

SMALL: Final = 1_024
"""Rungs of the small ladder: what comes and goes costs at most so many moves of a number."""


@kernel
def value_of(frame: int, kind: int, column: int, back: int) -> float:
    """The newest value of a column of the frame whose block is at `frame`, or the one `back` rows before."""
    b = carray(ints_at(frame), (BLOCK,))
    if kind == BAR:
        return float(carray(floats_at(b[BARS_AT]), (b[ROOM], ROW_WIDTH))[b[LAST], column])
    if back == 0:
        return float(carray(floats_at(b[USABLE_AT]), (b[OUT_WIDTH],))[column])
    t = b[LAST] - back
    need = carray(ints_at(b[NEED_AT]), (b[OUT_WIDTH],))[column]
    out = carray(floats_at(b[OUT_AT]), (b[ROOM], b[OUT_WIDTH]))
    if t < 0 or not enough(out, need, t, b[CLEAN]):
        return math.nan
    return float(out[t, column])


@kernel
def read(series: Words, s: int) -> float:
    """The newest value of a series that is not told."""
    kind = series[s, KIND]
    x = value_of(series[s, FRAME_AT], kind, series[s, COLUMN], series[s, BACK])
    if kind == PAIR:
        return x - value_of(series[s, FRAME2_AT], kind, series[s, COLUMN2], series[s, BACK2])
    return x


class Machine(NamedTuple):
    """The compiled calls; each takes the address of a block first."""

    close: Callable[[int, int], None]
    tell: Callable[[int, int, float], None]
    stand: Callable[[int, int, float, float], None]
    put: Callable[[int, int, int], None]
    settle: Callable[[int], int]
    hang: Callable[[int, int, float, int], int]
    unhang: Callable[[int, int, float, int], int]
    merge: Callable[[int, int, int, int, int], None]
    link: Callable[[int, int, int, int, int], int]
    unlink: Callable[[int, int, int], int]
    end_pulses: Callable[[int, int, int], None]
    unpulse: Callable[[int, int], None]
    join: Callable[[int, int], None]
    recall: Callable[[int, int], None]
    remind: Callable[[int, int], None]
    take_flips: Callable[[int], int]
    take_told: Callable[[int], int]
    advance: Callable[[int], int]
    bar: Callable[[int, int, int, float, float, float, float, float], int]
    bars: Callable[[int, int, int, int], None]


@kernel
def next_value(block: int, s: int, value: float) -> None:
    """The next value of series `s`; what hangs there is looked at only where the value leaves the guard."""
    values = values_of(block)
    values[s, BEFORE] = values[s, VALUE]
    values[s, VALUE] = value
    if not (values[s, LOW] < value < values[s, HIGH]):
        move(block, s, value)


@kernel
def end_pulses_of(block: int, clock: int, quiet: int) -> None:
    """Crosses of the clock's last close are over; `quiet`: without a word to the nodes."""
    heads = heads_of(block)
    n = heads[clock]
    if n < 0:
        return
    pulses = pulses_of(block)
    heads[clock] = END
    while n >= 0:
        after = pulses[n, PULSED]
        pulses[n, PULSED] = OUT
        if quiet == 0:
            put(nodes_of(block), edges_of(block), state_of(block), flipped_of(block), n, FALSE)
        n = after


@kernel
def closed(block: int, clock: int) -> None:
    """A clock closed: its pulses end, and its series are read."""
    end_pulses_of(block, clock, 0)
    s = clocks_of(block)[clock]
    series = series_of(block)
    while s >= 0:
        next_value(block, s, read(series, s))
        s = series[s, NEXT]


@kernel
def settled(block: int) -> int:
    return settle(nodes_of(block), edges_of(block), state_of(block), flipped_of(block), called_of(block))


@kernel
def linked(block: int, one: int, other: int, child: int, parent: int) -> int:
    """Let a parent count a child, with up to two edges that are free; how many were used."""
    nodes = nodes_of(block)
    nodes[parent, COUNTS] += ONE_CHILD + counted(nodes[child, WORD] & TRUTH)
    edge = nodes[child, EDGE]
    if edge == END:
        nodes[child, EDGE] = ONLY - parent
        return 0
    edges = edges_of(block)
    used = 1
    if edge <= ONLY:
        edges[other, 0] = ONLY - edge
        edges[other, 1] = END
        edge = other
        used = 2
    edges[one, 0] = parent
    edges[one, 1] = edge
    nodes[child, EDGE] = one
    return used


@kernel
def unlinked(block: int, child: int, parent: int) -> int:
    """Undo that once; the edge that is free again, END where none was used."""
    nodes = nodes_of(block)
    nodes[parent, COUNTS] -= ONE_CHILD + counted(nodes[child, WORD] & TRUTH)
    edge = nodes[child, EDGE]
    if edge <= ONLY:
        nodes[child, EDGE] = END
        return END
    edges = edges_of(block)
    before = END
    while edges[edge, 0] != parent:
        before = edge
        edge = edges[edge, 1]
    if before < 0:
        nodes[child, EDGE] = edges[edge, 1]
    else:
        edges[before, 1] = edges[edge, 1]
    return int(edge)


@kernel
def unpulsed(block: int, n: int) -> None:
    """Take a node out of its clock's pulses."""
    pulses = pulses_of(block)
    if pulses[n, PULSED] == OUT:
        return
    heads = heads_of(block)
    clock = pulses[n, CLOCK]
    if heads[clock] == n:
        heads[clock] = pulses[n, PULSED]
    else:
        at = heads[clock]
        while pulses[at, PULSED] != n:
            at = pulses[at, PULSED]
        pulses[at, PULSED] = pulses[n, PULSED]
    pulses[n, PULSED] = OUT


@kernel
def flips_taken(block: int) -> int:
    """How many watched nodes flipped since the last call; they may flip again."""
    nodes = nodes_of(block)
    flipped = flipped_of(block)
    state = state_of(block)
    flips = state[FLIPS]
    for k in range(flips):
        nodes[flipped[k, 0], WORD] &= ~FLIPPED
    state[FLIPS] = 0
    return int(flips)


@kernel
def advanced(block: int) -> int:
    """Close the first clock and settle: how many flipped, or -1 - flips where nodes must be called."""
    closed(block, 0)
    calls = settled(block)
    flips = state_of(block)[FLIPS] + sift(block)
    return int(-1 - flips if calls > 0 else flips)


@cache
def machine() -> Machine:  # noqa: C901 - a list of small functions
    """Compiled, or loaded from numba's cache, at the first call. `source` is part of the cache key, nothing else."""
    source = source_digest(
        ahead,
        push_bar,
        advanced,
        flips_taken,
        told_taken,
        unpulsed,
        unlinked,
        linked,
        stand,
        hang,
        unhang,
        merge,
        joined,
    )

    def close(block: int, clock: int) -> None:
        if source != 0:
            closed(block, clock)

    def tell(block: int, s: int, value: float) -> None:
        if source != 0:
            next_value(block, s, value)

    def stand_at(block: int, s: int, before: float, now: float) -> None:
        if source != 0:
            stand(block, s, before, now)

    def put_truth(block: int, n: int, truth: int) -> None:
        if source != 0:
            put(nodes_of(block), edges_of(block), state_of(block), flipped_of(block), n, truth)

    def settle_all(block: int) -> int:
        return 0 if source == 0 else settled(block)

    def hang_rung(block: int, s: int, constant: float, code: int) -> int:
        return HUNG if source == 0 else hang(block, s, constant, code, SMALL)

    def unhang_rung(block: int, s: int, constant: float, code: int) -> int:
        if source == 0:
            return MISSING
        return unhang(block, s, constant, code, SMALL)

    def merge_rungs(block: int, s: int, constants_at: int, codes_at: int, room: int) -> None:
        if source != 0:
            constants = carray(floats_at(constants_at), (room,))
            codes = carray(shorts_at(codes_at), (room,))
            merge(block, s, constants, codes)

    def link(block: int, one: int, other: int, child: int, parent: int) -> int:
        return 0 if source == 0 else linked(block, one, other, child, parent)

    def unlink(block: int, child: int, parent: int) -> int:
        return END if source == 0 else unlinked(block, child, parent)

    def end_pulses(block: int, clock: int, quiet: int) -> None:
        if source != 0:
            end_pulses_of(block, clock, quiet)

    def unpulse(block: int, n: int) -> None:
        if source != 0:
            unpulsed(block, n)

    def join(block: int, n: int) -> None:
        if source != 0:
            nodes = nodes_of(block)
            put(nodes, edges_of(block), state_of(block), flipped_of(block), n, joined(nodes, n))

    def recall(block: int, n: int) -> None:
        if source != 0:
            queue(nodes_of(block), state_of(block), n)

    def remind_of(block: int, n: int) -> None:
        if source != 0:
            remind(nodes_of(block), state_of(block), flipped_of(block), n)

    def take_flips(block: int) -> int:
        return 0 if source == 0 else flips_taken(block)

    def take_told(block: int) -> int:
        return 0 if source == 0 else told_taken(block)

    def advance(block: int) -> int:
        return 0 if source == 0 else advanced(block)

    def bar(block: int, frame: int, t: int, o: float, h: float, low: float, c: float, v: float) -> int:
        if source == 0:
            return 0
        push_bar(frame, t, o, h, low, c, v)
        return advanced(block)

    def bars(pairs_at: int, count: int, rows_at: int, flips_at: int) -> None:
        if source != 0:
            pairs = carray(ints_at(pairs_at), (count, 2))
            ahead(pairs, 0)
            rows = carray(floats_at(rows_at), (count, COLUMNS))
            flips = carray(ints_at(flips_at), (count,))
            for k in range(count):
                ahead(pairs, k + 1)
                frame = pairs[k, 1]
                t = carray(ints_at(frame), (BLOCK,))[LAST] + 1
                push_bar(frame, t, rows[k, 0], rows[k, 1], rows[k, 2], rows[k, 3], rows[k, 4])
                flips[k] = advanced(pairs[k, 0])

    return Machine(
        compile_function("void(int64, int64)", close),
        compile_function("void(int64, int64, float64)", tell),
        compile_function("void(int64, int64, float64, float64)", stand_at),
        compile_function("void(int64, int64, int64)", put_truth),
        compile_function("int64(int64)", settle_all),
        compile_function("int64(int64, int64, float64, int64)", hang_rung),
        compile_function("int64(int64, int64, float64, int64)", unhang_rung),
        compile_function("void(int64, int64, int64, int64, int64)", merge_rungs),
        compile_function("int64(int64, int64, int64, int64, int64)", link),
        compile_function("int64(int64, int64, int64)", unlink),
        compile_function("void(int64, int64, int64)", end_pulses),
        compile_function("void(int64, int64)", unpulse),
        compile_function("void(int64, int64)", join),
        compile_function("void(int64, int64)", recall),
        compile_function("void(int64, int64)", remind_of),
        compile_function("int64(int64)", take_flips),
        compile_function("int64(int64)", take_told),
        compile_function("int64(int64)", advance),
        compile_function("int64(int64, int64, int64, float64, float64, float64, float64, float64)", bar),
        compile_function("void(int64, int64, int64, int64)", bars),
    )
