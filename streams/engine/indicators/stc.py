"""Schaff trend cycle (Schaff 1999). `ta.trend.stc`; TradingView's is by its users, and begins like this.

Where the MACD line lies between its lowest and highest of `cycle` bars, from 0 to 100, averaged by an EMA of `smooth1`;
where that average lies between its own of `cycle` bars, averaged by an EMA of `smooth2`. Missing where the line
or its average has not moved in `cycle` bars: 0/0. The averages then stay what they are and go on from there;
in `ta` such a bar is carried over too, but makes the next value weigh more (pandas' `ewm` decays over it). There
two places at the top of their cycles may also differ by a rounding error, and one such error over another is
a value: here all of them are 100, and that is 0/0.
"""

import math
from typing import Final

from streams.engine.bars import CLOSE, Floats, Ints
from streams.engine.indicators.definition import SMA, Definition, Param, Plan, SeedCode, Values, seed_code
from streams.engine.kernels.averages import smoothed
from streams.engine.kernels.extremes import slide_ring_extreme
from streams.engine.kernels.kernel import kernel
from streams.engine.kernels.readiness import ema_bars, macd_bars, span

# Where in the states the rings and the deques stand: behind four averages, behind four counters.
RINGS: Final = 4
DEQUES: Final = 4


@kernel
def place(x: float, cycle: int, n: int, ring: int, deques: int, f: Floats, i: Ints) -> float:
    """Where `x`, the `n`-th, lies between the lowest and highest of the last `cycle`, from 0 to 100.

    Divided first, the highest lies at 100 exactly; 100·(x - lowest), as in `ta`, may miss it by a last bit.
    """
    f[ring + (n - 1) % cycle] = x
    highest = slide_ring_extreme(x, f, ring, 1.0, cycle, n, i, deques)
    lowest = slide_ring_extreme(x, f, ring, -1.0, cycle, n, i, deques + 2 + cycle)
    if n < cycle or highest <= lowest:
        return math.nan
    return 100.0 * ((x - lowest) / (highest - lowest))


@kernel
def step(t: int, bars: Floats, p: Floats, f: Floats, i: Ints, out: Floats) -> None:
    """p: slow, fast, cycle, smooth1, smooth2, the four alphas, seed. f: slow, fast, inner, outer average, rings.

    i: rows seen, places of the line, averages of them, places of these; four deques.
    """
    slow = int(p[0])
    cycle = int(p[2])
    mean_first = p[9] == SMA
    i[0] += 1
    close = bars[t, CLOSE]
    f[0] = smoothed(f[0], close, i[0], slow, p[5], mean_first)
    f[1] = smoothed(f[1], close, i[0], int(p[1]), p[6], mean_first)
    n = i[0] - slow + 1
    if n < 1:
        return
    inner = place(f[1] - f[0], cycle, n, RINGS, DEQUES, f, i)
    if not math.isnan(inner):
        i[1] += 1
        f[2] = smoothed(f[2], inner, i[1], int(p[3]), p[7], mean_first)
    if i[1] < int(p[3]):
        return
    i[2] += 1
    outer = place(f[2], cycle, i[2], RINGS + cycle, DEQUES + 4 + 2 * cycle, f, i)
    if not math.isnan(outer):
        i[3] += 1
        f[3] = smoothed(f[3], outer, i[3], int(p[4]), p[8], mean_first)
        if i[3] >= int(p[4]) and not math.isnan(inner):
            out[0] = f[3]


def plan(values: Values, seed: SeedCode) -> Plan:
    names = ("window_slow", "window_fast", "cycle", "smooth1", "smooth2")
    slow, fast, cycle, smooth1, smooth2 = (int(values[name]) for name in names)
    line = max(macd_bars(slow, fast, 1)[0], slow)
    inner = line + cycle - 1 + max(ema_bars(smooth1), smooth1)
    return Plan(
        (
            slow,
            fast,
            cycle,
            smooth1,
            smooth2,
            span(slow),
            span(fast),
            span(smooth1),
            span(smooth2),
            seed_code(seed),
        ),
        floats=RINGS + 2 * cycle,
        ints=DEQUES + 4 * (2 + cycle),
        lookback=0,
        ready=(inner + cycle - 1 + max(ema_bars(smooth2), smooth2),),
    )


def refuse(values: Values) -> tuple[str, str] | None:
    """A fast average that is not faster."""
    if values["window_fast"] >= values["window_slow"]:
        return "window_fast", "must be less than window_slow (the order is window_slow, window_fast, cycle …)"
    return None


DEFINITION = Definition(
    name="stc",
    outputs=("stc",),
    params=(
        Param("window_slow", 50),
        Param("window_fast", 23),
        Param("cycle", 10, low=2.0),
        Param("smooth1", 3),
        Param("smooth2", 3),
    ),
    step=step,
    plan=plan,
    functions={"stc": "stc"},
    auto="first",
    refuse=refuse,
)
