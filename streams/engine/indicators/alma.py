"""Arnaud Legoux moving average (2009). TradingView's `ta.alma(series, length, offset, sigma)`.

Weights are a bell curve over the window, exp(-(k - m)² / (2·s²)) with m = offset·(window - 1) and
s = window / sigma, k = 0 being the oldest close.
"""

import math

from streams.engine.bars import CLOSE, Floats, Ints
from streams.engine.indicators.definition import Definition, Param, Plan, SeedCode, Values
from streams.engine.kernels.kernel import kernel


@kernel
def step(t: int, bars: Floats, p: Floats, f: Floats, i: Ints, out: Floats) -> None:
    """p: the weights from the oldest close to the newest, 1 in all. i: rows seen."""
    window = len(p)
    i[0] += 1
    if i[0] < window:
        return
    # as distances from the newest, so that equal closes have themselves as their average
    close = bars[t, CLOSE]
    apart = 0.0
    for k in range(window):
        apart += p[k] * (bars[t - window + 1 + k, CLOSE] - close)
    out[0] = close + apart


def plan(values: Values, seed: SeedCode) -> Plan:
    window = int(values["window"])
    middle, width = values["offset"] * (window - 1), window / values["sigma"]
    bell = [math.exp(-((k - middle) ** 2) / (2.0 * width * width)) for k in range(window)]
    total = math.fsum(bell)
    weights = tuple(weight / total for weight in bell)
    return Plan(weights, floats=1, ints=1, lookback=window - 1, ready=(window,))


DEFINITION = Definition(
    name="alma",
    outputs=("alma",),
    params=(
        Param("window", 9),
        Param("offset", 0.85, low=0.0, high=1.0, whole=False),
        Param("sigma", 6, low=0.1, high=20.0, whole=False),  # a narrower bell would weigh nothing at all
    ),
    step=step,
    plan=plan,
)
