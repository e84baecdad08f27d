"""Klines and bots in, triggers, deals and fills out: the whole pipeline without a broker, for tests.

A bar is written as `(open, high, low, close)` or one price; bars follow each other by the minute from `START`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from schemas.bots import BotConfig, TakeProfit
from schemas.events import BotEvent
from schemas.interval import MINUTE_MS
from schemas.market import Kline
from schemas.triggers import Trigger
from sinks.database.tables import deals, fills
from streams.cli.pipeline import Pipeline
from tests.sinks.reconciling import differences

START = 1_700_000_040_000
Shape = float | tuple[float, float, float, float]


def bars(shapes: Iterable[Shape], symbol: str = "BTCUSDT", start_ms: int = START) -> list[Kline]:
    """One bar a minute; a single price is a flat bar."""
    made = []
    for i, shape in enumerate(shapes):
        open_, high, low, close = shape if isinstance(shape, tuple) else (shape,) * 4
        made.append(
            Kline(
                symbol=symbol, interval="1m", open_time_ms=start_ms + i * MINUTE_MS, feed="test",
                open=open_, high=high, low=low, close=close, volume=1.0,
            )
        )  # fmt: skip
    return made


def golden_bot(**changes: Any) -> BotConfig:
    """The golden vector's bot, entering when the close is below 101."""
    settings: dict[str, Any] = {
        "bot_id": "golden",
        "user_id": "alice",
        "pairs": ["BTCUSDT"],
        "entry": "close < 101",
        "base_order_volume": "15",
        "safety_order_volume": "30",
        "max_safety_orders": 5,
        "price_deviation": "1",
        "step_scale": "1.5",
        "volume_scale": "1.5",
        "take_profit": TakeProfit(percent="2"),
        "slippage": "0",
        "effective_from_ms": START,
        "revision": 1,
    }
    return BotConfig(**(settings | changes))


@dataclass(frozen=True)
class Outcome:
    """What came out. `fills` and `deals` are rows by column, in order; amounts are exact."""

    triggers: list[Trigger]
    events: list[BotEvent]
    deals: list[dict[str, Any]]
    fills: list[dict[str, Any]]
    dead_letters: int

    def levels(self) -> list[tuple[str, Decimal]]:
        """Level and price of every fill."""
        return [(fill["level"], Decimal(fill["price"])) for fill in self.fills]


async def run(
    pipeline: Pipeline, bots: Sequence[BotConfig], klines: Iterable[Kline], step: int = 200
) -> Outcome:
    """Apply the bots, feed the bars until idle, and read everything back; what should agree in the database does."""
    await pipeline.apply(*bots)
    await pipeline.feed_klines(klines, step=step)
    assert differences(pipeline.engine, pipeline.bus, pipeline.topics) == []
    return outcome(pipeline)


def outcome(pipeline: Pipeline) -> Outcome:
    """What there is now on the topics and in the database."""
    with pipeline.engine.connect() as connection:
        opened = connection.execute(select(deals).order_by(deals.c.opened_at_ms, deals.c.deal_id))
        filled = connection.execute(select(fills).order_by(fills.c.at_ms, fills.c.deal_id, fills.c.position))
        rows = [dict(row._mapping) for row in opened], [dict(row._mapping) for row in filled]
    triggers = [m for m in pipeline.messages(pipeline.topics.triggers) if isinstance(m, Trigger)]
    events = [m for m in pipeline.messages(pipeline.topics.events) if isinstance(m, BotEvent)]
    return Outcome(triggers, events, *rows, pipeline.dead_letters())
