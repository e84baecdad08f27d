"""Negative volume index (Dysart; Fosback's form). `ta.volume.negative_volume_index`; TradingView's `ta.nvi`
begins with 1 instead of 1000.

1000 at the symbol's origin; multiplied by close/close before at every bar whose volume is less than that of the
bar before. A product, not a sum: its relative error grows by at most 2^-51 per such bar.
"""

from typing import Final

from streams.engine.bars import CLOSE, VOLUME, Floats, Ints
from streams.engine.indicators.definition import Definition, Plan, SeedCode, Values
from streams.engine.kernels.kernel import kernel

START: Final = 1000.0


@kernel
def step(t: int, bars: Floats, p: Floats, f: Floats, i: Ints, out: Floats) -> None:
    """f: close before, volume before, the index. i: rows seen."""
    i[0] += 1
    close = bars[t, CLOSE]
    volume = bars[t, VOLUME]
    if i[0] == 1:
        f[2] = START
    elif volume < f[1] and f[0] != 0.0:
        f[2] += f[2] * ((close - f[0]) / f[0])
    f[0] = close
    f[1] = volume
    out[0] = f[2]


def plan(values: Values, seed: SeedCode) -> Plan:
    return Plan((), floats=3, ints=1, lookback=0, ready=(1,))


DEFINITION = Definition(
    name="nvi",
    outputs=("nvi",),
    params=(),
    step=step,
    plan=plan,
    functions={"negative_volume_index": "nvi"},
    never_forgets=True,
)
