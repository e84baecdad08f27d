"""Mass index (Dorsey 1992). `ta.trend.mass_index`, TradingView's `Mass Index`.

The sum over `window_slow` bars (`slide_sum`: no drift) of an EMA of the range high - low divided by the EMA of that
EMA, both of `window_fast`. Missing where one of the ratios is, which is where nothing has moved: 0/0.
"""

from typing import Final

from streams.engine.bars import HIGH, LOW, Floats, Ints
from streams.engine.indicators.definition import SMA, Definition, Param, Plan, SeedCode, Values, seed_code
from streams.engine.kernels.averages import smoothed
from streams.engine.kernels.kernel import kernel
from streams.engine.kernels.readiness import span, tsi_bars
from streams.engine.kernels.windows import slide_sum, sum_floats

# A market that has been flat for thousands of bars: what is left of its last range is not worth dividing.
TINY: Final = 1e-280


@kernel
def step(t: int, bars: Floats, p: Floats, f: Floats, i: Ints, out: Floats) -> None:
    """p: fast, slow windows, alpha, seed. f: the two averages, the sum. i: rows seen, ratios since one was
    missing.
    """
    fast = int(p[0])
    slow = int(p[1])
    mean_first = p[3] == SMA
    i[0] += 1
    f[0] = smoothed(f[0], bars[t, HIGH] - bars[t, LOW], i[0], fast, p[2], mean_first)
    n = i[0] - fast + 1
    if n < 1:
        return
    f[1] = smoothed(f[1], f[0], n, fast, p[2], mean_first)
    if f[1] < TINY:
        f[0] = 0.0
        f[1] = 0.0
        i[1] = 0
    elif n >= fast:
        i[1] += 1
        total = slide_sum(f[0] / f[1], slow, i[1], f, 2)
        if i[1] >= slow:
            out[0] = total


def plan(values: Values, seed: SeedCode) -> Plan:
    fast, slow = int(values["window_fast"]), int(values["window_slow"])
    ready = max(tsi_bars(fast, fast), 2 * fast - 1) + slow - 1
    p = (fast, slow, span(fast), seed_code(seed))
    return Plan(p, floats=2 + sum_floats(slow), ints=2, lookback=0, ready=(ready,))


DEFINITION = Definition(
    name="mass_index",
    outputs=("mass_index",),
    params=(Param("window_fast", 9), Param("window_slow", 25)),
    step=step,
    plan=plan,
    functions={"mass_index": "mass_index"},
    auto="first",
)
