"""Ease of movement (Arms). `ta.volume.ease_of_movement` and `sma_ease_of_movement`.

eom = 10^8·(change of high + change of low)·(high - low)/(2·volume), `ta`'s factor (TradingView's `EOM` takes
10^4 and shows the mean); missing at the first bar and where there was no volume. sma_eom is the mean of the
last `window` of them, missing where one of them is (`slide_mean`: within window·2^-53 of their sizes).
"""

import math
from typing import Final

from streams.engine.bars import HIGH, LOW, VOLUME, Floats, Ints
from streams.engine.indicators.definition import Definition, Param, Plan, SeedCode, Values
from streams.engine.kernels.kernel import kernel
from streams.engine.kernels.windows import mean_floats, slide_mean

FACTOR: Final = 1e8


@kernel
def step(t: int, bars: Floats, p: Floats, f: Floats, i: Ints, out: Floats) -> None:
    """p: window. f: high and low before, the mean. i: rows seen, counters of the mean."""
    i[0] += 1
    high = bars[t, HIGH]
    low = bars[t, LOW]
    volume = bars[t, VOLUME]
    moved = (high - f[0]) + (low - f[1])
    f[0] = high
    f[1] = low
    ease = math.nan
    if i[0] > 1 and volume > 0.0:
        ease = moved * (high - low) / (2.0 * volume) * FACTOR
    out[0] = ease
    out[1] = slide_mean(ease, int(p[0]), f, 2, i, 1)


def plan(values: Values, seed: SeedCode) -> Plan:
    window = int(values["window"])
    return Plan((window,), floats=2 + mean_floats(window), ints=3, lookback=0, ready=(2, window + 1))


DEFINITION = Definition(
    name="eom",
    outputs=("eom", "sma_eom"),
    params=(Param("window", 14),),
    step=step,
    plan=plan,
    functions={"ease_of_movement": "eom", "sma_ease_of_movement": "sma_eom"},
)
