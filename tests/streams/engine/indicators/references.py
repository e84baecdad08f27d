"""Stock.Indicators' recorded series, for the tests of single indicators."""

import numpy as np
import pytest

from streams.engine.bars import Floats
from tests.streams.engine.candles import SHARED
from tests.streams.engine.indicators.test_against_recordings import expected, quotes

__all__ = ["assert_equal", "expected", "needs_recordings", "quotes"]


def needs_recordings(test: object) -> object:
    """Mark a test that reads the shared recordings."""
    absent = pytest.mark.skipif(
        not SHARED.exists(), reason="the shared recordings are not beside the checkout"
    )
    return pytest.mark.shared(absent(test))


def assert_equal(ours: Floats, theirs: Floats, first: int = 0, bound: float = 1e-9) -> None:
    """Values at the same rows from row `first` on, and the same numbers but for rounding."""
    ours, theirs = ours[first:], theirs[first:]
    assert np.array_equal(np.isfinite(ours), np.isfinite(theirs))
    both = np.isfinite(theirs)
    assert both.sum() > 100
    assert np.abs(ours - theirs)[both].max() <= bound * np.abs(theirs[both]).max()
