"""What a sweep says: all trials from best to worst, what was refused, and the summary for people and programs."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from streams.cli.backtesting.sweeping.chance import best_by_chance, warning
from streams.cli.backtesting.sweeping.forward import Forward
from streams.cli.backtesting.sweeping.trials import Trial, Unfit


@dataclass(frozen=True)
class Outcome:
    """`ranked` and `unfit` hold every configuration, each once. `repeated`: settings that came again. `candles`: what
    was wrong with those.
    """

    names: tuple[str, ...]
    objective: str
    ranked: list[Trial]
    unfit: list[Unfit]
    repeated: int
    forward: Forward | None
    candles: tuple[str, ...] = ()

    @property
    def notes(self) -> list[str]:
        """What must be said with any of the figures."""
        tried = len(self.ranked)
        said = [warning(tried)]
        values = self.values
        chance = best_by_chance(values)
        if chance is not None:
            said.append(
                f"if the {tried:,} differed by luck only, the best {self.objective} would still be about "
                f"{chance:,.4g}; it is {values[0]:,.4g}"
            )
        for walked, count in self.walked.items():
            if walked != "compiled":
                said.append(f"{count:,} walked slower, {walked}")
        if self.unfit:
            said.append(f"{len(self.unfit):,} configurations were refused, see `refused`")
        return said

    @property
    def walked(self) -> dict[str, int]:
        """How many configurations went which way over the candles."""
        return dict(Counter(trial.figures.walked for trial in self.ranked if trial.figures).most_common())

    @property
    def values(self) -> list[float]:
        """Of the objective, best first, where it has one."""
        found = [trial.value(self.objective) for trial in self.ranked]
        return [value for value in found if value is not None]

    def summary(self, top: int) -> dict[str, Any]:
        """The first `top` in full, the others counted."""
        reasons = Counter(one.reason for one in self.unfit)
        return {
            "objective": self.objective,
            "parameters": list(self.names),
            "tried": len(self.ranked),
            "repeated": self.repeated,
            "refused": len(self.unfit),
            "reasons": [{"reason": reason, "configurations": count} for reason, count in reasons.most_common()],
            "walked": self.walked,
            "best_by_chance": best_by_chance(self.values),
            "notes": self.notes,
            "best": [_row(self.names, trial) for trial in self.ranked[:top]],
            "walk_forward": None if self.forward is None else self.forward.summary(self.names),
        }  # fmt: skip


def _row(names: Sequence[str], trial: Trial) -> dict[str, Any]:
    return {
        "number": trial.number,
        "parameters": dict(zip(names, trial.setting, strict=True)),
        "figures": msgspec.to_builtins(trial.figures),
    }
