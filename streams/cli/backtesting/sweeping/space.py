"""What a sweep varies: a bot file's `sweep` mapping as parameters, their grid, and seeded draws from it.

sweep:
  window: [7, 14, 21]                                        # fills {window} in conditions
  level: {from: 20, to: 35, step: 5}
  take_profit.percent: {uniform: ["0.5", "3"], decimals: 2}  # sets a field
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import product
from math import prod
from random import Random
from typing import Any, Final, TypeAlias

MOST_VALUES: Final = 100_000
"""Of one range; a step that is off by a factor is told, not obeyed."""

Setting: TypeAlias = tuple[Any, ...]
"""One value for each parameter, in their order."""


class SpaceInvalid(ValueError):
    """A parameter that cannot be read: `field` is its path below `sweep`."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"sweep.{field}: {reason}")
        self.field = f"sweep.{field}"
        self.reason = reason


@dataclass(frozen=True)
class Listed:
    """Values one by one: those of a list, or of a range."""

    values: tuple[Any, ...]

    def draw(self, random: Random) -> Any:
        """One of them, each as likely."""
        return self.values[int(random.random() * len(self.values))]


@dataclass(frozen=True)
class Uniform:
    """Any decimal with so many `decimals` between `low` and `high`, both included."""

    low: Decimal
    high: Decimal
    decimals: int

    def draw(self, random: Random) -> Any:
        """One of them, each as likely."""
        step = Decimal(1).scaleb(-self.decimals)
        steps = int((self.high - self.low) / step)
        return number(self.low + step * int(random.random() * (steps + 1)))


Parameter: TypeAlias = Listed | Uniform


@dataclass(frozen=True)
class Space:
    """Parameters by name, in the file's order."""

    parameters: Mapping[str, Parameter]

    @property
    def size(self) -> int | None:
        """How many settings the grid has; None where a parameter can only be drawn."""
        listed = [parameter for parameter in self.parameters.values() if isinstance(parameter, Listed)]
        return prod(len(one.values) for one in listed) if len(listed) == len(self.parameters) else None

    def grid(self) -> Iterator[Setting]:
        """Every setting, the last parameter changing fastest. Raises TypeError for what has no grid."""
        if self.size is None:
            raise TypeError("a parameter that is drawn has no grid")
        return product(*(one.values for one in self.parameters.values() if isinstance(one, Listed)))

    def draws(self, count: int, seed: int) -> Iterator[Setting]:
        """`count` settings, each drawn anew: the same for the same seed, whatever machine or version draws."""
        random = Random(seed)
        for _ in range(count):
            yield tuple(parameter.draw(random) for parameter in self.parameters.values())


def space_of(raw: Any) -> Space:
    """The parameters of a `sweep` mapping. Raises SpaceInvalid."""
    if not isinstance(raw, dict) or not raw:
        raise SpaceInvalid("", "expected what to vary, such as window: [7, 14]")
    return Space({str(name): _parameter(str(name), values) for name, values in raw.items()})


def _parameter(name: str, raw: Any) -> Parameter:
    if isinstance(raw, list):
        if not raw:
            raise SpaceInvalid(name, "has no values")
        return Listed(tuple(_plain(value) for value in raw))
    keys = set(raw) if isinstance(raw, dict) else set()
    if keys == {"from", "to", "step"}:
        return _range(name, raw)
    if keys in ({"uniform"}, {"uniform", "decimals"}):
        return _uniform(name, raw)
    raise SpaceInvalid(name, "expected a list, {from, to, step} or {uniform: [low, high], decimals: n}")


def _range(name: str, raw: dict[str, Any]) -> Listed:
    first, last, step = (_decimal(f"{name}.{key}", raw[key]) for key in ("from", "to", "step"))
    if step <= 0:
        raise SpaceInvalid(f"{name}.step", f"{step} is not above 0")
    if last < first:
        raise SpaceInvalid(f"{name}.to", f"{last} is below from, {first}")
    count = int((last - first) / step) + 1
    if count > MOST_VALUES:
        raise SpaceInvalid(name, f"has {count:,} values, more than {MOST_VALUES:,}")
    return Listed(tuple(number(first + step * k) for k in range(count)))


def _uniform(name: str, raw: dict[str, Any]) -> Uniform:
    ends, decimals = raw["uniform"], raw.get("decimals", 0)
    if not isinstance(ends, list) or len(ends) != 2:
        raise SpaceInvalid(f"{name}.uniform", "expected [low, high]")
    if not isinstance(decimals, int) or isinstance(decimals, bool) or not 0 <= decimals <= 8:
        raise SpaceInvalid(f"{name}.decimals", f"expected 0 to 8, found {decimals!r}")
    low, high = (_decimal(f"{name}.uniform[{place}]", end) for place, end in enumerate(ends))
    if high < low:
        raise SpaceInvalid(f"{name}.uniform", f"{high} is below {low}")
    return Uniform(low, high, decimals)


def _decimal(name: str, value: Any) -> Decimal:
    """A number as it is written: YAML's floats are read back as the text they came from."""
    try:
        if isinstance(value, bool):
            raise ValueError
        found = Decimal(str(value))
    except (ValueError, ArithmeticError):
        raise SpaceInvalid(name, f"expected a number, found {value!r}") from None
    if not found.is_finite():
        raise SpaceInvalid(name, f"expected a number, found {value!r}")
    return found


def number(value: Decimal) -> int | str:
    """A decimal as a bot file takes it: whole numbers as such, others as text."""
    return int(value) if value == value.to_integral_value() else format(value.normalize(), "f")


def _plain(value: Any) -> Any:
    return number(_decimal("", value)) if isinstance(value, float) else value


def told(names: Sequence[str], setting: Setting) -> str:
    """A setting in words: `window=14, level=30`."""
    return ", ".join(f"{name}={value}" for name, value in zip(names, setting, strict=True))
