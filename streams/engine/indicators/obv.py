"""On balance volume (Granville 1963). `ta.volume.on_balance_volume`, TradingView's `ta.obv`.

The volume of every bar that closed higher, less that of every bar that closed lower, since the symbol's origin,
added up with what rounding lost (`add_up`). `auto` is TradingView's: the first bar and an unchanged close add
nothing. `first` is `ta`'s, which adds the volume of both as if the close had risen. With an `anchor` the sum begins
anew with every session, or at that instant.
"""

from schemas.conditions import ANCHOR
from streams.engine.bars import CLOSE, VOLUME, Floats, Ints
from streams.engine.indicators.definition import (
    ANCHORED,
    BAR_MS,
    FIRST,
    Definition,
    Plan,
    SeedCode,
    Values,
    seed_code,
)
from streams.engine.kernels.kernel import kernel
from streams.engine.kernels.sessions import STATE, begins, counts, has_sessions, reach
from streams.engine.kernels.windows import add_up


@kernel
def step(t: int, bars: Floats, p: Floats, f: Floats, i: Ints, out: Floats) -> None:
    """p: seed, anchor, bar length. f: close before, the sum (2). i: rows seen, session."""
    i[0] += 1
    if begins(t, bars, int(p[1]), int(p[2]), i, 1):
        f[1] = 0.0
        f[2] = 0.0
    close = bars[t, CLOSE]
    sign = 0.0
    if i[0] > 1 and close < f[0]:
        sign = -1.0
    elif p[0] == FIRST or (i[0] > 1 and close > f[0]):
        sign = 1.0
    f[0] = close
    if counts(i, 1):
        out[0] = add_up(sign * bars[t, VOLUME], f, 1)
    if len(out) > 1:
        out[1] = reach(i, 1) + 1.0  # the first close is compared with the one before the session


def plan(values: Values, seed: SeedCode) -> Plan:
    p = (seed_code(seed), values[ANCHOR], BAR_MS)
    whole = has_sessions(values[ANCHOR])
    return Plan(p, floats=3, ints=1 + STATE, lookback=0, ready=(1,), tells_reach=whole)


DEFINITION = Definition(
    name="obv",
    outputs=("obv",),
    params=(ANCHORED,),
    step=step,
    plan=plan,
    functions={"on_balance_volume": "obv"},
    auto="sma",
    never_forgets=True,
)
