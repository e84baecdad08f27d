"""Ultimate oscillator (Larry Williams 1976). `ta.momentum.ultimate_oscillator`, TradingView's `UO`.

Over each of three windows the buying pressure (close less the lower of low and close before) is divided by
the true range; 100 times the weighted mean of the three. Both are exact sums, so a window in which nothing
moved is 0/0: missing. The first bar has no close before it and counts in no window.
"""

from streams.engine.bars import CLOSE, HIGH, LOW, Floats, Ints
from streams.engine.indicators.definition import Definition, Param, Plan, SeedCode, Values
from streams.engine.kernels.exact import outgrown, units
from streams.engine.kernels.kernel import kernel

WEIGHT_LIMIT = 1_000.0


@kernel
def add_bar(t: int, bars: Floats, sign: int, f: Floats, i: Ints, at: int) -> None:
    """Add (or take away) row `t`: its buying pressure to i[at], its true range to i[at + 1], in units."""
    before = bars[t - 1, CLOSE]
    bottom = units(min(bars[t, LOW], before), f[0])
    i[at] += sign * (units(bars[t, CLOSE], f[0]) - bottom)
    i[at + 1] += sign * (units(max(bars[t, HIGH], before), f[0]) - bottom)


@kernel
def slide_pressure(
    t: int, bars: Floats, window: int, n: int, anew: bool, f: Floats, i: Ints, at: int
) -> None:
    """Move the two sums on to row `t`, the `n`-th with a close before it, or make them afresh."""
    if anew:
        i[at] = 0
        i[at + 1] = 0
        for row in range(t - min(n, window) + 1, t + 1):
            add_bar(row, bars, 1, f, i, at)
        return
    if n > 0:
        add_bar(t, bars, 1, f, i, at)
    if n > window:
        add_bar(t - window, bars, -1, f, i, at)


@kernel
def step(t: int, bars: Floats, p: Floats, f: Floats, i: Ints, out: Floats) -> None:
    """p: three windows, three weights. f: scale. i: rows seen, pressure and range of each window."""
    i[0] += 1
    anew = outgrown(bars[t, HIGH], i[0], f)
    n = i[0] - 1
    complete = True
    total = 0.0
    for k in range(3):
        window = int(p[k])
        at = 1 + 2 * k
        slide_pressure(t, bars, window, n, anew, f, i, at)
        if n < window or i[at + 1] == 0:
            complete = False
        else:
            total += p[3 + k] * (i[at] / i[at + 1])
    if complete:
        out[0] = 100.0 * total / (p[3] + p[4] + p[5])


def plan(values: Values, seed: SeedCode) -> Plan:
    windows = tuple(int(values[name]) for name in ("window1", "window2", "window3"))
    weights = tuple(values[name] for name in ("weight1", "weight2", "weight3"))
    longest = max(windows) + 1
    return Plan(
        windows + weights, floats=1, ints=7, lookback=longest, ready=(longest,), reads=(HIGH, LOW, CLOSE)
    )


def refuse(values: Values) -> tuple[str, str] | None:
    if values["weight1"] + values["weight2"] + values["weight3"] == 0.0:
        return "weight1", "the three weights must not all be 0"
    return None


DEFINITION = Definition(
    name="ultimate_oscillator",
    outputs=("ultimate_oscillator",),
    params=(
        Param("window1", 7),
        Param("window2", 14),
        Param("window3", 28),
        Param("weight1", 4.0, low=0.0, high=WEIGHT_LIMIT, whole=False),
        Param("weight2", 2.0, low=0.0, high=WEIGHT_LIMIT, whole=False),
        Param("weight3", 1.0, low=0.0, high=WEIGHT_LIMIT, whole=False),
    ),
    step=step,
    plan=plan,
    functions={"ultimate_oscillator": "ultimate_oscillator"},
    refuse=refuse,
)
