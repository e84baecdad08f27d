"""The `ta` library as found on this machine: its classes, what they take and give, and what they compute."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, Final, TypeAlias

import numpy as np
import pandas as pd
import ta
from numpy.typing import NDArray

from streams.engine.bars import Floats

Mask: TypeAlias = NDArray[np.bool_]
Ints: TypeAlias = NDArray[np.int64]
Params: TypeAlias = Mapping[str, float]
# From bars float64[n, 5], `ta`'s values and the parameters in force: at which bars the two may differ.
Where: TypeAlias = Callable[[Floats, Floats, Params], Mask]

MODULES: Final[tuple[ModuleType, ...]] = (ta.momentum, ta.trend, ta.volatility, ta.volume, ta.others)
INPUTS: Final = ("open", "high", "low", "close", "volume")


@dataclass(frozen=True)
class Excepted:
    """Bars `where` our values are not `ta`'s, and `why`. `missing`: ours are missing at every one of them."""

    why: str
    where: Where
    outputs: tuple[str, ...]
    missing: bool = True


@dataclass(frozen=True)
class TaClass:
    """One class of `ta`: `outputs` maps its methods to our outputs; `params` are tried on both, `fixed` on `ta` alone.

    `memory`: of how many bars its values are made. pandas keeps running sums over windows, and they keep what
    rounding did to bars that have left: where a value differs, `ta` over those bars alone must not (0: it depends on
    all bars). `ratio`: the
    values are percents, whatever the prices are: differences are parts of the largest of them.
    """

    cls: str
    name: str
    outputs: Mapping[str, str]
    params: tuple[Params, ...]
    excepted: tuple[Excepted, ...] = ()
    fixed: Mapping[str, Any] = field(default_factory=dict)
    memory: Callable[[Params], int] | None = None
    ratio: bool = False


def classes_of_ta() -> dict[str, type]:
    """Every indicator class that `ta` has, found by looking."""
    return {
        name: cls
        for module in MODULES
        for name, cls in inspect.getmembers(module, inspect.isclass)
        if cls.__module__ == module.__name__ and issubclass(cls, ta.utils.IndicatorMixin)
    }


def outputs_of(cls: type) -> list[str]:
    """The public methods of one of `ta`'s classes: its outputs."""
    return [name for name, _ in inspect.getmembers(cls, inspect.isfunction) if not name.startswith("_")]


def inputs_of(cls: type) -> list[str]:
    """Which columns of a bar the class takes."""
    return [name for name in inspect.signature(cls).parameters if name in INPUTS]


def run(case: TaClass, ohlcv: Floats, params: Params) -> dict[str, Floats]:
    """What `ta` computes: our output to float64[n]."""
    cls = classes_of_ta()[case.cls]
    columns = {name: pd.Series(ohlcv[:, INPUTS.index(name)]) for name in inputs_of(cls)}
    made = cls(**columns, **params, **case.fixed)
    with np.errstate(all="ignore"):
        return {ours: getattr(made, theirs)().to_numpy(float) for theirs, ours in case.outputs.items()}


def in_force(case: TaClass, params: Params) -> Params:
    """`params` with `ta`'s defaults filled in."""
    signature = inspect.signature(classes_of_ta()[case.cls]).parameters
    defaults = {name: p.default for name, p in signature.items() if p.default is not inspect.Parameter.empty}
    return defaults | dict(params)
