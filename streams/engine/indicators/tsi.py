"""True strength index (Blau 1991). `ta.momentum.tsi`, TradingView's `ta.tsi` (there without the factor 100).

100·EMA(fast) of EMA(slow) of the changes of the close, divided by the same of their sizes. As in `ta`, the
inner average begins with the first change, the outer one where the inner is defined. Missing where nothing
has moved.
"""

from typing import Final

from streams.engine.bars import CLOSE, Floats, Ints
from streams.engine.indicators.definition import SMA, Definition, Param, Plan, SeedCode, Values, seed_code
from streams.engine.kernels.averages import smoothed
from streams.engine.kernels.kernel import kernel
from streams.engine.kernels.readiness import span, tsi_bars

# A market that has been flat for thousands of bars: what is left of its last change is not worth dividing.
TINY: Final = 1e-280


@kernel
def step(t: int, bars: Floats, p: Floats, f: Floats, i: Ints, out: Floats) -> None:
    """p: slow, fast windows, their alphas, seed. f: close before, slow and fast average of changes, of sizes."""
    slow = int(p[0])
    fast = int(p[1])
    mean_first = p[4] == SMA
    i[0] += 1
    close = bars[t, CLOSE]
    change = close - f[0]
    f[0] = close
    n = i[0] - 1
    if n == 0:
        return
    f[1] = smoothed(f[1], change, n, slow, p[2], mean_first)
    f[3] = smoothed(f[3], abs(change), n, slow, p[2], mean_first)
    m = n - slow + 1
    if m < 1:
        return
    f[2] = smoothed(f[2], f[1], m, fast, p[3], mean_first)
    f[4] = smoothed(f[4], f[3], m, fast, p[3], mean_first)
    if f[4] < TINY:
        for k in range(1, 5):
            f[k] = 0.0
    elif m >= fast:
        out[0] = 100.0 * f[2] / f[4]


def plan(values: Values, seed: SeedCode) -> Plan:
    slow, fast = int(values["window_slow"]), int(values["window_fast"])
    p = (slow, fast, span(slow), span(fast), seed_code(seed))
    ready = max(tsi_bars(slow, fast) + 1, slow + fast)
    return Plan(p, floats=5, ints=1, lookback=0, ready=(ready,))


DEFINITION = Definition(
    name="tsi",
    outputs=("tsi",),
    params=(Param("window_slow", 25), Param("window_fast", 13)),
    step=step,
    plan=plan,
    functions={"tsi": "tsi"},
    auto="first",
)
