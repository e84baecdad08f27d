"""What is over is taken out, by event time, a little at a time; what may still matter stays."""

import pytest
from msgspec.structs import replace
from pydantic import ValidationError
from sqlalchemy import Engine, func, select

from schemas.alerts import GroupCommand
from schemas.bots import BotConfig
from schemas.triggers import Trigger
from sinks.config import ExecutorSettings
from sinks.database.pruning import prune
from sinks.database.tables import bots, configs, deals, groups, inbox, pairs
from sinks.executor.core import Executor
from sinks.executor.owned import Claim, Source
from sinks.executor.relay import Relay
from tests.sinks.bots import MINUTE, T0, TOPICS, bar, config_out, fire, golden, record_of
from tests.sinks.loop import RULES
from topics.codec import decode, encode
from topics.partitioner import partition_for
from topics.records import Outgoing, Record

HOUR = 60 * MINUTE
HOME = partition_for(b"dip", TOPICS.partitions)


class Desk:
    """An executor of one partition that keeps what is over for two hours."""

    def __init__(self, engine: Engine, keep_ms: int | None = 2 * HOUR) -> None:
        self.engine = engine
        self.executor = Executor(engine, TOPICS, RULES, keep_ms=keep_ms)
        sources = [Source(name, name, 0, 10**6) for name in self.executor.sources]
        self.claim: Claim = self.executor.claim(HOME, sources)
        self._offsets = dict.fromkeys(self.executor.sources, 0)

    def give(self, message: BotConfig | Trigger) -> str:
        """Apply one record; its outcome."""
        if isinstance(message, BotConfig):
            out = config_out(message, at_ms=message.effective_from_ms or 0)
        else:
            out = Outgoing(TOPICS.triggers.name, b"dip", encode(message), message.bar.close_time_ms)
        (outcome,) = self.executor.apply(self.claim, [self._record(out)]).outcomes
        return outcome

    def armed(self) -> GroupCommand:
        """The newest command that arms anything."""
        told = [row.message for row in Relay(self.engine, self.claim).waiting()]
        commands = [self._command(out) for out in told if out.topic == TOPICS.alerts.name]
        return [command for command in commands if command.op == "arm"][-1]

    def deal(self, number: int) -> Trigger:
        """Open a deal on bar `number` and close it on the next one; its entry's trigger."""
        entry = fire(self.armed(), bar(number, 100.0), "execute_entry")
        assert self.give(entry) == "applied"
        assert self.give(fire(self.armed(), bar(number + 1, 103.0), "take_profit")) == "applied"
        return entry

    def count(self, table) -> int:
        with self.engine.connect() as connection:
            return connection.scalar(select(func.count()).select_from(table)) or 0

    def _record(self, out: Outgoing) -> Record:
        offset = self._offsets[out.topic]
        self._offsets[out.topic] = offset + 1
        return record_of(out, offset)

    def _command(self, out: Outgoing) -> GroupCommand:
        message = decode(Record(out.topic, 0, 0, 0, out.key, out.value), TOPICS.alerts)
        assert isinstance(message, GroupCommand)
        return message


def test_the_inbox_forgets_what_is_older_than_it_keeps(engine: Engine) -> None:
    desk = Desk(engine)
    desk.give(golden())
    desk.deal(1)
    assert desk.count(inbox) == 3
    desk.deal(200)  # pruned with the first of these, then not before another hour has passed
    assert desk.count(inbox) == 2
    with engine.connect() as connection:
        assert connection.scalar(select(func.min(inbox.c.timestamp_ms))) == T0 + 201 * MINUTE


def test_a_trigger_that_comes_again_after_its_row_is_gone_is_still_not_applied(engine: Engine) -> None:
    desk = Desk(engine)
    desk.give(golden())
    first = desk.deal(1)
    desk.deal(200)
    assert desk.give(first) == "ignored"
    assert desk.count(deals) == 2


