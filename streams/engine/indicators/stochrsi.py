"""Stochastic RSI (Chande and Kroll 1994). `ta.momentum.stochrsi*`, TradingView's `Stoch RSI` (there in percent).

stochrsi = (RSI - lowest)/(highest - lowest) of the last `window` RSIs, from 0 to 1; stochrsi_k the mean of
the last `smooth1` of them, stochrsi_d that of the last `smooth2` k. Missing where the RSIs do not differ or one
of the values needed is missing. The RSI is that of `rsi.py`, seed included; on an unchanged close it stays what
it was to the last bit, so that a flat market divides 0 by 0 and not one rounding error by another.
"""

import math
from typing import Final

from streams.engine.bars import CLOSE, Floats, Ints
from streams.engine.indicators.definition import Definition, Param, Plan, SeedCode, Values, seed_code
from streams.engine.indicators.rsi import step as rsi_step
from streams.engine.kernels.extremes import slide_ring_extreme
from streams.engine.kernels.kernel import kernel
from streams.engine.kernels.readiness import wilder, wilder_bars
from streams.engine.kernels.windows import mean_floats, slide_mean

# Where in the states things stand: behind the RSI's three floats its ring, behind the counters the deques.
RING: Final = 3
DEQUES: Final = 6


@kernel
def place(rsi: float, window: int, f: Floats, i: Ints) -> float:
    """Where `rsi` lies between the lowest and the highest of the last `window`."""
    i[1] += 1
    f[RING + (i[1] - 1) % window] = rsi
    highest = slide_ring_extreme(rsi, f, RING, 1.0, window, i[1], i, DEQUES)
    lowest = slide_ring_extreme(rsi, f, RING, -1.0, window, i[1], i, DEQUES + 2 + window)
    if i[1] < window or highest <= lowest:
        return math.nan
    return (rsi - lowest) / (highest - lowest)


@kernel
def step(t: int, bars: Floats, p: Floats, f: Floats, i: Ints, out: Floats) -> None:
    """p: window, alpha, seed (the RSI's), smooth1, smooth2. f: the RSI's state, ring of RSIs, two means.

    i: rows seen, RSIs since one was missing, counters of the two means, two deques.
    """
    window = int(p[0])
    smooth1 = int(p[3])
    close_before = f[0]
    rsi_step(t, bars, p, f, i, out)
    rsi = out[0]
    if math.isnan(rsi):
        i[1] = 0
        i[DEQUES + 1] = 0
        i[DEQUES + 3 + window] = 0
        out[0] = math.nan
    else:
        if i[1] > 0 and bars[t, CLOSE] == close_before:
            rsi = f[RING + (i[1] - 1) % window]
        out[0] = place(rsi, window, f, i)
    out[1] = slide_mean(out[0], smooth1, f, RING + window, i, 2)
    out[2] = slide_mean(out[1], int(p[4]), f, RING + window + 2 + smooth1, i, 4)


def plan(values: Values, seed: SeedCode) -> Plan:
    window, smooth1, smooth2 = (int(values[name]) for name in ("window", "smooth1", "smooth2"))
    line = max(wilder_bars(window), window) + window
    return Plan(
        (window, wilder(window), seed_code(seed), smooth1, smooth2),
        floats=RING + window + mean_floats(smooth1) + mean_floats(smooth2),
        ints=DEQUES + 2 * (2 + window),
        lookback=0,
        ready=(line, line + smooth1 - 1, line + smooth1 + smooth2 - 2),
    )


DEFINITION = Definition(
    name="stochrsi",
    outputs=("stochrsi", "stochrsi_k", "stochrsi_d"),
    params=(Param("window", 14), Param("smooth1", 3), Param("smooth2", 3)),
    step=step,
    plan=plan,
    functions={"stochrsi": "stochrsi", "stochrsi_k": "stochrsi_k", "stochrsi_d": "stochrsi_d"},
    auto="sma",
)
