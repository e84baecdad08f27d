"""Recursive averages for kernels. They move by differences, so that a flat market leaves them exactly where
it is.
"""

from streams.engine.kernels.kernel import kernel


@kernel
def smoothed(y: float, x: float, n: int, window: int, alpha: float, mean_first: bool) -> float:
    """The `n`-th value (from 1) of an exponential average whose value before was `y`.

    It begins with the first `x`, or, if `mean_first`, with the mean of the first `window` of them.
    """
    if n == 1:
        return x
    if mean_first and n <= window:
        return y + (x - y) / n
    return y + alpha * (x - y)
