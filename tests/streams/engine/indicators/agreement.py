"""How far two series agree: what every comparison with a reference measures and says."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streams.engine.bars import Floats


@dataclass(frozen=True)
class Agreement:
    """`from_bar`: the first bar (from 1) from which on every difference is within the bound, None if there is none;
    `compared`: bars from there on at which both have a value; `largest`: difference among them, as a part of
    max(|theirs|, scale); `first_bar`: the first one at which both have a value, and `worst` the largest difference
    at all; `only_ours`, `only_theirs`: bars (from 1) at which the other one has no value.
    """

    from_bar: int | None
    compared: int
    largest: float
    first_bar: int | None
    worst: float
    only_ours: tuple[int, ...]
    only_theirs: tuple[int, ...]

    @property
    def everywhere(self) -> bool:
        """Whether both have values at the same bars, and all of them are within the bound."""
        no_other = not self.only_ours and not self.only_theirs
        return no_other and self.from_bar is not None and self.from_bar == self.first_bar

    def __str__(self) -> str:
        return (
            f"worst {self.worst:.2g}, from bar {self.from_bar} within (both from {self.first_bar}); "
            f"only ours at {_some(self.only_ours)}, only theirs at {_some(self.only_theirs)}"
        )


def agreement(
    ours: Floats, theirs: Floats, scale: float, bound: float, besides: NDArray[np.bool_] | None = None
) -> Agreement:
    """Compare float64[n] with float64[n], leaving out the bars `besides`."""
    counted = np.ones(len(ours), bool) if besides is None else ~besides
    has, had = np.isfinite(ours), np.isfinite(theirs)
    both = counted & has & had
    apart = np.zeros(len(ours))
    apart[both] = np.abs(ours - theirs)[both] / np.maximum(np.abs(theirs[both]), scale)
    beyond = np.flatnonzero(apart > bound)
    after = int(beyond[-1]) + 1 if len(beyond) else 0
    comparable = np.flatnonzero(both) + 1
    agreeing = comparable[comparable > after]
    return Agreement(
        int(agreeing[0]) if len(agreeing) else None,
        len(agreeing),
        float(apart[after:].max(initial=0.0)),
        int(comparable[0]) if len(comparable) else None,
        float(apart.max(initial=0.0)),
        tuple((np.flatnonzero(counted & has & ~had) + 1).tolist()),
        tuple((np.flatnonzero(counted & had & ~has) + 1).tolist()),
    )


def _some(bars: tuple[int, ...]) -> str:
    shown = ", ".join(str(bar) for bar in bars[:6])
    return f"{len(bars)} bars ({shown}{', …' if len(bars) > 6 else ''})" if bars else "none"
