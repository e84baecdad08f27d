"""Indicators: one file each, found by being here. A file's `DEFINITION` is all that the rest of the engine
knows.
"""

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Final

from schemas.conditions import (
    ANCHOR,
    ANCHOR_EXPECTED,
    ANCHOR_FROM_MS,
    ANCHORS,
    ConditionError,
    Indicator,
)
from streams.engine.errors import BadParameter, UnknownIndicator
from streams.engine.indicators.definition import Definition, Param, Plan, SeedCode
from streams.engine.kernels.kernel import Step

__all__ = ["Definition", "Param", "Plan", "canonical", "lookup", "names", "plan_for"]

_NOT_INDICATORS: Final = {"definition"}


@cache
def _definitions() -> Mapping[str, Definition]:
    found: dict[str, Definition] = {}
    for module in pkgutil.iter_modules(__path__):
        if module.name not in _NOT_INDICATORS:
            definition = importlib.import_module(f"{__name__}.{module.name}").DEFINITION
            found[definition.name] = definition
    return found


@cache
def _functions() -> Mapping[str, tuple[str, str]]:
    """`ta`'s function names: (indicator, output)."""
    return {
        function: (definition.name, output)
        for definition in _definitions().values()
        for function, output in definition.functions.items()
        if function not in _definitions()
    }


def names() -> list[str]:
    """Canonical names of all indicators, sorted."""
    return sorted(_definitions())


def lookup(name: str, path: str = "") -> Definition:
    """The indicator called `name`, by our name or by that of a `ta` function. Raises UnknownIndicator."""
    definitions = _definitions()
    if name in definitions:
        return definitions[name]
    if name in _functions():
        return definitions[_functions()[name][0]]
    raise UnknownIndicator(path, f"no indicator {name!r}; there are {', '.join(names())}")


def canonical(leaf: Indicator, path: str = "") -> Indicator:
    """`leaf` with its indicator's own name, its output and every parameter filled in, so that equal operands
    are equal.

    Raises UnknownIndicator or BadParameter with the path of the field.
    """
    try:
        return _canonical(leaf)
    except ConditionError:
        return _spelled_out(leaf, path)  # once more, for an error with the path


@lru_cache(maxsize=65_536)
def _canonical(leaf: Indicator) -> Indicator:
    return _spelled_out(leaf, "")


def _spelled_out(leaf: Indicator, path: str) -> Indicator:
    definition = lookup(leaf.name, path)
    implied = None if leaf.name == definition.name else _functions()[leaf.name][1]
    if implied is not None and leaf.output not in (None, implied):
        raise BadParameter(_at(path, "output"), f"{leaf.name} is the output {implied} of {definition.name}")
    output = leaf.output or implied or definition.outputs[0]
    if output not in definition.outputs:
        raise UnknownIndicator(_at(path, "output"), f"{definition.name} has {', '.join(definition.outputs)}")
    values = _values(definition, leaf, path)
    return Indicator(
        name=definition.name,
        params=tuple(sorted((name, value) for name, value in values.items() if (name, value) != (ANCHOR, 0))),
        output=output,
        timeframe=leaf.timeframe,
        bars_ago=leaf.bars_ago,
        seed="auto" if leaf.seed in definition.same_as_auto else leaf.seed,
    )


def plan_for(name: str, params: tuple[tuple[str, float | int], ...], seed: str) -> tuple[Definition, Plan]:
    """Definition and plan of a canonical leaf's name, parameters and seed."""
    definition = lookup(name)
    chosen = (definition.auto or "first") if seed == "auto" else seed
    code: SeedCode = "sma" if chosen == "sma" else "first"
    defaults = {param.name: param.default for param in definition.params if param.name == ANCHOR}
    return definition, definition.plan(defaults | dict(params), code)


@cache
def one_size(name: str, step: Step) -> bool:
    """Whether the state of a kernel is as many numbers for all parameters: seen by trying larger windows."""
    definition = lookup(name)
    sizes = set()
    for more in (0, 1, 7, 20):
        values = {
            p.name: p.default + (more if p.whole and p.name != ANCHOR else 0) for p in definition.params
        }
        plan = definition.plan(values, "first")
        if step is (definition.short if plan.short and definition.short else definition.step):
            sizes.add((plan.floats, plan.ints))
    return len(sizes) == 1


def _at(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _values(definition: Definition, leaf: Indicator, path: str) -> dict[str, float | int]:
    given = dict(leaf.params)
    for name in given:
        if name not in {param.name for param in definition.params}:
            known = ", ".join(param.name for param in definition.params) or "no parameters"
            raise BadParameter(_at(path, name), f"{definition.name} takes {known}")
    values = {p.name: _value(p, given.get(p.name, p.default), _at(path, p.name)) for p in definition.params}
    if refused := definition.refuse(values):
        raise BadParameter(_at(path, refused[0]), refused[1])
    return values


def _value(param: Param, value: float, path: str) -> float | int:
    if param.whole and value != int(value):
        raise BadParameter(path, "expected a whole number")
    if not param.low <= value <= param.high:
        raise BadParameter(path, f"expected {param.low:g} to {param.high:g}")
    if param.name == ANCHOR and max(ANCHORS.values()) < value < ANCHOR_FROM_MS:
        raise BadParameter(path, ANCHOR_EXPECTED)
    return int(value) if param.whole else float(value)
