"""Stochastic oscillator (Lane). `ta.momentum.stoch` and `stoch_signal`: the fast %K and its simple average.

stoch = 100·(close - lowest)/(highest - lowest) over the window, missing where the range is nothing;
stoch_signal is the mean of the last `smooth_window` of them, missing where one of them is.
"""

import math
from typing import Final

from streams.engine.bars import CLOSE, HIGH, LOW, Floats, Ints
from streams.engine.indicators.definition import Definition, Param, Plan, SeedCode, Values
from streams.engine.kernels.extremes import NEAR, near_extreme, slide_extreme
from streams.engine.kernels.kernel import kernel, prepared

# %K lies in 0..100: its sums are exact in units of 1e-12.
UNITS: Final = 1e12
KEPT: Final = 4


@kernel
def step(t: int, bars: Floats, p: Floats, f: Floats, i: Ints, out: Floats) -> None:
    """p: window, smooth window. f: the last %K. i: rows seen, sum of %K, how many are missing, run, place in the ring;
    two windows' extremes.
    """
    window = int(p[0])
    i[0] += 1
    n = i[0]
    highest = slide_extreme(t, bars, HIGH, 1.0, window, n, i, 5)
    lowest = slide_extreme(t, bars, LOW, -1.0, window, n, i, 7 + window)
    if n >= window:
        k = 100.0 * (bars[t, CLOSE] - lowest) / (highest - lowest) if highest > lowest else math.nan
        smooth_k(k, n - window, int(p[1]), f, i, out)


@kernel
def look_through(t: int, bars: Floats, p: Floats, f: Floats, i: Ints) -> None:
    window = int(p[0])
    full = i[0] + 1 >= window
    f[1] = near_extreme(t, bars, HIGH, 1.0, window) if full else 0.0
    f[2] = near_extreme(t, bars, LOW, -1.0, window) if full else 0.0


@prepared(by=look_through)
@kernel
def step_short(t: int, bars: Floats, p: Floats, f: Floats, i: Ints, out: Floats) -> None:
    """The same without a branch, for windows up to NEAR and KEPT. f: the %K before, the window's highest and lowest.
    i: rows seen, run of equal %K, run of those that are there, the KEPT - 1 newest of them in UNITS, newest first.
    """
    window = int(p[0])
    smooth = int(p[1])
    i[0] += 1
    reach = f[1] - f[2]
    spread = reach > 0.0
    place = 100.0 * (bars[t, CLOSE] - f[2]) / (reach if spread else 1.0)
    known = spread & (i[0] >= window)
    i[1] = i[1] + 1 if place == f[0] else 1
    i[2] = i[2] + 1 if known else 0
    f[0] = place
    q = int((place if known else 0.0) * UNITS + 0.5)
    total = q
    for j in range(KEPT - 1):
        total += i[3 + j] if j + 1 < smooth else 0
    for j in range(KEPT - 1, 1, -1):
        i[2 + j] = i[1 + j]
    i[3] = q
    mean = place if i[1] >= smooth else total / (smooth * UNITS)
    out[0] = place if known else math.nan
    out[1] = mean if i[2] >= smooth else math.nan


@kernel
def smooth_k(k: float, before: int, smooth: int, f: Floats, i: Ints, out: Floats) -> None:
    """Take in the %K after `before` others; f is their ring, NaN where missing, i[4] the place of this one."""
    at = i[4]
    i[4] = at + 1 if at + 1 < smooth else 0
    last = f[at - 1 if at > 0 else smooth - 1]
    oldest = f[at]
    leaves = before >= smooth
    missing = math.isnan(k)
    i[1] -= int(oldest * UNITS + 0.5) if leaves and not math.isnan(oldest) else 0
    i[1] += 0 if missing else int(k * UNITS + 0.5)
    i[2] += (1 if missing else 0) - (1 if leaves and math.isnan(oldest) else 0)
    i[3] = i[3] + 1 if before > 0 and k == last else 1
    f[at] = k
    out[0] = k
    if before + 1 >= smooth and i[2] == 0:
        out[1] = k if i[3] >= smooth else i[1] / (smooth * UNITS)


def plan(values: Values, seed: SeedCode) -> Plan:
    window, smooth = int(values["window"]), int(values["smooth_window"])
    short = window <= NEAR and smooth <= KEPT
    return Plan(
        (window, smooth),
        floats=3 if short else smooth,
        ints=KEPT + 2 if short else 9 + 2 * window,
        lookback=window,
        ready=(window, window + smooth - 1),
        reads=(HIGH, LOW),
        short=short,
    )


DEFINITION = Definition(
    name="stochastic",
    outputs=("stoch", "stoch_signal"),
    params=(Param("window", 14), Param("smooth_window", 3)),
    step=step,
    short=step_short,
    plan=plan,
    functions={"stoch": "stoch", "stoch_signal": "stoch_signal"},
)
