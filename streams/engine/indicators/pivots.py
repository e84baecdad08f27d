"""Classic pivot points (floor trader's) of the session before: TradingView's "Traditional" and
Stock.Indicators' standard ones.

pivot = (H + L + C) / 3 of the previous day, week or month (`anchor`); r1 = 2·pivot - L, s1 = 2·pivot - H;
r2, s2 = pivot ± (H - L); r3 = H + 2·(pivot - L), s3 = L - 2·(H - pivot). Missing in the first session there is.
They may fire where all bars of the previous session are there.
"""

from schemas.conditions import ANCHOR
from streams.engine.bars import CLOSE, HIGH, LOW, Floats, Ints
from streams.engine.indicators.definition import BAR_MS, Definition, Param, Plan, SeedCode, Values
from streams.engine.kernels.kernel import kernel
from streams.engine.kernels.sessions import DAY, MONTH, STATE, begins, reach


@kernel
def step(t: int, bars: Floats, p: Floats, f: Floats, i: Ints, out: Floats) -> None:
    """p: anchor, bar length. f: high, low, close of this session and of the one before, how many rows that had."""
    before = reach(i, 0)
    if begins(t, bars, int(p[0]), int(p[1]), i, 0):
        f[6] = before
        for k in range(3):
            f[3 + k] = f[k]
        f[0] = bars[t, HIGH]
        f[1] = bars[t, LOW]
        i[STATE] += 1
    f[0] = max(f[0], bars[t, HIGH])
    f[1] = min(f[1], bars[t, LOW])
    f[2] = bars[t, CLOSE]
    if i[STATE] > 1:
        write(f[3], f[4], f[5], out)
        out[7] = f[6] + i[1]


@kernel
def write(high: float, low: float, close: float, out: Floats) -> None:
    """The levels of a session with these extremes and this close."""
    above = (high - low + (close - low)) / 3.0  # from the low to the pivot: nothing in a flat session
    below = high - low - above
    pivot = low + above
    out[0] = pivot
    out[1] = pivot + above
    out[2] = pivot + (high - low)
    out[3] = high + 2.0 * above
    out[4] = pivot - below
    out[5] = pivot - (high - low)
    out[6] = low - 2.0 * below


def plan(values: Values, seed: SeedCode) -> Plan:
    return Plan(
        (values[ANCHOR], BAR_MS), floats=7, ints=STATE + 1, lookback=0, ready=(2,) * 7, tells_reach=True
    )


DEFINITION = Definition(
    name="pivots",
    outputs=("pivot", "r1", "r2", "r3", "s1", "s2", "s3"),
    params=(Param(ANCHOR, DAY, low=DAY, high=MONTH),),
    step=step,
    plan=plan,
)
