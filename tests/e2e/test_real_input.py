"""Recorded candles through the real broker and real processes come to exactly what they come to in one process."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pytest

from schemas.alerts import AlertCommand
from schemas.bots import BotConfig
from sinks.database.engine import open_engine
from sinks.executor.decision import Rules
from sinks.venues.paper import Paper
from streams.cli import alerting
from streams.cli.applying import await_answers, ends, send
from streams.cli.drifting.check import Window, evaluator, executor
from streams.cli.pipeline import Pipeline
from streams.feeds.files import KlineFile, read_klines
from tests.chaos.reference import careless
from tests.deadline import DEADLINE_S
from tests.e2e.effects import Effects, effects, effects_of, require_equal
from tests.e2e.real_bots import SHAPES, bots
from tests.e2e.stack import Stack, stack
from topics.broker.choose import Broker
from topics.registry import Topics

SHARED: Final = Path(__file__).parents[3] / "shared" / "data" / "klines"
FILE: Final = SHARED / "binance_usdm_1m_2025-05_16sym.parquet"
DAY_MS: Final = 86_400_000
FROM_MS: Final = 1_746_835_200_000
"""2025-05-10, the first whole day on which all sixteen symbols are there."""

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.slow,
    pytest.mark.shared,
    pytest.mark.skipif(not FILE.exists(), reason="the shared recordings are not beside this checkout"),
]


async def in_process(day: KlineFile, configs: list[BotConfig], folder: Path) -> Effects:
    pipeline = Pipeline(careless(open_engine(f"sqlite:///{folder / 'reference.db'}")), Topics(partitions=4))
    try:
        await pipeline.apply(*configs)
        await pipeline.apply_alerts(*alerts(day.symbols))
        await pipeline.feed(day.boundaries())
        assert pipeline.dead_letters() == 0
        return effects_of(pipeline)
    finally:
        pipeline.close()


def alerts(symbols: Sequence[str]) -> list[AlertCommand]:
    """One of each symbol."""
    return [
        AlertCommand(
            alert_id=f"above-{name}", user_id="alice", symbol=name, condition="close > ema(20)",
            frequency="once_per_bar_close", effective_from_ms=FROM_MS,
        )
        for name in symbols
    ]  # fmt: skip


def on_the_broker(real: Stack, configs: list[BotConfig], symbols: Sequence[str]) -> Effects:
    real.start("worker")
    real.start("executor")
    since = ends(real.cluster, real.topics.events.name)
    send(real.cluster, real.topics, configs)
    alerting.send(real.cluster, real.topics, alerts(symbols))
    answers = await_answers(real.cluster, real.topics, [bot.bot_id for bot in configs], since, DEADLINE_S)
    assert {answer.event for answer in answers.values()} == {"accepted"}
    span = ["--from", str(FROM_MS), "--to", str(FROM_MS + DAY_MS)]
    real.start("feed", "feed", "file", str(FILE), "--speed", "max", *span)
    assert real.wait_ended("feed") == 0, real.log("feed")
    real.wait_settled("worker", "executor")
    return effects(real.records, real.topics, real.engine)


def test_a_day_of_sixteen_symbols_is_the_same_through_the_broker(kafka: Broker, tmp_path: Path) -> None:
    day = read_klines(FILE, from_ms=FROM_MS, to_ms=FROM_MS + DAY_MS)
    configs = bots(day.symbols, FROM_MS)
    assert (len(day), len(day.symbols), len(configs)) == (16 * 1_440, 16, 200)
    with stack(kafka, tmp_path) as real:
        actual = on_the_broker(real, configs, day.symbols)
        require_no_drift(real)
    expected = asyncio.run(in_process(day, configs, tmp_path))
    require_equal(actual, expected)
    require_a_day_worth_comparing(expected)


def require_no_drift(real: Stack) -> None:
    """Law 12: the recorded klines, commands, configs, alerts and triggers give what topics and database hold."""
    ever = Window(-1, FROM_MS + 2 * DAY_MS)
    for checked in (
        evaluator(real.cluster, real.topics, ever, fill_up_to=5),
        executor(real.cluster, real.topics, real.database, ever, Rules(Paper())),
    ):
        assert checked.differences == []
        assert checked.unchecked == []
        assert min(checked.compared.values()) > 1_000


def require_a_day_worth_comparing(day: Effects) -> None:
    """Equality of nothing would prove nothing."""
    acted = {trigger.bot_id.partition("-")[0] for trigger in day.triggers.values()}
    assert acted == SHAPES.keys()
    actions = {trigger.action.action_type for trigger in day.triggers.values()}
    assert actions == {"execute_entry", "execute_dca", "take_profit", "stop_loss", "cooldown"}
    closed = [deal for deal in day.deals if deal["state"] == "closed"]
    assert {deal["side"] for deal in closed} == {"long", "short"}
    assert len(closed) > 500
    assert len(day.fills) > 2_000
    assert any(deal["safety_orders_filled"] >= 3 for deal in closed)
    assert sum(bool(trigger.values) for trigger in day.triggers.values()) > 500
