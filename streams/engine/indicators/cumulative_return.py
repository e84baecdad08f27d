"""Return in percent since the first close of the symbol's history. `ta.others.cumulative_return`.

With an `anchor` it is the return since the first close of the session, or since that of the first bar from an
instant on.
"""

from schemas.conditions import ANCHOR
from streams.engine.bars import CLOSE, Floats, Ints
from streams.engine.indicators.definition import ANCHORED, BAR_MS, Definition, Plan, SeedCode, Values
from streams.engine.kernels.kernel import kernel
from streams.engine.kernels.sessions import STATE, begins, counts, has_sessions, reach


@kernel
def step(t: int, bars: Floats, p: Floats, f: Floats, i: Ints, out: Floats) -> None:
    """p: anchor, bar length. f: the first close. i: rows seen, session."""
    i[0] += 1
    close = bars[t, CLOSE]
    if begins(t, bars, int(p[0]), int(p[1]), i, 1) or i[0] == 1:
        f[0] = close
    if f[0] != 0.0 and counts(i, 1):
        out[0] = 100.0 * (close - f[0]) / f[0]
    if len(out) > 1:
        out[1] = reach(i, 1)


def plan(values: Values, seed: SeedCode) -> Plan:
    whole = has_sessions(values[ANCHOR])
    return Plan((values[ANCHOR], BAR_MS), floats=1, ints=1 + STATE, lookback=0, ready=(1,), tells_reach=whole)


DEFINITION = Definition(
    name="cumulative_return",
    outputs=("cumulative_return",),
    params=(ANCHORED,),
    step=step,
    plan=plan,
    functions={"cumulative_return": "cumulative_return"},
    never_forgets=True,
)
