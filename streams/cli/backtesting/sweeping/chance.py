"""What the best of many attempts is worth by chance alone.

Of N values that differ by luck only, the largest is about mean + deviation · ((1 − γ)·Z(1 − 1/N) + γ·Z(1 − 1/(N·e))),
Z the inverse of the normal distribution and γ Euler's constant (Bailey and López de Prado, The Deflated Sharpe Ratio,
2014). Attempts that are alike count as fewer, so the figure is a high one.
"""

from collections.abc import Sequence
from math import e
from statistics import NormalDist, fmean, stdev
from typing import Final

_EULER: Final = 0.5772156649015329


def best_by_chance(values: Sequence[float]) -> float | None:
    """The largest of as many values, if these differ by luck only; None for fewer than two."""
    count = len(values)
    if count < 2:
        return None
    inverse = NormalDist().inv_cdf
    most = (1 - _EULER) * inverse(1 - 1 / count) + _EULER * inverse(1 - 1 / (count * e))
    return fmean(values) + stdev(values) * most


def warning(tried: int) -> str:
    """What anybody should know who looks at the best of `tried` configurations."""
    if tried == 1:
        return "1 configuration was tried"
    return (
        f"{tried:,} configurations were tried on the same candles: the best of so many looks good by chance alone; "
        "judge it on candles that no choice was made on (--walk-forward)"
    )
