"""Return of one bar in percent. `ta.others.daily_return`: a day only where a bar is one."""

from streams.engine.bars import CLOSE, Floats, Ints
from streams.engine.indicators.definition import Definition, Plan, SeedCode, Values
from streams.engine.kernels.kernel import kernel


@kernel
def step(t: int, bars: Floats, p: Floats, f: Floats, i: Ints, out: Floats) -> None:
    """f: close before. i: rows seen."""
    i[0] += 1
    close = bars[t, CLOSE]
    if i[0] > 1 and f[0] != 0.0:
        out[0] = 100.0 * (close - f[0]) / f[0]
    f[0] = close


def plan(values: Values, seed: SeedCode) -> Plan:
    return Plan((), floats=1, ints=1, lookback=0, ready=(2,))


DEFINITION = Definition(
    name="daily_return",
    outputs=("daily_return",),
    params=(),
    step=step,
    plan=plan,
    functions={"daily_return": "daily_return"},
)
