"""Walk-forward windows, and what the best of many is worth."""

from itertools import pairwise
from random import Random
from statistics import fmean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.cli.backtesting.sweeping.chance import best_by_chance, warning
from streams.cli.backtesting.sweeping.walkforward import Span, windows

STEP = 60_000


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 12), st.floats(0.1, 9), st.integers(200, 20_000), st.integers(0, 10**6), st.booleans())
def test_windows_cover_the_candles_and_never_see_what_they_are_judged_by(
    count: int, ratio: float, bars: int, first: int, anchored: bool
) -> None:
    whole = Span(first * STEP, (first + bars) * STEP)
    made = windows(whole, count, ratio, STEP, anchored=anchored)
    assert len(made) == count
    assert made[0].inside.from_ms == whole.from_ms
    assert made[-1].outside.to_ms == whole.to_ms
    for one in made:
        assert one.inside.from_ms < one.inside.to_ms == one.outside.from_ms < one.outside.to_ms
        assert {at % STEP for span in one for at in span} == {0}
        assert not anchored or one.inside.from_ms == whole.from_ms
    for one, following in pairwise(made):
        assert one.outside.to_ms == following.outside.from_ms


def test_too_few_bars_are_refused() -> None:
    with pytest.raises(ValueError, match="4 bars are too few for 5 windows"):
        windows(Span(0, 4 * STEP), 5, 3.0, STEP)


def test_the_best_of_many_is_what_luck_gives() -> None:
    """Against the largest of as many normal numbers, drawn a thousand times."""
    random = Random(3)
    for count in (5, 50, 300):
        most = fmean(max(random.gauss(2, 3) for _ in range(count)) for _ in range(1_000))
        # The values' own mean and deviation stand for the true ones.
        values = [2 + 3 * x for x in _spread(count)]
        assert best_by_chance(values) == pytest.approx(most, rel=0.06)


def _spread(count: int) -> list[float]:
    """`count` numbers of mean 0 and sample deviation 1."""
    low = [float(k) for k in range(count)]
    mean = fmean(low)
    scale = (sum((x - mean) ** 2 for x in low) / (count - 1)) ** 0.5
    return [(x - mean) / scale for x in low]


def test_one_attempt_has_no_luck() -> None:
    assert best_by_chance([1.0]) is None
    assert "1,000 configurations were tried" in warning(1_000)
