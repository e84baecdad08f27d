"""A DCA bot on one symbol, compiled: from trigger to trigger by blocks of extremes, the ledger in int64.

The rules are those of `streams.engine.dca`, number by number (a test holds both against each other). Prices stay floats
until a bar is settled: then they must lie on the tick, else the walk gives up and Python does it. `plan` has bounded
every product beforehand.
"""

from collections.abc import Callable
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from streams.engine.backtest.extremes import BLOCK
from streams.engine.backtest.plan import (
    AVERAGE,
    BASE,
    BASE_A,
    BASE_B,
    COOLDOWN_MS,
    FEE_D,
    FEE_N,
    LAST,
    LEAST,
    LONG,
    OHLC,
    RUNGS,
    SAME_BAR,
    SL_D,
    SL_N,
    SLIP_DOWN_D,
    SLIP_DOWN_N,
    SLIP_UP_D,
    SLIP_UP_N,
    STEP_MS,
    STOP,
    TARGET,
    TP_B_N,
    TP_D,
    TP_N,
    UNITS,
)  # fmt: skip
from streams.engine.bars import Floats, Ints
from streams.engine.kernels.kernel import kernel, source_digest
from streams.engine.kernels.program import compile_function

Bytes = NDArray[np.int8]
DONE, FULL, OFF_GRID, REFUSED = range(4)
"""How a walk ended: at the last bar, out of room, at a price between two ticks, at an entry that is refused."""

T_ROW, T_CLOSE_MS, T_GENERATION, T_KIND, T_DEAL, T_RUNG, T_STOP, T_TARGET, T_WIDTH = range(9)
"""A trigger: its row (-1: a tick stood in), its close, and of a deal's: the first rung, the stop and the target that were
armed (0: none).
"""
ENTRY, COOLDOWN, DEAL = range(3)
F_TRIGGER, F_LEVEL, F_LOTS, F_TICKS, F_FEE, F_WIDTH = range(6)
"""A fill: the trigger that brought it; level 0 is the base order, k safety order k."""
LEVEL_STOP: Final = -1
LEVEL_TARGET: Final = -2
(
    D_OPENED, D_CLOSED, D_REASON, D_FILLS, D_ENTRY_LOTS, D_ENTRY_QUOTE, D_EXIT_LOTS, D_EXIT_QUOTE, D_FEES, D_DUST, D_SAFETY,
    D_AMBIGUOUS, D_WIDTH,
) = range(13)  # fmt: skip
"""A deal: triggers that opened and closed it (-1: open), LEVEL_STOP or LEVEL_TARGET, and its sums."""

# What a deal holds while it is walked.
_NEXT, _Q, _L, _BQ, _BL, _EQ, _EL, _FEES, _FILLS, _DUST, _CLOSED, _STATE = range(12)
_NEVER: Final = 1 << 62


@kernel
def _touch(
    low: Floats, high: Floats, lows: Floats, highs: Floats, big_lows: Floats, big_highs: Floats, start: int,
    below: float, above: float,
) -> int:  # fmt: skip
    """The first bar from `start` on whose low is at or below `below` or whose high is at or above `above`."""
    t, n = start, len(low)
    size = BLOCK * BLOCK
    while t < n:
        if t % BLOCK == 0:
            big = t // size
            if t % size == 0 and big_lows[big] > below and big_highs[big] < above:
                t += size
                continue
            block = t // BLOCK
            if lows[block] > below and highs[block] < above:
                t += BLOCK
                continue
        if low[t] <= below or high[t] >= above:
            return t
        t += 1
    return n


