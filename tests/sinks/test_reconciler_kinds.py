"""Bots of every kind on one falling and rising market: bar by bar, the reconciler finds nothing.

Deals that share their pair's group, that add up, that start late or are the last, with fees in base.
"""

from math import sin
from typing import Any

import pytest
from sqlalchemy import Engine, delete, select, update

from schemas.bots import StopLoss, TakeProfit
from sinks.database.tables import deals, fills, groups
from streams.cli.pipeline import Pipeline
from tests.pipeline import Outcome, bars, golden_bot, run
from tests.sinks.reconciling import differences
from topics.registry import Topics

BOTS: dict[str, dict[str, Any]] = {
    "several": {
        "max_active_deals_per_pair": 3,
        "max_active_deals": 3,
        "take_profit": TakeProfit(percent="20"),
    },
    "collects": {"accumulate": True, "take_profit": None, "max_safety_orders": 0},
    "periodic": {"entry": 'schedule("*/15 * * * *", "UTC")', "take_profit": None, "max_safety_orders": 0},
    "late": {"start_delay_s": 180, "cooldown_s": 120},
    "twice": {"disable_after_deals": 2},
    "based": {"fee_in": "base"},
    "trails": {"stop_loss": StopLoss(percent="5", trailing=True), "take_profit": TakeProfit(percent="1")},
    "timed": {"deal_timeout_s": 600},
    "few": {"max_active_safety_orders": 1, "side": "short", "entry": "close > 99"},
    "kept": {"reinvest_percent": "50"},
}


@pytest.fixture
async def played(sqlite: Engine) -> tuple[Pipeline, Outcome]:
    """Two hours of a wave, in steps of a few minutes."""
    shapes = [(p, p + 0.4, p - 0.4, p + 0.1) for p in (100 + 4 * sin(n / 9) + sin(n / 2) for n in range(120))]
    pipeline = Pipeline(sqlite, Topics(partitions=2))
    bots = [golden_bot(bot_id=name, **changes) for name, changes in BOTS.items()]
    made = bars(shapes)
    for start in range(0, 60, 5):  # each ends with a look
        await run(pipeline, bots if start == 0 else [], made[start : start + 5])
    return pipeline, await run(pipeline, [], made[60:])


async def test_nothing_is_found(played: tuple[Pipeline, Outcome]) -> None:
    pipeline, out = played
    assert {deal["bot_id"] for deal in out.deals} == set(BOTS)
    assert sum(deal["bot_id"] == "several" and deal["state"] == "open" for deal in out.deals) >= 2
    assert {deal["bot_id"] for deal in out.deals if deal["state"] == "open"} >= {"collects", "periodic"}
    assert any(fill["fee_base"] != "0" for fill in out.fills)
    pipeline.close()


async def test_deals_that_share_a_group_are_missed_in_it(played: tuple[Pipeline, Outcome]) -> None:
    pipeline, _ = played
    with pipeline.engine.begin() as connection:
        connection.execute(delete(groups).where(groups.c.bot_id == "collects"))
    kinds = {finding.kind for finding in differences(pipeline.engine, pipeline.bus, pipeline.topics)}
    assert kinds == {"entry_differs", "group_missing"}
    pipeline.close()


async def test_a_fee_in_base_that_was_booked_otherwise_is_found(played: tuple[Pipeline, Outcome]) -> None:
    pipeline, _ = played
    of_bot = fills.c.deal_id.in_(select(deals.c.deal_id).where(deals.c.bot_id == "based"))
    with pipeline.engine.begin() as connection:
        changed = update(fills).where(of_bot, fills.c.level == "base").values(fee_base="0.001")
        assert connection.execute(changed).rowcount
    found = differences(pipeline.engine, pipeline.bus, pipeline.topics)
    assert {finding.kind for finding in found} == {"ledger_differs"}
    assert {finding.subject for finding in found} == {"based"}
    pipeline.close()
