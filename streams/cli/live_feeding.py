"""Running the feed of a live market from the command line until it is stopped."""

import asyncio
import logging
import sys
import time
from typing import Final

from streams.cli.cluster import Cluster
from streams.cli.errors import Invalid, Problem, Unreachable
from streams.cli.feeding import Fed, until_stopped
from streams.cli.resuming import standings
from streams.cli.times import show_time
from streams.feeds.binance.beginning import CannotBegin
from streams.feeds.binance.config import BinanceSettings
from streams.feeds.binance.live import LiveFeed
from streams.feeds.binance.metrics import FeedMetrics
from streams.feeds.binance.opening import Wish, open_feed
from streams.feeds.binance.output import Progress
from streams.feeds.binance.rest import RestError
from streams.feeds.publish import Published
from topics.records import DeliveryFailed
from topics.spec import TopicSpec

_SAID_EVERY_S: Final = 60.0
_log = logging.getLogger("strikeline.feed")


def run_live(cluster: Cluster, klines: TopicSpec, settings: BinanceSettings, wish: Wish) -> Fed:
    """Publish until SIGINT or SIGTERM; all that was sent is then acknowledged. Raises Invalid, Problem, Unreachable."""
    logging.basicConfig(
        stream=sys.stderr, level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s %(message)s"
    )
    cluster.bounds(klines.name)
    metrics = FeedMetrics()
    if settings.metrics_port:
        metrics.serve(settings.metrics_port)
    done = Published()

    async def run() -> None:
        nonlocal done
        publisher = cluster.publisher()
        opening = open_feed(
            wish, lambda some: standings(cluster, klines, some), publisher, klines.name, metrics
        )
        async with opening as (feed, output):
            done = output.published
            await feed.run(_said_now_and_then(feed))

    try:
        interrupted = asyncio.run(until_stopped(run()))
    except CannotBegin as wrong:
        raise Invalid(str(wrong)) from None
    except RestError as away:
        raise Unreachable(f"{wish.venue.rest_url}: {away}") from None
    except DeliveryFailed as failed:
        raise Problem(f"{cluster.name} did not take the klines: {failed}") from None
    return Fed(done, interrupted)


def _said_now_and_then(feed: LiveFeed) -> Progress:
    """Logs once a minute how it goes: a feed that says nothing looks like one that does nothing."""
    said = time.monotonic()

    def tell(done: Published) -> None:
        nonlocal said
        if time.monotonic() - said >= _SAID_EVERY_S:
            said = time.monotonic()
            until = show_time(done.last_ms)
            _log.info(
                "%d klines and %d ticks up to %s, lag %.1f s", done.klines, done.ticks, until, feed.lag_s()
            )

    return tell
