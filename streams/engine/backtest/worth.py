"""One pass over the closes of one symbol: how deep the equity fell, and what it was at the end of every day.

The definitions are those of `streams.report` (equity on bar closes, UTC days, falls as a ratio of the peak); nothing is
kept but what they need, so that a sweep can ask it of every configuration.
"""

from collections.abc import Callable
from functools import cache
from typing import Final, NamedTuple

import numpy as np

from streams.engine.bars import Floats, Ints
from streams.engine.kernels.kernel import kernel, source_digest
from streams.engine.kernels.program import compile_function

DAY_MS: Final = 86_400_000


class Worth(NamedTuple):
    """`drawdown` as a ratio of the peak; `days`: the equity before the first bar, then at the end of every day."""

    drawdown: float
    days: Floats


@kernel
def follow(
    open_ms: Ints,
    step_ms: int,
    close: Floats,
    at_ms: Ints,
    base: Floats,
    quote: Floats,
    capital: float,
    days: Floats,
) -> float:
    """Fill `days`; the deepest fall. `open_ms` is not empty, `at_ms` is in order."""
    cash, held, peak, deepest, value = capital, 0.0, capital, 0.0, capital
    fill, place, until = 0, 1, -1
    days[0] = capital
    for t in range(len(open_ms)):
        now = open_ms[t] + step_ms
        if now > until:
            if until >= 0:
                days[place] = value
                place += 1
            until = now + (-now) % 86_400_000  # a bar that closes at midnight belongs to the day before
        while fill < len(at_ms) and at_ms[fill] <= now:
            cash += quote[fill]
            held += base[fill]
            fill += 1
        value = cash + held * close[t]
        if value > peak:
            peak = value
        elif (
            peak > 0.0 and peak - value > deepest * peak
        ):  # a division at every bar would cost twice the rest
            deepest = (peak - value) / peak
    days[place] = value
    return deepest


_SIGNATURE: Final = (
    "float64(int64[::1], int64, float64[::1], int64[::1], float64[::1], float64[::1], float64, float64[::1])"
)


@cache
def _compiled() -> Callable[..., float]:
    """`follow`, compiled or from numba's cache; `source` is part of its key, nothing else."""
    source = source_digest(follow)

    def compiled(
        open_ms: Ints,
        step_ms: int,
        close: Floats,
        at_ms: Ints,
        base: Floats,
        quote: Floats,
        capital: float,
        days: Floats,
    ) -> float:
        if source == 0:
            return 0.0
        return follow(open_ms, step_ms, close, at_ms, base, quote, capital, days)

    return compile_function(_SIGNATURE, compiled)


def worth(
    open_ms: Ints, step_ms: int, close: Floats, at_ms: Ints, base: Floats, quote: Floats, capital: float
) -> Worth:
    """`at_ms`, `base` and `quote` of each fill, in order of time: what was added to holdings and to cash, fees paid."""
    if not len(open_ms):
        return Worth(0.0, np.empty(0))
    ends = -(-(open_ms[[0, -1]] + step_ms) // DAY_MS)
    days = np.full(int(ends[1] - ends[0]) + 2, np.nan)
    deepest = _compiled()(open_ms, step_ms, close, at_ms, base, quote, capital, days)
    return Worth(float(deepest), days[~np.isnan(days)])
