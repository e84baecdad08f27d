"""Standard deviation of the close, from exact sums. TradingView's `ta.stdev`: of the population."""

import math

from streams.engine.bars import CLOSE, Floats, Ints
from streams.engine.indicators.definition import Definition, Param, Plan, SeedCode, Values
from streams.engine.kernels.exact import fit_unit_of_squares, run_length, slide_squares, unfit, variance
from streams.engine.kernels.kernel import kernel, prepared


@kernel
def deviation(t: int, bars: Floats, window: int, f: Floats, i: Ints) -> float:
    """The deviation of the window that ends with row `t`, missing while it is not full; to be asked once a
    row.

    f: scale. i: rows seen, sum, sum of squares (3), run of equal closes.
    """
    i[0] += 1
    slide_squares(t, bars, CLOSE, window, i[0], f, i, 1)
    i[5] = run_length(t, bars, CLOSE, i[0], i[5])
    if i[0] < window:
        return math.nan
    if i[5] >= window:
        return 0.0
    return float(math.sqrt(variance(i[1], i[2], i[3], i[4], window)) / f[0])


@kernel
def due(t: int, bars: Floats, p: Floats, f: Floats, i: Ints) -> bool:
    return unfit(t, bars, CLOSE, f, i)


@kernel
def prepare(t: int, bars: Floats, p: Floats, f: Floats, i: Ints) -> None:
    fit_unit_of_squares(t, bars, CLOSE, int(p[0]), f, i, 1)


@prepared(by=prepare, when=due)
@kernel
def step(t: int, bars: Floats, p: Floats, f: Floats, i: Ints, out: Floats) -> None:
    """p: window. f, i: see `deviation`."""
    out[0] = deviation(t, bars, int(p[0]), f, i)


def plan(values: Values, seed: SeedCode) -> Plan:
    window = int(values["window"])
    return Plan((window,), floats=1, ints=6, lookback=window, ready=(window,))


DEFINITION = Definition(
    name="stdev",
    outputs=("stdev",),
    params=(Param("window", 20),),
    step=step,
    plan=plan,
)
