"""How many standard deviations the close lies from its mean: (close - ta.sma) / ta.stdev of TradingView.

Population deviation, from exact sums; missing where every close of the window is the same.
"""

from streams.engine.bars import CLOSE, Floats, Ints
from streams.engine.indicators.definition import Definition, Param, Plan, SeedCode, Values
from streams.engine.indicators.stdev import deviation, due, prepare
from streams.engine.kernels.kernel import kernel, prepared


@prepared(by=prepare, when=due)
@kernel
def step(t: int, bars: Floats, p: Floats, f: Floats, i: Ints, out: Floats) -> None:
    """p: window. f, i: see `deviation`."""
    window = int(p[0])
    apart = deviation(t, bars, window, f, i)
    if apart > 0.0:
        out[0] = (bars[t, CLOSE] - i[1] / (window * f[0])) / apart


def plan(values: Values, seed: SeedCode) -> Plan:
    window = int(values["window"])
    return Plan((window,), floats=1, ints=6, lookback=window, ready=(window,))


DEFINITION = Definition(
    name="zscore",
    outputs=("zscore",),
    params=(Param("window", 20, low=2.0),),
    step=step,
    plan=plan,
)
