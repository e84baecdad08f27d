"""Rate of change in percent. `ta.momentum.roc`, TradingView's `ta.roc`: against the close `window` bars ago."""

from streams.engine.bars import CLOSE, Floats, Ints
from streams.engine.indicators.definition import Definition, Param, Plan, SeedCode, Values
from streams.engine.kernels.kernel import kernel


@kernel
def step(t: int, bars: Floats, p: Floats, f: Floats, i: Ints, out: Floats) -> None:
    """p: window. i: rows seen."""
    window = int(p[0])
    i[0] += 1
    if i[0] > window:
        before = bars[t - window, CLOSE]
        if before != 0.0:
            out[0] = 100.0 * (bars[t, CLOSE] - before) / before


def plan(values: Values, seed: SeedCode) -> Plan:
    window = int(values["window"])
    return Plan((window,), floats=0, ints=1, lookback=window, ready=(window + 1,))


DEFINITION = Definition(
    name="roc",
    outputs=("roc",),
    params=(Param("window", 12),),
    step=step,
    plan=plan,
    functions={"roc": "roc"},
)
