"""Williams %R (Larry Williams 1973). `ta.momentum.williams_r`, TradingView's `ta.wpr`.

-100·(highest - close)/(highest - lowest) of the last `lbp` bars, from -100 to 0; missing where the range is
nothing.
"""

from streams.engine.bars import CLOSE, HIGH, LOW, Floats, Ints
from streams.engine.indicators.definition import Definition, Param, Plan, SeedCode, Values
from streams.engine.kernels.extremes import slide_extreme
from streams.engine.kernels.kernel import kernel


@kernel
def step(t: int, bars: Floats, p: Floats, f: Floats, i: Ints, out: Floats) -> None:
    """p: window. i: rows seen, two deques."""
    window = int(p[0])
    i[0] += 1
    highest = slide_extreme(t, bars, HIGH, 1.0, window, i[0], i, 1)
    lowest = slide_extreme(t, bars, LOW, -1.0, window, i[0], i, 3 + window)
    if i[0] >= window and highest > lowest:
        out[0] = 100.0 * (bars[t, CLOSE] - highest) / (highest - lowest)


def plan(values: Values, seed: SeedCode) -> Plan:
    window = int(values["lbp"])
    return Plan((window,), floats=0, ints=5 + 2 * window, lookback=window, ready=(window,), reads=(HIGH, LOW))


DEFINITION = Definition(
    name="williams_r",
    outputs=("williams_r",),
    params=(Param("lbp", 14),),
    step=step,
    plan=plan,
    functions={"williams_r": "williams_r"},
)
