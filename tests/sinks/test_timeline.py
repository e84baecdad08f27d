"""Which config governs which bar, as tables."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from sinks.executor.state import Accepted, Pair
from sinks.executor.timeline import Plan, governing, next_change, plan_entry, round_up, still_governing
from tests.sinks.bots import golden

ON = golden(pairs=["BTCUSDT"])
OTHER = golden(pairs=["ETHUSDT"])
PAUSED = replace(ON, state="paused")


def accepted(seq: int, from_ms: int, config=ON, shape: str = "a") -> Accepted:
    return Accepted(seq, config, from_ms, from_ms, signal=shape, shape=shape)


A, B, C = accepted(1, 100), accepted(2, 300, shape="b"), accepted(3, 200, shape="c")


@pytest.mark.parametrize("given_ms, expected", [(0, 0), (1, 60), (59, 60), (60, 60), (61, 120)])
def test_an_instant_is_rounded_up_to_the_next_bar(given_ms: int, expected: int) -> None:
    assert round_up(given_ms, 60) == expected


@pytest.mark.parametrize(
    "configs, at, expected",
    [
        ([A], 99, None),
        ([A], 100, 1),
        ([A, B], 299, 1),
        ([A, B], 300, 2),
        ([A, B, C], 250, 3),
        ([A, B, C], 300, 3),  # accepted last, and begun: what was planned before it is overtaken
    ],
)
def test_the_config_accepted_last_of_those_that_have_begun_governs(configs, at, expected) -> None:
    found = governing(configs, at)
    assert (found.seq if found else None) == expected


@pytest.mark.parametrize(
    "configs, after, expected",
    [([A], 0, 1), ([A], 100, None), ([A, B], 100, 2), ([A, B, C], 100, 3), ([A, B, C], 200, None)],
)
def test_the_next_change(configs, after, expected) -> None:
    found = next_change(configs, after)
    assert (found.seq if found else None) == expected


@given(st.lists(st.integers(0, 20), min_size=1, max_size=8), st.integers(0, 22))
def test_forgetting_never_changes_who_governs_from_then_on(starts: list[int], floor: int) -> None:
    configs = [accepted(seq, start) for seq, start in enumerate(starts, start=1)]
    kept = still_governing(configs, floor)
    for at in range(floor, 24):
        assert governing(kept, at) == governing(configs, at)
        assert next_change(kept, at) == next_change(configs, at)
    governors = [governing(configs, at) for at in range(floor, 24)]
    needed = {config.seq for config in governors if config is not None} | {configs[-1].seq}
    assert {config.seq for config in kept} == needed


@pytest.mark.parametrize(
    "configs, pair, expected",
    [
        # the first config: from its start, at once if the signal is true already
        ([A], Pair("BTCUSDT", 0), Plan(A, 100, "fire", None, None)),
        ([A], Pair("BTCUSDT", 150), Plan(A, 150, "fire", None, None)),
        # a signal that was acted on has to go false first; another signal has not
        ([A], Pair("BTCUSDT", 150, seen_signal="a"), Plan(A, 150, "wait", None, None)),
        ([A], Pair("BTCUSDT", 150, seen_signal="z"), Plan(A, 150, "fire", None, None)),
        # a pair that the config does not name
        ([accepted(1, 100, OTHER)], Pair("BTCUSDT", 150), None),
        # an edit that shows ends the group; one that does not show leaves it
        ([A, B], Pair("BTCUSDT", 150), Plan(A, 150, "fire", None, 300)),
        ([A, accepted(2, 300)], Pair("BTCUSDT", 150), Plan(A, 150, "fire", None, None)),
        ([A, accepted(2, 300), accepted(3, 400, shape="c")], Pair("BTCUSDT", 150), Plan(A, 150, "fire", None, 400)),
        # a pause ends it, and then nothing is wanted until somebody resumes
        ([A, accepted(2, 300, PAUSED)], Pair("BTCUSDT", 150), Plan(A, 150, "fire", None, 300)),
        ([A, accepted(2, 300, PAUSED)], Pair("BTCUSDT", 300), None),
        (
            [accepted(2, 300, PAUSED), accepted(3, 400)],
            Pair("BTCUSDT", 300),
            Plan(accepted(3, 400), 400, "fire", None, None),
        ),
        # a cooldown is waited for alone, unless it is over by the time the config begins
        ([A], Pair("BTCUSDT", 150, cooldown_until_ms=500), Plan(A, 150, "wait", 500, None)),
        ([A, B], Pair("BTCUSDT", 150, cooldown_until_ms=500), Plan(A, 150, "wait", 500, None)),
        ([A], Pair("BTCUSDT", 50, cooldown_until_ms=90), Plan(A, 100, "fire", None, None)),
    ],
)  # fmt: skip
def test_the_entry_group_a_pair_should_have(configs, pair, expected) -> None:
    assert plan_entry(configs, pair) == expected
