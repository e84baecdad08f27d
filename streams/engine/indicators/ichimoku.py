"""Ichimoku (Hosoda 1968). `ta.trend.ichimoku_*` with `visual=False`, TradingView's `Ichimoku` where it is computed.

conversion_line, base_line and b are the middles between the highest high and the lowest low of `window1`, `window2`
and `window3` bars, a that between the first two. Charts draw a and b `window2` bars further on; nothing is
displaced here. `visual=True` displaces them in `ta`, and fills what lies before with the mean of the whole
series, the future included: there is no such parameter. `ta` gives b before its window is full: missing here.
"""

from streams.engine.bars import HIGH, LOW, Floats, Ints
from streams.engine.indicators.definition import Definition, Param, Plan, SeedCode, Values
from streams.engine.kernels.extremes import slide_extreme
from streams.engine.kernels.kernel import kernel


@kernel
def middle(t: int, bars: Floats, window: int, seen: int, i: Ints, at: int) -> float:
    """Between the highest and the lowest of `window` rows; two deques at i[at]."""
    highest = slide_extreme(t, bars, HIGH, 1.0, window, seen, i, at)
    lowest = slide_extreme(t, bars, LOW, -1.0, window, seen, i, at + 2 + window)
    return 0.5 * (highest + lowest)


@kernel
def step(t: int, bars: Floats, p: Floats, f: Floats, i: Ints, out: Floats) -> None:
    """p: the three windows. i: rows seen, six deques."""
    short = int(p[0])
    medium = int(p[1])
    long = int(p[2])
    i[0] += 1
    conversion = middle(t, bars, short, i[0], i, 1)
    base = middle(t, bars, medium, i[0], i, 5 + 2 * short)
    b = middle(t, bars, long, i[0], i, 9 + 2 * short + 2 * medium)
    if i[0] >= short:
        out[0] = conversion
    if i[0] >= medium:
        out[1] = base
    if i[0] >= max(short, medium):
        out[2] = 0.5 * (conversion + base)
    if i[0] >= long:
        out[3] = b


def plan(values: Values, seed: SeedCode) -> Plan:
    windows = [int(values[f"window{k}"]) for k in (1, 2, 3)]
    return Plan(
        tuple(windows),
        floats=0,
        ints=13 + 2 * sum(windows),
        lookback=max(windows),
        ready=(windows[0], windows[1], max(windows[:2]), windows[2]),
        reads=(HIGH, LOW),
    )


DEFINITION = Definition(
    name="ichimoku",
    outputs=("conversion_line", "base_line", "a", "b"),
    params=(Param("window1", 9), Param("window2", 26), Param("window3", 52)),
    step=step,
    plan=plan,
    functions={f"ichimoku_{name}": name for name in ("conversion_line", "base_line", "a", "b")},
)
