"""What an indicator's file says about it: names as in the `ta` library, a kernel, and a plan for given
parameters.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from schemas.conditions import ANCHOR, MAX_MS, MAX_WINDOW
from streams.engine.bars import CLOSE
from streams.engine.kernels.kernel import Step

SeedCode: TypeAlias = Literal["sma", "first"]
FIRST: Final = 0.0
BAR_MS: Final = math.nan
SMA: Final = 1.0


@dataclass(frozen=True, slots=True)
class Param:
    """One parameter: its name and default as in `ta`, the values it may take. `whole`: an integer."""

    name: str
    default: float
    low: float = 1.0
    high: float = float(MAX_WINDOW)
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Plan:
    """How a node with given parameters is computed.

    `p`: what its kernel reads, BAR_MS standing for the length of a bar in ms; `floats`, `ints`: sizes of its
    state; `lookback`: how many rows before the current one the kernel reads, and `reads` of which columns;
    `ready`: for each output, from which bar on it may fire (law 5), counted from 1. `tells_reach`: that depends on
    the row, and the kernel writes after its outputs how many rows they reach back over, NaN where they may not
    fire; `ready` is then the least it can be. `short`: the definition's other kernel takes it.
    """

    p: tuple[float, ...]
    floats: int
    ints: int
    lookback: int
    ready: tuple[int, ...]
    reads: tuple[int, ...] = (CLOSE,)
    tells_reach: bool = False
    short: bool = False


Values: TypeAlias = Mapping[str, float]
Planner: TypeAlias = Callable[[Values, SeedCode], Plan]


def _nothing_wrong(values: Values) -> tuple[str, str] | None:
    return None


@dataclass(frozen=True, slots=True)
class Definition:
    """One indicator. The first of `outputs` is the default; `functions` maps `ta`'s function names to
    outputs.

    `auto` is the seed that TradingView uses, None where there is nothing to seed; `refuse` gives (parameter,
    reason) for values that make no sense together. `never_forgets`: a sum of everything since the symbol's origin
    (OBV, A/D …), ready at once, whose level means nothing by itself (law 5). `short`: the same without a branch, for
    parameters whose plan says so: small windows that are looked through.
    """

    name: str
    outputs: tuple[str, ...]
    params: tuple[Param, ...]
    step: Step
    plan: Planner
    functions: Mapping[str, str] = field(default_factory=dict)
    auto: SeedCode | None = None
    refuse: Callable[[Values], tuple[str, str] | None] = _nothing_wrong
    never_forgets: bool = False
    short: Step | None = None

    @property
    def steps(self) -> tuple[Step, ...]:
        """Its kernels."""
        return (self.step,) if self.short is None else (self.step, self.short)

    @property
    def same_as_auto(self) -> tuple[str, ...]:
        """Seeds that give what `auto` gives."""
        return ("auto", self.auto) if self.auto else ("auto", "sma", "first")


# Every sum that never forgets takes it; at 0, which canonical operands leave out, it has none.
ANCHORED: Final = Param(ANCHOR, 0.0, low=0.0, high=float(MAX_MS))


def seed_code(seed: SeedCode) -> float:
    """A seed as a kernel reads it."""
    return SMA if seed == "sma" else FIRST
