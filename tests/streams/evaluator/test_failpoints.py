"""Law 10: wherever a worker dies, the results are those of a run in which nobody died."""

import pytest

from tests.streams.evaluator import scenario
from topics.failpoints import armed

BARS = 160
DEATHS = 5
FAILPOINTS = (
    "checkpoint.frozen",
    "checkpoint.outputs_acknowledged",
    "checkpoint.groups_row",
    "checkpoint.groups_acknowledged",
    "checkpoint.symbols_row",
    "checkpoint.symbols_acknowledged",
    "checkpoint.partitions_row",
    "checkpoint.partition_acknowledged",
    "checkpoint.acked",
    "recovery.partition",
)


@pytest.mark.parametrize("eager", [False, True], ids=["buffered", "eager"])
@pytest.mark.parametrize("point", FAILPOINTS)
async def test_a_death_at_any_point_changes_no_result(point: str, eager: bool) -> None:
    passage = 2
    with armed({point: passage}) as live:

        def again(deaths: int) -> None:
            if deaths < DEATHS:
                live[point] = passage

        bus, deaths = await scenario.run(BARS, seed=7, died=again, eager=eager)
    assert deaths == DEATHS
    expected, _ = await scenario.run(BARS)
    assert len(scenario.outputs(expected)) > 20
    assert scenario.outputs(bus) == scenario.outputs(expected)


@pytest.mark.parametrize("every", [1, 7, 1_000])
@pytest.mark.parametrize("seed", [1, 2])
async def test_how_often_it_checkpoints_and_how_topics_interleave_change_no_result(
    every: int, seed: int
) -> None:
    bus, _ = await scenario.run(BARS, every=every, seed=seed)
    expected, _ = await scenario.run(BARS)
    assert scenario.outputs(bus) == scenario.outputs(expected)
