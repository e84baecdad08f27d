"""The executor: many records in one database transaction, each applied exactly once (law 11).

    1. lock the partition's epoch, or abort: another executor owns it
    2. drop records that were applied before
    3. load the bots they are about, decide record by record
    4. write bots, deals, fills, ledger, inbox, outbox and offsets; commit

The result does not depend on where one batch ends and the next begins. A record is applied when its
transaction has committed: after a lost connection `apply` is simply called again, and reads the offsets
before it judges.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from msgspec.structs import replace
from sqlalchemy import Connection, Engine

from schemas.bots import BotConfig
from schemas.orders import OrderReport
from schemas.triggers import StaleCommand, Trigger
from sinks.capital.store import Balances, load_purses, save_purses, seed
from sinks.database.dialect import Row, add
from sinks.database.loading import (
    bots_with_groups,
    count_bots,
    known_triggers,
    load_bots,
    newest_event_ms,
)
from sinks.database.saving import save_books, save_bots
from sinks.database.tables import inbox
from sinks.executor import outbox, owned
from sinks.executor.arming import rearm
from sinks.executor.decide import Known, decide_all
from sinks.executor.decision import Decision, Rules, event_time_ms
from sinks.executor.draft import Draft
from sinks.executor.edge import Incoming, read, storable
from sinks.executor.owned import Claim, Source
from sinks.executor.retention import Pruning, newest_close_ms
from sinks.executor.state import Bot
from sinks.orders.intent import Intent
from sinks.orders.settled import settle_venue
from sinks.orders.store import load_intents, save_intents
from topics.failpoints import failpoint
from topics.records import Record
from topics.registry import Topics
from topics.spec import TopicSpec


class Applied(NamedTuple):
    """What one transaction did: the next offset by topic, and how many records had which outcome."""

    next_offsets: Mapping[str, int]
    outcomes: Mapping[str, int]


class Executor:
    """Applies configs and triggers to the database behind `engine`. Synchronous; one thread at a time per
    partition.
    """

    def __init__(
        self,
        engine: Engine,
        topics: Topics,
        rules: Rules,
        owner: str = "executor",
        keep_ms: int | None = None,
    ) -> None:
        self._pruning = Pruning(keep_ms)
        self.engine = engine
        self.topics = topics
        self._rules = rules
        self._owner = owner
        read = (topics.configs, topics.triggers, *([topics.orders] if rules.venue.live else []))
        self._specs: dict[str, TopicSpec] = {spec.name: spec for spec in read}

    @property
    def sources(self) -> tuple[str, ...]:
        """Names of the topics it reads; partition n of each belongs to the owner of partition n."""
        return tuple(self._specs)

    def compacted(self, topic: str) -> bool:
        """May offsets of `topic` be missing though nothing was lost?"""
        return self._specs[topic].cleanup == "compact"

    def begin(self, balances: Balances | None = None) -> None:
        """Make sure that the database is this deployment's. `balances`: what users begin with; None: as it stands."""
        with self.engine.begin() as connection:
            owned.settle_deployment(connection, self.topics)
            settle_venue(connection, self._rules.venue.name)
            if balances is not None:
                seed(connection, balances)

    def claim(self, partition: int, sources: Iterable[Source], *, accept_lost: bool = False) -> Claim:
        """Take a partition at assignment; where its offsets are, reading begins."""
        with self.engine.begin() as connection:
            claimed = owned.claim(connection, partition, self._owner, sources, accept_lost=accept_lost)
            failpoint("executor.claimed")
            if claimed.lost:
                self._rearm_all(connection, partition)
        failpoint("executor.claim_committed")
        return claimed

    def apply(self, claim: Claim, records: Sequence[Record]) -> Applied:
        """Apply records of the claimed partition in the order given. Raises Fenced; then nothing was kept."""
        with self.engine.begin() as connection:
            owned.check_epoch(connection, claim.partition, claim.epoch)
            failpoint("executor.epoch_checked")
            starts = owned.load_offsets(connection, claim.partition)
            fresh = _fresh(records, starts)
            applied, newest_ms = self._apply(connection, claim, fresh)
            failpoint("executor.offsets_saved")
            pruned = self._pruning.run(connection, claim.partition, newest_ms)
            failpoint("executor.pruned")
        failpoint("executor.committed")
        self._pruning.done(claim.partition, pruned)
        return Applied({**starts, **applied.next_offsets}, applied.outcomes)

    def rearm_all(self, claim: Claim) -> int:
        """Arm every armed group of the partition anew, under new generations. Returns how many there are."""
        with self.engine.begin() as connection:
            owned.check_epoch(connection, claim.partition, claim.epoch)
            return self._rearm_all(connection, claim.partition)

    def _apply(self, connection: Connection, claim: Claim, fresh: list[Record]) -> tuple[Applied, int]:
        incoming = [read(record, self._specs[record.topic]) for record in fresh]
        before, known = _load(connection, incoming)
        if self._rules.venue.live:  # whose balances are the venue's
            before = _with_intents(connection, before, incoming)
        else:
            known = known._replace(purses=load_purses(connection, _trading(before, incoming)))
        failpoint("executor.loaded")
        after, decisions, purses = decide_all(incoming, before, known, self._rules)
        failpoint("executor.decided")
        accepted = [(d.noted.bot_id or "", d.accepted) for d in decisions if d.accepted is not None]
        save_bots(connection, before, after, accepted)
        failpoint("executor.bots_saved")
        save_books(
            connection,
            [fill for decision in decisions for fill in decision.fills],
            [entry for decision in decisions for entry in decision.ledger],
        )
        failpoint("executor.books_saved")
        save_purses(connection, known.purses, purses)
        for bot_id, bot in after.items():
            save_intents(connection, before[bot_id].intents if bot_id in before else {}, bot.intents)
        add(connection, inbox, [_inbox_row(claim, *pair) for pair in zip(fresh, decisions, strict=True)])
        failpoint("executor.inbox_saved")
        told = [outbox.outgoing(*pair, self.topics) for pair in zip(decisions, fresh, strict=True)]
        outbox.store(connection, claim.partition, [message for messages in told for message in messages])
        failpoint("executor.outbox_saved")
        nexts = {record.topic: record.offset + 1 for record in fresh}
        owned.save_offsets(connection, claim.partition, claim.topic_ids, nexts)
        outcomes: dict[str, int] = {}
        for decision in decisions:
            outcomes[decision.noted.outcome] = outcomes.get(decision.noted.outcome, 0) + 1
        return Applied(nexts, outcomes), newest_close_ms(incoming, decisions)

    def _rearm_all(self, connection: Connection, partition: int) -> int:
        at_ms = newest_event_ms(connection, partition)
        before = load_bots(connection, bots_with_groups(connection, partition))
        drafts = {bot_id: Draft(bot, at_ms, self._rules.base_interval) for bot_id, bot in before.items()}
        for bot_id, draft in sorted(drafts.items()):
            for group_id in sorted(id_ for id_, group in before[bot_id].groups.items() if group.armed):
                rearm(draft, group_id)
        save_bots(connection, before, {bot_id: draft.bot for bot_id, draft in drafts.items()}, ())
        told = [told for _, draft in sorted(drafts.items()) for told in draft.told]
        outbox.store(connection, partition, [outbox.message(item, self.topics) for item in told])
        return len(told)


