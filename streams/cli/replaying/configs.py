"""Bots as their users made them: every config that the topic still holds, each at its moment.

A config comes when its record's event time has passed, or when it says it takes effect if that is earlier. Where the
executor's database is there, its inbox knows better: a config comes right behind the last trigger that was answered
before it, so that replies and edits are in the order in which they were really decided.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from msgspec import structs
from sqlalchemy import select

from schemas.bots import BotConfig, Intrabar
from sinks.database.tables import inbox
from sinks.executor.decide import Known
from sinks.executor.decision import Decision, Rules, event_time_ms
from sinks.executor.edge import Incoming, read
from streams.cli.cluster import Cluster
from streams.cli.database import query
from streams.cli.reading import everything
from topics.records import Record
from topics.registry import Topics

Place = tuple[str, int, int]
"""Topic, partition, offset."""


class Change(NamedTuple):
    """A config or a tombstone, told when event time is past `at_ms`."""

    at_ms: int
    incoming: Incoming


class Life(NamedTuple):
    """A bot's accepted configs in order, at least one, and the newest of them that is no deletion. `first_revision`:
    what the topic knows first; more than 1 where earlier ones have been compacted away.
    """

    config: BotConfig
    changes: tuple[Change, ...]
    first_revision: int

    @property
    def bot_id(self) -> str:
        return self.config.bot_id

    def of(self, changes: tuple[Change, ...]) -> "Life":
        """The same with some of its changes."""
        return Life(_newest(changes), changes, self.first_revision)

    @property
    def symbols(self) -> list[str]:
        """Of all its configs."""
        return symbols_of(self.changes)


class Lives(NamedTuple):
    """`refused`: what the executor refused, with the reason; `unreadable`: how many of these nobody can read;
    `unplaced`: bots of which the inbox does not tell in which order configs and triggers were decided.
    """

    lives: list[Life]
    refused: list[str]
    unreadable: int
    unplaced: frozenset[str]


def place_of(record: Record) -> Place:
    return record.topic, record.partition, record.offset


def symbols_of(changes: Iterable[Change]) -> list[str]:
    """The pairs of all configs."""
    configs = (change.incoming.message for change in changes)
    return sorted({pair for config in configs if isinstance(config, BotConfig) for pair in config.pairs})


def all_intrabar(changes: Iterable[Change], policy: Intrabar) -> list[Change]:
    """The same configs, each along bars as `policy` says."""
    return [
        change._replace(incoming=change.incoming._replace(message=structs.replace(config, intrabar=policy)))
        if isinstance(config := change.incoming.message, BotConfig)
        else change
        for change in changes
    ]


def recorded_bots(cluster: Cluster, topics: Topics, rules: Rules, database: str | None) -> Lives:
    """All bots of the configs topic, in order of their names. Raises Unreachable."""
    incoming = [read(record, topics.configs) for record in everything(cluster, topics.configs.name)]
    incoming.sort(key=lambda one: place_of(one.record))
    places = {} if database is None else _from_inbox(database, topics)
    moments = moments_of(incoming, places)
    kept: dict[str, list[Change]] = {}
    refused = []
    for change, decision in _decided(moments, rules):
        if decision.noted.outcome == "accepted":
            kept.setdefault(change.incoming.bot_id or "", []).append(change)
        elif decision.noted.outcome != "repeated":
            who = f" ({one})" if (one := change.incoming.bot_id) else ""
            refused.append(f"{change.incoming.record.address}{who}: {decision.noted.reason}")
    lives = [_life(changes) for _, changes in sorted(kept.items())]
    unplaced = {bot_id for one in incoming if (bot_id := one.bot_id) and place_of(one.record) not in places}
    unreadable = sum(one.refused is not None for one in incoming)
    return Lives(lives, refused, unreadable, frozenset(unplaced))


def moments_of(incoming: Iterable[Incoming], places: Mapping[Place, int]) -> list[Change]:
    """Each record at its moment, never before the one of the same bot that stands before it; in order of moments."""
    newest: dict[str | None, int] = {}
    found = []
    for one in incoming:
        at_ms = places.get(place_of(one.record), _own_moment(one))
        newest[one.bot_id] = at_ms = max(at_ms, newest.get(one.bot_id, -1))
        found.append(Change(at_ms, one))
    return sorted(found, key=lambda change: (change.at_ms, place_of(change.incoming.record)))


def _own_moment(incoming: Incoming) -> int:
    at_ms = event_time_ms(incoming.record)
    config = incoming.message
    if isinstance(config, BotConfig) and config.effective_from_ms is not None:
        return min(at_ms, config.effective_from_ms)
    return at_ms


def _decided(changes: Iterable[Change], rules: Rules) -> Iterator[tuple[Change, Decision]]:
    """Whether the executor took a config depends on configs alone: on its bot's, and on how many bots its user has."""
    from streams.cli.backtesting.desk import Desk

    desk = Desk(rules)
    bots_of: dict[str, int] = {}
    for change in changes:
        is_new = change.incoming.bot_id not in desk.bots
        decision = desk.apply(change.incoming, Known(set(), bots_of))
        if is_new and decision.bot is not None:
            bots_of[decision.bot.user_id] = bots_of.get(decision.bot.user_id, 0) + 1
        yield change, decision


def _life(changes: list[Change]) -> Life:
    first = changes[0].incoming.message
    revision = first.revision if isinstance(first, BotConfig) else 0
    return Life(_newest(changes), tuple(changes), revision)


def _newest(changes: Sequence[Change]) -> BotConfig:
    """Of those that are no deletion: the first one is none, for there was no bot to delete."""
    configs = (change.incoming.message for change in reversed(changes))
    return next(one for one in configs if isinstance(one, BotConfig) and one.state != "deleted")


def _from_inbox(database: str, topics: Topics) -> dict[Place, int]:
    """By the place of a config's record: the close of the last bar whose trigger its bot had answered before, -1 where
    there was none. Configs of which that is not known are not there.
    """
    columns = (inbox.c.id, inbox.c.topic, inbox.c.partition, inbox.c.source_offset, inbox.c.bot_id, inbox.c.kind,
               inbox.c.outcome, inbox.c.timestamp_ms)  # fmt: skip
    rows = query(database, select(*columns).order_by(inbox.c.partition, inbox.c.id))
    # What is over for long is taken out of the inbox, so that there none may mean that it is not there any more.
    whole = min((row[0] for row in rows), default=1) == 1
    answered: dict[str, int] = {}
    found: dict[Place, int] = {}
    for _, topic, partition, offset, bot_id, kind, outcome, time_ms in rows:
        if topic == topics.configs.name:
            if whole or bot_id in answered:
                found[topic, partition, offset] = answered.get(bot_id, -1)
        elif kind == "trigger" and outcome in {"applied", "refused"}:
            answered[bot_id] = max(time_ms, answered.get(bot_id, -1))
    return found
