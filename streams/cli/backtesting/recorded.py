"""A replay's candles from a topic, and its triggers onto a topic of their own."""

import asyncio
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from schemas.bots import BotConfig
from streams.cli.backtesting.candles import Loaded, of_topic
from streams.cli.backtesting.run import Settings
from streams.cli.errors import Invalid
from streams.engine.backtest.result import BotResult
from streams.feeds.topic import read_topic
from topics.admin import TopicAdmin
from topics.codec import cloud_headers, encode
from topics.connection import KafkaSettings
from topics.producer import KafkaPublisher
from topics.records import Outgoing
from topics.registry import Topics
from topics.spec import TopicSpec

_ID: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?")


class NoName(ValueError):
    """A replay's id that no topic can be called by."""


@dataclass(frozen=True)
class Read:
    """`notes` tell what the topic had besides the bars that count."""

    loaded: Loaded
    notes: list[str]
    undecodable: int


def from_topic(
    kafka: KafkaSettings,
    topics: Topics,
    name: str,
    settings: Settings,
    bots: Sequence[BotConfig],
    since_ms: int | None,
    tell: Callable[[float, str], None],
) -> Read:
    """The candles of the bots' symbols from `since_ms` on. Raises Invalid, TopicUnreadable, KafkaException."""
    symbols = sorted({symbol for bot in bots for symbol in bot.pairs})
    spec = replace(topics.klines, name=name)
    found = read_topic(
        kafka, spec, interval=settings.interval, symbols=symbols, from_ms=since_ms, to_ms=settings.to_ms,
        progress=lambda read, of: tell(0, f"{read:,} of {of:,} records read"),
    )  # fmt: skip
    if missing := sorted(set(symbols) - found.bars.keys()):
        raise Invalid(
            f"{name} has no klines of {', '.join(missing)} (it has {', '.join(sorted(found.bars))})"
        )
    candles = of_topic(found.bars, symbols, settings.interval, settings.fill_up_to)
    rows = sum(columns.shape[1] for columns in found.bars.values())
    counted = {"repeated": found.duplicates, "late": found.late, "undecodable": found.undecodable}
    notes = [
        f"{name}: {count:,} {what} records, left out as a live evaluator does"
        for what, count in counted.items()
        if count
    ]
    return Read(Loaded((), candles, (), rows, 0), [*notes, *found.refused], found.undecodable)


def topic_of(topics: Topics, name: str) -> TopicSpec:
    """The topic of the replay called `name`. Raises NoName."""
    if not _ID.fullmatch(name):
        raise NoName(f"{name[:80]!r}: expected lower-case letters, digits and hyphens")
    return replace(topics.triggers, name=f"{topics.triggers.name}.replay.{name}")


def publish(kafka: KafkaSettings, spec: TopicSpec, results: Sequence[BotResult]) -> int:
    """Put all triggers on the replay's own topic, in order of event time. Returns how many.

    The topic is made if it is not there. Raises AdminFailed, DeliveryFailed.
    """
    TopicAdmin(kafka).create([spec])
    triggers = sorted(
        (trigger for result in results for trigger in result.triggers),
        key=lambda trigger: (trigger.bar.close_time_ms, trigger.symbol, trigger.bot_id),
    )
    publisher = KafkaPublisher(kafka)
    for trigger in triggers:
        time_ms = trigger.bar.close_time_ms
        headers = cloud_headers(trigger, "strikeline/replay", trigger.trigger_id, time_ms)
        publisher.send(Outgoing(spec.name, trigger.bot_id.encode(), encode(trigger), time_ms, headers))
    asyncio.run(publisher.flush())
    return len(triggers)
