"""Return in percent since the first close of the symbol's history. `ta.others.cumulative_return`."""

from streams.engine.bars import CLOSE, Floats, Ints
from streams.engine.indicators.definition import Definition, Plan, SeedCode, Values
from streams.engine.kernels.kernel import kernel


@kernel
def step(t: int, bars: Floats, p: Floats, f: Floats, i: Ints, out: Floats) -> None:
    """f: the first close. i: rows seen."""
    i[0] += 1
    close = bars[t, CLOSE]
    if i[0] == 1:
        f[0] = close
    if f[0] != 0.0:
        out[0] = 100.0 * (close - f[0]) / f[0]


def plan(values: Values, seed: SeedCode) -> Plan:
    return Plan((), floats=1, ints=1, lookback=0, ready=(1,))


DEFINITION = Definition(
    name="cumulative_return",
    outputs=("cumulative_return",),
    params=(),
    step=step,
    plan=plan,
    functions={"cumulative_return": "cumulative_return"},
    never_forgets=True,
)
