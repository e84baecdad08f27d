"""Bollinger bands. `ta.volatility.bollinger_*`, TradingView's `ta.bb`: population deviation, from exact sums.

mavg ± window_dev deviations; wband = 100·(hband - lband)/mavg; pband = (close - lband)/(hband - lband),
missing where the bands meet; the indicators are 1 where the close is outside.
"""

import math

from streams.engine.bars import CLOSE, Floats, Ints
from streams.engine.indicators.definition import Definition, Param, Plan, SeedCode, Values
from streams.engine.kernels.exact import run_length, slide_squares, variance
from streams.engine.kernels.kernel import kernel


@kernel
def step(t: int, bars: Floats, p: Floats, f: Floats, i: Ints, out: Floats) -> None:
    """p: window, deviations. f: scale. i: rows seen, sum, sum of squares (3), run of equal closes."""
    window = int(p[0])
    i[0] += 1
    slide_squares(t, bars, CLOSE, window, i[0], f, i, 1)
    i[5] = run_length(t, bars, CLOSE, i[0], i[5])
    if i[0] < window:
        return
    close = bars[t, CLOSE]
    mean = close
    reach = 0.0
    if i[5] < window:
        mean = i[1] / (window * f[0])
        reach = p[1] * (math.sqrt(variance(i[1], i[2], i[3], i[4], window)) / f[0])
    out[0] = mean
    out[1] = mean + reach
    out[2] = mean - reach
    out[3] = (out[1] - out[2]) / mean * 100.0
    if out[1] > out[2]:
        out[4] = (close - out[2]) / (out[1] - out[2])
    out[5] = 1.0 if close > out[1] else 0.0
    out[6] = 1.0 if close < out[2] else 0.0


def plan(values: Values, seed: SeedCode) -> Plan:
    window = int(values["window"])
    return Plan((window, values["window_dev"]), floats=1, ints=6, lookback=window, ready=(window,) * 7)


DEFINITION = Definition(
    name="bollinger",
    outputs=("mavg", "hband", "lband", "wband", "pband", "hband_indicator", "lband_indicator"),
    params=(Param("window", 20), Param("window_dev", 2, low=0.0, high=100.0, whole=False)),
    step=step,
    plan=plan,
    functions={
        "bollinger_mavg": "mavg",
        "bollinger_hband": "hband",
        "bollinger_lband": "lband",
        "bollinger_wband": "wband",
        "bollinger_pband": "pband",
        "bollinger_hband_indicator": "hband_indicator",
        "bollinger_lband_indicator": "lband_indicator",
    },
)