def _fresh(records: Sequence[Record], next_offsets: Mapping[str, int]) -> list[Record]:
    """Those that were not applied yet; a redelivery inside the batch counts once."""
    nexts = dict(next_offsets)
    fresh: list[Record] = []
    for record in records:
        if record.offset >= nexts.get(record.topic, 0):
            fresh.append(record)
            nexts[record.topic] = record.offset + 1
    return fresh


def _load(connection: Connection, incoming: list[Incoming]) -> tuple[dict[str, Bot], Known]:
    messages = [item.message for item in incoming if item.message is not None]
    answers = [message for message in messages if isinstance(message, Trigger | StaleCommand)]
    bots = load_bots(
        connection,
        {item.bot_id for item in incoming if item.bot_id is not None},
        {answer.group_id for answer in answers},
    )
    configs = [message for message in messages if isinstance(message, BotConfig)]
    new_users = {config.user_id for config in configs if config.bot_id not in bots}
    ids = {answer.trigger_id for answer in answers if isinstance(answer, Trigger)}
    ids |= {message.report_id for message in messages if isinstance(message, OrderReport)}
    known = known_triggers(connection, ids)
    return bots, Known(known, count_bots(connection, new_users))


def _trading(bots: Mapping[str, Bot], incoming: list[Incoming]) -> set[str]:
    """The users whose bots are asked to trade."""
    asked = {item.bot_id for item in incoming if isinstance(item.message, Trigger)}
    return {bot.user_id for bot_id, bot in bots.items() if bot_id in asked}


def _with_intents(
    connection: Connection, bots: Mapping[str, Bot], incoming: list[Incoming]
) -> dict[str, Bot]:
    """The bots with their open orders, and those that a report names."""
    named = {item.message.client_id for item in incoming if isinstance(item.message, OrderReport)}
    found: dict[str, dict[str, Intent]] = {}
    for intent in load_intents(connection, bots, named):
        found.setdefault(intent.bot_id, {})[intent.client_id] = intent
    return {bot_id: replace(bot, intents=found.get(bot_id, {})) for bot_id, bot in bots.items()}


def _inbox_row(claim: Claim, record: Record, decision: Decision) -> Row:
    noted = decision.noted
    return {
        "topic": record.topic,
        "topic_id": claim.topic_ids[record.topic],
        "partition": record.partition,
        "source_offset": record.offset,
        "timestamp_ms": event_time_ms(record),
        **noted._asdict(),
        "reason": storable(noted.reason),
    }
