"""Exponential moving average. `ta.trend.ema_indicator`; TradingView's `ta.ema` begins with the first
value.
"""

from streams.engine.bars import CLOSE, Floats, Ints
from streams.engine.indicators.definition import SMA, Definition, Param, Plan, SeedCode, Values, seed_code
from streams.engine.kernels.averages import smoothed
from streams.engine.kernels.kernel import kernel
from streams.engine.kernels.readiness import ema_bars, span


@kernel
def step(t: int, bars: Floats, p: Floats, f: Floats, i: Ints, out: Floats) -> None:
    """p: window, alpha, seed. f: the average."""
    window = int(p[0])
    i[0] += 1
    f[0] = smoothed(f[0], bars[t, CLOSE], i[0], window, p[1], p[2] == SMA)
    if i[0] >= window:
        out[0] = f[0]


def plan(values: Values, seed: SeedCode) -> Plan:
    window = int(values["window"])
    p = (window, span(window), seed_code(seed))
    return Plan(p, floats=1, ints=1, lookback=0, ready=(max(ema_bars(window), window),))


DEFINITION = Definition(
    name="ema",
    outputs=("ema",),
    params=(Param("window", 12),),
    step=step,
    plan=plan,
    functions={"ema_indicator": "ema"},
    auto="first",
)
