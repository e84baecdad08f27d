"""Running one feed from the command line until it ends or is interrupted."""

import asyncio
import signal
from collections.abc import Coroutine, Iterable
from typing import Any, NamedTuple

from streams.cli.cluster import Cluster
from streams.cli.errors import Invalid, Problem
from streams.cli.progress import progress
from streams.cli.times import show_time
from streams.feeds.publish import Feed, FullSpeed, Pace, Published, Times, WallClock
from streams.feeds.ticks import Boundary
from topics.records import DeliveryFailed


class Fed(NamedTuple):
    """How a feed ended; `interrupted` where somebody stopped it."""

    published: Published
    interrupted: bool


def pace_of(speed: str, *, live: bool = False) -> Pace:
    """The pace that `--speed` names: `max`, a multiple of real time, and `live` where the feed has one."""
    if speed == "max":
        return FullSpeed()
    if live and speed == "live":
        return WallClock()
    try:
        return Times(float(speed))
    except ValueError:
        choices = "max, live or" if live else "max or"
        raise Invalid(f"--speed: {speed!r} is not {choices} a multiple of real time above 0") from None


def run_feed(
    cluster: Cluster,
    topic: str,
    name: str,
    boundaries: Iterable[Boundary],
    pace: Pace,
    total: int | None,
    *,
    quiet: bool,
) -> Fed:
    """Publish; SIGINT and SIGTERM end it in order, all acknowledged. Raises Problem, Unreachable."""
    cluster.bounds(topic)
    feed = Feed(cluster.publisher(), topic, name)
    with progress(f"feed {name}", total, show=not quiet) as tell:

        def told(done: Published) -> None:
            tell(
                done.klines,
                f"{show_time(done.last_ms)}  {done.klines:,} klines, {done.klines_per_second:,.0f}/s",
            )

        try:
            interrupted = asyncio.run(until_stopped(feed.run(boundaries, pace, told)))
        except DeliveryFailed as failed:
            raise Problem(f"{cluster.name} did not take the klines: {failed}") from None
    return Fed(feed.published, interrupted)


async def until_stopped(feed: Coroutine[Any, Any, object]) -> bool:
    """Run a feed to its end; True where SIGINT or SIGTERM came first and cancelled it, which it answered in order."""
    task = asyncio.ensure_future(feed)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel)
    try:
        await task
    except asyncio.CancelledError:
        return True
    return False
