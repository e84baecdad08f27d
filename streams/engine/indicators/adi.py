"""Accumulation/distribution index (Chaikin). `ta.volume.acc_dist_index`, TradingView's `ta.accdist`.

Every bar's volume times where it closed in its range, from -1 at the low to 1 at the high, since the symbol's
origin, added up with what rounding lost (`add_up`). A bar without a range closed nowhere in it: it adds nothing.
With an `anchor` the sum begins anew with every session, or at that instant.
"""

from schemas.conditions import ANCHOR
from streams.engine.bars import CLOSE, HIGH, LOW, VOLUME, Floats, Ints
from streams.engine.indicators.definition import ANCHORED, BAR_MS, Definition, Plan, SeedCode, Values
from streams.engine.kernels.kernel import kernel
from streams.engine.kernels.sessions import STATE, begins, counts, has_sessions, reach
from streams.engine.kernels.windows import add_up


@kernel
def money_flow_volume(t: int, bars: Floats) -> float:
    """Volume of row `t` times ((close - low) - (high - close))/(high - low), 0 where there is no range."""
    high = bars[t, HIGH]
    low = bars[t, LOW]
    close = bars[t, CLOSE]
    if high <= low:
        return 0.0
    return float(((close - low) - (high - close)) / (high - low) * bars[t, VOLUME])


@kernel
def step(t: int, bars: Floats, p: Floats, f: Floats, i: Ints, out: Floats) -> None:
    """p: anchor, bar length. f: the sum (2). i: session."""
    if begins(t, bars, int(p[0]), int(p[1]), i, 0):
        f[0] = 0.0
        f[1] = 0.0
    if counts(i, 0):
        out[0] = add_up(money_flow_volume(t, bars), f, 0)
    if len(out) > 1:
        out[1] = reach(i, 0)


def plan(values: Values, seed: SeedCode) -> Plan:
    whole = has_sessions(values[ANCHOR])
    return Plan((values[ANCHOR], BAR_MS), floats=2, ints=STATE, lookback=0, ready=(1,), tells_reach=whole)


DEFINITION = Definition(
    name="adi",
    outputs=("adi",),
    params=(ANCHORED,),
    step=step,
    plan=plan,
    functions={"acc_dist_index": "adi"},
    never_forgets=True,
)
