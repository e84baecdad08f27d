"""A user's bots live on several partitions: two executors decide for the same balance at the same moment."""

import threading
from decimal import Decimal

from sqlalchemy import Engine

from schemas.bots import BotConfig
from sinks.capital.store import Balances, load_purses, save_purses, seed
from sinks.database.engine import open_engine
from sinks.executor.core import Executor
from sinks.executor.owned import Claim, Source
from sinks.queries import list_balances, list_bots
from streams.engine.dca import entry_group
from tests.deadline import DEADLINE_S
from tests.sinks.bots import T0, TOPICS, bar, config_out, fire, golden, record_of
from tests.sinks.loop import RULES, inbox, rows
from topics.codec import encode
from topics.partitioner import partition_for
from topics.records import Outgoing, Record

USERS = 8
CONFIGS, TRIGGERS = TOPICS.configs.name, TOPICS.triggers.name


class Half:
    """One executor with one partition and an engine of its own."""

    def __init__(self, url: object, partition: int) -> None:
        self.engine = open_engine(url)  # type: ignore[arg-type]
        self.executor = Executor(self.engine, TOPICS, RULES)
        self.partition = partition
        self.claim: Claim = self.executor.claim(
            partition, [Source(CONFIGS, "configs", 0, 1_000), Source(TRIGGERS, "triggers", 0, 1_000)]
        )
        self._next = {CONFIGS: 0, TRIGGERS: 0}

    def record(self, outgoing: Outgoing) -> Record:
        """The next record of its topic in this partition."""
        offset = self._next[outgoing.topic]
        self._next[outgoing.topic] += 1
        return record_of(outgoing, offset)


def bot_of(user: str, partition: int) -> BotConfig:
    """A bot of `user` that lives on `partition`; it needs 45.045 and a bit."""
    name = next(
        n for n in range(1_000) if partition_for(f"{user}-{n}".encode(), TOPICS.partitions) == partition
    )
    return golden(f"{user}-{name}", user_id=user, max_safety_orders=1)


def trigger_of(config: BotConfig) -> Outgoing:
    command = entry_group(config, "BTCUSDT", generation=1, armed_from_ms=T0, when_true="fire")
    return Outgoing(TRIGGERS, config.bot_id.encode(), encode(fire(command, bar(1, 100.0))), T0 + 120_000)


def replay(engine: Engine, balances: Balances, records: list[Record]) -> None:
    """One executor that owns both partitions takes the records one by one."""
    Executor(engine, TOPICS, RULES).begin(balances)
    halves = {partition: Half(engine.url, partition) for partition in (0, 1)}
    for record in records:
        half = halves[record.partition]
        half.executor.apply(half.claim, [record])
    for half in halves.values():
        half.engine.dispose()


def test_never_overdrawn_and_the_inbox_tells_who_came_first(engine: Engine, sqlite: Engine) -> None:
    """Each user could pay for one and a half deals; one executor that takes the inbox in its order decides the same."""
    users = [f"user{n}" for n in range(USERS)]
    balances = {user: {"USDT": Decimal(70)} for user in users}
    Executor(engine, TOPICS, RULES).begin(balances)
    halves = [Half(engine.url, 0), Half(engine.url, 1)]
    batches, records = [], []
    for half in halves:
        configs = [bot_of(user, half.partition) for user in users]
        records += [half.record(config_out(config)) for config in configs]
        half.executor.apply(half.claim, records[-USERS:])
        # Four users at once, met in opposite orders: whoever took rows as they came would wait in a circle. Then one by
        # one, both at the same moment.
        ordered = [*(configs[:4] if half.partition else configs[3::-1]), *configs[4:]]
        batches.append([half.record(trigger_of(config)) for config in ordered])
        records += batches[-1]
    start = threading.Barrier(2)
    failures: list[BaseException] = []

    def decide(half: Half, triggers: list[Record]) -> None:
        try:
            start.wait(DEADLINE_S)
            half.executor.apply(half.claim, triggers[:4])
            for record in triggers[4:]:
                start.wait(DEADLINE_S)
                half.executor.apply(half.claim, [record])
        except BaseException as error:  # noqa: BLE001 - told to the test's own thread
            failures.append(error)

    threads = [threading.Thread(target=decide, args=pair) for pair in zip(halves, batches, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE_S)
    for half in halves:
        half.engine.dispose()
    assert failures == []
    owners = {bot.bot_id: bot.user_id for bot in list_bots(engine)}
    assert sorted(owners[deal[1]] for deal in rows(engine, "deals")["deals"]) == sorted(users)
    assert [Decimal(row.free) >= 0 for row in list_balances(engine)] == [True] * USERS
    decided = [(owners[bot or ""], outcome) for kind, bot, outcome in inbox(engine) if kind == "trigger"]
    in_order = sorted(rows(engine, "inbox")["inbox"], key=lambda row: int(row[0]))
    by_place = {(record.topic, record.partition, record.offset): record for record in records}
    replay(sqlite, balances, [by_place[row[1], row[3], row[4]] for row in in_order])
    compared = ("deals", "fills", "ledger", "balances", "groups", "pairs")
    assert rows(sqlite, *compared) == rows(engine, *compared)
    for user in users:
        assert [outcome for owner, outcome in decided if owner == user] == ["applied", "refused"]


def test_a_balance_is_one_transactions_at_a_time(engine: Engine) -> None:
    """Who asks while another decides waits, and then sees what was decided."""
    with engine.begin() as connection:
        seed(connection, {"alice": {"USDT": Decimal(70)}})
    other, seen, done = open_engine(engine.url), [], threading.Event()

    def ask() -> None:
        with other.begin() as connection:
            seen.append(load_purses(connection, {"alice"})["alice"]["USDT"].free)
        done.set()

    with engine.begin() as connection:
        before = load_purses(connection, {"alice"})
        asking = threading.Thread(target=ask)
        asking.start()
        assert not done.wait(0.3)
        after = {"alice": {"USDT": before["alice"]["USDT"].holding(Decimal(45))}}
        save_purses(connection, before, after)
    asking.join(DEADLINE_S)
    other.dispose()
    assert seen == [Decimal(25)]
