"""Volume-weighted average price of the session. TradingView's `ta.vwap(hlc3)` with its deviation bands.

vwap = Σ typical·volume / Σ volume since the session (`anchor`) began, typical being (high + low + close) / 3;
upper and lower lie `multiplier` volume-weighted population deviations around it. Missing while no volume has
traded. It may fire where the session's bars are all there. (`ta`'s rolling one has a window instead.)

What is summed is how far a price lies from the session's first: a flat session gives that very price.
"""

import math

from schemas.conditions import ANCHOR, MAX_MS
from streams.engine.bars import CLOSE, HIGH, LOW, VOLUME, Floats, Ints
from streams.engine.indicators.definition import BAR_MS, Definition, Param, Plan, SeedCode, Values
from streams.engine.kernels.kernel import kernel
from streams.engine.kernels.sessions import DAY, STATE, begins, counts, has_sessions, reach


@kernel
def step(t: int, bars: Floats, p: Floats, f: Floats, i: Ints, out: Floats) -> None:
    """p: anchor, multiplier, bar length. f: first price; sums of volume, of differences and their squares times
    it.
    """
    if begins(t, bars, int(p[0]), int(p[2]), i, 0):
        f[0] = bars[t, CLOSE]
        f[1] = 0.0
        f[2] = 0.0
        f[3] = 0.0
    if not counts(i, 0):
        return
    low = bars[t, LOW]
    volume = bars[t, VOLUME]
    apart = low - f[0] + (bars[t, HIGH] - low + (bars[t, CLOSE] - low)) / 3.0
    f[1] += volume
    f[2] += apart * volume
    f[3] += apart * apart * volume
    if f[1] > 0.0:
        mean = f[2] / f[1]
        band = p[1] * math.sqrt(max(f[3] / f[1] - mean * mean, 0.0))
        out[0] = f[0] + mean
        out[1] = f[0] + mean + band
        out[2] = f[0] + mean - band
    if len(out) > 3:
        out[3] = reach(i, 0)


def plan(values: Values, seed: SeedCode) -> Plan:
    anchor = values[ANCHOR]
    p = (anchor, values["multiplier"], BAR_MS)
    return Plan(p, floats=4, ints=STATE, lookback=0, ready=(1, 1, 1), tells_reach=has_sessions(anchor))


DEFINITION = Definition(
    name="vwap",
    outputs=("vwap", "upper", "lower"),
    params=(
        Param("multiplier", 1, low=0.0, high=100.0, whole=False),
        Param(ANCHOR, DAY, low=DAY, high=float(MAX_MS)),
    ),
    step=step,
    plan=plan,
)
