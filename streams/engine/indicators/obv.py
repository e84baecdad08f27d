"""On balance volume (Granville 1963). `ta.volume.on_balance_volume`, TradingView's `ta.obv`.

The volume of every bar that closed higher, less that of every bar that closed lower, since the symbol's origin,
added up with what rounding lost (`add_up`). `auto` is TradingView's: the first bar and an unchanged close add
nothing. `first` is `ta`'s, which adds the volume of both as if the close had risen.
"""

from streams.engine.bars import CLOSE, VOLUME, Floats, Ints
from streams.engine.indicators.definition import FIRST, Definition, Plan, SeedCode, Values, seed_code
from streams.engine.kernels.kernel import kernel
from streams.engine.kernels.windows import add_up


@kernel
def step(t: int, bars: Floats, p: Floats, f: Floats, i: Ints, out: Floats) -> None:
    """p: seed. f: close before, the sum (2). i: rows seen."""
    i[0] += 1
    close = bars[t, CLOSE]
    sign = 0.0
    if i[0] > 1 and close < f[0]:
        sign = -1.0
    elif p[0] == FIRST or (i[0] > 1 and close > f[0]):
        sign = 1.0
    f[0] = close
    out[0] = add_up(sign * bars[t, VOLUME], f, 1)


def plan(values: Values, seed: SeedCode) -> Plan:
    return Plan((seed_code(seed),), floats=3, ints=1, lookback=0, ready=(1,))


DEFINITION = Definition(
    name="obv",
    outputs=("obv",),
    params=(),
    step=step,
    plan=plan,
    functions={"on_balance_volume": "obv"},
    auto="sma",
    never_forgets=True,
)
