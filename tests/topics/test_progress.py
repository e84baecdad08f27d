"""When somebody counts as stuck, as tables of what is seen when."""

import pytest

from topics.progress import Progress

A, B = "a[0]", "b[1]"


@pytest.mark.parametrize(
    "sights, stuck",
    [
        ([(0, {A: 1}), (59, {A: 1})], {}),
        ([(0, {A: 1}), (60, {A: 1})], {A: 60}),
        ([(0, {A: 1}), (50, {A: 2}), (100, {A: 2})], {}),
        ([(0, {A: 1}), (50, {}), (100, {A: 1})], {}),  # was not behind in between
        ([(0, {A: 1, B: 1}), (30, {A: 2, B: 1}), (60, {A: 3, B: 1})], {B: 60}),  # others move, one does not
        ([(0, {A: None}), (70, {A: None})], {A: 70}),
        ([(0, {}), (1_000, {})], {}),
    ],
)
def test_who_stands_still_for_the_limit_is_stuck(sights, stuck) -> None:
    progress = Progress(60)
    *before, last = sights
    for at, behind in before:
        progress.see(at, behind)
    assert progress.see(*last) == stuck
