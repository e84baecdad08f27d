"""Exact sums: any window of any prices, against fractions."""

from fractions import Fraction

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.conditions import Indicator
from streams.engine.bars import CLOSE, Floats
from streams.engine.kernels.exact import LIMIT, scale_for, units
from streams.engine.kernels.oracle import SourceProgram
from streams.engine.kernels.program import CompiledProgram
from streams.engine.market.compute import compute

ticks = st.lists(st.integers(1, 10**7), min_size=1, max_size=40)


def closes(values: list[float]) -> Floats:
    return np.repeat(np.array(values)[:, None], 5, axis=1)


@settings(max_examples=60, deadline=None)
@given(ticks, st.integers(1, 9), st.sampled_from([1, 100, 10**6]))
def test_mean_and_deviation_are_the_true_ones_rounded_once_or_twice(
    prices: list[int], window: int, per: int
) -> None:
    values = [price / per for price in prices]
    params = (("window", window),)
    for programs in (CompiledProgram, SourceProgram):
        mean = compute(Indicator("sma", params), closes(values), programs)["sma"]
        bands = compute(Indicator("bollinger", (*params, ("window_dev", 1))), closes(values), programs)
        for t in range(window - 1, len(values)):
            exact = [Fraction(price, per) for price in prices[t - window + 1 : t + 1]]
            true_mean = sum(exact) / window
            variance = sum((x - true_mean) ** 2 for x in exact) / window
            assert abs(mean[t] - float(true_mean)) <= 4e-16 * float(true_mean)
            deviation = (bands["hband"][t] - bands["lband"][t]) / 2
            assert (
                abs(deviation - float(variance) ** 0.5)
                <= 1e-15 * float(true_mean) + 1e-14 * float(variance) ** 0.5
            )
            if len(set(exact)) == 1:
                assert mean[t] == values[t]
                assert bands["hband"][t] == bands["lband"][t] == values[t]


@settings(max_examples=40, deadline=None)
@given(ticks, st.lists(st.floats(1e-9, 1e12), min_size=1, max_size=30), st.integers(1, 6))
def test_a_price_that_outgrows_the_unit_makes_it_coarser(
    small: list[int], wild: list[float], window: int
) -> None:
    values = [price / 1e6 for price in small] + wild
    got = compute(Indicator("sma", (("window", window),)), closes(values))["sma"]
    most = max(values)
    for t in range(window - 1, len(values)):
        true_mean = float(sum(map(Fraction, values[t - window + 1 : t + 1])) / window)
        assert abs(got[t] - true_mean) <= 1e-9 * most


@given(st.floats(1e-12, 1e12))
def test_the_unit_leaves_fourteen_digits(price: float) -> None:
    scale = scale_for(price)
    assert scale in {10.0**d for d in range(16)}
    assert units(price, scale) <= 10**14 < LIMIT
    assert scale == 1e15 or units(price, scale) >= 10**13 - 1


def test_a_long_walk_does_not_drift() -> None:
    rng = np.random.default_rng(1)
    values = np.round(0.5 + np.cumsum(rng.normal(0, 1e-4, 20_000)) ** 2, 6)
    got = compute(Indicator("bollinger", (("window", 20), ("window_dev", 1))), closes(values.tolist()))
    last = values[-20:]
    assert got["mavg"][-1] == np.float64(sum(map(Fraction, last.tolist())) / 20)
    assert abs(got["hband"][-1] - got["mavg"][-1] - np.std(last)) < 1e-12
    assert closes([1.0])[0, CLOSE] == 1.0
