"""Bollinger bands. `ta.volatility.bollinger_*`, TradingView's `ta.bb`: population deviation, from exact sums.

mavg ± window_dev deviations; wband = 100·(hband - lband)/mavg; pband = (close - lband)/(hband - lband),
missing where the bands meet; the indicators are 1 where the close is outside.
"""

import math

from streams.engine.bars import CLOSE, Floats, Ints
from streams.engine.indicators.definition import Definition, Param, Plan, SeedCode, Values
from streams.engine.kernels.exact import fit_unit_of_squares, run_length, slide_squares, unfit, variance
from streams.engine.kernels.kernel import kernel, prepared


@kernel
def due(t: int, bars: Floats, p: Floats, f: Floats, i: Ints) -> bool:
    return unfit(t, bars, CLOSE, f, i)


@kernel
def prepare(t: int, bars: Floats, p: Floats, f: Floats, i: Ints) -> None:
    fit_unit_of_squares(t, bars, CLOSE, int(p[0]), f, i, 1)


@prepared(by=prepare, when=due)
@kernel
def step(t: int, bars: Floats, p: Floats, f: Floats, i: Ints, out: Floats) -> None:
    """p: window, deviations. f: scale. i: rows seen, sum, sum of squares (3), run of equal closes."""
    window = int(p[0])
    i[0] += 1
    slide_squares(t, bars, CLOSE, window, i[0], f, i, 1)
    i[5] = run_length(t, bars, CLOSE, i[0], i[5])
    close = bars[t, CLOSE]
    flat = i[5] >= window
    mean = close if flat else i[1] / (window * f[0])
    deviation = math.sqrt(variance(i[1], i[2], i[3], i[4], window)) / f[0]
    reach = 0.0 if flat else p[1] * deviation
    high = mean + reach
    low = mean - reach
    spread = high - low
    place = (close - low) / (spread if spread > 0.0 else 1.0)
    full = i[0] >= window
    out[0] = mean if full else math.nan
    out[1] = high if full else math.nan
    out[2] = low if full else math.nan
    out[3] = spread / mean * 100.0 if full else math.nan
    out[4] = place if full and spread > 0.0 else math.nan
    out[5] = (1.0 if close > high else 0.0) if full else math.nan
    out[6] = (1.0 if close < low else 0.0) if full else math.nan


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
