"""One look at a running pipeline: what the live view shows and by which its end is seen."""

from dataclasses import dataclass

from sqlalchemy import select

from schemas.market import Kline
from schemas.triggers import Trigger
from sinks.database.tables import deals, groups
from streams.cli.cluster import Cluster
from streams.cli.database import query
from streams.cli.health import readers
from streams.cli.reading import decoded, last_records
from topics.registry import Topics


@dataclass(frozen=True)
class Glance:
    """`lag` counts records by topic; `held` groups fired and await the executor's answer."""

    candles: dict[str, Kline]
    lag: dict[str, int]
    armed: int
    held: int
    deals: list[tuple[str, str, str, int, str]]
    """Of each deal: bot, symbol, state, safety orders filled, profit."""
    last_triggers: list[Trigger]
    triggers: int
    written: tuple[int, ...]
    """Ends of the topics by which evaluator and executor answer each other."""

    @property
    def now_ms(self) -> int | None:
        """Event time of the newest candle."""
        return max((kline.close_time_ms for kline in self.candles.values()), default=None)

    @property
    def idle(self) -> bool:
        """Nothing is left to be processed, as far as can be seen from outside."""
        return not any(self.lag.values())


def glance(cluster: Cluster, topics: Topics, database: str) -> Glance:
    """Look at topics and database now."""
    found = query(
        database,
        select(
            deals.c.bot_id, deals.c.symbol, deals.c.state, deals.c.safety_orders_filled, deals.c.profit
        ).order_by(deals.c.opened_at_ms, deals.c.deal_id),
    )
    armed = query(database, select(groups.c.group_id).where(groups.c.state == "armed"))
    lag = {reader.topic: reader.lag for reader in readers(cluster, topics, database)}
    told = (decoded(record, topics.triggers) for record in last_records(cluster, topics.triggers.name, 6))
    last = [t.message for t in told if t is not None and isinstance(t.message, Trigger)]
    answering = (topics.alerts, topics.triggers, topics.events, topics.positions)
    written = tuple(sum(b.end for b in cluster.bounds(spec.name).values()) for spec in answering)
    return Glance(
        candles=_candles(cluster, topics),
        lag=lag,
        armed=len(armed),
        held=lag[topics.triggers.name],
        deals=[(str(b), str(s), str(state), int(n), str(p)) for b, s, state, n, p in found],
        last_triggers=last,
        triggers=sum(b.end for b in cluster.bounds(topics.triggers.name).values()),
        written=written,
    )


def _candles(cluster: Cluster, topics: Topics) -> dict[str, Kline]:
    """The newest candle of each symbol near the end of the kline topic."""
    newest: dict[str, Kline] = {}
    for record in last_records(cluster, topics.klines.name, 60):
        told = decoded(record, topics.klines)
        if told is not None and isinstance(told.message, Kline):
            newest[told.message.symbol] = told.message
    return dict(sorted(newest.items()))
