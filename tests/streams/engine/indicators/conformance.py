"""Our indicators beside the ones of a reference, output by output."""

from collections.abc import Mapping
from typing import Final

import numpy as np

from schemas.conditions import Indicator, Seed
from streams.engine import indicators
from streams.engine.bars import Floats, Ints
from streams.engine.market.compute import compute
from tests.streams.engine.indicators import ta_library
from tests.streams.engine.indicators.agreement import Agreement, agreement
from tests.streams.engine.indicators.ta_library import INPUTS, Params, TaClass

BOUND: Final = 1e-9


def ours(
    name: str, params: Mapping[str, float], seed: Seed, ohlcv: Floats, open_time_ms: Ints | None = None
) -> dict[str, Floats]:
    """Every output of our indicator over bars float64[n, 5], a minute apart if not said otherwise."""
    leaf = Indicator(name, tuple((key, _number(value)) for key, value in params.items()), seed=seed)
    return compute(indicators.canonical(leaf), ohlcv, open_time_ms=open_time_ms)


def against_ta(case: TaClass, params: Params, ohlcv: Floats) -> dict[str, Agreement]:
    """Every output of a class of `ta` against ours with `seed: first`, outside the listed exceptions.

    Differences are parts of max(|theirs|, largest input), or of the largest value of a ratio. AssertionError where
    ours has a value at an exception that says it is missing.
    """
    own = ours(case.name, params, "first", ohlcv)
    theirs = ta_library.run(case, ohlcv, params)
    columns = [INPUTS.index(name) for name in ta_library.inputs_of(ta_library.classes_of_ta()[case.cls])]
    scale = float(np.nanmax(np.abs([*theirs.values()] if case.ratio else ohlcv[:, columns])))
    besides = {output: _besides(case, params, ohlcv, output, own, theirs) for output in theirs}
    if case.memory is not None and case.memory(ta_library.in_force(case, params)):
        apart = np.zeros(len(ohlcv), bool)
        for output, values in theirs.items():
            apart |= _apart(own[output], values, scale) & ~besides[output]
        theirs = _afresh(case, params, ohlcv, theirs, np.flatnonzero(apart))
    return {
        output: agreement(own[output], values, scale, BOUND, besides[output])
        for output, values in theirs.items()
    }


def _besides(
    case: TaClass,
    params: Params,
    ohlcv: Floats,
    output: str,
    own: dict[str, Floats],
    theirs: dict[str, Floats],
) -> ta_library.Mask:
    """Bars at which `output` may differ, by the table's exceptions."""
    besides = np.zeros(len(ohlcv), bool)
    for excepted in case.excepted:
        if output in excepted.outputs:
            where = excepted.where(ohlcv, theirs[output], ta_library.in_force(case, params))
            if excepted.missing:
                assert not np.isfinite(own[output][where]).any(), (
                    f"{output} {excepted.why}; so it should be missing"
                )
            besides |= where
    return besides


def _apart(own: Floats, theirs: Floats, scale: float) -> ta_library.Mask:
    has, had = np.isfinite(own), np.isfinite(theirs)
    with np.errstate(invalid="ignore"):
        beyond = np.abs(own - theirs) > BOUND * np.maximum(np.abs(theirs), scale)
    return np.asarray((has != had) | (has & had & beyond))


def _afresh(
    case: TaClass, params: Params, ohlcv: Floats, theirs: dict[str, Floats], bars: ta_library.Ints
) -> dict[str, Floats]:
    """`theirs`, at `bars` computed from the bars of which the value is made alone."""
    assert case.memory is not None
    memory = case.memory(ta_library.in_force(case, params))
    fresh = {output: values.copy() for output, values in theirs.items()}
    for t in bars[bars >= memory - 1].tolist():
        for output, values in ta_library.run(case, ohlcv[t - memory + 1 : t + 1], params).items():
            fresh[output][t] = values[-1]
    return fresh


def _number(value: float) -> float | int:
    return int(value) if value == int(value) else float(value)
