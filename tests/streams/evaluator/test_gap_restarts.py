"""A restart before, in and after each kind of hole is no restart; a cold start on what a topic has left neither."""

import json

import pytest

from schemas.market import Kline
from streams.inprocess import EvaluatorWorker
from streams.station import Rules
from tests.streams.evaluator import scenario
from tests.streams.evaluator.scenario import MINUTE, TOPICS
from topics.bus import MemoryBus

AT = 150
"""The first bar that is missing."""
END = 420
OUTAGES = {"3 min": 3, "5 min": 5, "6 min": 6, "2 h": 120, "3 d": 4_320}
TOLD = {"gap_filled", "tainted", "suppressed", "late", "restated"}


def holed(missing: int) -> list[Kline]:
    """A market without `missing` bars, and then some that come again, or too late."""
    bars = [scenario.kline(bar, "AAA") for bar in range(END + missing) if not AT <= bar < AT + missing]
    late, again = scenario.kline(AT + 1, "AAA"), scenario.kline(AT - 1, "AAA")
    restated = Kline(
        symbol="AAA", interval="1m", open_time_ms=(AT + missing) * MINUTE, open=9, high=9, low=9, close=9,
        volume=9,
    )  # fmt: skip
    return [*bars[: AT + 3], late, again, restated, *bars[AT + 3 :]]


def quiet() -> list[Kline]:
    """A venue that leaves quiet minutes out: of every 40, the 25 in which nothing was traded."""
    return [scenario.kline(bar, "AAA") for bar in range(END) if bar % 40 < 15]


def new_bus() -> MemoryBus:
    bus = MemoryBus(*TOPICS.all())
    bus.append(scenario.group_record(scenario.group("AAA", 1, 0)))
    bus.append(scenario.alert_record(scenario.alert("AAA")))
    return bus


class Stage:
    """A bus, an executor that answers, and a worker that may die."""

    def __init__(self, fill_up_to: int) -> None:
        self.bus = new_bus()
        self.fill_up_to = fill_up_to
        self.executor = scenario.Executor(self.bus)
        self.worker = self._worker()

    def _worker(self) -> EvaluatorWorker:
        return EvaluatorWorker(self.bus, TOPICS, rules=Rules(fill_up_to=self.fill_up_to), checkpoint_every=7)

    def restart(self) -> None:
        self.worker.crash()
        self.worker = self._worker()

    async def feed(self, bars: list[Kline]) -> None:
        """Handle them, and answer what fires."""
        for bar in bars:
            self.bus.append(scenario.kline_record(bar))
        while await self.worker.run_until_idle() + self.executor.answer():
            pass

    async def feed_and_die(self, bars: list[Kline]) -> None:
        """Handle them without a last checkpoint, and die."""
        for bar in bars:
            self.bus.append(scenario.kline_record(bar))
        while await self.worker.step(1):
            pass
        self.restart()

    def told(self) -> dict[str, bytes]:
        """Events about bars, by id, each once."""
        found = {}
        for record in self.bus.records(TOPICS.events.name):
            event = json.loads(record.value or b"{}")
            if event["event"] in TOLD:
                found[event["event_id"]] = record.value or b""
        return found


async def undisturbed(bars: list[Kline], fill_up_to: int) -> Stage:
    stage = Stage(fill_up_to)
    await stage.feed(bars)
    assert len(scenario.outputs(stage.bus)) > 5
    return stage


@pytest.mark.parametrize("outage", OUTAGES)
@pytest.mark.parametrize("cut", [-1, 0, 1, 2, 4, 6, 20])
@pytest.mark.parametrize("checkpointed", [True, False])
async def test_a_restart_around_a_hole_is_no_restart(outage: str, cut: int, checkpointed: bool) -> None:
    bars = holed(OUTAGES[outage])
    right = await undisturbed(bars, 5)
    stage = Stage(5)
    await stage.feed(bars[: AT - 10])
    await (stage.feed if checkpointed else stage.feed_and_die)(bars[AT - 10 : AT + cut])
    stage.restart()
    await stage.feed(bars[AT + cut :])
    assert scenario.outputs(stage.bus) == scenario.outputs(right.bus)
    assert stage.told() == right.told()
    names = {json.loads(value)["event"] for value in right.told().values()}
    assert {"late", "restated", "gap_filled" if OUTAGES[outage] <= 5 else "tainted"} <= names


@pytest.mark.parametrize("cut", [10, 15, 16, 100, 140])
async def test_a_restart_on_a_venue_that_leaves_quiet_minutes_out_is_no_restart(cut: int) -> None:
    bars = quiet()
    right = await undisturbed(bars, 60)
    assert not any(b'"tainted"' in value for value in right.told().values())
    stage = Stage(60)
    await stage.feed_and_die(bars[:cut])
    await stage.feed(bars[cut:])
    assert scenario.outputs(stage.bus) == scenario.outputs(right.bus)
    assert stage.told() == right.told()


@pytest.mark.parametrize("outage", OUTAGES)
@pytest.mark.parametrize("left", [-1, 0, 1])
async def test_a_cold_start_on_a_topic_cut_off_at_a_hole_says_the_same_whenever_it_restarts(
    outage: str, left: int
) -> None:
    """What the topic has left begins a bar before the hole, right after it, or a bar later."""
    bars = [bar for bar in holed(OUTAGES[outage])[AT + left :] if bar.open_time_ms >= (AT - 1) * MINUTE]
    right = await undisturbed(bars, 5)
    stage = Stage(5)
    await stage.feed_and_die(bars[:3])
    await stage.feed(bars[3:8])
    stage.restart()
    await stage.feed(bars[8:])
    assert scenario.outputs(stage.bus) == scenario.outputs(right.bus)
    assert stage.told() == right.told()
