"""Volume weighted average price over a rolling window. `ta.volume.volume_weighted_average_price`.

The mean of (high + low + close)/3 over `window` bars, weighted by volume; missing where there was none. Sums that
do not drift (`slide_sum`); where all that was traded in the window was traded at one price, it is that price
exactly. TradingView's `ta.vwap` is another thing: it begins anew with every session.
"""

import math

from streams.engine.bars import CLOSE, HIGH, LOW, VOLUME, Floats, Ints
from streams.engine.indicators.definition import Definition, Param, Plan, SeedCode, Values
from streams.engine.kernels.kernel import kernel
from streams.engine.kernels.windows import slide_sum, sum_floats


@kernel
def typical_price(t: int, bars: Floats) -> float:
    """(high + low + close)/3 of row `t`, exactly the price where the bar has only one."""
    high = bars[t, HIGH]
    if high == bars[t, LOW]:
        return float(high)
    return float((high + bars[t, LOW] + bars[t, CLOSE]) / 3.0)


@kernel
def by_volume(price: float, volume: float, window: int, f: Floats, i: Ints) -> float:
    """The mean of the last `window` prices weighted by volume, missing where they are fewer or nothing was
    traded.

    f: price last traded, sums of price times volume and of volume. i: rows seen, run of one price, in which
    bars without volume count.
    """
    i[0] += 1
    if volume == 0.0 or price == f[0]:
        i[1] += 1
    else:
        i[1] = 1
        f[0] = price
    money = slide_sum(price * volume, window, i[0], f, 1)
    traded = slide_sum(volume, window, i[0], f, window + 2)
    if i[0] < window or traded <= 0.0:
        return math.nan
    return f[0] if i[1] >= window else money / traded


@kernel
def step(t: int, bars: Floats, p: Floats, f: Floats, i: Ints, out: Floats) -> None:
    """p: window. f, i: see `by_volume`."""
    out[0] = by_volume(typical_price(t, bars), bars[t, VOLUME], int(p[0]), f, i)


def plan(values: Values, seed: SeedCode) -> Plan:
    window = int(values["window"])
    return Plan((window,), floats=1 + 2 * sum_floats(window), ints=2, lookback=0, ready=(window,))


DEFINITION = Definition(
    name="rolling_vwap",
    outputs=("rolling_vwap",),
    params=(Param("window", 14),),
    step=step,
    plan=plan,
    functions={"volume_weighted_average_price": "rolling_vwap"},
)
