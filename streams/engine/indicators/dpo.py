"""Detrended price oscillator. `ta.trend.dpo`, TradingView's `DPO` (not centered).

The close window//2 + 1 bars ago less the mean of the last `window` closes, from an exact sum: 0 exactly where
the two are equal. With a window of 1 or 2 that close is older than the window; there `ta` fills in the mean
of the whole series, future included, where this is missing.
"""

from streams.engine.bars import CLOSE, Floats, Ints
from streams.engine.indicators.definition import Definition, Param, Plan, SeedCode, Values
from streams.engine.kernels.exact import slide, units
from streams.engine.kernels.kernel import kernel


@kernel
def step(t: int, bars: Floats, p: Floats, f: Floats, i: Ints, out: Floats) -> None:
    """p: window, how far back. f: scale. i: rows seen, sum."""
    window = int(p[0])
    back = int(p[1])
    i[0] += 1
    slide(t, bars, CLOSE, window, i[0], f, i, 1)
    if i[0] >= window and i[0] > back:
        out[0] = (window * units(bars[t - back, CLOSE], f[0]) - i[1]) / (window * f[0])


def plan(values: Values, seed: SeedCode) -> Plan:
    window = int(values["window"])
    back = window // 2 + 1
    return Plan((window, back), floats=1, ints=2, lookback=max(window, back), ready=(max(window, back + 1),))


DEFINITION = Definition(
    name="dpo",
    outputs=("dpo",),
    params=(Param("window", 20),),
    step=step,
    plan=plan,
    functions={"dpo": "dpo"},
)
