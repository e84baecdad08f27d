"""Commodity channel index (Lambert 1980). `ta.trend.cci`, TradingView's `ta.cci`.

(typical price - its mean) / (constant · its mean deviation from that mean) over `window` bars, the typical price
being (high + low + close)/3. Deviations from a mean that moves cannot be slid: O(window) per bar. They are whole
numbers of units here, so that a window whose typical prices are equal has a deviation of 0 exactly and the
index is missing; floats, as in `ta`, give one rounding error divided by another.
"""

from streams.engine.bars import CLOSE, HIGH, LOW, Floats, Ints
from streams.engine.indicators.definition import Definition, Param, Plan, SeedCode, Values
from streams.engine.kernels.exact import outgrown, units
from streams.engine.kernels.kernel import kernel


@kernel
def tripled_typical(t: int, bars: Floats, scale: float) -> int:
    """high + low + close of row `t` in units."""
    return units(bars[t, HIGH], scale) + units(bars[t, LOW], scale) + units(bars[t, CLOSE], scale)


@kernel
def step(t: int, bars: Floats, p: Floats, f: Floats, i: Ints, out: Floats) -> None:
    """p: window, constant. f: scale. i: rows seen, sum of three times the typical prices."""
    window = int(p[0])
    i[0] += 1
    if outgrown(bars[t, HIGH], i[0], f):
        i[1] = 0
        for row in range(t - min(i[0], window) + 1, t + 1):
            i[1] += tripled_typical(row, bars, f[0])
    else:
        i[1] += tripled_typical(t, bars, f[0])
        if i[0] > window:
            i[1] -= tripled_typical(t - window, bars, f[0])
    if i[0] < window:
        return
    away = 0.0
    for row in range(t - window + 1, t + 1):
        away += float(abs(window * tripled_typical(row, bars, f[0]) - i[1]))
    if away > 0.0:
        out[0] = (window * tripled_typical(t, bars, f[0]) - i[1]) / (p[1] * (away / window))


def plan(values: Values, seed: SeedCode) -> Plan:
    window = int(values["window"])
    return Plan(
        (window, values["constant"]),
        floats=1,
        ints=2,
        lookback=window,
        ready=(window,),
        reads=(HIGH, LOW, CLOSE),
    )


DEFINITION = Definition(
    name="cci",
    outputs=("cci",),
    params=(Param("window", 20), Param("constant", 0.015, low=1e-6, high=1e6, whole=False)),
    step=step,
    plan=plan,
    functions={"cci": "cci"},
)
