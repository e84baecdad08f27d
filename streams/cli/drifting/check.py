"""Both statements on the topics and the database that are there, and what could not be checked."""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from sqlalchemy import select

from schemas.alerts import GroupCommand
from schemas.message import Message
from schemas.triggers import Trigger
from sinks.database.tables import deals, fills, inbox
from sinks.executor.decision import Rules
from streams.cli.cluster import Cluster
from streams.cli.database import query
from streams.cli.drifting.compare import Difference, fires_differ, rows_differ, triggers_differ
from streams.cli.drifting.evaluator import Evaluator, scripts_of
from streams.cli.drifting.executor import Executor
from streams.cli.drifting.fires import comparable
from streams.cli.drifting.scripts import Script
from streams.cli.reading import decoded, everything
from streams.cli.replaying.alerts import recorded_alerts
from streams.cli.replaying.configs import place_of
from topics.partitioner import partition_for
from topics.records import Record
from topics.registry import Topics
from topics.spec import TopicSpec
from topics.tiers import Tiers

Tell = Callable[[str], None]
_DEAL = ("state", "closed_at_ms", "close_reason", "fills", "ambiguous_bars")
_FILL = ("position", "trigger_id", "at_ms", "side", "price", "quantity", "quote", "fee")


class Window(NamedTuple):
    """Event times from which to which the outcomes are compared; everything before is replayed too."""

    from_ms: int
    to_ms: int

    def has(self, time_ms: int) -> bool:
        return self.from_ms < time_ms <= self.to_ms


class Checked(NamedTuple):
    """`compared` counts what was held against each other, by kind; `unchecked`: what could not be, and why."""

    differences: list[Difference]
    compared: Mapping[str, int]
    unchecked: list[str]


def evaluator(
    cluster: Cluster, topics: Topics, window: Window, fill_up_to: int, tiers: Tiers = Tiers()  # noqa: B008 (frozen)
) -> Checked:  # fmt: skip
    """Recorded triggers and fired alerts against those of the same klines and commands."""
    recorded = {
        trigger.trigger_id: trigger
        for _, trigger in _messages(cluster, topics.triggers)
        if isinstance(trigger, Trigger)
    }
    commands = [
        (record.timestamp_ms, message)
        for record, message in _messages(cluster, topics.alerts)
        if isinstance(message, GroupCommand)
    ]
    scripts, alerts = scripts_of(commands, recorded.values()), recorded_alerts(cluster, topics, tiers)
    replay = Evaluator(topics.klines, scripts, fill_up_to, alerts)
    replay.feed(
        record for record in everything(cluster, topics.klines.name) if record.timestamp_ms <= window.to_ms
    )
    of_triggers = _triggers(recorded, replay.triggers, scripts, window, topics)
    of_fires = comparable(alerts, replay.fired, window.has, _cut(cluster, topics, replay.first_ms))
    return Checked(
        [*of_triggers.differences, *fires_differ(of_fires.recorded, of_fires.replayed)],
        {**of_triggers.compared, "fired alerts": len(of_fires.recorded)},
        [*of_triggers.unchecked, *of_fires.unchecked],
    )


def _triggers(
    recorded: Mapping[str, Trigger],
    replayed: Mapping[str, Trigger],
    scripts: Mapping[str, list[Script]],
    window: Window,
    topics: Topics,
) -> Checked:
    begun = {s.group_id: s.first_generation for of_symbol in scripts.values() for s in of_symbol}
    passed = {key for of_symbol in scripts.values() for script in of_symbol for key in script.superseded()}

    def known(trigger: Trigger) -> bool:
        first = begun.get(trigger.group_id)
        return first is not None and first <= trigger.generation

    def compared(triggers: Mapping[str, Trigger]) -> dict[str, Trigger]:
        return {
            name: trigger
            for name, trigger in triggers.items()
            if window.has(trigger.bar.close_time_ms)
            and known(trigger)
            and (trigger.group_id, trigger.generation) not in passed
        }

    was = compared(recorded)
    orphans = sum(1 for one in recorded.values() if window.has(one.bar.close_time_ms) and not known(one))
    unchecked = (
        [f"{orphans:,} triggers: {topics.alerts.name} has not the command any more that armed their group"]
        if orphans
        else []
    )
    return Checked(triggers_differ(was, compared(replayed)), {"triggers": len(was)}, unchecked)


def _cut(cluster: Cluster, topics: Topics, first_ms: Mapping[str, int]) -> dict[str, int]:
    """When the first bar opened that the topic still has, of symbols on partitions that have lost their beginning."""
    begun = cluster.bounds(topics.klines.name)
    return {
        symbol: opened
        for symbol, opened in first_ms.items()
        if begun[partition_for(symbol.encode(), len(begun))].begin
    }


def executor(cluster: Cluster, topics: Topics, database: str, window: Window, rules: Rules) -> Checked:
    """Recorded deals and fills against those of the same configs and triggers. Raises Unreachable."""
    specs = {spec.name: spec for spec in (topics.configs, topics.triggers)}
    columns = (inbox.c.topic, inbox.c.partition, inbox.c.source_offset, inbox.c.bot_id,
               inbox.c.kind, inbox.c.config_seq, inbox.c.outcome)  # fmt: skip
    rows = query(database, select(*columns).order_by(inbox.c.partition, inbox.c.id))
    records = {place_of(record): record for name in specs for record in everything(cluster, name)}
    gone = {row[3] for row in rows if tuple(row[:3]) not in records}
    replay = Executor(rules, specs)
    replay.apply(records[place] for row in rows if (place := tuple(row[:3])) in records)
    owners = {row[0]: row[1] for row in query(database, select(deals.c.deal_id, deals.c.bot_id))}
    # Retention takes inbox rows: without a bot's first config nobody can tell what its triggers did.
    begun = {row[3] for row in rows if tuple(row[4:]) == ("config", 1, "accepted")}
    pruned = {*owners.values(), *map(replay.bot_of, replay.deals)} - begun
    left_out = gone | pruned
    names = [deals.c[name] for name in _DEAL]
    was_deals = {
        row[0]: dict(zip(_DEAL, row[2:], strict=True))
        for row in query(database, select(deals.c.deal_id, deals.c.opened_at_ms, *names))
        if window.has(row[1]) and owners[row[0]] not in left_out
    }
    names = [fills.c[name] for name in _FILL]
    was_fills = {
        row[:3]: dict(zip(_FILL, row[3:], strict=True))
        for row in query(database, select(fills.c.deal_id, fills.c.level, fills.c.generation, *names))
        if row[0] in was_deals
    }
    now_deals = {name: row for name, row in replay.deals.items() if window.has(replay.opened_ms(name))}
    now_deals = {name: row for name, row in now_deals.items() if replay.bot_of(name) not in left_out}
    now_fills = {key: row for key, row in replay.fills.items() if key[0] in now_deals}
    differences = rows_differ("deal", was_deals, now_deals) + rows_differ("fill", was_fills, now_fills)
    unchecked = [
        f"bot {bot_id}: records that made it are gone from the topics"
        for bot_id in sorted(filter(None, gone))
    ]
    unchecked += [
        f"bot {bot_id}: the inbox does not reach back to its first config" for bot_id in sorted(pruned - gone)
    ]
    return Checked(differences, {"deals": len(was_deals), "fills": len(was_fills)}, unchecked)


def _messages(cluster: Cluster, spec: TopicSpec) -> Iterator[tuple[Record, Message]]:
    for record in everything(cluster, spec.name):
        told = decoded(record, spec)
        if told is not None:
            yield told.record, told.message
