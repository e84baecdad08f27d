"""Triple exponential average's rate of change in percent (Hutson 1983). `ta.trend.trix`; TradingView's `TRIX` is
10,000 times the change of such an average of logarithms, which is 100 times this one but for the curvature.

An EMA of an EMA of an EMA of the close, each beginning where the one before it is defined, and its change in
percent of what it was a bar before. With a window of 1 `ta` has a value at the first bar, against the mean
of the whole series, future included: missing here.
"""

from streams.engine.bars import CLOSE, Floats, Ints
from streams.engine.indicators.definition import SMA, Definition, Param, Plan, SeedCode, Values, seed_code
from streams.engine.kernels.averages import smoothed
from streams.engine.kernels.kernel import kernel
from streams.engine.kernels.readiness import span, trix_bars


@kernel
def step(t: int, bars: Floats, p: Floats, f: Floats, i: Ints, out: Floats) -> None:
    """p: window, alpha, seed. f: the three averages. i: rows seen."""
    window = int(p[0])
    mean_first = p[2] == SMA
    i[0] += 1
    before = f[2]
    x = bars[t, CLOSE]
    n = i[0]
    for k in range(3):
        if n < 1:
            return
        f[k] = smoothed(f[k], x, n, window, p[1], mean_first)
        x = f[k]
        n -= window - 1
    if n > 1 and before != 0.0:
        out[0] = 100.0 * (f[2] - before) / before


def plan(values: Values, seed: SeedCode) -> Plan:
    window = int(values["window"])
    ready = max(trix_bars(window), 3 * window - 1)
    return Plan((window, span(window), seed_code(seed)), floats=3, ints=1, lookback=0, ready=(ready,))


DEFINITION = Definition(
    name="trix",
    outputs=("trix",),
    params=(Param("window", 15),),
    step=step,
    plan=plan,
    functions={"trix": "trix"},
    auto="first",
)
