"""Moving average convergence divergence. `ta.trend.macd*`, TradingView's `ta.macd`; `ta`'s order is slow,
fast, sign.

macd = EMA(fast) - EMA(slow) of the close, defined with the slow one; macd_signal its EMA from there on;
macd_diff what lies between them.
"""

from streams.engine.bars import CLOSE, Floats, Ints
from streams.engine.indicators.definition import SMA, Definition, Param, Plan, SeedCode, Values, seed_code
from streams.engine.kernels.averages import smoothed
from streams.engine.kernels.kernel import kernel
from streams.engine.kernels.readiness import macd_bars, span


@kernel
def step(t: int, bars: Floats, p: Floats, f: Floats, i: Ints, out: Floats) -> None:
    """p: slow, fast, sign windows, their alphas, seed. f: slow, fast, signal."""
    if p[6] == SMA:
        step_seeded(bars[t, CLOSE], p, True, f, i, out)
    else:
        step_seeded(bars[t, CLOSE], p, False, f, i, out)


@kernel
def step_seeded(close: float, p: Floats, mean_first: bool, f: Floats, i: Ints, out: Floats) -> None:
    """One or the other for all rows: what only one of them divides by the other need not."""
    slow = int(p[0])
    fast = int(p[1])
    sign = int(p[2])
    i[0] += 1
    f[0] = smoothed(f[0], close, i[0], slow, p[3], mean_first)
    f[1] = smoothed(f[1], close, i[0], fast, p[4], mean_first)
    n = i[0] - slow + 1
    if n < 1:
        return
    line = f[1] - f[0]
    f[2] = smoothed(f[2], line, n, sign, p[5], mean_first)
    out[0] = line
    if n >= sign:
        out[1] = f[2]
        out[2] = line - f[2]


def plan(values: Values, seed: SeedCode) -> Plan:
    slow, fast, sign = (int(values[name]) for name in ("window_slow", "window_fast", "window_sign"))
    p = (slow, fast, sign, span(slow), span(fast), span(sign), seed_code(seed))
    line, signal, diff = macd_bars(slow, fast, sign)
    defined = slow + sign - 1
    return Plan(
        p, floats=3, ints=1, lookback=0, ready=(max(line, slow), max(signal, defined), max(diff, defined))
    )


def refuse(values: Values) -> tuple[str, str] | None:
    """A fast average that is not faster, which is what `macd(12, 26)` would mean in `ta`'s order."""
    if values["window_fast"] >= values["window_slow"]:
        return (
            "window_fast",
            "must be less than window_slow (the order is window_slow, window_fast, window_sign)",
        )
    return None


DEFINITION = Definition(
    name="macd",
    outputs=("macd", "macd_signal", "macd_diff"),
    params=(Param("window_slow", 26), Param("window_fast", 12), Param("window_sign", 9)),
    step=step,
    plan=plan,
    functions={"macd_signal": "macd_signal", "macd_diff": "macd_diff"},
    auto="first",
    refuse=refuse,
)
