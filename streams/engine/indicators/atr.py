"""Average true range (Wilder 1978). `ta.volatility.average_true_range`, TradingView's `ta.atr`.

Both seed it with the mean of the first `window` true ranges, of which the first is high - low; so does every
seed here.
"""

from streams.engine.bars import CLOSE, HIGH, LOW, Floats, Ints
from streams.engine.indicators.definition import Definition, Param, Plan, SeedCode, Values
from streams.engine.kernels.averages import smoothed
from streams.engine.kernels.kernel import kernel
from streams.engine.kernels.readiness import wilder, wilder_bars


@kernel
def true_range(high: float, low: float, close_before: float) -> float:
    """The range from the close before to this bar's far end."""
    return max(high, close_before) - min(low, close_before)


@kernel
def step(t: int, bars: Floats, p: Floats, f: Floats, i: Ints, out: Floats) -> None:
    """p: window, alpha. f: close before, the average."""
    window = int(p[0])
    i[0] += 1
    high = bars[t, HIGH]
    low = bars[t, LOW]
    reach = true_range(high, low, f[0]) if i[0] > 1 else high - low
    f[0] = bars[t, CLOSE]
    f[1] = smoothed(f[1], reach, i[0], window, p[1], True)
    if i[0] >= window:
        out[0] = f[1]


def plan(values: Values, seed: SeedCode) -> Plan:
    window = int(values["window"])
    ready = max(wilder_bars(window), window) + 1
    return Plan((window, wilder(window)), floats=2, ints=1, lookback=0, ready=(ready,))


DEFINITION = Definition(
    name="atr",
    outputs=("atr",),
    params=(Param("window", 14),),
    step=step,
    plan=plan,
    functions={"average_true_range": "atr"},
)
