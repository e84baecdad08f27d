"""Random bots of every kind through the pipeline, with triggers told twice and forged ones between: at every pause each
open deal has exactly its expected alerts armed, and the ledger's two sides agree.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import select

from schemas.bots import BotConfig, CloseRule, Grid, StopLoss, TakeProfit, TargetStep
from schemas.market import Kline
from schemas.triggers import Trigger
from sinks.database.loading import load_bots
from sinks.database.tables import fills, ledger
from sinks.executor.arming import members_of
from sinks.executor.decision import Rules
from sinks.executor.state import Bot
from sinks.venues.paper import Paper
from streams.cli.pipeline import Pipeline
from streams.engine import grid
from streams.engine.dca import entry_group_id, problems
from streams.engine.kinds import AnyDeal, deal_group_id
from tests.sinks.reconciling import differences
from tests.stories.batch import START
from tests.streams.engine.dca.support import ROUND, TENTHS
from topics.codec import encode
from topics.records import Outgoing

BOTS, BARS, CHUNK = 30, 36, 6


def _bot(dice: Random, number: int) -> BotConfig:
    """Any bot that is sound, on a symbol of its own; a quarter of them are grids."""
    if number % 4 == 3:
        return _grid(dice, number)
    steps = tuple(
        TargetStep(percent=percent, amount=amount) for percent, amount in (("3", "50"), ("6", "50"))
    )
    while True:
        bot = replace(
            ROUND,
            bot_id=f"bot-{number}",
            pairs=[f"S{number}USDT"],
            side=dice.choice(["long", "short"]),
            entry=dice.choice(["close < 101", "close > 99", 'schedule("*/3 * * * *")']),
            effective_from_ms=START,
            revision=1,
            price_deviation=dice.choice(["1", "2"]),
            max_safety_orders=dice.choice([0, 2, 4]),
            anchor=dice.choice(["base_fill", "previous_order", "average"]),
            safety_condition=dice.choice(["", "", "close < 99"]),
            max_active_safety_orders=dice.choice([None, None, 1, 2]),
            gap_through=dice.choice(["each", "one_per_bar", "merge"]),
            take_profit=dice.choice(
                [
                    None,
                    TakeProfit(percent="2"),
                    TakeProfit(steps=steps),
                    TakeProfit(percent="3", trailing="1"),
                    TakeProfit(steps=steps, trailing="2"),
                ]
            ),
            stop_loss=dice.choice(
                [
                    None,
                    StopLoss(percent="6", reference="average"),
                    StopLoss(percent="4", trailing=True),
                    StopLoss(percent="5", break_even=True),
                    StopLoss(percent="3", timeout_s=120),
                ]
            ),
            close=dice.choice([None, None, CloseRule(when="close > 102", min_profit="1")]),
            deal_timeout_s=dice.choice([0, 0, 600]),
            cooldown_s=dice.choice([0, 60, 120]),
            start_delay_s=dice.choice([0, 0, 60]),
            max_active_deals=3,
            max_active_deals_per_pair=dice.choice([1, 1, 2, 3]),
            disable_after_deals=dice.choice([None, None, 2, 5]),
            reinvest_percent=dice.choice(["0", "50"]),
            fee=dice.choice(["0", "0.1"]),
            fee_in=dice.choice(["quote", "base"]),
        )
        if not problems(bot, TENTHS):
            return bot


def _grid(dice: Random, number: int) -> BotConfig:
    lower = dice.randint(85, 97)
    return BotConfig(
        bot_id=f"bot-{number}",
        user_id=ROUND.user_id,
        kind="grid",
        pairs=[f"S{number}USDT"],
        side=dice.choice(["long", "short", "neutral"]),
        entry=dice.choice(["", "", "close > 99"]),
        effective_from_ms=START,
        revision=1,
        grid=Grid(
            lower=str(lower),
            upper=str(dice.randint(103, 115)),
            levels=dice.randint(3, 12),
            quantity="50",
            spacing=dice.choice(["arithmetic", "geometric"]),
            max_active_levels=dice.choice([None, 2, 5]),
            initial_purchase=dice.choice([True, True, False]),
            stop_below=dice.choice([None, str(lower - 3)]),
            stop_action=dice.choice(["close", "keep"]),
        ),
        fee="0.05",
    )


def _bars(dice: Random, symbol: str) -> Iterator[Kline]:
    price = 100.0
    for number in range(BARS):
        o, a, b, c = (round(price * (1 + dice.randint(-25, 25) / 1_000), 2) for _ in range(4))
        price = c if 60 < c < 160 else 100.0
        yield Kline(
            symbol=symbol, interval="1m", open_time_ms=START + number * 60_000, feed="test",
            open=o, high=max(o, a, b, c), low=min(o, a, b, c), close=c, volume=1.0,
        )  # fmt: skip


@dataclass
class Run:
    """A pipeline between two chunks of candles."""

    pipeline: Pipeline
    dice: Random

    def bots(self) -> dict[str, Bot]:
        with self.pipeline.engine.connect() as connection:
            return load_bots(connection, [f"bot-{number}" for number in range(BOTS)])

    def booked(self, table: Any) -> list[dict[str, Any]]:
        with self.pipeline.engine.connect() as connection:
            return [dict(row._mapping) for row in connection.execute(select(table))]

    async def disturb(self) -> None:
        """Tell triggers again, and others of generations that were replaced or never given out."""
        known = [m for m in self.pipeline.messages(self.pipeline.topics.triggers) if isinstance(m, Trigger)]
        for trigger in self.dice.sample(known, min(len(known), 20)):
            old = replace(
                trigger, generation=max(1, trigger.generation - 1), trigger_id=f"{trigger.trigger_id}:old"
            )
            for said in (trigger, old):
                name = self.pipeline.topics.triggers.name
                self.pipeline.bus.append(
                    Outgoing(name, said.bot_id.encode(), encode(said), said.bar.close_time_ms)
                )
        await self.pipeline.run_until_idle()


def _expect_armed(bot: Bot) -> None:
    """Exactly the alerts that the open deals wait for, in their own groups or in the entry's."""
    (symbol,) = bot.pairs
    armed = {group_id: group.command for group_id, group in bot.groups.items() if group.armed}
    open_deals = [held for held in bot.deals.values() if held.open]
    alone = [held for held in open_deals if not held.deal.terms.shared]
    entry = armed.pop(entry_group_id(bot.bot_id, symbol), None)
    assert {id_: command.members for id_, command in armed.items()} == {
        deal_group_id(held.deal): members_of(held) for held in alone if members_of(held)
    }
    assert not (alone and entry)
    wanted = [member for held in open_deals if held not in alone for member in members_of(held)]
    have = [] if entry is None else entry.members
    assert [member for member in have if member in wanted] == sorted(wanted, key=have.index)
    own = {member.alert_id.rsplit("_", 1)[-1] for member in have if member not in wanted}
    assert own <= {"entry", "cooldown", "next", "close"}
    if entry is not None:
        assert entry.armed_from_ms == bot.pairs[symbol].free_from_ms


