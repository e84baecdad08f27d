"""Vortex (Botes and Siepman 2010). `ta.trend.vortex_indicator_*`, TradingView's `VI`.

vortex_pos is the sum over `window` bars of how far the high is from the low before, vortex_neg that of how far the
low is from the high before, both divided by the sum of true ranges; vortex_diff lies between them. The sums
are exact; missing where the ranges sum to 0. The first bar has none before it and is left out: `ta` gives it
a true range against the mean close of the whole series, which by bar `window` + 1, where this begins, is gone.
"""

from streams.engine.bars import CLOSE, HIGH, LOW, Floats, Ints
from streams.engine.indicators.definition import Definition, Param, Plan, SeedCode, Values
from streams.engine.kernels.exact import outgrown, units
from streams.engine.kernels.kernel import kernel


@kernel
def add_row(t: int, bars: Floats, scale: float, sign: int, i: Ints) -> None:
    """Add (or take away) the movements of row `t` and its true range, in units."""
    high = units(bars[t, HIGH], scale)
    low = units(bars[t, LOW], scale)
    close_before = units(bars[t - 1, CLOSE], scale)
    i[1] += sign * abs(high - units(bars[t - 1, LOW], scale))
    i[2] += sign * abs(low - units(bars[t - 1, HIGH], scale))
    i[3] += sign * (max(high, close_before) - min(low, close_before))


@kernel
def step(t: int, bars: Floats, p: Floats, f: Floats, i: Ints, out: Floats) -> None:
    """p: window. f: scale. i: rows seen, sums of rises, of falls, of true ranges."""
    window = int(p[0])
    i[0] += 1
    n = i[0] - 1
    if outgrown(bars[t, HIGH], i[0], f):
        for k in range(1, 4):
            i[k] = 0
        for row in range(t - min(n, window) + 1, t + 1):
            add_row(row, bars, f[0], 1, i)
    elif n > 0:
        add_row(t, bars, f[0], 1, i)
        if n > window:
            add_row(t - window, bars, f[0], -1, i)
    if n >= window and i[3] > 0:
        out[0] = i[1] / i[3]
        out[1] = i[2] / i[3]
        out[2] = (i[1] - i[2]) / i[3]


def plan(values: Values, seed: SeedCode) -> Plan:
    window = int(values["window"])
    return Plan(
        (window,), floats=1, ints=4, lookback=window + 1, ready=(window + 1,) * 3, reads=(HIGH, LOW, CLOSE)
    )


DEFINITION = Definition(
    name="vortex",
    outputs=("vortex_pos", "vortex_neg", "vortex_diff"),
    params=(Param("window", 14),),
    step=step,
    plan=plan,
    functions={"vortex_indicator_pos": "vortex_pos", "vortex_indicator_neg": "vortex_neg"},
)