@kernel
def _ceil_div(a: int, b: int) -> int:
    return -((-a) // b)


@kernel
def _in_ticks(price: float, scale: float, units: int) -> int:
    """A price in ticks; -1 where it lies between two."""
    whole = np.int64(np.rint(price * scale))
    if whole / scale != price:
        return -1
    if units == 1:
        return whole
    return -1 if whole % units else whole // units


@kernel
def _slipped(n: Ints, buy: bool, ticks: int) -> int:
    if buy:
        return _ceil_div(ticks * n[SLIP_UP_N], n[SLIP_UP_D])
    return max(1, (ticks * n[SLIP_DOWN_N]) // n[SLIP_DOWN_D])


@kernel
def _target(n: Ints, d: Ints) -> int:
    """The target in ticks; 0 for none."""
    if n[TARGET] == 0:
        return 0
    over = d[_Q] * n[TP_N]
    if n[TARGET] == BASE:
        over += d[_BQ] * n[TP_B_N]
    under = d[_L] * n[TP_D]
    ticks = _ceil_div(over, under) if n[LONG] else over // under
    return max(ticks, 0)


@kernel
def _stop(n: Ints, d: Ints, last: int) -> int:
    """The stop in ticks; 0 for none. `last`: the last rung's price, 0 without a ladder."""
    if n[STOP] == 0:
        return 0
    quote, base = d[_BQ], d[_BL]
    if n[STOP] == AVERAGE:
        quote, base = d[_Q], d[_L]
    elif n[STOP] == LAST and last > 0:
        quote, base = last, 1
    over, under = quote * n[SL_N], base * n[SL_D]
    ticks = _ceil_div(over, under) if n[LONG] else over // under
    return max(ticks, 0)


@kernel
def _enter(n: Ints, d: Ints, lots: int, ticks: int) -> int:
    """Book an entry; its fee."""
    quote = lots * ticks
    fee = _ceil_div(quote * n[FEE_N], n[FEE_D])
    d[_Q] += quote
    d[_L] += lots
    d[_FEES] += fee
    d[_FILLS] += 1
    return fee


@kernel
def _leave(n: Ints, d: Ints, ticks: int) -> int:
    """Sell (buy back) all that is held, or book it off as dust; the fee, -1 for dust."""
    lots = d[_L]
    d[_CLOSED] = 1
    if lots * ticks < n[LEAST]:
        d[_DUST] = lots
        return -1
    quote = lots * ticks
    fee = _ceil_div(quote * n[FEE_N], n[FEE_D])
    d[_EQ] += quote
    d[_EL] += lots
    d[_FEES] += fee
    d[_FILLS] += 1
    return fee


@kernel
def _walk(n: Ints, ladder: Ints, d: Ints, points: Ints, fills: Ints) -> int:
    """Along one path of a bar: `fills` gets (level, lots, ticks, fee) of each, fee -1 for dust. How many there were."""
    long, rungs = n[LONG] == 1, n[RUNGS]
    last = ladder[rungs - 1, 0] if rungs else 0
    opened = points[0]
    stop0, target0 = _stop(n, d, last), _target(n, d)
    averaged, count = False, 0
    here = points[0]
    for leg in range(4):
        there = points[leg]
        while d[_CLOSED] == 0:
            stop, target = _stop(n, d, last), _target(n, d)
            if averaged and n[SAME_BAR] == 0:
                target = 0
            rung = ladder[d[_NEXT], 0] if d[_NEXT] < rungs else 0
            best, level, ticks = _NEVER, 0, 0
            for kind in range(3):
                price = stop if kind == 0 else rung if kind == 1 else target
                if price == 0:
                    continue
                falling = long == (kind < 2)
                if falling:
                    at_here, at_there, way = here <= price, there <= price, here - price
                else:
                    at_here, at_there, way = here >= price, there >= price, price - here
                if not (at_here or at_there):
                    continue
                if at_here:
                    way = 0
                if way < best:
                    best, ticks = way, price
                    level = LEVEL_STOP if kind == 0 else d[_NEXT] + 1 if kind == 1 else LEVEL_TARGET
            if best == _NEVER:
                break
            if best > 0:
                here = ticks
            if level > 0:
                # A rung never moves, so it was there before the bar.
                paid = min(ticks, opened) if long else max(ticks, opened)
                lots = ladder[d[_NEXT], 1]
                d[_NEXT] += 1
                averaged = True
                fee = _enter(n, d, lots, paid)
            elif level == LEVEL_TARGET:
                paid = ticks
                if ticks == target0:
                    paid = max(ticks, opened) if long else min(ticks, opened)
                lots = d[_L]
                fee = _leave(n, d, paid)
            else:
                met = ticks
                if ticks == stop0:
                    met = min(ticks, opened) if long else max(ticks, opened)
                paid = _slipped(n, not long, met)
                lots = d[_L]
                fee = _leave(n, d, paid)
            fills[count, 0], fills[count, 1], fills[count, 2], fills[count, 3] = level, lots, paid, fee
            count += 1
        here = there
    return count


@kernel
def _open(n: Ints, rungs: Ints, ladder: Ints, d: Ints, close: int) -> int:
    """Open a deal at a bar's close, in ticks; the price paid, 0 where it is refused."""
    long = n[LONG] == 1
    ticks = _slipped(n, long, close)
    d[:] = 0
    lots = _ceil_div(n[BASE_A], n[BASE_B] * ticks)
    _enter(n, d, lots, ticks)
    d[_BQ], d[_BL] = d[_Q], d[_L]
    for k in range(n[RUNGS]):
        over, under = rungs[k, 0], rungs[k, 1]
        if long:
            price = (d[_BQ] * (under - over)) // (d[_BL] * under)
        else:
            price = _ceil_div(d[_BQ] * (under + over), d[_BL] * under)
        if price < 1 or (price >= ticks if long else price <= ticks):
            return 0
        ladder[k, 0] = price
        ladder[k, 1] = _ceil_div(rungs[k, 2], rungs[k, 3] * price)
    stop = _stop(n, d, ladder[n[RUNGS] - 1, 0] if n[RUNGS] else 0)
    target = _target(n, d)
    if n[TARGET] and target < 1:
        return 0
    if stop and (stop >= ticks if long else stop <= ticks):
        return 0
    if target and (target <= ticks if long else target >= ticks):
        return 0
    return ticks


@kernel
def _alone(n: Ints, ladder: Ints, d: Ints, o: int, high: int, low: int, made: Ints) -> bool:
    """Settle a bar that meets one level, whichever way it went: true if it is one. Else nothing is changed."""
    long, rungs = n[LONG] == 1, n[RUNGS]
    last = ladder[rungs - 1, 0] if rungs else 0
    far, near = (low, high) if long else (high, low)
    stop, target = _stop(n, d, last), _target(n, d)
    rung = ladder[d[_NEXT], 0] if d[_NEXT] < rungs else 0
    met = rung > 0 and (far <= rung if long else far >= rung)
    gained = target > 0 and (near >= target if long else near <= target)
    if stop > 0 and (far <= stop if long else far >= stop):
        return False
    if met == gained:
        return False
    if gained:
        paid = max(target, o) if long else min(target, o)
        lots = d[_L]
        made[0, 0], made[0, 1], made[0, 2] = LEVEL_TARGET, lots, paid
        made[0, 3] = _leave(n, d, paid)
        return True
    after = ladder[d[_NEXT] + 1, 0] if d[_NEXT] + 1 < rungs else 0
    if after > 0 and (far <= after if long else far >= after):
        return False
    q, lots_held, fees, fills = d[_Q], d[_L], d[_FEES], d[_FILLS]
    paid = min(rung, o) if long else max(rung, o)
    made[0, 0], made[0, 1], made[0, 2] = d[_NEXT] + 1, ladder[d[_NEXT], 1], paid
    made[0, 3] = _enter(n, d, ladder[d[_NEXT], 1], paid)
    d[_NEXT] += 1
    stop = _stop(n, d, last)
    clear = not (stop > 0 and (far <= stop if long else far >= stop))
    if clear and n[SAME_BAR] == 1:
        target = _target(n, d)
        clear = not (target > 0 and (near >= target if long else near <= target))
    if not clear:
        d[_Q], d[_L], d[_FEES], d[_FILLS] = q, lots_held, fees, fills
        d[_NEXT] -= 1
    return clear


@kernel
def _same(one: Ints, other: Ints, count: int) -> bool:
    for k in range(count):
        for c in range(4):
            if one[k, c] != other[k, c]:
                return False
    return True


@kernel
def _paths(n: Ints, o: int, high: int, low: int, c: int, taken: Ints, other: Ints) -> None:
    """The path of a bar, and the one with its extremes the other way round (law 8)."""
    falls = n[LONG] == 1
    if n[OHLC] and high - o != o - low:
        falls = o - low < high - o
    taken[0] = other[0] = o
    taken[3] = other[3] = c
    taken[1], taken[2] = (low, high) if falls else (high, low)
    other[1], other[2] = taken[2], taken[1]


@kernel
def _signal(truths: Bytes, start: int, at_once: bool) -> int:
    """The first bar from `start` on at which an entry armed then fires; their number where none does."""
    t, count = start, len(truths)
    while t < count and truths[t] < 0:
        t += 1
    if t == count or (at_once and truths[t] == 1):
        return t
    known = truths[t]
    t += 1
    while t < count:
        truth = truths[t]
        if truth == 1 and known == 0:
            return t
        if truth >= 0:
            known = truth
        t += 1
    return count


@kernel
def _row_from(open_ms: Ints, ms: int, guess: int) -> int:
    """The first row that opens at or after `ms`; `guess` is right unless bars are missing."""
    count = len(open_ms)
    if 0 < guess < count and open_ms[guess] >= ms and open_ms[guess - 1] < ms:
        return guess
    return np.searchsorted(open_ms, ms)


@kernel
def run(
    n: Ints, rungs: Ints, scale: float, columns: Floats, open_ms: Ints, lows: Floats, highs: Floats, big_lows: Floats,
    big_highs: Floats, truths: Bytes, filled: Bytes, armed_from_ms: int, ticks_until_ms: int, triggers: Ints,
    fills: Ints, deals: Ints,
) -> tuple[int, int, int, int]:  # fmt: skip
    """Walk a whole file: how it ended, and how many triggers, fills and deals were written.

    `filled`: rows that stand in for missing bars (empty: none). `ticks_until_ms`: as of `Candles`.
    """
    opens, high, low, close = columns[0], columns[1], columns[2], columns[3]
    count, step, units, long = len(open_ms), n[STEP_MS], n[UNITS], n[LONG] == 1
    ladder = np.zeros((max(n[RUNGS], 1), 2), np.int64)
    d = np.zeros(_STATE, np.int64)
    shadow = np.zeros(_STATE, np.int64)
    taken, other = np.zeros(4, np.int64), np.zeros(4, np.int64)
    made = np.zeros((n[RUNGS] + 2, 4), np.int64)
    made_other = np.zeros((n[RUNGS] + 2, 4), np.int64)
    nt, nf, nd = 0, 0, 0
    generation, at_once, start = 1, True, _row_from(open_ms, armed_from_ms, 0)
    while True:
        row = _signal(truths, start, at_once)
        if row == count:
            return DONE, nt, nf, nd
        if nt == len(triggers) or nd == len(deals) or nf + n[RUNGS] + 2 > len(fills):
            return FULL, nt, nf, nd
        at_close = _in_ticks(close[row], scale, units)
        if at_close < 0:
            return OFF_GRID, nt, nf, nd
        paid = _open(n, rungs, ladder, d, at_close)
        if paid == 0:
            return REFUSED, nt, nf, nd
        closed_ms = open_ms[row] + step
        triggers[nt, :] = (row, closed_ms, generation, ENTRY, nd, 0, 0, 0)
        fills[nf, :] = (nt, 0, d[_L], paid, d[_FEES])
        nf += 1
        deals[nd, :] = 0
        deals[nd, D_OPENED], deals[nd, D_CLOSED] = nt, -1
        nt += 1
        # The entry's group is removed, the deal's is armed.
        generation += 2
        last = ladder[n[RUNGS] - 1, 0] if n[RUNGS] else 0
        start = row + 1
        while d[_CLOSED] == 0:
            stop, target = _stop(n, d, last), _target(n, d)
            rung = ladder[d[_NEXT], 0] if d[_NEXT] < n[RUNGS] else 0
            if long:
                below, above = np.float64(max(stop, rung) * units) / scale, np.float64(target * units) / scale
                if target == 0:
                    above = np.inf
            else:
                adverse = min(stop, rung) if stop and rung else max(stop, rung)
                below, above = np.float64(target * units) / scale, np.float64(adverse * units) / scale
                if adverse == 0:
                    above = np.inf
            row = _touch(low, high, lows, highs, big_lows, big_highs, start, below, above)
            if row == count:
                break
            if nt == len(triggers) or nf + n[RUNGS] + 2 > len(fills):
                return FULL, nt, nf, nd
            o, h = _in_ticks(opens[row], scale, units), _in_ticks(high[row], scale, units)
            lo, c = _in_ticks(low[row], scale, units), _in_ticks(close[row], scale, units)
            if o < 0 or h < 0 or lo < 0 or c < 0:
                return OFF_GRID, nt, nf, nd
            triggers[nt, :] = (row, open_ms[row] + step, generation, DEAL, nd, d[_NEXT] + 1, stop, target)
            done = 1
            if not _alone(n, ladder, d, o, h, lo, made):
                _paths(n, o, h, lo, c, taken, other)
                shadow[:] = d
                done = _walk(n, ladder, d, taken, made)
                done_other = _walk(n, ladder, shadow, other, made_other)
                if done != done_other or not _same(made, made_other, done):
                    deals[nd, D_AMBIGUOUS] += 1
            for k in range(done):
                if made[k, 3] >= 0:
                    fills[nf, :] = (nt, made[k, 0], made[k, 1], made[k, 2], made[k, 3])
                    nf += 1
                deals[nd, D_REASON] = made[k, 0]
            nt += 1
            generation += 1
            start = row + 1
        deals[nd, D_FILLS], deals[nd, D_FEES], deals[nd, D_DUST] = d[_FILLS], d[_FEES], d[_DUST]
        deals[nd, D_ENTRY_LOTS], deals[nd, D_ENTRY_QUOTE] = d[_L], d[_Q]
        deals[nd, D_EXIT_LOTS], deals[nd, D_EXIT_QUOTE] = d[_EL], d[_EQ]
        deals[nd, D_SAFETY] = d[_NEXT]
        nd += 1
        if d[_CLOSED] == 0:
            return DONE, nt, nf, nd
        deals[nd - 1, D_CLOSED] = nt - 1
        # The deal's group was removed (counted above), the next entry or its cooldown is armed.
        generation += 1
        armed_ms = triggers[nt - 1, T_CLOSE_MS]
        at_once = False
        if n[COOLDOWN_MS] > 0:
            due = armed_ms + max(n[COOLDOWN_MS], step)
            due = open_ms[0] + _ceil_div(due - open_ms[0], step) * step
            if due > ticks_until_ms:
                return DONE, nt, nf, nd
            if nt == len(triggers):
                return FULL, nt, nf, nd
            row = _row_from(open_ms, due - step, start + (due - armed_ms) // step - 1)
            start = row + 1 if row < count and open_ms[row] + step == due else row
            if row == count or open_ms[row] + step != due or (len(filled) and filled[row]):
                row = -1
            triggers[nt, :] = (row, due, generation, COOLDOWN, nd - 1, 0, 0, 0)
            nt += 1
            generation += 1


_SIGNATURE: Final = (
    "UniTuple(int64, 4)(int64[::1], int64[:, ::1], float64, float64[:, ::1], int64[::1], float64[::1], float64[::1],"
    "float64[::1], float64[::1], int8[::1], int8[::1], int64, int64, int64[:, ::1], int64[:, ::1], int64[:, ::1])"
)


@cache
def machine() -> Callable[..., tuple[int, int, int, int]]:
    """`run`, compiled or from numba's cache; `source` is part of its key, nothing else."""
    source = source_digest(run)

    def compiled(
        n: Ints, rungs: Ints, scale: float, columns: Floats, open_ms: Ints, lows: Floats, highs: Floats,
        big_lows: Floats, big_highs: Floats, truths: Bytes, filled: Bytes, armed_from_ms: int, ticks_until_ms: int,
        triggers: Ints, fills: Ints, deals: Ints,
    ) -> tuple[int, int, int, int]:  # fmt: skip
        if source == 0:
            return 0, 0, 0, 0
        return run(
            n, rungs, scale, columns, open_ms, lows, highs, big_lows, big_highs, truths, filled, armed_from_ms,
            ticks_until_ms, triggers, fills, deals,
        )  # fmt: skip

    return compile_function(_SIGNATURE, compiled)
