"""The garbage collector between assignments."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from streams.inprocess import EvaluatorWorker
from streams.warm import set_aside
from tests.streams.evaluator import scenario
from tests.streams.evaluator.scenario import TOPICS


@pytest.fixture(autouse=True)
def _thaw() -> Iterator[None]:
    yield
    gc.unfreeze()


async def test_engines_of_partitions_that_have_gone_are_collected_although_they_were_set_aside() -> None:
    first = EvaluatorWorker(scenario.new_bus(40), TOPICS)
    await first.run_until_idle()
    engines = [seat.engine for lane in first.station.lanes.values() for seat in lane.evaluator.symbols]
    gone = [weakref.ref(engine) for engine in engines]
    assert len(gone) == len(scenario.SYMBOLS)
    set_aside()
    first.close()
    first.station.revoke()
    del engines
    set_aside()
    assert [engine() for engine in gone] == [None] * len(gone)
    assert gc.get_freeze_count() > 0
