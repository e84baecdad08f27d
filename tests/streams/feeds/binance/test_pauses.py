"""How long to wait: backoff, the weight of a minute, and what 429 and 418 ask for."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.feeds.binance.clock import ExchangeClock
from streams.feeds.binance.pauses import Budget, backoff_s, retry_after_s


@pytest.mark.parametrize(
    "failures, chance, seconds",
    [(1, 0.0, 1.0), (2, 0.0, 2.0), (2, 1.0, 1.0), (7, 0.0, 60.0), (10**9, 0.5, 45.0)],
)
def test_pauses_double_up_to_a_minute_and_chance_spreads_them(
    failures: int, chance: float, seconds: float
) -> None:
    assert backoff_s(failures, chance) == seconds


@pytest.mark.parametrize(
    "header, seconds",
    [("7", 7.0), (None, 60.0), ("soon", 60.0), ("-1", 1.0), ("nan", 60.0), ("1e99", 259_200.0)],
)
def test_what_the_exchange_asks_for_is_kept_within_reason(header: str | None, seconds: float) -> None:
    assert retry_after_s(header) == seconds


def test_a_minutes_weight_is_not_exceeded_and_the_next_minute_is_new() -> None:
    budget = Budget(100)
    sent = 0
    while budget.wait_s(20, 60_000, 0.0) == 0.0:
        sent += 20
    assert sent == 80  # a fifth is left to others at this address
    assert budget.wait_s(20, 61_500, 0.0) == pytest.approx(58.6)
    assert budget.wait_s(20, 120_000, 0.0) == 0.0


def test_what_others_at_the_address_used_counts() -> None:
    budget = Budget(100)
    assert budget.wait_s(2, 0, 0.0) == 0.0
    budget.used("79", 10)
    budget.used(None, 10)
    budget.used("junk", 10)
    assert budget.wait_s(2, 1_000, 0.0) > 0.0


def test_a_request_heavier_than_the_budget_leaves_all_the_same_at_the_start_of_a_minute() -> None:
    assert Budget(10).wait_s(20, 0, 0.0) == 0.0


def test_silence_is_kept_and_the_longest_counts() -> None:
    budget = Budget(100)
    budget.be_silent(30.0, 5.0)
    budget.be_silent(1.0, 6.0)
    assert budget.wait_s(1, 0, 10.0) == 25.0
    assert budget.wait_s(1, 0, 35.0) == 0.0


@settings(max_examples=200)
@given(
    st.lists(st.tuples(st.integers(0, 400_000), st.integers(0, 5_000)), min_size=1, max_size=60),
    st.floats(-0.0001, 0.0),
)
def test_the_exchanges_clock_is_never_believed_ahead_of_what_it_can_be(
    heard: list[tuple[int, int]], drift: float
) -> None:
    """Answers are 0 to 5 s on their way; this machine's clock is exact or slow. 200 cases."""
    now = 0.0
    clock = ExchangeClock(1_000_000, 0.0)
    for passed, delay in heard:
        now += passed
        exchange_ms = 1_000_000 + now
        clock.saw(int(exchange_ms - delay), now * (1 + drift))
        assert clock.at(now * (1 + drift)) <= exchange_ms + 1


def test_a_clock_that_runs_fast_here_is_corrected_within_two_windows() -> None:
    clock = ExchangeClock(0, 0.0)
    for minute in range(1, 3 * 1_440):
        true_ms = minute * 60_000
        local = true_ms * 1.0001  # 8.6 s a day
        clock.saw(true_ms, local)
        assert 0 <= clock.at(local) - true_ms <= 0.0001 * 21 * 60_000 + 1
