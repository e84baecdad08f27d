"""Least squares line through the last closes. TradingView's `ta.linreg` (its end at the newest bar);
Stock.Indicators' EPMA and slope.

linreg is the line's value at this bar, slope what it rises by per bar.
"""

from streams.engine.bars import CLOSE, Floats, Ints
from streams.engine.indicators.definition import Definition, Param, Plan, SeedCode, Values
from streams.engine.kernels.exact import run_length
from streams.engine.kernels.kernel import kernel
from streams.engine.kernels.weighted import SUMS, mean, slide_weighted, slope


@kernel
def step(t: int, bars: Floats, p: Floats, f: Floats, i: Ints, out: Floats) -> None:
    """p: window. f: scale. i: rows seen, run of equal closes, sums."""
    window = int(p[0])
    i[0] += 1
    slide_weighted(t, bars, CLOSE, window, i[0], f, 0, i, 2)
    i[1] = run_length(t, bars, CLOSE, i[0], i[1])
    if i[0] < window:
        return
    if i[1] >= window:
        out[0] = bars[t, CLOSE]
        out[1] = 0.0
        return
    rise = slope(window, f[0], i, 2)
    out[0] = mean(window, f[0], i, 2) + rise * (window - 1) / 2.0
    out[1] = rise


def plan(values: Values, seed: SeedCode) -> Plan:
    window = int(values["window"])
    return Plan((window,), floats=1, ints=2 + SUMS, lookback=window, ready=(window, window))


DEFINITION = Definition(
    name="linreg",
    outputs=("linreg", "slope"),
    params=(Param("window", 14, low=2.0),),
    step=step,
    plan=plan,
)
