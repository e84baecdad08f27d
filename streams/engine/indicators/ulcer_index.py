"""Ulcer index (Martin 1987). `ta.volatility.ulcer_index`.

The root of the mean square, over `window` bars, of how many percent each close was below the highest close of the
`window` bars up to it (`slide_mean`: no drift, and a market at its height has 0 exactly).

As in `ta` it is defined at bar `window`, where the first closes have fewer than `window` before them to be below; it
is ready when every one has: at bar 2·window - 1.
"""

import math

from streams.engine.bars import CLOSE, Floats, Ints
from streams.engine.indicators.definition import Definition, Param, Plan, SeedCode, Values
from streams.engine.kernels.extremes import slide_extreme
from streams.engine.kernels.kernel import kernel
from streams.engine.kernels.windows import mean_floats, slide_mean


@kernel
def step(t: int, bars: Floats, p: Floats, f: Floats, i: Ints, out: Floats) -> None:
    """p: window. f: the mean. i: rows seen, counters of the mean, a deque."""
    window = int(p[0])
    i[0] += 1
    highest = slide_extreme(t, bars, CLOSE, 1.0, window, i[0], i, 3)
    below = 100.0 * (bars[t, CLOSE] - highest) / highest if highest > 0.0 else math.nan
    mean = slide_mean(below * below, window, f, 0, i, 1)
    if not math.isnan(mean):
        out[0] = math.sqrt(mean)


def plan(values: Values, seed: SeedCode) -> Plan:
    window = int(values["window"])
    return Plan(
        (window,), floats=mean_floats(window), ints=5 + window, lookback=window, ready=(2 * window - 1,)
    )


DEFINITION = Definition(
    name="ulcer_index",
    outputs=("ulcer_index",),
    params=(Param("window", 14),),
    step=step,
    plan=plan,
    functions={"ulcer_index": "ulcer_index"},
)
