"""A replay's candles from a topic, and its triggers and fired alerts onto topics of their own."""

import asyncio
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from schemas.message import Message
from schemas.triggers import Bar, Trigger
from streams.cli.backtesting.asked import Settings
from streams.cli.backtesting.candles import Loaded, of_topic
from streams.cli.backtesting.working import Done
from streams.cli.errors import Invalid
from streams.feeds.topic import read_topic
from topics.admin import TopicAdmin
from topics.codec import cloud_headers, encode
from topics.connection import KafkaSettings
from topics.producer import KafkaPublisher
from topics.records import Headers, Outgoing
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


def from_topic(
    kafka: KafkaSettings,
    topics: Topics,
    name: str,
    settings: Settings,
    symbols: Sequence[str],
    since_ms: int | None,
    tell: Callable[[float, str], None],
    *,
    all_wanted: bool = True,
) -> Read:
    """The candles of `symbols` from `since_ms` on; with `all_wanted` none of them may be without. Raises Invalid,
    TopicUnreadable, KafkaException.
    """
    spec = replace(topics.klines, name=name)
    found = read_topic(
        kafka, spec, interval=settings.interval, symbols=symbols, from_ms=since_ms, to_ms=settings.to_ms,
        progress=lambda read, of: tell(0, f"{read:,} of {of:,} records read"),
    )  # fmt: skip
    missing = sorted(set(symbols) - found.bars.keys())
    if missing and all_wanted:
        raise Invalid(
            f"{name} has no klines of {', '.join(missing)} (it has {', '.join(sorted(found.bars))})"
        )
    wanted = sorted(set(symbols) - set(missing))
    candles = of_topic(found.bars, wanted, settings.interval, settings.fill_up_to)
    rows = sum(columns.shape[1] for columns in found.bars.values())
    counted = {"repeated": found.duplicates, "late": found.late, "undecodable": found.undecodable}
    notes = [
        f"{name}: {count:,} {what} records, left out as a live evaluator does"
        for what, count in counted.items()
        if count
    ]
    loaded = Loaded((), candles, (), rows, 0, found.undecodable)
    return Read(loaded, [*found.refused, *notes])


class Own(NamedTuple):
    """A replay's own topics."""

    triggers: TopicSpec
    fired: TopicSpec


def topics_of(topics: Topics, name: str) -> Own:
    """The topics of the replay called `name`. Raises NoName."""
    if not _ID.fullmatch(name):
        raise NoName(f"{name[:80]!r}: expected lower-case letters, digits and hyphens")
    return Own(*(replace(one, name=f"{one.name}.replay.{name}") for one in (topics.triggers, topics.fired)))


def publish(kafka: KafkaSettings, own: Own, done: Done) -> list[str]:
    """Put all triggers and fired alerts on the replay's own topics, in order of event time. Returns what was put where.

    Topics are made if they are not there, that of alerts only for a replay that has some. Raises AdminFailed,
    DeliveryFailed.
    """
    triggers = [
        Outgoing(own.triggers.name, one.bot_id.encode(), encode(one), *_told(one, one.trigger_id, one.bar))
        for one in sorted((one for result in done.results for one in result.triggers), key=_order)
    ]
    fires = [
        Outgoing(own.fired.name, one.user_id.encode(), encode(one), *_told(one, one.fired_id, one.bar))
        for one in done.fires
    ]
    TopicAdmin(kafka).create([own.triggers, own.fired] if fires else [own.triggers])
    publisher = KafkaPublisher(kafka)
    for outgoing in [*triggers, *fires]:
        publisher.send(outgoing)
    asyncio.run(publisher.flush())
    told = [f"{len(triggers):,} triggers on {own.triggers.name}"]
    return [*told, f"{len(fires):,} fired alerts on {own.fired.name}"] if fires else told


def _order(trigger: Trigger) -> tuple[int, str, str]:
    return trigger.bar.close_time_ms, trigger.symbol, trigger.bot_id


def _told(message: Message, name: str, bar: Bar) -> tuple[int, Headers]:
    return bar.close_time_ms, cloud_headers(message, "strikeline/replay", name, bar.close_time_ms)
