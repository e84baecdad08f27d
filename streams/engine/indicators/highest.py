"""The highest high, and the highest close, of the last bars. TradingView's `ta.highest`, whose default is the high."""

from streams.engine.bars import CLOSE, HIGH, Floats, Ints
from streams.engine.indicators.definition import Definition, Param, Plan, SeedCode, Values
from streams.engine.kernels.extremes import slide_extreme
from streams.engine.kernels.kernel import kernel


@kernel
def step(t: int, bars: Floats, p: Floats, f: Floats, i: Ints, out: Floats) -> None:
    """p: window. i: rows seen, two deques."""
    window = int(p[0])
    i[0] += 1
    high = slide_extreme(t, bars, HIGH, 1.0, window, i[0], i, 1)
    close = slide_extreme(t, bars, CLOSE, 1.0, window, i[0], i, 3 + window)
    if i[0] >= window:
        out[0] = high
        out[1] = close


def plan(values: Values, seed: SeedCode) -> Plan:
    window = int(values["window"])
    ints, ready = 5 + 2 * window, (window, window)
    return Plan((window,), floats=1, ints=ints, lookback=window, ready=ready, reads=(HIGH, CLOSE))


DEFINITION = Definition(
    name="highest",
    outputs=("high", "close"),
    params=(Param("window", 10),),
    step=step,
    plan=plan,
)
