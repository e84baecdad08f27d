"""Weighted moving average. `ta.trend.wma_indicator`, TradingView's `ta.wma`: the newest of `window` closes weighs
`window`, the one before it one less, the oldest 1.

The sum of closes and their weighted sum are exact and O(1) per bar: each bar the weighted one loses the sum of
all and gains the new close `window` times. A close of up to 49 bits times weights that add up to 24 is too much
for 63 bits; the two halves of the closes are therefore summed apart.
"""

from streams.engine.bars import CLOSE, Floats, Ints
from streams.engine.indicators.definition import Definition, Param, Plan, SeedCode, Values
from streams.engine.kernels.exact import HALF, LOW_BITS, outgrown, run_length, units
from streams.engine.kernels.kernel import kernel


@kernel
def take_in(q: int, weight: int, i: Ints) -> None:
    """Add a close of `q` units: to the sums of its halves once, to the weighted ones `weight` times."""
    high = q >> HALF
    low = q & LOW_BITS
    i[1] += high
    i[2] += low
    i[3] += weight * high
    i[4] += weight * low


@kernel
def make_afresh(t: int, bars: Floats, rows: int, f: Floats, i: Ints) -> None:
    """The sums of the last `rows` rows, the oldest of which weighs 1."""
    for k in range(1, 5):
        i[k] = 0
    for k in range(1, rows + 1):
        take_in(units(bars[t - rows + k, CLOSE], f[0]), k, i)


@kernel
def step(t: int, bars: Floats, p: Floats, f: Floats, i: Ints, out: Floats) -> None:
    """p: window. f: scale. i: rows seen, sums of high and low halves, the same weighted, run of equal closes."""
    window = int(p[0])
    i[0] += 1
    close = bars[t, CLOSE]
    i[5] = run_length(t, bars, CLOSE, i[0], i[5])
    if outgrown(close, i[0], f):
        make_afresh(t, bars, min(i[0], window), f, i)
    elif i[0] <= window:
        take_in(units(close, f[0]), i[0], i)
    else:
        i[3] -= i[1]
        i[4] -= i[2]
        take_in(units(close, f[0]), window, i)
        oldest = units(bars[t - window, CLOSE], f[0])
        i[1] -= oldest >> HALF
        i[2] -= oldest & LOW_BITS
    if i[5] >= window:
        out[0] = close
    elif i[0] >= window:
        weights = window * (window + 1) / 2.0
        out[0] = (float(i[3]) * float(1 << HALF) + float(i[4])) / (weights * f[0])


def plan(values: Values, seed: SeedCode) -> Plan:
    window = int(values["window"])
    return Plan((window,), floats=1, ints=6, lookback=window, ready=(window,))


DEFINITION = Definition(
    name="wma",
    outputs=("wma",),
    params=(Param("window", 9),),
    step=step,
    plan=plan,
    functions={"wma_indicator": "wma"},
)
