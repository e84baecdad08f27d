"""Volume-price trend. `ta.volume.volume_price_trend`, TradingView's `ta.pvt`.

Every bar's volume times the relative change of its close, since the symbol's origin, added up with what rounding
lost (`add_up`); missing at the first bar, which has no change. With a `smoothing_factor` above 1, the mean of
that many of the sums (`slide_mean`: within window·2^-53 of their sizes). With an `anchor` the sum begins anew with
every session, or at that instant, and the mean with it.
"""

import math

from schemas.conditions import ANCHOR
from streams.engine.bars import CLOSE, VOLUME, Floats, Ints
from streams.engine.indicators.definition import ANCHORED, BAR_MS, Definition, Param, Plan, SeedCode, Values
from streams.engine.kernels.kernel import kernel
from streams.engine.kernels.sessions import STATE, begins, counts, has_sessions, reach
from streams.engine.kernels.windows import add_up, mean_floats, slide_mean


@kernel
def relative(close: float, before: float) -> float:
    """The change from `before`, as a part of it."""
    return (close - before) / before if before != 0.0 else math.nan


@kernel
def step(t: int, bars: Floats, p: Floats, f: Floats, i: Ints, out: Floats) -> None:
    """p: smoothing factor, anchor, bar length. f: close before, the sum (2), the mean of sums. i: rows seen,
    counters of the mean, session.
    """
    smoothing = int(p[0])
    i[0] += 1
    if begins(t, bars, int(p[1]), int(p[2]), i, 3):
        f[1] = 0.0
        f[2] = 0.0
        i[1] = 0
    if len(out) > 1:
        out[1] = reach(i, 3) + 1.0  # the first close is compared with the one before the session
    close = bars[t, CLOSE]
    change = relative(close, f[0])
    f[0] = close
    if i[0] == 1 or math.isnan(change) or not counts(i, 3):
        return
    total = add_up(change * bars[t, VOLUME], f, 1)
    out[0] = slide_mean(total, smoothing, f, 3, i, 1) if smoothing > 1 else total


def plan(values: Values, seed: SeedCode) -> Plan:
    smoothing = int(values["smoothing_factor"])
    return Plan(
        (smoothing, values[ANCHOR], BAR_MS),
        floats=3 + mean_floats(smoothing),
        ints=3 + STATE,
        lookback=0,
        ready=(1 + max(smoothing, 1),),
        tells_reach=has_sessions(values[ANCHOR]),
    )


DEFINITION = Definition(
    name="vpt",
    outputs=("vpt",),
    params=(Param("smoothing_factor", 0, low=0.0), ANCHORED),
    step=step,
    plan=plan,
    functions={"volume_price_trend": "vpt"},
    never_forgets=True,
)
