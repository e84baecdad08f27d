"""Simple moving average, from an exact sum. `ta.trend.sma_indicator`, TradingView's `ta.sma`."""

from streams.engine.bars import CLOSE, Floats, Ints
from streams.engine.indicators.definition import Definition, Param, Plan, SeedCode, Values
from streams.engine.kernels.exact import fit_unit, run_length, slide_fitted, unfit
from streams.engine.kernels.kernel import kernel, prepared


@kernel
def due(t: int, bars: Floats, p: Floats, f: Floats, i: Ints) -> bool:
    return unfit(t, bars, CLOSE, f, i)


@kernel
def prepare(t: int, bars: Floats, p: Floats, f: Floats, i: Ints) -> None:
    fit_unit(t, bars, CLOSE, int(p[0]), f, i, 1)


@prepared(by=prepare, when=due)
@kernel
def step(t: int, bars: Floats, p: Floats, f: Floats, i: Ints, out: Floats) -> None:
    """p: window. f: scale. i: rows seen, sum, length of the run of equal closes."""
    window = int(p[0])
    i[0] += 1
    slide_fitted(t, bars, CLOSE, window, i[0], f, i, 1)
    i[2] = run_length(t, bars, CLOSE, i[0], i[2])
    if i[0] >= window:
        out[0] = bars[t, CLOSE] if i[2] >= window else i[1] / (window * f[0])


def plan(values: Values, seed: SeedCode) -> Plan:
    window = int(values["window"])
    return Plan((window,), floats=1, ints=3, lookback=window, ready=(window,))


DEFINITION = Definition(
    name="sma",
    outputs=("sma",),
    params=(Param("window", 12),),
    step=step,
    plan=plan,
    functions={"sma_indicator": "sma"},
)
