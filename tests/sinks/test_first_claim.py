"""Two executors claim a partition that nobody ever owned: only one of them may write afterwards."""

from concurrent.futures import ThreadPoolExecutor
from time import monotonic

import pytest
from sqlalchemy import Engine, text

from sinks.errors import Fenced
from sinks.executor import owned
from sinks.executor.core import Executor
from sinks.executor.owned import Source
from tests.deadline import DEADLINE_S
from tests.sinks.bots import TOPICS
from tests.sinks.loop import RULES

SOURCES = [Source(name, name, 0, 10) for name in (TOPICS.configs.name, TOPICS.triggers.name)]


def wait_until_blocked(waiting: Engine) -> None:
    """PostgreSQL tells who waits for a lock; SQLite lets nobody in at all while another writes."""
    deadline = monotonic() + DEADLINE_S
    query = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
    while waiting.dialect.name == "postgresql":
        with waiting.connect() as connection:
            if connection.scalar(query):
                return
        assert monotonic() < deadline


def test_of_two_first_claims_at_once_the_later_one_owns_the_partition(engine: Engine) -> None:
    slow, fast = Executor(engine, TOPICS, RULES, "slow"), Executor(engine, TOPICS, RULES, "fast")
    with ThreadPoolExecutor(1) as thread:
        with engine.begin() as connection:
            first = owned.claim(connection, 1, "slow", SOURCES)
            claiming = thread.submit(fast.claim, 1, SOURCES)
            wait_until_blocked(engine)
        second = claiming.result(timeout=DEADLINE_S)
    assert (first.epoch, second.epoch) == (1, 2)
    fast.apply(second, [])
    with pytest.raises(Fenced):
        slow.apply(first, [])
