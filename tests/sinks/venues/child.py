"""A process that trades what a database wants traded, until nothing is underway: to be killed."""

import sys
import time

from pydantic import SecretStr

from sinks.database.engine import open_engine, reading
from sinks.executor.core import Executor
from sinks.orders.accounts import Accounts
from sinks.orders.gateway import Gateway, Timing, wall_clock
from sinks.orders.store import underway
from sinks.venues.ccxt_exchange import CcxtExchange, Credentials
from tests.sinks.bots import TOPICS
from tests.sinks.venues.double import KEY, SECRET
from tests.sinks.venues.trading import RULES

TIMING = Timing(settle_ms=2_000, poll_ms=100, hold_ms=60_000, entry_ms=10**15)
"""`hold_ms`: a busy machine may take its time, and each attempt counts."""


def main(url: str, venue: str) -> None:
    """Claim every partition, then work until all is done."""
    engine = open_engine(url)
    exchange = CcxtExchange(
        "binance", Credentials(SecretStr(KEY), SecretStr(SECRET)), real_money=False, receive_window_ms=60_000,
        timeout_ms=20_000, paced=False, urls={"public": venue, "private": venue},
    )  # fmt: skip
    executor = Executor(engine, TOPICS, RULES)
    accounts = Accounts({"alice": exchange}, wall_clock)
    claims = [executor.claim(partition, ()) for partition in range(TOPICS.partitions)]
    gateways = [Gateway(engine, claim, TOPICS, accounts, TIMING) for claim in claims]
    while True:
        for gateway in gateways:
            gateway.run_once()
        with reading(engine).begin() as connection:
            if not any(underway(connection, claim.partition) for claim in claims):
                return
        time.sleep(0.02)


if __name__ == "__main__":
    main(*sys.argv[1:])
