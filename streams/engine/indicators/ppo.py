"""Percentage price oscillator. `ta.momentum.ppo*`, TradingView's `PPO`; `ta`'s order is slow, fast, sign.

ppo = 100·(EMA(fast) - EMA(slow))/EMA(slow) of the close, defined with the slow one, missing where that is 0;
ppo_signal its EMA over the values there are; ppo_hist what lies between them. `pvo` is the same of volume.
"""

from typing import Final

from streams.engine.bars import CLOSE, Floats, Ints
from streams.engine.indicators.definition import SMA, Definition, Param, Plan, SeedCode, Values, seed_code
from streams.engine.kernels.averages import smoothed
from streams.engine.kernels.kernel import kernel
from streams.engine.kernels.readiness import macd_bars, span

# Volume that has been 0 for thousands of bars: what is left of its average is not worth dividing by.
TINY: Final = 1e-280


@kernel
def step(t: int, bars: Floats, p: Floats, f: Floats, i: Ints, out: Floats) -> None:
    """p: slow, fast, sign windows, their alphas, seed, column. f: slow, fast, signal. i: rows, lines seen."""
    slow = int(p[0])
    sign = int(p[2])
    mean_first = p[6] == SMA
    i[0] += 1
    x = bars[t, int(p[7])]
    f[0] = smoothed(f[0], x, i[0], slow, p[3], mean_first)
    f[1] = smoothed(f[1], x, i[0], int(p[1]), p[4], mean_first)
    if i[0] < slow or f[0] < TINY:
        return
    i[1] += 1
    line = 100.0 * (f[1] - f[0]) / f[0]
    f[2] = smoothed(f[2], line, i[1], sign, p[5], mean_first)
    out[0] = line
    if i[1] >= sign:
        out[1] = f[2]
        out[2] = line - f[2]


def plan_of(column: int, values: Values, seed: SeedCode) -> Plan:
    """The plan for the oscillator of `column`: ready like the MACD, of which it is a ratio."""
    slow, fast, sign = (int(values[name]) for name in ("window_slow", "window_fast", "window_sign"))
    p = (slow, fast, sign, span(slow), span(fast), span(sign), seed_code(seed), column)
    line, signal, hist = macd_bars(slow, fast, sign)
    defined = slow + sign - 1
    ready = (max(line, slow), max(signal, defined), max(hist, defined))
    return Plan(p, floats=3, ints=2, lookback=0, ready=ready)


def plan(values: Values, seed: SeedCode) -> Plan:
    return plan_of(CLOSE, values, seed)


def refuse(values: Values) -> tuple[str, str] | None:
    """A fast average that is not faster, which is what `ppo(12, 26)` would mean in `ta`'s order."""
    if values["window_fast"] >= values["window_slow"]:
        return (
            "window_fast",
            "must be less than window_slow (the order is window_slow, window_fast, window_sign)",
        )
    return None


DEFINITION = Definition(
    name="ppo",
    outputs=("ppo", "ppo_signal", "ppo_hist"),
    params=(Param("window_slow", 26), Param("window_fast", 12), Param("window_sign", 9)),
    step=step,
    plan=plan,
    functions={"ppo": "ppo", "ppo_signal": "ppo_signal", "ppo_hist": "ppo_hist"},
    auto="first",
    refuse=refuse,
)
