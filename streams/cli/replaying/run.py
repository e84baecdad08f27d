"""A replay of what users really produced: their bots and alerts as they stood at each moment, over a topic's klines."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from msgspec import structs

from schemas.bots import BotConfig
from sinks.executor.decision import Rules, event_time_ms
from streams.cli.backtesting.asked import Settings, begin_of, check_times
from streams.cli.backtesting.candles import Loaded
from streams.cli.backtesting.pool import Work
from streams.cli.backtesting.working import Done, Recorded, run_work
from streams.cli.cluster import Cluster
from streams.cli.errors import Invalid
from streams.cli.replaying.alerts import Scripts, recorded_alerts
from streams.cli.replaying.configs import Change, Life, Lives, recorded_bots
from streams.cli.replaying.fires import fires_over
from streams.cli.replaying.remarks import about_alerts, about_bots
from streams.cli.replaying.window import fires_within
from topics.partitioner import partition_for
from topics.registry import Topics
from topics.tiers import Tiers

Tell = Callable[[float, str], None]


@dataclass(frozen=True)
class Past:
    """What the topics recorded. `lost`: symbols whose klines' beginning is gone; `alerts_lost`: whether that of the
    alerts' topic is.
    """

    bots: Lives
    alerts: Scripts
    lost: Callable[[str], bool]
    alerts_lost: bool

    @property
    def symbols(self) -> list[str]:
        """Of all bots and alerts."""
        of_bots = {symbol for life in self.bots.lives for symbol in life.symbols}
        return sorted(of_bots.union(self.alerts.by_symbol))

    @property
    def unreadable(self) -> int:
        """Records of either topic that were dead-lettered then and are left out now."""
        return self.bots.unreadable + len(self.alerts.refused)


def recorded_past(
    cluster: Cluster, topics: Topics, klines: str, rules: Rules, tiers: Tiers, database: str | None
) -> Past:
    """All that users produced, and what executor and evaluator took of it; `klines`: the topic that is replayed. Raises
    Invalid, Unreachable.
    """
    bots = recorded_bots(cluster, topics, rules, database)
    alerts = recorded_alerts(cluster, topics, tiers)
    if not bots.lives and not alerts.by_symbol:
        why = "".join(f"\n{line}" for line in [*bots.refused, *alerts.refused][:10])
        raise Invalid(
            f"nothing to replay: {topics.configs.name} has no bot that was accepted, {topics.user_alerts.name} no "
            f"alert; --bots FILE replays the bots of a file{why}"
        )
    begun = cluster.bounds(klines)
    alerts_lost = any(one.begin for one in cluster.bounds(topics.user_alerts.name).values())

    def lost(symbol: str) -> bool:
        return begun[partition_for(symbol.encode(), len(begun))].begin > 0

    return Past(bots, alerts, lost, alerts_lost)


def run_recorded(
    settings: Settings, past: Past, rules: Rules, loaded: Loaded, out: Path, tell: Tell, notes: list[str]
) -> Done:
    """Replay and write. Raises Invalid where the times make no sense. `notes` come before all others."""
    check_times(settings)
    from_ms = begin_of(settings, loaded)
    lives = [told for life in past.bots.lives if (told := _until(life, loaded)) is not None]
    work = Work(
        [_bot(life) for life in lives], rules.instruments, settings.interval, rules.tiers,
        {life.bot_id: life.changes for life in lives if len(life.changes) > 1},
    )  # fmt: skip
    tell(0, "users' alerts")
    fires = fires_within(fires_over(past.alerts, loaded.candles), from_ms)
    notes = [
        *notes,
        *about_bots(past.bots, lives, loaded, past.lost),
        *about_alerts(past.alerts, loaded, past.lost, topic_lost=past.alerts_lost),
    ]
    since = min((_effective_ms(life.changes[0]) for life in lives), default=from_ms)
    recorded = Recorded(fires, _summary(lives, past.alerts, fires), max(since, loaded.first_ms))
    loaded = replace(loaded, undecodable=loaded.undecodable + past.unreadable)
    return run_work(settings, work, loaded, out, tell, notes, recorded)


def _matters(change: Change, end_ms: int) -> bool:
    """One that comes with the last candle may still be about bars before."""
    return change.at_ms < end_ms or (change.at_ms == end_ms and _effective_ms(change) < end_ms)


def _until(life: Life, loaded: Loaded) -> Life | None:
    """The bot with what came before the candles end, None where that is nothing or there are no candles of it."""
    changes = tuple(change for change in life.changes if _matters(change, loaded.end_ms))
    if not changes:
        return None
    life = life.of(changes)
    return life if any(symbol in loaded.candles for symbol in life.symbols) else None


def _bot(life: Life) -> BotConfig:
    """Its newest config; where that is its only one, with the instant from which on it is in force."""
    return structs.replace(life.config, effective_from_ms=_effective_ms(life.changes[0]))


def _effective_ms(change: Change) -> int:
    config = change.incoming.message
    if isinstance(config, BotConfig) and config.effective_from_ms is not None:
        return config.effective_from_ms
    return event_time_ms(change.incoming.record)


def _summary(lives: list[Life], alerts: Scripts, fires: list[Any]) -> Mapping[str, Any]:
    counts: dict[tuple[str, str], int] = {}
    for fired in fires:
        counts[fired.symbol, fired.alert_id] = counts.get((fired.symbol, fired.alert_id), 0) + 1
    return {
        "configs": [
            {"bot_id": life.bot_id, "configs": len(life.changes), "first_revision": life.first_revision}
            for life in lives
        ],
        "alerts": [
            {"alert_id": name, "symbol": symbol, "user_id": user, "fires": counts.get((symbol, name), 0)}
            for symbol, name, user in sorted(set(_names(alerts)))
        ],
    }


def _names(alerts: Scripts) -> Iterator[tuple[str, str, str]]:
    for (symbol, name, _), command in alerts.commands.items():
        yield symbol, name, command.user_id
