"""When an operand may fire (law 5): the bars after which what came before no longer matters.

A recursive average weighs a bar `k` bars ago by its impulse response `h(k)`. After `n` bars the response not
yet covered is the sum of |h(k)| for k >= n, and the operand is ready when that is below a bound. A cascade
(an average of averages) responds with the convolution, which is what feeding an impulse through it step by
step gives.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from math import ceil, log
from typing import Final, TypeAlias

AVERAGE: Final = 1e-3
DIFFERENCE: Final = 1e-5

# One filter: from its states and an input to its new states and its output.
Filter: TypeAlias = Callable[[float], float]


def span(window: int) -> float:
    """Weight of the newest value in an EMA of `window` bars."""
    return 2.0 / (window + 1.0)


def wilder(window: int) -> float:
    """Weight of the newest value in Wilder's average of `window` bars."""
    return 1.0 / window


def smoothing(alpha: float) -> Filter:
    """An exponential average as a linear filter that begins at zero."""
    state = 0.0

    def step(x: float) -> float:
        nonlocal state
        state += alpha * (x - state)
        return state

    return step


def cascade(alphas: Sequence[float]) -> Filter:
    """Averages one after the other, each of the one before."""
    stages = [smoothing(alpha) for alpha in alphas]

    def step(x: float) -> float:
        for stage in stages:
            x = stage(x)
        return x

    return step


def bars_until(response: Filter, bound: float, longest: int) -> int:
    """The least n for which the impulse response from bar n on sums, in absolute value, to less than `bound`.

    `longest` is the longest window in it; the response is followed until it has died down far below the
    bound.
    """
    tail: list[float] = []
    quiet = bound * 1e-6 / (longest + 1.0)
    x = 1.0
    while True:
        tail.append(abs(response(x)))
        x = 0.0
        if len(tail) > 4 * longest and tail[-1] < quiet:
            break
    uncovered, n = 0.0, len(tail)
    while n > 0 and uncovered + tail[n - 1] < bound:
        uncovered += tail[n - 1]
        n -= 1
    return max(n, 1)


def bars_of_one(alpha: float, bound: float) -> int:
    """`bars_until` of one average, without following its response: what is left after n bars is (1 - alpha)^n."""
    kept = 1.0 - alpha
    if kept <= 0.0:
        return 1
    n = max(1, ceil(log(bound) / log(kept)))
    while n > 1 and kept ** (n - 1) < bound:
        n -= 1
    while kept**n >= bound:
        n += 1
    return n


@lru_cache(maxsize=4096)
def ema_bars(*windows: int) -> int:
    """Bars until a cascade of EMAs of these windows is ready."""
    if len(windows) == 1:
        return bars_of_one(span(windows[0]), AVERAGE)
    return bars_until(cascade([span(w) for w in windows]), AVERAGE, max(windows))


@lru_cache(maxsize=4096)
def wilder_bars(*windows: int) -> int:
    """Bars until a cascade of Wilder's averages is ready; a change needs one bar more, to have one before
    it.
    """
    if len(windows) == 1:
        return bars_of_one(wilder(windows[0]), AVERAGE)
    return bars_until(cascade([wilder(w) for w in windows]), AVERAGE, max(windows))


@lru_cache(maxsize=4096)
def macd_bars(slow: int, fast: int, sign: int) -> tuple[int, int, int]:
    """Bars until a difference of two EMAs, its EMA, and the difference of the two are ready."""

    def line() -> Filter:
        a, b = smoothing(span(fast)), smoothing(span(slow))
        return lambda x: a(x) - b(x)

    def signal() -> Filter:
        inner, outer = line(), smoothing(span(sign))
        return lambda x: outer(inner(x))

    def diff() -> Filter:
        a, b = line(), signal()
        return lambda x: a(x) - b(x)

    longest = max(slow, fast, sign)
    a, b, c = (bars_until(response(), DIFFERENCE, longest) for response in (line, signal, diff))
    return a, b, c


@lru_cache(maxsize=4096)
def tsi_bars(slow: int, fast: int) -> int:
    """Bars until an EMA of an EMA of changes is ready where it is divided by such an average of their sizes."""
    return bars_until(cascade([span(slow), span(fast)]), DIFFERENCE, max(slow, fast))


@lru_cache(maxsize=4096)
def trix_bars(window: int) -> int:
    """Bars until the change of an EMA of an EMA of an EMA is ready."""
    triple = cascade([span(window)] * 3)
    before = 0.0

    def change(x: float) -> float:
        nonlocal before
        now = triple(x)
        moved, before = now - before, now
        return moved

    return bars_until(change, DIFFERENCE, window)


@lru_cache(maxsize=4096)
def slowest_bars(alpha: float) -> int:
    """Bars until an average whose weight of the newest value varies, but never falls below `alpha`, is ready
    whatever the market does: those of the one that always takes `alpha`.
    """
    return bars_until(smoothing(alpha), AVERAGE, 1)
