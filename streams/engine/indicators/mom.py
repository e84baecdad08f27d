"""Momentum: by how much the close has risen in `window` bars. TradingView's `ta.mom`."""

from streams.engine.bars import CLOSE, Floats, Ints
from streams.engine.indicators.definition import Definition, Param, Plan, SeedCode, Values
from streams.engine.kernels.kernel import kernel


@kernel
def step(t: int, bars: Floats, p: Floats, f: Floats, i: Ints, out: Floats) -> None:
    """p: window. i: rows seen."""
    window = int(p[0])
    i[0] += 1
    if i[0] > window:
        out[0] = bars[t, CLOSE] - bars[t - window, CLOSE]


def plan(values: Values, seed: SeedCode) -> Plan:
    window = int(values["window"])
    return Plan((window,), floats=1, ints=1, lookback=window, ready=(window + 1,))


DEFINITION = Definition(
    name="mom",
    outputs=("mom",),
    params=(Param("window", 10),),
    step=step,
    plan=plan,
)
