"""The executor's process: migrate, check, then consume until told to stop."""

import asyncio
import gc
import logging
import signal
import sys
from typing import Final

from sqlalchemy import Engine

from sinks.capital.file import load_balances
from sinks.config import ExecutorSettings
from sinks.database.engine import open_engine
from sinks.database.migrate import check, upgrade
from sinks.executor.core import Executor
from sinks.kafka import KafkaExecutor
from sinks.metrics import Metrics
from sinks.orders.accounts import Accounts
from sinks.patience import patiently
from sinks.venues.opening import open_venue
from topics.admin import TopicAdmin
from topics.producer import KafkaPublisher

_AT_THE_START_S: Final = 30.0
_log = logging.getLogger("strikeline.executor")


def run_executor(settings: ExecutorSettings, migrate_only: bool = False) -> None:
    """Run one executor until SIGTERM or SIGINT; with `migrate_only` bring the database up to date and return.

    Raises sinks.errors.Stop with what to do about it, TopicsDiffer, AdminFailed, DeliveryFailed, and
    SQLAlchemy's DBAPIError where the database stays away.
    """
    logging.basicConfig(
        stream=sys.stderr, level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s %(message)s"
    )
    engine = open_engine(settings.database_url.get_secret_value())
    # A wrong address fails like a database that is away: at the start that is told sooner.
    patience_s = min(settings.database_patience, _AT_THE_START_S)
    try:
        patiently(lambda: upgrade(engine), patience_s)
        patiently(lambda: check(engine), patience_s)
        if not migrate_only:
            _serve(settings, engine)
    finally:
        engine.dispose()


def calm_collector() -> None:
    """Collect less often: what a transaction makes has no cycles, and looking for them took a fifth of the
    time.
    """
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)


def _serve(settings: ExecutorSettings, engine: Engine) -> None:
    topics = settings.topics
    TopicAdmin(settings.kafka).require(topics.all())
    calm_collector()
    trading = open_venue(settings)
    executor = Executor(engine, topics, trading.rules, settings.owner, settings.keep_ms)
    balances = None if settings.balances is None else load_balances(settings.balances)
    patiently(lambda: executor.begin(balances), settings.database_patience)
    metrics = Metrics()
    if settings.metrics_port:
        metrics.serve(settings.metrics_port)
    asyncio.run(_run(settings, executor, metrics, trading.accounts))


async def _run(
    settings: ExecutorSettings, executor: Executor, metrics: Metrics, accounts: Accounts | None
) -> None:
    running = KafkaExecutor(settings, executor, KafkaPublisher(settings.kafka), metrics, accounts)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, running.stop)
    _log.info("executor %s of namespace %r begins", settings.owner, settings.namespace)
    await running.run()
    _log.info("executor ended in order")
