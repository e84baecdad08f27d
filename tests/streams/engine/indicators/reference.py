"""References besides `ta`: for each of their series, which output of ours it is, and from which bar the two agree."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from schemas.conditions import Seed
from streams.engine.bars import Floats
from tests.streams.engine.indicators.agreement import Agreement, agreement


@dataclass(frozen=True)
class Reference:
    """`series` of `source` is `factor` times `output` of our indicator `name`, `shift` bars later than ours.

    They agree from bar `first` (from 1) on within `bound`, as a part of max(|theirs|, the largest of theirs);
    Without `level`, both are counted from their first common bar on: sums that began elsewhere.
    `why` says what differs before, or in the digits.
    """

    source: str
    series: str
    name: str
    output: str
    params: Mapping[str, float] = field(default_factory=dict)
    seed: Seed = "auto"
    first: int = 1
    bound: float = 1e-9
    factor: float = 1.0
    shift: int = 0
    level: bool = True
    why: str = ""

    def __str__(self) -> str:
        return f"{self.source}-{self.series}-{self.name}.{self.output}"

    def compare(self, own: Floats, theirs: Floats) -> Agreement:
        """How far `own`, our output, and `theirs` agree."""
        moved = np.full(len(own), np.nan)
        if self.shift >= 0:
            moved[self.shift :] = own[: len(own) - self.shift]
        else:
            moved[: self.shift] = own[-self.shift :]
        moved *= self.factor
        both = np.flatnonzero(np.isfinite(moved) & np.isfinite(theirs))
        if not self.level and len(both):
            moved, theirs = moved - moved[both[0]], theirs - theirs[both[0]]
        finite = np.abs(theirs[np.isfinite(theirs)])
        return agreement(moved, theirs, float(finite.max(initial=0.0)) or 1.0, self.bound)
