"""Kaufman's adaptive moving average (Kaufman 1995). `ta.momentum.kama`.

It begins with the close of bar `window` and moves from there by c·(close - kama), with c = (e·(F - S) + S)²,
F = 2/(pow1 + 1), S = 2/(pow2 + 1), and e the efficiency: how far the close went in `window` bars, divided by
the way it took, both exact. A market that did not move at all has an efficiency of 0, as in `ta`: c is S².

How fast it forgets depends on the market. It counts as ready when it would be had every bar been the slowest,
c = S²: 1,657 bars and the window for pow2 = 30. In a market that moves it has forgotten much sooner; but only
that bound holds whatever comes, and therefore `pow2` goes no further than 200 (70,000 bars).
"""

from typing import Final

from streams.engine.bars import CLOSE, Floats, Ints
from streams.engine.indicators.definition import Definition, Param, Plan, SeedCode, Values
from streams.engine.kernels.exact import outgrown, units
from streams.engine.kernels.kernel import kernel
from streams.engine.kernels.readiness import slowest_bars, span

SLOWEST: Final = 200.0


@kernel
def way(t: int, bars: Floats, scale: float) -> int:
    """How far the close of row `t` is from the one before, in units."""
    return abs(units(bars[t, CLOSE], scale) - units(bars[t - 1, CLOSE], scale))


@kernel
def slide_way(t: int, bars: Floats, window: int, seen: int, f: Floats, i: Ints, at: int) -> None:
    """Move the sum i[at] of the last `window` ways on to row `t`; the first row has none."""
    changes = seen - 1
    if outgrown(bars[t, CLOSE], seen, f):
        i[at] = 0
        for row in range(t - min(changes, window) + 1, t + 1):
            i[at] += way(row, bars, f[0])
        return
    if changes > 0:
        i[at] += way(t, bars, f[0])
    if changes > window:
        i[at] -= way(t - window, bars, f[0])


@kernel
def step(t: int, bars: Floats, p: Floats, f: Floats, i: Ints, out: Floats) -> None:
    """p: window, F, S. f: scale, the average. i: rows seen, the way of the window."""
    window = int(p[0])
    i[0] += 1
    slide_way(t, bars, window, i[0], f, i, 1)
    close = bars[t, CLOSE]
    if i[0] < window:
        return
    if i[0] == window:
        f[1] = close
    else:
        efficiency = 0.0
        if i[1] > 0:
            efficiency = abs(units(close, f[0]) - units(bars[t - window, CLOSE], f[0])) / i[1]
        weight = efficiency * (p[1] - p[2]) + p[2]
        f[1] += weight * weight * (close - f[1])
    out[0] = f[1]


def plan(values: Values, seed: SeedCode) -> Plan:
    window = int(values["window"])
    fast, slow = span(int(values["pow1"])), span(int(values["pow2"]))
    ready = window + slowest_bars(slow * slow)
    return Plan((window, fast, slow), floats=2, ints=2, lookback=window + 1, ready=(ready,))


def refuse(values: Values) -> tuple[str, str] | None:
    if values["pow1"] > values["pow2"]:
        return "pow1", "must not be more than pow2 (pow1 is the fastest average's window, pow2 the slowest's)"
    return None


DEFINITION = Definition(
    name="kama",
    outputs=("kama",),
    params=(Param("window", 10), Param("pow1", 2, high=SLOWEST), Param("pow2", 30, high=SLOWEST)),
    step=step,
    plan=plan,
    functions={"kama": "kama"},
    refuse=refuse,
)
