"""Bull and bear power (Alexander Elder 1989): how far a bar reaches beyond the EMA of its closes.

bull_power = high - EMA, bear_power = low - EMA; bull_bear_power is their sum, as TradingView's "Bull Bear
Power" draws it. Stock.Indicators' ElderRay seeds the EMA with a mean (`seed: sma`).
"""

from streams.engine.bars import CLOSE, HIGH, LOW, Floats, Ints
from streams.engine.indicators.definition import SMA, Definition, Param, Plan, SeedCode, Values, seed_code
from streams.engine.kernels.averages import smoothed
from streams.engine.kernels.kernel import kernel
from streams.engine.kernels.readiness import ema_bars, span


@kernel
def step(t: int, bars: Floats, p: Floats, f: Floats, i: Ints, out: Floats) -> None:
    """p: window, alpha, seed. f: the average. i: rows seen."""
    window = int(p[0])
    i[0] += 1
    f[0] = smoothed(f[0], bars[t, CLOSE], i[0], window, p[1], p[2] == SMA)
    if i[0] >= window:
        out[0] = bars[t, HIGH] - f[0]
        out[1] = bars[t, LOW] - f[0]
        out[2] = out[0] + out[1]


def plan(values: Values, seed: SeedCode) -> Plan:
    window = int(values["window"])
    ready = max(ema_bars(window), window)
    return Plan((window, span(window), seed_code(seed)), floats=1, ints=1, lookback=0, ready=(ready,) * 3)


DEFINITION = Definition(
    name="elder_ray",
    outputs=("bull_power", "bear_power", "bull_bear_power"),
    params=(Param("window", 13),),
    step=step,
    plan=plan,
    auto="first",
)
