"""Some hours of a pipeline in which users edit, pause, delete and make again, and what a replay makes of its topics."""

from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, NamedTuple

import polars as pl
from msgspec.structs import replace
from sqlalchemy import Engine, select

from schemas.alerts import AlertCommand
from schemas.bots import BotConfig, TakeProfit
from schemas.market import Kline
from schemas.triggers import Fired, Trigger
from sinks.database.tables import deals, fills, inbox
from sinks.executor.decision import Rules
from sinks.venues.paper import Paper
from streams.cli.backtesting.asked import Settings
from streams.cli.backtesting.candles import Loaded, by_symbol
from streams.cli.backtesting.working import Done
from streams.cli.pipeline import Pipeline
from streams.cli.replaying.run import recorded_past, run_recorded
from streams.feeds.simulator import Market, simulate
from streams.feeds.ticks import Boundary
from topics.codec import decode, encode
from topics.records import Outgoing, Record
from topics.registry import Topics
from topics.spec import TopicSpec
from topics.tiers import Tiers

SYMBOLS: Final = ("BTCUSDT", "ETHUSDT")
MARKET: Final = Market(seed=11, symbols=SYMBOLS, minutes=600, gaps=0.01)
START: Final = MARKET.start_ms
MINUTE: Final = 60_000
FEED: Final[list[Boundary]] = list(simulate(MARKET))


def at(minute: int) -> int:
    return START + minute * MINUTE


def bot(name: str, minute: int = 0, revision: int = 1, **fields: Any) -> BotConfig:
    """A bot that trades a lot."""
    made = {
        "user_id": "alice", "pairs": ["BTCUSDT"], "entry": "rsi(14) < 40", "base_order_volume": "100",
        "safety_order_volume": "100", "max_safety_orders": 2, "price_deviation": "0.3",
        "take_profit": TakeProfit(percent="0.4"), **fields,
    }  # fmt: skip
    return BotConfig(bot_id=name, revision=revision, effective_from_ms=at(minute), **made)


def alert(name: str, minute: int = 0, **fields: Any) -> AlertCommand:
    """A user's alert that fires a lot."""
    made = {
        "user_id": "alice", "symbol": "BTCUSDT", "condition": "rsi(14) < 45", "frequency": "once_per_bar_close",
        **fields,
    }  # fmt: skip
    return AlertCommand(alert_id=name, effective_from_ms=at(minute), **made)


def changed(config: BotConfig, minute: int, **fields: Any) -> BotConfig:
    """The next revision of a bot."""
    return replace(config, revision=config.revision + 1, effective_from_ms=at(minute), **fields)


STAYS: Final = bot("stays")
EDITED: Final = bot("edited", pairs=["ETHUSDT"])
PAUSED: Final = bot("paused", side="short", entry="rsi(14) > 60")
AGAIN: Final = bot("again", entry="close > open")
SPREAD: Final = bot("spread", entry="rsi(14) < 35", max_active_deals=2)
CUTS: Final = (0, 150, 250, 330, 420, len(FEED))
_CONFIGS: Final = {
    0: [STAYS, EDITED, PAUSED, AGAIN, SPREAD],
    150: [changed(EDITED, 150, entry="rsi(14) < 50"), changed(PAUSED, 150, state="paused")],
    250: [changed(AGAIN, 250, state="deleted", on_delete="close")],
    330: [
        changed(changed(PAUSED, 0), 330),
        changed(STAYS, 330, user_id="mallory"),
        changed(EDITED, 330, entry="rsi("),
        changed(SPREAD, 330, pairs=["BTCUSDT", "ETHUSDT"]),
    ],
    420: [changed(changed(AGAIN, 0), 420, entry="rsi(14) < 45")],
}
_ALERTS: Final = {
    0: [alert("dip"), alert("once", frequency="once"), alert("brief", expires_at_ms=at(300))],
    150: [alert("dip", 150, condition="rsi(14) > 55"), alert("late", 150, symbol="ETHUSDT"),
          alert("dip", 150, user_id="mallory"), alert("bad", 150, condition="rsi(")],
    330: [alert("late", 330, symbol="ETHUSDT", state="deleted"), alert("dip", 330, frequency="every")],
    420: [alert("dip", 420, state="deleted"), alert("once", 420, frequency="once"),
          alert("dip", 421, user_id="mallory")],
}  # fmt: skip


