"""Law 5: from which bar on an operand may fire. The numbers are the design's."""

import pytest

from schemas.conditions import Indicator
from streams.engine.kernels.readiness import (
    AVERAGE,
    DIFFERENCE,
    bars_of_one,
    bars_until,
    cascade,
    ema_bars,
    macd_bars,
    smoothing,
    span,
    wilder,
    wilder_bars,
)
from streams.engine.market.nodes import Node, key_of


def ready(leaf: Indicator) -> dict[str, int]:
    node = Node(key_of(leaf)[0])
    return dict(zip(node.outputs, node.ready, strict=True))


def test_the_designs_numbers() -> None:
    assert ready(Indicator("ema", (("window", 20),))) == {"ema": 70}
    assert ready(Indicator("rsi", (("window", 14),))) == {"rsi": 95}
    assert wilder_bars(14, 14) + 1 == 126  # ADX 14: the average of an index of averages of changes


def test_windows_are_ready_when_they_are_full_and_add_up() -> None:
    assert ready(Indicator("sma", (("window", 20),))) == {"sma": 20}
    assert set(ready(Indicator("bollinger")).values()) == {20}
    assert ready(Indicator("stochastic")) == {"stoch": 14, "stoch_signal": 16}


@pytest.mark.parametrize("window", [1, 2, 3, 14, 200])
def test_one_average_forgets_as_its_closed_form_says(window: int) -> None:
    for alpha in (span(window), wilder(window)):
        n = bars_until(smoothing(alpha), AVERAGE, window)
        assert (1.0 - alpha) ** n < AVERAGE
        assert n == 1 or (1.0 - alpha) ** (n - 1) >= AVERAGE


def test_a_cascade_forgets_as_its_closed_form_says() -> None:
    alpha = wilder(14)
    n = bars_until(cascade([alpha, alpha]), AVERAGE, 14)
    left = [(1.0 - alpha) ** k * (1.0 + k * alpha) for k in (n - 1, n)]
    assert left[0] >= AVERAGE > left[1]


def test_a_difference_of_averages_is_held_to_a_tighter_bound() -> None:
    line, signal, diff = macd_bars(26, 12, 9)
    slow, fast = 1.0 - span(26), 1.0 - span(12)
    assert slow**line - fast**line < DIFFERENCE <= slow ** (line - 1) - fast ** (line - 1)
    assert signal > line > ema_bars(26)
    assert ready(Indicator("macd")) == {"macd": line, "macd_signal": signal, "macd_diff": diff}


def test_the_longest_windows_are_followed_to_their_end() -> None:
    assert ema_bars(5_000) == pytest.approx(6.9078 * 5_001 / 2, rel=1e-3)
    assert wilder_bars(5_000) == pytest.approx(6.9078 * 5_000, rel=1e-3)


def test_what_is_left_of_one_average_needs_no_following_of_its_response() -> None:
    for window in (1, 2, 3, 9, 14, 20, 97, 200, 1_000, 5_000):
        for alpha in (span(window), wilder(window)):
            assert bars_of_one(alpha, AVERAGE) == bars_until(smoothing(alpha), AVERAGE, window)
