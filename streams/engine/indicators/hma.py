"""Hull moving average (Alan Hull 2005). TradingView's `ta.hma`; Stock.Indicators' GetHma.

WMA over √window of 2·WMA(window / 2) - WMA(window), both lengths rounded down; a WMA weighs the newest close
most and the oldest 1. Defined and ready after window + √window - 1 bars.
"""

import math

from streams.engine.bars import CLOSE, Floats, Ints
from streams.engine.indicators.definition import Definition, Param, Plan, SeedCode, Values
from streams.engine.kernels.exact import run_length
from streams.engine.kernels.kernel import kernel
from streams.engine.kernels.weighted import SUMS, slide_weighted, weighted_mean


@kernel
def step(t: int, bars: Floats, p: Floats, f: Floats, i: Ints, out: Floats) -> None:
    """p: window, half, root. f: two scales, a ring of `root` values. i: rows seen, run of equal closes, sums."""
    window = int(p[0])
    half = int(p[1])
    root = int(p[2])
    i[0] += 1
    slide_weighted(t, bars, CLOSE, window, i[0], f, 0, i, 2)
    slide_weighted(t, bars, CLOSE, half, i[0], f, 1, i, 2 + SUMS)
    i[1] = run_length(t, bars, CLOSE, i[0], i[1])
    n = i[0] - window  # how many values there were before this one
    if n < 0:
        return
    slow = bars[t, CLOSE] if i[1] >= window else weighted_mean(window, f[0], i, 2)
    fast = bars[t, CLOSE] if i[1] >= half else weighted_mean(half, f[1], i, 2 + SUMS)
    value = 2.0 * fast - slow
    f[2 + n % root] = value
    if n >= root - 1:
        # summed as distances from the newest, so that equal values have themselves as their mean
        apart = 0.0
        for k in range(1, root):
            apart += (root - k) * (f[2 + (n - k) % root] - value)
        out[0] = value + apart / (root * (root + 1) // 2)


def plan(values: Values, seed: SeedCode) -> Plan:
    window = int(values["window"])
    half, root = window // 2, math.isqrt(window)
    ready = (window + root - 1,)
    return Plan((window, half, root), floats=2 + root, ints=2 + 2 * SUMS, lookback=window, ready=ready)


DEFINITION = Definition(
    name="hma",
    outputs=("hma",),
    params=(Param("window", 9, low=2.0),),
    step=step,
    plan=plan,
)
