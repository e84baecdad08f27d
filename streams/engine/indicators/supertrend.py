"""Supertrend (Olivier Seban). TradingView's `ta.supertrend(factor, atrPeriod)`, its numbers and its signs.

Bands lie `multiplier` ATRs around (high + low) / 2. The lower one only rises until a close falls below it, the
upper one only falls until a close passes above it. In an up trend supertrend is the lower band and direction is
-1, in a down trend the upper band and 1; a close beyond it turns the trend. It begins as a down trend.

A band remembers the bar that made it for as long as no close has crossed it, however long that is. So both may
fire once each band has been crossed by a close while the ATR was ready, and not before.
"""

import math

from streams.engine.bars import CLOSE, HIGH, LOW, Floats, Ints
from streams.engine.indicators.atr import true_range
from streams.engine.indicators.definition import Definition, Param, Plan, SeedCode, Values
from streams.engine.kernels.averages import smoothed
from streams.engine.kernels.kernel import kernel
from streams.engine.kernels.readiness import wilder, wilder_bars


@kernel
def step(t: int, bars: Floats, p: Floats, f: Floats, i: Ints, out: Floats) -> None:
    """p: window, multiplier, alpha, rows until the ATR is ready. f: close before, ATR, bands, supertrend.

    i: rows seen, the row at which the upper and the lower band were last crossed.
    """
    window = int(p[0])
    i[0] += 1
    n = i[0]
    high = bars[t, HIGH]
    low = bars[t, LOW]
    close = bars[t, CLOSE]
    before = f[0]
    f[1] = smoothed(f[1], true_range(high, low, before) if n > 1 else high - low, n, window, p[2], True)
    f[0] = close
    if n < window:
        return
    upper_before = f[2]
    middle = (high + low) / 2.0
    upper = middle + p[1] * f[1]
    lower = middle - p[1] * f[1]
    if n == window:
        direction = 1.0
    else:
        if before > f[2]:
            i[1] = n
        elif upper >= f[2]:
            upper = f[2]
        if before < f[3]:
            i[2] = n
        elif lower <= f[3]:
            lower = f[3]
        if f[4] == upper_before:
            direction = -1.0 if close > upper else 1.0
        else:
            direction = 1.0 if close < lower else -1.0
    f[2] = upper
    f[3] = lower
    f[4] = lower if direction < 0.0 else upper
    out[0] = f[4]
    out[1] = direction
    out[2] = n - min(i[1], i[2]) + p[3] if i[1] > 0 and i[2] > 0 else math.nan


def plan(values: Values, seed: SeedCode) -> Plan:
    window = int(values["window"])
    ready = max(wilder_bars(window), window) + 1
    p = (window, values["multiplier"], wilder(window), float(ready))
    return Plan(p, floats=5, ints=3, lookback=0, ready=(window, window), tells_reach=True)


DEFINITION = Definition(
    name="supertrend",
    outputs=("supertrend", "direction"),
    params=(Param("window", 10), Param("multiplier", 3, low=0.0, high=100.0, whole=False)),
    step=step,
    plan=plan,
)