def test_groups_of_deals_long_closed_go_and_deals_and_generations_stay(engine: Engine) -> None:
    desk = Desk(engine)
    desk.give(golden())
    desk.deal(1)
    with engine.connect() as connection:
        (before,) = connection.scalars(select(pairs.c.generation)).all()
    assert desk.count(groups) == 2
    desk.deal(200)
    assert (desk.count(groups), desk.count(deals)) == (2, 2)
    with engine.connect() as connection:
        assert connection.scalars(select(pairs.c.generation)).one() > before


def test_superseded_configs_go_but_not_those_a_deal_was_opened_under(engine: Engine) -> None:
    desk = Desk(engine)
    desk.give(golden())
    desk.deal(1)
    for number in (10, 20, 30):
        edit = golden(base_order_volume=str(20 + number), effective_from_ms=T0 + number * MINUTE)
        desk.give(edit)
    desk.deal(200)
    desk.give(golden(base_order_volume="99", effective_from_ms=T0 + 210 * MINUTE))
    desk.deal(400)
    desk.deal(600)
    with engine.connect() as connection:
        left = connection.execute(select(configs.c.seq, configs.c.live).order_by(configs.c.seq)).all()
    assert [tuple(row) for row in left] == [(1, 0), (4, 1), (5, 1)]


def test_an_open_deal_keeps_its_group_though_nothing_is_armed_in_it(engine: Engine) -> None:
    desk = Desk(engine)
    desk.give(golden(pairs=["BTCUSDT"], take_profit=None, stop_loss=None, max_safety_orders=0))
    assert desk.give(fire(desk.armed(), bar(1, 100.0))) == "applied"
    with engine.begin() as connection:
        prune(connection, HOME, T0 + 10**9, 100)
    assert desk.count(groups) == 2
    gone = BotConfig(
        bot_id="dip", user_id="alice", state="deleted", on_delete="close", effective_from_ms=T0 + HOUR
    )
    assert desk.give(gone) == "accepted"


def test_only_so_many_rows_a_transaction_and_the_rest_in_the_next(engine: Engine) -> None:
    desk = Desk(engine, keep_ms=None)
    desk.give(golden())
    for number in range(1, 9, 2):
        desk.deal(number)
    left = []
    for _ in range(4):
        with engine.begin() as connection:
            more = prune(connection, HOME, T0 + HOUR, 4)
        left.append((desk.count(inbox), more))
    assert left == [(5, True), (1, True), (0, False), (0, False)]


def test_other_partitions_rows_are_left_alone(engine: Engine) -> None:
    desk = Desk(engine)
    desk.give(golden())
    desk.deal(1)
    with engine.begin() as connection:
        assert not prune(connection, (HOME + 1) % TOPICS.partitions, T0 + 10**9, 100)
    assert (desk.count(inbox), desk.count(groups), desk.count(bots)) == (3, 2, 1)


def test_a_user_cannot_make_time_pass(engine: Engine) -> None:
    """Configs are stamped by who writes them: only what an armed group fired tells the time."""
    desk = Desk(engine)
    desk.give(golden())
    desk.deal(1)
    desk.give(golden(base_order_volume="20", effective_from_ms=T0 + 1_000 * HOUR))
    lie = replace(fire(desk.armed(), bar(500_000, 100.0)), generation=1)
    assert desk.give(lie) == "ignored"
    assert desk.count(inbox) == 5


def test_nothing_is_taken_out_where_nothing_was_asked_to_be(engine: Engine) -> None:
    desk = Desk(engine, keep_ms=None)
    desk.give(golden())
    desk.deal(1)
    desk.deal(500)
    assert desk.count(inbox) == 5


def test_the_inbox_is_never_kept_for_less_than_the_triggers_topic_keeps_its_records() -> None:
    with pytest.raises(ValidationError, match="90 days"):
        ExecutorSettings(retention_days=89)
    assert ExecutorSettings().keep_ms == 90 * 24 * HOUR
    assert ExecutorSettings(keep_history=True).keep_ms is None
