"""Where the kline topic ends for each symbol, so that a feed goes on from there."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from schemas.market import Kline, Tick
from streams.cli.cluster import Cluster
from streams.cli.reading import decoded
from streams.feeds.binance.beginning import Standing, standing_after
from topics.partitioner import partition_for
from topics.spec import TopicSpec

_FIRST_STEP: Final = 10_000


def standings(cluster: Cluster, klines: TopicSpec, symbols: Sequence[str]) -> dict[str, Standing]:
    """What the topic has of `symbols`; those of which it has nothing are not there.

    Reads each partition backwards in growing steps until it has seen all of its symbols: one that is new costs reading
    all of its partition. Raises Unreachable.
    """
    bounds = cluster.bounds(klines.name)
    by_partition: dict[int, list[str]] = defaultdict(list)
    for symbol in symbols:
        by_partition[partition_for(symbol.encode(), len(bounds))].append(symbol)
    found: dict[str, Standing] = {}
    for partition, some in by_partition.items():
        begin, end = bounds[partition]
        missing, step, lower = set(some), _FIRST_STEP, end
        while missing and lower > begin:
            lower = max(begin, end - step)
            seen = _seen(cluster, klines, partition, lower, missing)
            found |= seen
            missing -= seen.keys()
            step *= 10
    return found


def _seen(
    cluster: Cluster, klines: TopicSpec, partition: int, lower: int, symbols: set[str]
) -> dict[str, Standing]:
    """Standings by what the partition has from `lower` on."""
    keys = {symbol.encode(): symbol for symbol in symbols}
    found: dict[str, Standing] = {}
    for record in cluster.read(klines.name, {partition: lower}):
        symbol = keys.get(record.key or b"")
        if symbol is None or (told := decoded(record, klines)) is None:
            continue
        if isinstance(told.message, Kline | Tick):
            standing = standing_after(found.get(symbol), told.message)
            if standing is not None:
                found[symbol] = standing
    return found
