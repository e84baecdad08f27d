"""Processes die at random moments on a real broker: nothing is lost, doubled or different (see also `make chaos`)."""

import shutil
from pathlib import Path

import pytest

from tests.chaos.run import QUICK, play
from tests.chaos.scenario import make

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


@pytest.mark.skipif(shutil.which("java") is None, reason="a broker of its own needs Java")
def test_kills_stops_joins_and_leaves_lose_and_double_nothing(tmp_path: Path) -> None:
    # More segments than anybody gets through: a fast machine must not run out of work before the last kill.
    scenario = make(11, symbols=8, segment_minutes=60, segments=60, bots_per_symbol=3)
    result = play(scenario, tmp_path, QUICK, print)
    assert result.problems == []
    kills = [blow for blow in result.tally.blows if blow.kind == "kill"]
    assert len(kills) >= 6
    assert all(blow.work.any for blow in kills)
    assert result.counts["triggers applied"] > 50  # a slow one may come no further than the first
    assert result.counts["closed deals"] > 10
    assert result.counts["deals with three or more safety orders"] >= 1
