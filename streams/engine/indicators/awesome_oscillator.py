"""Awesome oscillator (Bill Williams). `ta.momentum.awesome_oscillator`, TradingView's `AO`.

The mean of (high + low)/2 over `window1` bars less that over `window2`, from exact sums: it is 0 exactly
where the two means are equal, and has the right sign wherever they are not.
"""

from streams.engine.bars import HIGH, LOW, Floats, Ints
from streams.engine.indicators.definition import Definition, Param, Plan, SeedCode, Values
from streams.engine.kernels.exact import outgrown, units
from streams.engine.kernels.kernel import kernel


@kernel
def doubled_middle(t: int, bars: Floats, scale: float) -> int:
    """high + low of row `t` in units."""
    return units(bars[t, HIGH], scale) + units(bars[t, LOW], scale)


@kernel
def slide_middles(
    t: int, bars: Floats, window: int, seen: int, anew: bool, f: Floats, i: Ints, at: int
) -> None:
    """Move the sum i[at] of `doubled_middle` on to row `t`, or make it afresh."""
    if anew:
        i[at] = 0
        for row in range(t - min(seen, window) + 1, t + 1):
            i[at] += doubled_middle(row, bars, f[0])
        return
    i[at] += doubled_middle(t, bars, f[0])
    if seen > window:
        i[at] -= doubled_middle(t - window, bars, f[0])


@kernel
def step(t: int, bars: Floats, p: Floats, f: Floats, i: Ints, out: Floats) -> None:
    """p: the two windows. f: scale. i: rows seen, the two sums."""
    short = int(p[0])
    long = int(p[1])
    i[0] += 1
    anew = outgrown(bars[t, HIGH], i[0], f)
    slide_middles(t, bars, short, i[0], anew, f, i, 1)
    slide_middles(t, bars, long, i[0], anew, f, i, 2)
    if i[0] < max(short, long):
        return
    whole = i[1] // short - i[2] // long
    rest = (i[1] % short) * long - (i[2] % long) * short
    out[0] = (whole + rest / (short * long)) / (2.0 * f[0])


def plan(values: Values, seed: SeedCode) -> Plan:
    windows = int(values["window1"]), int(values["window2"])
    longest = max(windows)
    return Plan(windows, floats=1, ints=3, lookback=longest, ready=(longest,), reads=(HIGH, LOW))


DEFINITION = Definition(
    name="awesome_oscillator",
    outputs=("awesome_oscillator",),
    params=(Param("window1", 5), Param("window2", 34)),
    step=step,
    plan=plan,
    functions={"awesome_oscillator": "awesome_oscillator"},
)
