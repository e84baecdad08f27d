"""Average directional index (Wilder 1978). `ta.trend.adx*`, TradingView's `ta.dmi`.

adx_pos and adx_neg are 100 times Wilder's averages of the directional movements up and down, divided by that of the
true ranges, all without the first bar, which has none before it; missing where nothing moved. adx is Wilder's
average of DX = 100·|adx_pos - adx_neg|/(adx_pos + adx_neg); a bar with no movement in either direction has
no direction and counts as a DX of 0, as in `ta`.

All averages begin with the mean of their first `window` values, in every seed. `ta` starts with zeros: adx_pos and
adx_neg are defined here from its first other value, at bar `window` + 2, adx from bar 2·`window`.
"""

from typing import Final

from streams.engine.bars import CLOSE, HIGH, LOW, Floats, Ints
from streams.engine.indicators.atr import true_range
from streams.engine.indicators.definition import Definition, Param, Plan, SeedCode, Values
from streams.engine.kernels.averages import smoothed
from streams.engine.kernels.kernel import kernel
from streams.engine.kernels.readiness import wilder, wilder_bars

# A market that has been flat for thousands of bars: what is left of its last range is not worth dividing.
TINY: Final = 1e-280


@kernel
def take_in(high: float, low: float, n: int, window: int, alpha: float, f: Floats) -> None:
    """Average the bar's true range and its movements up and down, the `n`-th, in f[3] to f[5]."""
    up = high - f[0]
    down = f[1] - low
    f[3] = smoothed(f[3], true_range(high, low, f[2]), n, window, alpha, True)
    f[4] = smoothed(f[4], up if up > down and up > 0.0 else 0.0, n, window, alpha, True)
    f[5] = smoothed(f[5], down if down > up and down > 0.0 else 0.0, n, window, alpha, True)
    if f[3] < TINY:
        for k in range(3, 6):
            f[k] = 0.0


@kernel
def step(t: int, bars: Floats, p: Floats, f: Floats, i: Ints, out: Floats) -> None:
    """p: window, alpha. f: high, low, close before, averages of ranges, of movements up and down, of DX."""
    window = int(p[0])
    i[0] += 1
    n = i[0] - 1
    if n > 0:
        take_in(bars[t, HIGH], bars[t, LOW], n, window, p[1], f)
    f[0] = bars[t, HIGH]
    f[1] = bars[t, LOW]
    f[2] = bars[t, CLOSE]
    if n < window:
        return
    moved = f[4] + f[5]
    directed = 100.0 * abs(f[4] - f[5]) / moved if moved > TINY else 0.0
    f[6] = smoothed(f[6], directed, n - window + 1, window, p[1], True)
    if f[3] == 0.0:
        return
    if n >= 2 * window - 1:
        out[0] = f[6]
    if n > window:
        out[1] = 100.0 * f[4] / f[3]
        out[2] = 100.0 * f[5] / f[3]


def plan(values: Values, seed: SeedCode) -> Plan:
    window = int(values["window"])
    index = max(wilder_bars(window, window) + 1, 2 * window)
    parts = max(wilder_bars(window) + 1, window + 2)
    return Plan((window, wilder(window)), floats=7, ints=1, lookback=0, ready=(index, parts, parts))


DEFINITION = Definition(
    name="adx",
    outputs=("adx", "adx_pos", "adx_neg"),
    params=(Param("window", 14),),
    step=step,
    plan=plan,
    functions={"adx": "adx", "adx_pos": "adx_pos", "adx_neg": "adx_neg"},
)
