"""Accumulation/distribution index (Chaikin). `ta.volume.acc_dist_index`, TradingView's `ta.accdist`.

Every bar's volume times where it closed in its range, from -1 at the low to 1 at the high, since the symbol's
origin, added up with what rounding lost (`add_up`). A bar without a range closed nowhere in it: it adds nothing.
"""

from streams.engine.bars import CLOSE, HIGH, LOW, VOLUME, Floats, Ints
from streams.engine.indicators.definition import Definition, Plan, SeedCode, Values
from streams.engine.kernels.kernel import kernel
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
    """f: the sum (2)."""
    out[0] = add_up(money_flow_volume(t, bars), f, 0)


def plan(values: Values, seed: SeedCode) -> Plan:
    return Plan((), floats=2, ints=0, lookback=0, ready=(1,))


DEFINITION = Definition(
    name="adi",
    outputs=("adi",),
    params=(),
    step=step,
    plan=plan,
    functions={"acc_dist_index": "adi"},
    never_forgets=True,
)
