"""Force index (Elder 1993). `ta.volume.force_index`, TradingView's `EFI`.

The exponential average of the change of the close times the volume; it begins with the second bar.
"""

from streams.engine.bars import CLOSE, VOLUME, Floats, Ints
from streams.engine.indicators.definition import SMA, Definition, Param, Plan, SeedCode, Values, seed_code
from streams.engine.kernels.averages import smoothed
from streams.engine.kernels.kernel import kernel
from streams.engine.kernels.readiness import ema_bars, span


@kernel
def step(t: int, bars: Floats, p: Floats, f: Floats, i: Ints, out: Floats) -> None:
    """p: window, alpha, seed. f: close before, the average. i: rows seen."""
    window = int(p[0])
    i[0] += 1
    close = bars[t, CLOSE]
    force = (close - f[0]) * bars[t, VOLUME]
    f[0] = close
    n = i[0] - 1
    if n == 0:
        return
    f[1] = smoothed(f[1], force, n, window, p[1], p[2] == SMA)
    if n >= window:
        out[0] = f[1]


def plan(values: Values, seed: SeedCode) -> Plan:
    window = int(values["window"])
    p = (window, span(window), seed_code(seed))
    return Plan(p, floats=2, ints=1, lookback=0, ready=(max(ema_bars(window), window) + 1,))


DEFINITION = Definition(
    name="fi",
    outputs=("fi",),
    params=(Param("window", 13),),
    step=step,
    plan=plan,
    functions={"force_index": "fi"},
    auto="first",
)
