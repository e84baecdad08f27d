"""Negative volume index (Dysart; Fosback's form). `ta.volume.negative_volume_index`; TradingView's `ta.nvi`
begins with 1 instead of 1000.

1000 at the symbol's origin; multiplied by close/close before at every bar whose volume is less than that of the
bar before. A product, not a sum: its relative error grows by at most 2^-51 per such bar. With an
`anchor` it is 1000 again before the first bar of every session, or of that instant.
"""

from typing import Final

from schemas.conditions import ANCHOR
from streams.engine.bars import CLOSE, VOLUME, Floats, Ints
from streams.engine.indicators.definition import ANCHORED, BAR_MS, Definition, Plan, SeedCode, Values
from streams.engine.kernels.kernel import kernel
from streams.engine.kernels.sessions import STATE, begins, counts, has_sessions, reach

START: Final = 1000.0


@kernel
def step(t: int, bars: Floats, p: Floats, f: Floats, i: Ints, out: Floats) -> None:
    """p: anchor, bar length. f: close before, volume before, the index. i: rows seen, session."""
    i[0] += 1
    begun = begins(t, bars, int(p[0]), int(p[1]), i, 1)
    close = bars[t, CLOSE]
    volume = bars[t, VOLUME]
    if begun:
        f[2] = START
    if i[0] > 1 and volume < f[1] and f[0] != 0.0:
        f[2] += f[2] * ((close - f[0]) / f[0])
    f[0] = close
    f[1] = volume
    if counts(i, 1):
        out[0] = f[2]
    if len(out) > 1:
        out[1] = reach(i, 1) + 1.0  # the first bar is compared with the one before the session


def plan(values: Values, seed: SeedCode) -> Plan:
    whole = has_sessions(values[ANCHOR])
    return Plan((values[ANCHOR], BAR_MS), floats=3, ints=1 + STATE, lookback=0, ready=(1,), tells_reach=whole)


DEFINITION = Definition(
    name="nvi",
    outputs=("nvi",),
    params=(ANCHORED,),
    step=step,
    plan=plan,
    functions={"negative_volume_index": "nvi"},
    never_forgets=True,
)