def users(topics: Topics, minute: int) -> Iterator[Outgoing]:
    """What users produce after so many minutes: of their bots one is edited, one paused and resumed, one deleted and
    made again, one gets another pair, one is ended by a tombstone; and some of it nobody can read.
    """
    yield from outgoing(topics.configs, _CONFIGS.get(minute, ()))
    yield from outgoing(topics.user_alerts, _ALERTS.get(minute, ()))
    if minute == 330:
        yield Outgoing(topics.configs.name, b"stays", None, at(330))
        yield Outgoing(topics.configs.name, b"stays", b"{", at(330))
        yield Outgoing(topics.user_alerts.name, b"BTCUSDT", b"[]", at(330))


def outgoing(spec: TopicSpec, messages: Iterable[BotConfig | AlertCommand]) -> Iterator[Outgoing]:
    """Stamped with when they say that they take effect."""
    for message in messages:
        key = message.bot_id if isinstance(message, BotConfig) else message.symbol
        yield Outgoing(spec.name, key.encode(), encode(message), message.effective_from_ms or 0)


def put(pipeline: Pipeline, spec: TopicSpec, messages: Iterable[BotConfig | AlertCommand]) -> None:
    """Onto the topic; nobody takes a turn yet."""
    for one in outgoing(spec, messages):
        pipeline.bus.append(one)


def candles(feed: Iterable[Boundary] = FEED, until: int = len(FEED)) -> Loaded:
    """What `replay` reads of the kline topic."""
    klines: list[Kline] = [
        kline for boundary in feed for kline in boundary.klines if kline.open_time_ms < at(until)
    ]
    rows = [(k.symbol, k.open_time_ms, k.open, k.high, k.low, k.close, k.volume) for k in klines]
    names = ["symbol", "open_time", "open", "high", "low", "close", "volume"]
    table = pl.DataFrame(rows, schema=names, orient="row")
    held = table["symbol"].unique().to_list()
    return Loaded((), by_symbol(table, sorted(held), "1m", 5), (), table.height, 0)


def replayed(
    pipeline: Pipeline, out: Path, *, database: bool = True, loaded: Loaded | None = None, **asked: Any
) -> Done:
    """`strikeline replay` without --bots, but for the reading of klines."""
    url = pipeline.engine.url.render_as_string(hide_password=False) if database else None
    rules, klines = Rules(Paper()), pipeline.topics.klines.name
    past = recorded_past(pipeline.cluster, pipeline.topics, klines, rules, Tiers(), url)
    settings = Settings(klines=klines, bots=None, jobs=1, report=False, **asked)
    return run_recorded(settings, past, rules, loaded or candles(), out, lambda done, text: None, [])


class Happened(NamedTuple):
    """Triggers and fires by id; deals by id with their end, fills by key with price and quantity."""

    triggers: dict[str, Trigger]
    fires: dict[tuple[str, str], Fired]
    deals: dict[str, Any]
    fills: dict[Any, Any]


def recorded_by(pipeline: Pipeline) -> Happened:
    """What its topics and its database say."""
    return recorded(pipeline.engine, pipeline.topics, lambda spec: pipeline.bus.records(spec.name))


def recorded(engine: Engine, topics: Topics, records: Callable[[TopicSpec], Iterable[Record]]) -> Happened:
    """What topics and database say; of the triggers those that the executor acted on."""
    with engine.connect() as connection:
        acted = select(inbox.c.trigger_id).where(inbox.c.outcome.in_(("applied", "refused")))
        names = set(connection.scalars(acted))
        made = {
            row.deal_id: (
                row.opened_at_ms,
                row.closed_at_ms,
                row.close_reason,
                Decimal(row.profit),
                row.fills,
            )
            for row in connection.execute(select(deals))
        }
        filled = {
            (row.deal_id, row.level, row.generation): (row.at_ms, Decimal(row.price), Decimal(row.quantity))
            for row in connection.execute(select(fills))
        }
    said = [decode(record, topics.triggers) for record in records(topics.triggers)]
    triggers = [one for one in said if isinstance(one, Trigger)]
    fires = [one for r in records(topics.fired) if isinstance(one := decode(r, topics.fired), Fired)]
    return Happened(
        {one.trigger_id: one for one in triggers if one.trigger_id in names},
        {(one.symbol, one.fired_id): one for one in fires}, made, filled,
    )  # fmt: skip


def happened(done: Done) -> Happened:
    """The same of a replay."""
    every = [deal for result in done.results for deal in result.deals]
    return Happened(
        {one.trigger_id: one for result in done.results for one in result.triggers},
        {(one.symbol, one.fired_id): one for one in done.fires},
        {
            one.deal_id: (one.opened_at_ms, one.closed_at_ms, one.close_reason, one.profit, one.fills)
            for one in every
        },
        {
            (one.deal_id, one.level, one.generation): (one.at_ms, one.price, one.quantity)
            for result in done.results
            for one in result.fills
        },
    )  # fmt: skip
