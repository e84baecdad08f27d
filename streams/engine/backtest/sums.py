"""A deal's money in int64, compiled: the rules of `streams.engine.dca`, number by number (tests hold both together).

`n`: the bot's numbers, `d`: what the deal holds, `ladder` int64[k, 2]: ticks and lots of its rungs (see `slots`).
"""

import numpy as np

from streams.engine.backtest.slots import (
    AVERAGE,
    BASE,
    BASE_A,
    BASE_B,
    FEE_D,
    FEE_N,
    H_BASE_LOTS,
    H_BASE_QUOTE,
    H_CLOSED,
    H_DUST,
    H_EXIT_LOTS,
    H_EXIT_QUOTE,
    H_FEES,
    H_FILLS,
    H_LOTS,
    H_NEXT,
    H_QUOTE,
    LAST,
    LEAST,
    LONG,
    RUNGS,
    SL_D,
    SL_N,
    SLIP_DOWN_D,
    SLIP_DOWN_N,
    SLIP_UP_D,
    SLIP_UP_N,
    STOP,
    TARGET,
    TP_B_N,
    TP_D,
    TP_N,
)  # fmt: skip
from streams.engine.bars import Ints
from streams.engine.kernels.kernel import kernel


@kernel
def down(a: int, b: int) -> int:
    """The quotient of positive numbers below 2^62, rounded down: guessed as a float, then put right. It is exact, and
    takes half the time of a division of integers.
    """
    quotient = np.int64(np.float64(a) / np.float64(b))
    rest = a - quotient * b
    while rest < 0:
        quotient -= 1
        rest += b
    while rest >= b:
        quotient += 1
        rest -= b
    return int(quotient)


@kernel
def up(a: int, b: int) -> int:
    """The quotient of positive numbers below 2^62, rounded up."""
    return down(a + b - 1, b)


@kernel
def in_ticks(price: float, scale: float, units: int) -> int:
    """A price in ticks; -1 where it lies between two."""
    whole = np.int64(np.rint(price * scale))
    if whole / scale != price:
        return -1
    if units == 1:
        return int(whole)
    return -1 if whole % units else int(whole // units)


@kernel
def slipped(n: Ints, buy: bool, ticks: int) -> int:
    """A market price after slippage, on the tick against us."""
    if buy:
        return up(ticks * n[SLIP_UP_N], n[SLIP_UP_D])
    return max(1, down(ticks * n[SLIP_DOWN_N], n[SLIP_DOWN_D]))


@kernel
def target_of(n: Ints, d: Ints) -> int:
    """The target in ticks; 0 for none."""
    if n[TARGET] == 0:
        return 0
    over = d[H_QUOTE] * n[TP_N]
    if n[TARGET] == BASE:
        over += d[H_BASE_QUOTE] * n[TP_B_N]
    under = d[H_LOTS] * n[TP_D]
    ticks = up(over, under) if n[LONG] else down(over, under)
    return int(ticks) if ticks > 0 else 0


@kernel
def stop_of(n: Ints, d: Ints, ladder: Ints) -> int:
    """The stop in ticks; 0 for none."""
    if n[STOP] == 0:
        return 0
    quote, base = d[H_BASE_QUOTE], d[H_BASE_LOTS]
    if n[STOP] == AVERAGE:
        quote, base = d[H_QUOTE], d[H_LOTS]
    elif n[STOP] == LAST and n[RUNGS] > 0:
        quote, base = ladder[n[RUNGS] - 1, 0], 1
    over, under = quote * n[SL_N], base * n[SL_D]
    ticks = up(over, under) if n[LONG] else down(over, under)
    return int(ticks) if ticks > 0 else 0


@kernel
def rung_of(n: Ints, d: Ints, ladder: Ints) -> int:
    """The next safety order in ticks; 0 for none."""
    if d[H_NEXT] >= n[RUNGS]:
        return 0
    return int(ladder[d[H_NEXT], 0])


@kernel
def enter(n: Ints, d: Ints, lots: int, ticks: int) -> int:
    """Book an entry; its fee."""
    quote = lots * ticks
    fee = up(quote * n[FEE_N], n[FEE_D])
    d[H_QUOTE] += quote
    d[H_LOTS] += lots
    d[H_FEES] += fee
    d[H_FILLS] += 1
    return fee


@kernel
def leave(n: Ints, d: Ints, ticks: int) -> int:
    """Sell (buy back) all that is held, or book it off as dust; the fee, -1 for dust."""
    lots = d[H_LOTS]
    d[H_CLOSED] = 1
    if lots * ticks < n[LEAST]:
        d[H_DUST] = lots
        return -1
    quote = lots * ticks
    fee = up(quote * n[FEE_N], n[FEE_D])
    d[H_EXIT_QUOTE] += quote
    d[H_EXIT_LOTS] += lots
    d[H_FEES] += fee
    d[H_FILLS] += 1
    return fee


@kernel
def hang(n: Ints, rungs: Ints, ladder: Ints, d: Ints, k: int) -> None:
    """Ticks and lots of rung `k`, by the base order that `d` holds; lots only where the price is one."""
    over, under = rungs[k, 0], rungs[k, 1]
    if n[LONG] == 1:
        price = down(d[H_BASE_QUOTE] * (under - over), d[H_BASE_LOTS] * under)
    else:
        price = up(d[H_BASE_QUOTE] * (under + over), d[H_BASE_LOTS] * under)
    ladder[k, 0] = price
    ladder[k, 1] = up(rungs[k, 2], rungs[k, 3] * price) if price > 0 else 0


@kernel
def open_at(n: Ints, rungs: Ints, ladder: Ints, d: Ints, close: int) -> int:
    """Open a deal at a bar's close, in ticks; the price paid, 0 where Python must refuse it."""
    long = n[LONG] == 1
    ticks = slipped(n, long, close)
    d[:] = 0
    enter(n, d, up(n[BASE_A], n[BASE_B] * ticks), ticks)
    d[H_BASE_QUOTE], d[H_BASE_LOTS] = d[H_QUOTE], d[H_LOTS]
    for k in range(n[RUNGS]):
        # Rungs fall (rise): the first and the last tell whether all can be. The others are hung when their turn comes.
        if k < 2 or k == n[RUNGS] - 1:
            hang(n, rungs, ladder, d, k)
            if ladder[k, 0] < 1 or reached(ladder[k, 0], ticks, long):
                return 0
    stop, target = stop_of(n, d, ladder), target_of(n, d)
    if n[TARGET] and target < 1:
        return 0
    return 0 if reached(stop, ticks, long) or reached(target, ticks, not long) else ticks


@kernel
def reached(level: int, price: int, falling: bool) -> bool:
    """Whether `price` is at or beyond a level that is met on the way down (`falling`) or up; 0 is no level."""
    if level == 0:
        return False
    return price <= level if falling else price >= level
