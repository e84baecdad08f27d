"""Know sure thing (Pring 1992). `ta.trend.kst` and `kst_sig`, TradingView's `KST`.

kst = 100·(m1 + 2·m2 + 3·m3 + 4·m4), each m the mean over its window of the close's change, as a part of what the
close was `roc` bars ago; kst_sig the mean of the last `nsig` kst, kst_diff what lies between them. All
means are `slide_mean`: no drift, and exactly 0 where nothing moves.

`ta` puts the mean close of the whole series, the future included, before the first bar, and averages the
signal over what there is: its bars 14 to 51 (from 0, of the defaults) are missing here.
"""

import math

from streams.engine.bars import CLOSE, Floats, Ints
from streams.engine.indicators.definition import Definition, Param, Plan, SeedCode, Values
from streams.engine.kernels.kernel import kernel
from streams.engine.kernels.windows import mean_floats, slide_mean


@kernel
def change(t: int, bars: Floats, back: int, seen: int) -> float:
    """The close's change since `back` rows ago, as a part of what it was; missing without such a row."""
    if seen <= back:
        return math.nan
    before = bars[t - back, CLOSE]
    return float((bars[t, CLOSE] - before) / before) if before != 0.0 else math.nan


@kernel
def step(t: int, bars: Floats, p: Floats, f: Floats, i: Ints, out: Floats) -> None:
    """p: four rocs, their windows, nsig. f: the four means, the signal's. i: rows seen, counters of the means."""
    i[0] += 1
    line = 0.0
    at = 0
    for k in range(4):
        window = int(p[4 + k])
        mean = slide_mean(change(t, bars, int(p[k]), i[0]), window, f, at, i, 1 + 2 * k)
        line += (k + 1.0) * mean
        at += window + 2
    line *= 100.0
    signal = slide_mean(line, int(p[8]), f, at, i, 9)
    out[0] = line
    out[1] = signal
    out[2] = line - signal


def plan(values: Values, seed: SeedCode) -> Plan:
    rocs = [int(values[f"roc{k}"]) for k in range(1, 5)]
    windows = [int(values[f"window{k}"]) for k in range(1, 5)]
    nsig = int(values["nsig"])
    line = max(roc + window for roc, window in zip(rocs, windows, strict=True))
    return Plan(
        (*rocs, *windows, nsig),
        floats=sum(mean_floats(window) for window in (*windows, nsig)),
        ints=11,
        lookback=max(rocs),
        ready=(line, line + nsig - 1, line + nsig - 1),
    )


DEFINITION = Definition(
    name="kst",
    outputs=("kst", "kst_sig", "kst_diff"),
    params=(
        Param("roc1", 10), Param("roc2", 15), Param("roc3", 20), Param("roc4", 30),
        Param("window1", 10), Param("window2", 10), Param("window3", 10), Param("window4", 15),
        Param("nsig", 9),
    ),
    step=step,
    plan=plan,
    functions={"kst": "kst", "kst_sig": "kst_sig"},
)  # fmt: skip
