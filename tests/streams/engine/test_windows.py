"""Sums of derived numbers over windows, and sums that never end, against exact ones."""

import math
from fractions import Fraction

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.engine.kernels.windows import add_up, mean_floats, slide_mean, slide_sum, sum_floats

numbers = st.floats(-1e15, 1e15)


def sums(values: list[float], window: int) -> list[float]:
    f = np.zeros(sum_floats(window))
    return [slide_sum(x, window, n, f, 0) for n, x in enumerate(values, 1)]


def means(values: list[float], window: int) -> list[float]:
    f, i = np.zeros(mean_floats(window)), np.zeros(2, np.int64)
    return [slide_mean(x, window, f, 0, i, 0) for x in values]


@settings(max_examples=200, deadline=None)
@given(st.lists(numbers, min_size=1, max_size=40), st.integers(1, 9))
def test_a_window_is_off_by_no_more_than_its_own_values_allow(values: list[float], window: int) -> None:
    for n, got in enumerate(sums(values, window), 1):
        inside = [Fraction(x) for x in values[max(n - window, 0) : n]]
        assert abs(Fraction(got) - sum(inside)) <= Fraction(window, 2**53) * sum(map(abs, inside))


def test_a_window_of_zeros_is_zero_whatever_came_before() -> None:
    got = sums([0.1, 1e300, 0.3, -7.7, *[0.0] * 12], 4)
    assert got[7:] == [0.0] * 9


def test_a_mean_of_equal_values_is_the_value() -> None:
    got = means([5.3, *[0.1] * 20], 7)
    assert math.isnan(got[5])
    assert got[7:] == [0.1] * 14


def test_a_missing_value_is_missing_from_every_window_it_lies_in() -> None:
    got = means([1.0, 2.0, 3.0, math.nan, 4.0, 5.0, 6.0, 7.0], 3)
    assert np.isnan(got[2:7]).tolist() == [False, True, True, True, False]
    assert (got[2], got[6], got[7]) == (2.0, 5.0, 6.0)


@settings(max_examples=200, deadline=None)
@given(st.lists(numbers, min_size=1, max_size=200))
def test_a_sum_that_never_ends_is_off_by_no_more_than_its_last_rounding(values: list[float]) -> None:
    f = np.zeros(2)
    got = [add_up(x, f, 0) for x in values][-1]
    true = sum(map(Fraction, values), Fraction(0))
    sizes = sum((abs(Fraction(x)) for x in values), Fraction(0))
    lost = Fraction(1, 2**53) * abs(true) + Fraction(len(values) ** 2, 2**106) * sizes
    assert abs(Fraction(got) - true) <= lost


def test_a_hundred_thousand_tenths_do_not_drift() -> None:
    f = np.zeros(2)
    for _ in range(100_000):
        got = add_up(0.1, f, 0)
    assert got == math.fsum([0.1] * 100_000)