def _held(deal: AnyDeal) -> Decimal:
    """What the account of base must show."""
    if isinstance(deal, grid.Deal):
        return deal.terms.instrument.quantity(deal.ledger.position)
    assert deal.ledger.position >= 0
    held = deal.terms.instrument.parts(deal.ledger.held_parts)
    return held if deal.terms.long else -held


def _expect_books(run: Run) -> None:
    """Every fill stands in the ledger once, and what is held is what came in less what went out."""
    sums: dict[tuple[str, str], Decimal] = {}
    for entry in run.booked(ledger):
        key = (entry["deal_id"], entry["account"])
        sums[key] = sums.get(key, Decimal(0)) + Decimal(entry["amount"])
    keys = [(fill["deal_id"], fill["level"], fill["generation"]) for fill in run.booked(fills)]
    assert len(set(keys)) == len(keys)
    for bot in run.bots().values():
        for held in bot.deals.values():
            deal = held.deal
            assert sums.get((deal.deal_id, "base"), Decimal(0)) == _held(deal)
            money = (sums.get((deal.deal_id, account), Decimal(0)) for account in ("quote", "fee"))
            assert sum(money, Decimal(0)) == deal.profit


@pytest.mark.parametrize("seed", [1, 2])
def test_every_open_deal_has_its_alerts_armed_and_the_ledger_agrees(seed: int, tmp_path: Path) -> None:
    """60 bots, 36 minutes each, looked at 12 times."""
    dice = Random(seed)
    bots = [_bot(dice, number) for number in range(BOTS)]
    klines = [kline for bot in bots for kline in _bars(dice, bot.pairs[0])]
    rules = Rules(Paper(), {bot.pairs[0]: TENTHS for bot in bots})
    made = Pipeline(f"sqlite:///{tmp_path / 'deals.db'}", rules=rules, seed=seed)
    run = Run(made, dice)

    async def play() -> None:
        await made.apply(*bots)
        for start in range(0, BARS, CHUNK):
            until = START + (start + CHUNK) * 60_000
            chunk = [k for k in klines if until - CHUNK * 60_000 <= k.open_time_ms < until]
            await made.feed_klines(sorted(chunk, key=lambda k: (k.open_time_ms, k.symbol)))
            before = run.booked(fills)
            await run.disturb()
            assert run.booked(fills) == before
            for bot in run.bots().values():
                _expect_armed(bot)
            _expect_books(run)
            assert differences(made.engine, made.bus, made.topics) == []

    try:
        asyncio.run(play())
        assert len(run.booked(fills)) > 150
        assert made.dead_letters() == 0
    finally:
        made.close()
