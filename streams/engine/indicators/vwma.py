"""Moving average of the close weighted by volume. TradingView's `ta.vwma`; Stock.Indicators' VWMA.

Missing where nothing was traded in the window. Sums that do not drift (`slide_sum`); where all that was traded
in the window was traded in bars of one close, it is that close exactly.
"""

from streams.engine.bars import CLOSE, VOLUME, Floats, Ints
from streams.engine.indicators.definition import Definition, Param, Plan, SeedCode, Values
from streams.engine.indicators.rolling_vwap import by_volume
from streams.engine.kernels.kernel import kernel
from streams.engine.kernels.windows import sum_floats


@kernel
def step(t: int, bars: Floats, p: Floats, f: Floats, i: Ints, out: Floats) -> None:
    """p: window. f, i: see `by_volume`."""
    out[0] = by_volume(bars[t, CLOSE], bars[t, VOLUME], int(p[0]), f, i)


def plan(values: Values, seed: SeedCode) -> Plan:
    window = int(values["window"])
    return Plan((window,), floats=1 + 2 * sum_floats(window), ints=2, lookback=0, ready=(window,))


DEFINITION = Definition(
    name="vwma",
    outputs=("vwma",),
    params=(Param("window", 20),),
    step=step,
    plan=plan,
)
