"""Chaikin money flow. `ta.volume.chaikin_money_flow`, TradingView's `CMF`.

The sum of the money flow volumes of `adi` over `window` bars, divided by that of the volumes: from -1 to 1,
missing where there was no volume. Both are sums of floats that do not drift (`slide_sum`).
"""

from streams.engine.bars import VOLUME, Floats, Ints
from streams.engine.indicators.adi import money_flow_volume
from streams.engine.indicators.definition import Definition, Param, Plan, SeedCode, Values
from streams.engine.kernels.kernel import kernel
from streams.engine.kernels.windows import slide_sum, sum_floats


@kernel
def step(t: int, bars: Floats, p: Floats, f: Floats, i: Ints, out: Floats) -> None:
    """p: window. f: sums of flows and of volumes. i: rows seen."""
    window = int(p[0])
    i[0] += 1
    flow = slide_sum(money_flow_volume(t, bars), window, i[0], f, 0)
    volume = slide_sum(bars[t, VOLUME], window, i[0], f, window + 1)
    if i[0] >= window and volume > 0.0:
        out[0] = flow / volume


def plan(values: Values, seed: SeedCode) -> Plan:
    window = int(values["window"])
    return Plan((window,), floats=2 * sum_floats(window), ints=1, lookback=0, ready=(window,))


DEFINITION = Definition(
    name="cmf",
    outputs=("cmf",),
    params=(Param("window", 20),),
    step=step,
    plan=plan,
    functions={"chaikin_money_flow": "cmf"},
)
