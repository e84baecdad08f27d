"""Which base interval a symbol has is told by its first bar, and by nothing that came before it."""

import json
from itertools import permutations
from typing import Any

import pytest
from msgspec.structs import replace

from schemas.alerts import GroupCommand
from streams.inprocess import EvaluatorWorker
from tests.streams.evaluator import scenario
from tests.streams.evaluator.scenario import TOPICS
from topics.bus import MemoryBus


def always(interval: str, bot: str, generation: int = 1) -> GroupCommand:
    """A group over bars of `interval` that fires on the first it sees."""
    command = scenario.group("AAA", generation, 0)
    member = replace(
        command.members[0],
        action=replace(command.members[0].action, bot_id=bot),
        condition={"op": "gt", "left": {"price": "close", "timeframe": interval}, "right": 1},
        when_true_at_arming="fire",
    )
    name = f"{bot}/AAA/entry"
    return replace(command, interval=interval, members=[member], group_id=name, bot_id=bot)


class Symbol:
    """A bus with one symbol, and a worker that is replaced on request."""

    def __init__(self, *, restarts: bool = False) -> None:
        self.bus = MemoryBus(*TOPICS.all())
        self.restarts = restarts
        self.worker = EvaluatorWorker(self.bus, TOPICS)

    async def say(self, *commands: GroupCommand) -> None:
        for command in commands:
            self.bus.append(scenario.group_record(command))
            await self._run()

    async def bars(self, interval: str) -> None:
        for bar in range(2):
            self.bus.append(scenario.kline_record(scenario.kline(bar, "AAA", interval)))
        await self._run()

    async def _run(self) -> None:
        await self.worker.run_until_idle()
        if self.restarts:
            self.worker.crash()
            self.worker = EvaluatorWorker(self.bus, TOPICS)

    def of(self, topic: str) -> list[dict[str, Any]]:
        return [json.loads(record.value or b"{}") for record in self.bus.records(topic)]

    def fired(self) -> dict[str, int]:
        """Generation by bot."""
        return {one["bot_id"]: one["generation"] for one in self.of(TOPICS.triggers.name)}

    def rejected(self) -> dict[str, str]:
        """Reason by bot."""
        told = self.of(TOPICS.events.name)
        return {one["bot_id"]: one["reason"] for one in told if one["event"] == "rejected"}


@pytest.mark.parametrize("order", list(permutations([("1m", "one"), ("5m", "five"), ("1m", "uno")])))
@pytest.mark.parametrize("interval", ["1m", "5m"])
@pytest.mark.parametrize("restarts", [False, True])
async def test_groups_of_different_intervals_wait_for_the_first_bar_whatever_their_order(
    order: tuple[tuple[str, str], ...], interval: str, restarts: bool
) -> None:
    symbol = Symbol(restarts=restarts)
    await symbol.say(*(always(each, bot) for each, bot in order))
    assert symbol.rejected() == {}
    await symbol.bars(interval)
    right, wrong = (
        {bot for each, bot in order if each == interval},
        {b for each, b in order if each != interval},
    )
    assert set(symbol.fired()) == right
    assert set(symbol.rejected()) == wrong
    assert all(f"has {interval} bars" in reason for reason in symbol.rejected().values())


@pytest.mark.parametrize("restarts", [False, True])
@pytest.mark.parametrize("interval", ["1m", "5m"])
async def test_a_bot_that_changes_its_interval_before_the_first_bar_is_what_it_was_last(
    interval: str, restarts: bool
) -> None:
    symbol = Symbol(restarts=restarts)
    await symbol.say(
        always("5m", "bot", 1), always("1m", "bot", 2), always("5m", "bot", 1), always("1m", "bot", 2)
    )
    answers = [one for one in symbol.of(TOPICS.triggers.name) if one["type"] == "stale_command"]
    assert [one["generation"] for one in answers] == [2]
    await symbol.bars(interval)
    fired = [one["generation"] for one in symbol.of(TOPICS.triggers.name) if one["type"] == "trigger"]
    assert fired == ([2] if interval == "1m" else [])
    assert set(symbol.rejected()) == (set() if interval == "1m" else {"bot"})


async def test_a_removal_reaches_a_group_over_other_bars() -> None:
    symbol = Symbol()
    await symbol.say(always("1m", "one"), always("5m", "five"))
    await symbol.say(replace(always("5m", "five", 2), op="remove", members=[]))
    await symbol.bars("5m")
    assert symbol.fired() == {}
