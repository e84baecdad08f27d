"""A bar settled in int64, compiled: level by level, as its path meets them (law 8; `streams.engine.dca.walk`)."""

from typing import Final

from streams.engine.backtest.slots import (
    H_CLOSED,
    H_FEES,
    H_FILLS,
    H_LOTS,
    H_NEXT,
    H_QUOTE,
    LEVEL_STOP,
    LEVEL_TARGET,
    LONG,
    OHLC,
    R_QUOTE,
    RUNGS,
    SAME_BAR,
)  # fmt: skip
from streams.engine.backtest.sums import enter, leave, reached, rung_of, slipped, stop_of, target_of
from streams.engine.backtest.wide import about, note
from streams.engine.bars import Floats, Ints
from streams.engine.kernels.kernel import kernel

_NEVER: Final = 1 << 62
_STOP, _RUNG, _TARGET = range(3)


@kernel
def paths(n: Ints, o: int, high: int, low: int, c: int, taken: Ints, other: Ints) -> None:
    """The path of a bar, and the one with its extremes the other way round."""
    falls = n[LONG] == 1
    if n[OHLC] and high - o != o - low:
        falls = o - low < high - o
    taken[0] = other[0] = o
    taken[3] = other[3] = c
    taken[1], taken[2] = (low, high) if falls else (high, low)
    other[1], other[2] = taken[2], taken[1]


@kernel
def nearest(long: bool, levels: Ints, here: int, there: int) -> int:
    """Which of stop, rung and target the way from `here` to `there` meets first; -1 for none. They win ties so."""
    best, found = _NEVER, -1
    for kind in range(3):
        level, falling = levels[kind], long == (kind != _TARGET)
        at_here = reached(level, here, falling)
        if at_here or reached(level, there, falling):
            way = 0 if at_here else here - level if falling else level - here
            if way < best:
                best, found = way, kind
    return found


@kernel
def fill(
    n: Ints, ladder: Ints, d: Ints, r: Floats | None, kind: int, ticks: int, opened: int, made: Ints, k: int
) -> None:
    """Fill the order of a level, as the `k`-th; `opened`: the market when it came to life."""
    long = n[LONG] == 1
    if kind == _RUNG:
        paid = min(ticks, opened) if long else max(ticks, opened)
        made[k, 0], made[k, 1], made[k, 2] = d[H_NEXT] + 1, ladder[d[H_NEXT], 1], paid
        made[k, 3] = enter(n, d, r, ladder[d[H_NEXT], 1], paid)
        d[H_NEXT] += 1
        return
    if kind == _TARGET:
        paid = max(ticks, opened) if long else min(ticks, opened)
        made[k, 0] = LEVEL_TARGET
    else:
        paid = slipped(n, not long, min(ticks, opened) if long else max(ticks, opened))
        made[k, 0] = LEVEL_STOP
    made[k, 1], made[k, 2] = d[H_LOTS], paid
    made[k, 3] = leave(n, d, r, paid)


@kernel
def walk(n: Ints, ladder: Ints, d: Ints, r: Floats | None, points: Ints, levels: Ints, made: Ints) -> int:
    """Along one path: `made` gets (level, lots, ticks, fee) of each fill, fee -1 for dust. How many there were."""
    long, opened = n[LONG] == 1, points[0]
    stop, target = stop_of(n, d, r, ladder), target_of(n, d, r)
    levels[_STOP], levels[_RUNG], levels[_TARGET] = stop, rung_of(n, d, ladder), target
    here, count = opened, 0
    stop_born, target_born = opened, opened
    for leg in range(4):
        there = points[leg]
        while d[H_CLOSED] == 0:
            kind = nearest(long, levels, here, there)
            if kind < 0:
                break
            ticks = levels[kind]
            if not reached(ticks, here, long == (kind != _TARGET)):
                here = ticks
            # A rung never moves; a stop or a target that does is a new one, where the market stands then.
            market = opened if kind == _RUNG else stop_born if kind == _STOP else target_born
            fill(n, ladder, d, r, kind, ticks, market, made, count)
            count += 1
            if kind != _RUNG:
                break
            levels[_STOP], levels[_RUNG] = stop_of(n, d, r, ladder), rung_of(n, d, ladder)
            levels[_TARGET] = target_of(n, d, r) if n[SAME_BAR] == 1 else 0
            if levels[_STOP] != stop:
                stop, stop_born = levels[_STOP], here
            if levels[_TARGET] != target:
                target, target_born = levels[_TARGET], here
        here = there
    return count


@kernel
def alone(
    n: Ints,
    ladder: Ints,
    d: Ints,
    r: Floats | None,
    o: int,
    high: int,
    low: int,
    stop: int,
    target: int,
    made: Ints,
) -> bool:
    """Settle a bar that meets one level only, whichever way it went. False, and nothing changed, for any other.

    `stop`, `target`: the deal's, as they stand.
    """
    long = n[LONG] == 1
    far, near = (low, high) if long else (high, low)
    rung = rung_of(n, d, ladder)
    met = reached(rung, far, long)
    if reached(stop, far, long) or met == reached(target, near, not long):
        return False
    if not met:
        fill(n, ladder, d, r, _TARGET, target, o, made, 0)
        return True
    if d[H_NEXT] + 1 < n[RUNGS] and reached(ladder[d[H_NEXT] + 1, 0], far, long):
        return False
    quote, lots, fees, fills = d[H_QUOTE], d[H_LOTS], d[H_FEES], d[H_FILLS]
    float_before = about(quote, r, R_QUOTE)
    fill(n, ladder, d, r, _RUNG, rung, o, made, 0)
    clear = not reached(stop_of(n, d, r, ladder), far, long)
    if clear and n[SAME_BAR] == 1:
        clear = not reached(target_of(n, d, r), near, not long)
    if not clear:
        d[H_QUOTE], d[H_LOTS], d[H_FEES], d[H_FILLS] = quote, lots, fees, fills
        note(r, R_QUOTE, float_before)
        d[H_NEXT] -= 1
    return clear


@kernel
def same(one: Ints, other: Ints, count: int) -> bool:
    """Whether two paths filled the same orders at the same prices, in the same order."""
    for k in range(count):
        for c in range(4):
            if one[k, c] != other[k, c]:
                return False
    return True
