"""Every story of the table: the same fills, trips, orders and money as worked out by hand."""

import pytest

from tests.streams.engine.grid.stories import STORIES
from tests.streams.engine.grid.story import Story, tell


@pytest.mark.parametrize("story", STORIES, ids=[story.title for story in STORIES])
def test_story(story: Story) -> None:
    tell(story)
