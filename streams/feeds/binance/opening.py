"""From what was asked for to a feed that runs: the exchange's symbols and time first, then what the topic has."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final, NamedTuple

import aiohttp

from schemas.interval import MINUTE_MS, bucket_start_ms
from streams.feeds.binance.beginning import Beginning, Standing, check_symbols, utc
from streams.feeds.binance.live import LiveFeed, Manner
from streams.feeds.binance.metrics import FeedMetrics
from streams.feeds.binance.output import Output
from streams.feeds.binance.pages import Symbols
from streams.feeds.binance.rest import Away, Rest
from streams.feeds.binance.venue import Venue
from topics.records import Publisher

_ATTEMPTS: Final = 3
_log = logging.getLogger("strikeline.feed")

Standings = Callable[[Sequence[str]], Mapping[str, Standing]]
"""What the topic has of these symbols; it may take a while, and runs in a thread."""


class Wish(NamedTuple):
    """What was asked for. Symbols that the topic does not have begin at `from_ms`, without it so many minutes ago."""

    venue: Venue
    symbols: Sequence[str]
    interval: str
    from_ms: int | None
    history_minutes: int
    take_over: bool
    manner: Manner


@asynccontextmanager
async def open_feed(
    wish: Wish, standings: Standings, publisher: Publisher, topic: str, metrics: FeedMetrics
) -> AsyncIterator[tuple[LiveFeed, Output]]:
    """The feed, ready to run, and what it sends through. Raises CannotBegin and RestError."""
    # An exchange is reached through a proxy like everything else, where the environment names one.
    async with aiohttp.ClientSession(trust_env=True) as session:
        rest = Rest(wish.venue, session, metrics.asked)
        known = await _begun(rest)
        for symbol in check_symbols(wish.symbols, known.states):
            _log.warning("%s is not traded now: %s", symbol, known.states[symbol])
        found = await asyncio.to_thread(standings, wish.symbols)
        now_ms = rest.now_ms()
        ago_ms = bucket_start_ms(now_ms - wish.history_minutes * MINUTE_MS, wish.interval)
        from_ms = ago_ms if wish.from_ms is None else wish.from_ms
        beginning = Beginning(wish.venue.feed, wish.interval, from_ms, wish.take_over)
        bars = [beginning.of(symbol, found.get(symbol), now_ms) for symbol in wish.symbols]
        for one in bars:
            _log.info("%s goes on at %s", one.symbol, utc(one.next_ms))
        output = Output(publisher, topic, wish.venue.feed, wish.interval, metrics)
        yield LiveFeed(wish.venue, wish.interval, bars, rest, session, output, metrics, wish.manner), output


async def _begun(rest: Rest) -> Symbols:
    """An exchange that is away is asked a few times: a start is not worth a restart. Raises RestError."""
    for _ in range(_ATTEMPTS - 1):
        try:
            return await rest.begin()
        except Away as why:
            _log.warning("the exchange is away: %s", why)
    return await rest.begin()
