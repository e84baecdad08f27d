"""Updates of forming bars through a worker: `on: tick` fires once per bar whatever dies, and nothing else sees them."""

from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from schemas.market import Kline
from schemas.triggers import Fired
from streams.inprocess import EvaluatorWorker
from tests.streams.evaluator import scenario
from tests.streams.evaluator.scenario import SYMBOLS, TOPICS
from tests.streams.evaluator.test_failpoints import FAILPOINTS
from topics.bus import MemoryBus
from topics.codec import decode
from topics.failpoints import Died, armed
from topics.records import Outgoing

BARS = 120
DEATHS = 4


def updates(bar: int, symbol: str) -> Iterator[Kline]:
    """Three looks at the bar before it closes, the second of them further than where it ends; at some bars none."""
    whole = scenario.kline(bar, symbol)
    for share in (0.3, 1.4, 0.8) if bar % 3 else ():
        last = round(whole.open + share * (whole.close - whole.open), 2)
        high, low = max(whole.open, last), min(whole.open, last)
        yield replace(whole, high=high, low=low, close=last, volume=whole.volume * share, closed=False)


def market(*, forming: bool) -> Iterator[Outgoing]:
    for bar in range(BARS):
        for symbol in SYMBOLS:
            for update in updates(bar, symbol) if forming else ():
                yield scenario.kline_record(update)
            yield scenario.kline_record(scenario.kline(bar, symbol))


def commands() -> Iterator[Outgoing]:
    for symbol in SYMBOLS:
        usual = scenario.alert(symbol)
        yield scenario.alert_record(usual)
        yield scenario.group_record(scenario.group(symbol, 1, 0))
        ticking = replace(usual, alert_id=f"tick-{symbol}", on="tick", frequency="once_per_bar")
        yield scenario.alert_record(ticking)
        yield scenario.alert_record(replace(ticking, alert_id=f"first-{symbol}", frequency="once"))


async def played(*, forming: bool = True, points: dict[str, int] | None = None) -> tuple[MemoryBus, int]:
    """The commands, then the market, with as many deaths as `points` asks for; (bus, number of deaths)."""
    bus, deaths = MemoryBus(*TOPICS.all()), 0
    for record in commands():
        bus.append(record)
    worker = EvaluatorWorker(bus, TOPICS, checkpoint_every=25)
    await worker.run_until_idle()
    for record in market(forming=forming):
        bus.append(record)
    with armed(points or {}) as live:
        while True:
            try:
                if not await worker.run_until_idle():
                    break
            except Died:
                deaths += 1
                worker.crash()
                worker = EvaluatorWorker(bus, TOPICS, checkpoint_every=25)
                if deaths < DEATHS:
                    live.update(points or {})
    worker.close()
    return bus, deaths


def fired(bus: MemoryBus) -> list[Fired]:
    """Each once; raises AssertionError where a repeat differs."""
    scenario.outputs(bus)
    found = [decode(record, TOPICS.fired) for record in bus.records(TOPICS.fired.name)]
    return list({one.fired_id: one for one in found if isinstance(one, Fired)}.values())


@pytest.mark.parametrize("point", [point for point in FAILPOINTS if point.startswith("checkpoint.")])
async def test_a_death_at_any_point_changes_no_fire(point: str) -> None:
    bus, deaths = await played(points={point: 3})
    expected, _ = await played()
    assert deaths == DEATHS
    assert scenario.outputs(bus) == scenario.outputs(expected)


async def test_it_fires_before_the_close_and_at_most_once_per_bar() -> None:
    bus, _ = await played()
    ticking = [one for one in fired(bus) if one.alert_id.startswith("tick-")]
    bars = [(one.alert_id, one.bar.open_time_ms) for one in ticking]
    assert len(bars) == len(set(bars))
    assert {one.provisional for one in ticking} == {True, False}
    numbers = [one.fire_number for one in ticking if one.symbol == SYMBOLS[0]]
    assert sorted(numbers) == list(range(1, len(numbers) + 1))
    assert {one.fire_number for one in fired(bus) if one.alert_id.startswith("first-")} == {1}


async def test_what_counts_closed_bars_only_does_the_same_without_any_update() -> None:
    """Alerts at the close, groups of bots, and the rows of symbols."""
    bus, _ = await played()
    plain, _ = await played(forming=False)

    def closed(one: MemoryBus) -> dict[tuple[str, str], bytes]:
        return {
            key: value
            for key, value in scenario.outputs(one).items()
            if key[1].startswith(("alert-", "bot-"))
        }

    assert closed(bus) == closed(plain)
    assert len(closed(bus)) > 5
