"""Bot configs onto the topic, and the executor's answers from `bots.events.v1`."""

import asyncio
import time
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from msgspec.structs import replace

from schemas.bots import BotConfig
from schemas.events import BotEvent
from streams.cli.cluster import Bounds, Cluster
from streams.cli.errors import Problem
from streams.cli.reading import decoded, newest_of_symbol
from topics.codec import cloud_headers, encode
from topics.records import DeliveryFailed, Outgoing, Record
from topics.registry import Topics

SOURCE = "strikeline/cli"


class Answer(NamedTuple):
    """What became of a config: `event` is `sent` while the executor has not answered."""

    event: str = "sent"
    field: str | None = None
    reason: str = ""


def dated(config: BotConfig, newest: Mapping[str, int | None]) -> BotConfig:
    """`config` from the newest close or tick of its symbols on, unless it says itself from when.

    With no candle of any of them on the topic it is in force from their first.
    """
    if config.effective_from_ms is not None:
        return config
    known = [at for symbol in config.pairs if (at := newest.get(symbol)) is not None]
    return replace(config, effective_from_ms=max(known, default=0))


def newest_times(cluster: Cluster, topics: Topics, symbols: Iterable[str]) -> dict[str, int | None]:
    """Event time of each symbol's newest close or tick."""
    return {symbol: newest_of_symbol(cluster, topics.klines, symbol) for symbol in sorted(set(symbols))}


def counted(config: BotConfig, before: BotConfig | None) -> BotConfig:
    """`config` with the next revision, unless it has one of its own."""
    return config if config.revision else replace(config, revision=before.revision + 1 if before else 1)


def unchanged(config: BotConfig, before: BotConfig | None) -> bool:
    """Does `before` say the same already, leaving out when it was said?"""
    if before is None or config.effective_from_ms is not None:
        return config == before
    return replace(before, effective_from_ms=None, revision=config.revision) == config


def send(cluster: Cluster, topics: Topics, configs: Iterable[BotConfig]) -> None:
    """Produce the configs and wait for the broker. Raises Problem when it did not take them."""
    cluster.bounds(topics.configs.name)
    try:
        asyncio.run(_send(cluster, topics, configs))
    except DeliveryFailed as failed:
        raise Problem(f"{cluster.name} did not take the configs: {failed}") from None


async def _send(cluster: Cluster, topics: Topics, configs: Iterable[BotConfig]) -> None:
    publisher = cluster.publisher()
    for config in configs:
        time_ms = config.effective_from_ms or int(time.time() * 1_000)
        headers = cloud_headers(config, SOURCE, f"{config.bot_id}/{config.revision}", time_ms)
        publisher.send(
            Outgoing(topics.configs.name, config.bot_id.encode(), encode(config), time_ms, headers)
        )
    await publisher.flush()


def ends(cluster: Cluster, topic: str) -> dict[int, int]:
    """Where records that are written from now on begin."""
    return {partition: bounds.end for partition, bounds in cluster.bounds(topic).items()}


def await_answers(
    cluster: Cluster, topics: Topics, bots: Collection[str], since: Mapping[int, int], seconds: float
) -> dict[str, Answer]:
    """The executor's answer to each bot's config, `sent` for those that have none after `seconds`."""
    found = {bot_id: Answer() for bot_id in bots}
    deadline = time.monotonic() + seconds
    for record in cluster.follow(topics.events.name, since):
        event = _answer(record, topics)
        if event is not None and event.subject in found:
            found[event.subject] = Answer(event.event, event.field, event.reason)
        if all(answer.event != "sent" for answer in found.values()) or time.monotonic() > deadline:
            break
    return found


def _answer(record: Record | None, topics: Topics) -> BotEvent | None:
    told = None if record is None else decoded(record, topics.events)
    if told is None or not isinstance(told.message, BotEvent):
        return None
    return told.message if told.message.event in {"accepted", "rejected"} else None


def lag(bounds: Mapping[int, Bounds], committed: Mapping[int, int]) -> int:
    """Records between a group's committed offsets and the ends; all of them where it never committed."""
    return sum(max(0, b.end - max(b.begin, committed.get(p, b.begin))) for p, b in bounds.items())
