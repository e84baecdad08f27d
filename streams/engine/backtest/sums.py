"""A deal's money in int64, compiled: the rules of `streams.engine.dca`, number by number (tests hold both together).

`n`: the bot's numbers, `d`: what the deal holds, `r`: its quote sums as floats, None where they fit, `ladder`
int64[k, 2]: ticks and lots of its rungs, `amounts`: what base order and rungs are to cost, as floats (see `slots`,
`wide`).
"""

import numpy as np

from streams.engine.backtest.slots import (
    AVERAGE,
    BASE,
    BASE_A,
    FEE_D,
    FEE_N,
    H_BASE_QUOTE,
    H_BASE_TICKS,
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
    R_BASE_QUOTE,
    R_EXIT_QUOTE,
    R_QUOTE,
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
    U_A,
    U_D,
    U_N,
)  # fmt: skip
from streams.engine.backtest.wide import FITS, about, down, note, up
from streams.engine.bars import Floats, Ints
from streams.engine.kernels.kernel import kernel


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
        return up(ticks * n[SLIP_UP_N], n[SLIP_UP_D], float(ticks) * n[SLIP_UP_N])
    return max(1, down(ticks * n[SLIP_DOWN_N], n[SLIP_DOWN_D], float(ticks) * n[SLIP_DOWN_N]))


@kernel
def target_of(n: Ints, d: Ints, r: Floats | None) -> int:
    """The target in ticks; 0 for none."""
    if n[TARGET] == 0:
        return 0
    over, near = d[H_QUOTE] * n[TP_N], about(d[H_QUOTE], r, R_QUOTE) * n[TP_N]
    if n[TARGET] == BASE:
        over += d[H_BASE_QUOTE] * n[TP_B_N]
        near += about(d[H_BASE_QUOTE], r, R_BASE_QUOTE) * n[TP_B_N]
    under = d[H_LOTS] * n[TP_D]
    ticks = up(over, under, near) if n[LONG] else down(over, under, near)
    return int(ticks) if ticks > 0 else 0


@kernel
def stop_of(n: Ints, d: Ints, r: Floats | None, ladder: Ints) -> int:
    """The stop in ticks; 0 for none."""
    if n[STOP] == 0:
        return 0
    over, under, near = d[H_BASE_TICKS], n[SL_D], float(d[H_BASE_TICKS])
    if n[STOP] == AVERAGE:
        over, under, near = d[H_QUOTE], d[H_LOTS] * n[SL_D], about(d[H_QUOTE], r, R_QUOTE)
    elif n[STOP] == LAST and n[RUNGS] > 0:
        over = ladder[n[RUNGS] - 1, 0]
        near = float(over)
    over, near = over * n[SL_N], near * n[SL_N]
    ticks = up(over, under, near) if n[LONG] else down(over, under, near)
    return int(ticks) if ticks > 0 else 0


@kernel
def rung_of(n: Ints, d: Ints, ladder: Ints) -> int:
    """The next safety order in ticks; 0 for none."""
    if d[H_NEXT] >= n[RUNGS]:
        return 0
    return int(ladder[d[H_NEXT], 0])


@kernel
def fee_of(n: Ints, quote: int, near: float) -> int:
    """The fee on an amount, in 1e-8 quote, rounded up."""
    return up(quote * n[FEE_N], n[FEE_D], near * n[FEE_N])


@kernel
def enter(n: Ints, d: Ints, r: Floats | None, lots: int, ticks: int) -> int:
    """Book an entry; its fee."""
    quote, near = lots * ticks, float(lots) * float(ticks)
    fee = fee_of(n, quote, near)
    note(r, R_QUOTE, about(d[H_QUOTE], r, R_QUOTE) + near)
    d[H_QUOTE] += quote
    d[H_LOTS] += lots
    d[H_FEES] += fee
    d[H_FILLS] += 1
    return fee


@kernel
def leave(n: Ints, d: Ints, r: Floats | None, ticks: int) -> int:
    """Sell (buy back) all that is held, or book it off as dust; the fee, -1 for dust."""
    lots = d[H_LOTS]
    quote, near = lots * ticks, float(lots) * float(ticks)
    d[H_CLOSED] = 1
    if near < FITS and quote < n[LEAST]:
        d[H_DUST] = lots
        return -1
    fee = fee_of(n, quote, near)
    note(r, R_EXIT_QUOTE, about(d[H_EXIT_QUOTE], r, R_EXIT_QUOTE) + near)
    d[H_EXIT_QUOTE] += quote
    d[H_EXIT_LOTS] += lots
    d[H_FEES] += fee
    d[H_FILLS] += 1
    return fee


@kernel
def hang(n: Ints, rungs: Ints, amounts: Floats, ladder: Ints, d: Ints, k: int) -> None:
    """Ticks and lots of rung `k`, by the base order that `d` holds; lots only where the price is one."""
    over, near = d[H_BASE_TICKS] * rungs[k, U_N], float(d[H_BASE_TICKS]) * rungs[k, U_N]
    price = down(over, rungs[k, U_D], near) if n[LONG] == 1 else up(over, rungs[k, U_D], near)
    ladder[k, 0] = price
    ladder[k, 1] = up(rungs[k, U_A], price, amounts[k + 1]) if price > 0 else 0


@kernel
def open_at(
    n: Ints, rungs: Ints, amounts: Floats, ladder: Ints, d: Ints, r: Floats | None, close: int
) -> int:
    """Open a deal at a bar's close, in ticks; the price paid, 0 where Python must refuse it."""
    long = n[LONG] == 1
    ticks = slipped(n, long, close)
    d[:] = 0
    for slot in (R_QUOTE, R_BASE_QUOTE, R_EXIT_QUOTE):
        note(r, slot, 0.0)
    enter(n, d, r, up(n[BASE_A], ticks, amounts[0]), ticks)
    d[H_BASE_QUOTE], d[H_BASE_TICKS] = d[H_QUOTE], ticks
    note(r, R_BASE_QUOTE, about(d[H_QUOTE], r, R_QUOTE))
    for k in range(n[RUNGS]):
        # Rungs fall (rise): the first and the last tell whether all can be. The others are hung when their turn comes.
        if k < 2 or k == n[RUNGS] - 1:
            hang(n, rungs, amounts, ladder, d, k)
            if ladder[k, 0] < 1 or reached(ladder[k, 0], ticks, long):
                return 0
    stop, target = stop_of(n, d, r, ladder), target_of(n, d, r)
    if n[TARGET] and target < 1:
        return 0
    return 0 if reached(stop, ticks, long) or reached(target, ticks, not long) else ticks


@kernel
def reached(level: int, price: int, falling: bool) -> bool:
    """Whether `price` is at or beyond a level that is met on the way down (`falling`) or up; 0 is no level."""
    if level == 0:
        return False
    return price <= level if falling else price >= level
