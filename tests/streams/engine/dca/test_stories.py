"""Every story, through the engine alone."""

from decimal import Decimal

import pytest

from streams.engine.dca import Dust
from tests.stories import STORIES
from tests.stories.story import Story
from tests.streams.engine.dca.story import tell


@pytest.mark.parametrize("story", STORIES, ids=[story.title for story in STORIES])
def test_story(story: Story) -> None:
    tell(story)


def test_dust_is_told_with_what_it_had_cost() -> None:
    told = tell(next(story for story in STORIES if "booked off as dust" in story.title))
    assert [event for _, event in told if isinstance(event, Dust)] == [Dust(Decimal(1), Decimal(100))]


def test_every_candle_is_one() -> None:
    for story in STORIES:
        for bar in story.bars:
            assert bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high, story.title


def test_no_title_is_used_twice() -> None:
    titles = [story.title for story in STORIES]
    assert len(set(titles)) == len(titles)
