"""Stories of deals as data: told to the engine alone, to the pipeline in one process, and to a real broker."""

from typing import Final

from tests.stories import anchors, exits, ladder, shorts, stops, targets
from tests.stories.story import Story

STORIES: Final[list[Story]] = [
    *ladder.STORIES,
    *exits.STORIES,
    *shorts.STORIES,
    *anchors.STORIES,
    *targets.STORIES,
    *stops.STORIES,
]
