"""Compiled code before the first kline, and the garbage collector between assignments."""

import gc
import subprocess
import sys
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


_AFTER_WARM_UP = """
import asyncio
from typing import Any
from numba.core.ccallback import CFunc
from numba.core.dispatcher import Dispatcher
from streams.inprocess import EvaluatorWorker
from streams.warm import warm_up
from tests.streams.evaluator import scenario

warm_up()
for kind in (Dispatcher, CFunc):
    def tell(self: Any, *given: Any, compiles: Any = kind.compile) -> Any:
        print("made after warm-up:", self)
        return compiles(self, *given)
    kind.compile = tell
bus = scenario.new_bus(60)
for symbol in scenario.SYMBOLS:
    bus.append(scenario.group_record(scenario.group(symbol, 1, 0)))
    bus.append(scenario.alert_record(scenario.alert(symbol)))
worker = EvaluatorWorker(bus, scenario.TOPICS)
asyncio.run(worker.run_until_idle())
print("fired:", {kind: worker.station.totals()[kind] > 0 for kind in ("Trigger", "Fired")})
"""


def test_no_kline_waits_for_compiled_code() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", _AFTER_WARM_UP], capture_output=True, text=True, check=True, timeout=120
    )
    assert ran.stdout == "fired: {'Trigger': True, 'Fired': True}\n"


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
