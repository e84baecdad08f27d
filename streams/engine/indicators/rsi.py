"""Relative strength index (Wilder 1978). `ta.momentum.rsi`, TradingView's `ta.rsi`.

100·U / (U + D), U and D being Wilder's averages of the rises and falls of the close. `auto` seeds them with
the mean of the first `window` changes; `first` begins, as `ta` does, with a change of 0 at the first bar.
"""

from typing import Final

from streams.engine.bars import CLOSE, Floats, Ints
from streams.engine.indicators.definition import SMA, Definition, Param, Plan, SeedCode, Values, seed_code
from streams.engine.kernels.averages import smoothed
from streams.engine.kernels.kernel import kernel
from streams.engine.kernels.readiness import wilder, wilder_bars

# A market that has been flat for thousands of bars: what is left of its last change is not worth dividing.
TINY: Final = 1e-280


@kernel
def step(t: int, bars: Floats, p: Floats, f: Floats, i: Ints, out: Floats) -> None:
    """p: window, alpha, seed. f: close before, average rise, average fall."""
    window = int(p[0])
    mean_first = p[2] == SMA
    i[0] += 1
    close = bars[t, CLOSE]
    change = close - f[0] if i[0] > 1 else 0.0
    f[0] = close
    n = i[0] - 1 if mean_first else i[0]
    if n == 0:
        return
    f[1] = smoothed(f[1], max(change, 0.0), n, window, p[1], mean_first)
    f[2] = smoothed(f[2], max(-change, 0.0), n, window, p[1], mean_first)
    total = f[1] + f[2]
    if total < TINY:
        f[1] = 0.0
        f[2] = 0.0
    elif n >= window:
        out[0] = 100.0 * (f[1] / total)  # exactly 100 where nothing fell


def plan(values: Values, seed: SeedCode) -> Plan:
    window = int(values["window"])
    ready = max(wilder_bars(window), window) + 1
    return Plan((window, wilder(window), seed_code(seed)), floats=3, ints=1, lookback=0, ready=(ready,))


DEFINITION = Definition(
    name="rsi",
    outputs=("rsi",),
    params=(Param("window", 14),),
    step=step,
    plan=plan,
    auto="sma",
)
