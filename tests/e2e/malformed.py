"""Two thousand records that no producer of ours would write, and what must become of each.

Most are good messages with one flaw and belong on a dead-letter topic. Some are flawless in form and forbidden or
meaningless in content: those are answered by an event. `accepted_size` is how much of a value the broker takes.
"""

from collections.abc import Callable, Iterator, Mapping
from itertools import cycle, islice
from typing import Final, NamedTuple

import msgspec

from tests.e2e.good_inputs import bot
from tests.e2e.victims import (
    INTRUDER,
    Victim,
    alert,
    group,
    kline,
    outgoing,
    stale_command,
    symbol,
    trigger,
    victims,
)
from topics.records import Outgoing
from topics.registry import Topics

Counts = Mapping[str, int]
TWO_THOUSAND: Final[Counts] = {
    "klines": 700, "configs": 350, "user_alerts": 350, "alerts": 300, "triggers": 300,
}  # fmt: skip
_DIGITS: Final = b"7" * 5_000


class Dead(NamedTuple):
    """The record's dead letter says `error_class`."""

    error_class: str


class Told(NamedTuple):
    """The record is answered by this event; `field` is the offending one."""

    event: str
    subject: str
    field: str | None = None


class TriggerDies(NamedTuple):
    """The command is obeyed, and the trigger that it causes is a dead letter of this class: no bot is touched."""

    error_class: str


class Bad(NamedTuple):
    """A malformed record and its fate."""

    kind: str
    outgoing: Outgoing
    fate: Dead | Told | TriggerDies


Kind = Callable[[int], Bad]


def malformed(topics: Topics, accepted_size: int, counts: Counts) -> dict[str, list[Bad]]:
    """Every kind of every topic by turns, as many as `counts` says, by the topic's name in the registry."""
    found = {}
    for name, victim in victims(topics).items():
        kinds = [*_spoilt(victim, accepted_size), *_misaddressed(victim), *_SPECIAL[name](topics)]
        found[name] = [kind(n) for n, kind in enumerate(islice(cycle(kinds), counts[name]))]
    return found


def oversized(topics: Topics, size: int) -> list[Bad]:
    """One value of `size` bytes for each topic."""
    return [
        Bad("too large", _with(victim, size, "comment", _text(size)), Dead("TooLarge"))
        for victim in victims(topics).values()
    ]


def keyless_config(topics: Topics) -> Outgoing:
    """What a compacted topic does not take."""
    victim = victims(topics)["configs"]
    return outgoing(victim.spec, victim.make(0))._replace(key=None)


def _spoilt(victim: Victim, accepted_size: int) -> Iterator[Kind]:
    number, text = victim.number, victim.text
    flaws = {
        "broken UTF-8": (text, b'"\xff\xfe"', "NotUtf8"),
        "an object for a number": (number, b"{}", "Invalid"),
        "text for a number": (number, b'"12"', "Invalid"),
        "a number for text": (text, b"12", "Invalid"),
        "NaN": (number, b"NaN", "NotJson"),
        "Infinity": (number, b"-Infinity", "NotJson"),
        "1e400": (number, b"1e400", "Invalid"),
        "5,000 digits": (number, _DIGITS, "Invalid"),
        "depth 10,000": (victim.nested, victim.deep, "TooDeep"),
        "an unknown type": ("type", b'"candle"', "Invalid"),
        "no type": ("type", b"null", "Invalid"),
        "2 MB": ("comment", _text(accepted_size), "TooLarge"),
    }
    for kind, (field, raw, error_class) in flaws.items():
        yield _flaw(kind, victim, field, raw, error_class)
    for kind, value in (("no JSON", b"hello"), ("empty", b""), ("two documents", b"{}{}")):
        yield _changed(kind, victim, "Invalid" if value == b"{}{}" else "NotJson", value=value)
    yield _truncated(victim)


def _misaddressed(victim: Victim) -> Iterator[Kind]:
    if (
        victim.spec.cleanup != "compact"
    ):  # there the broker takes no null key, and a null value means something
        yield _changed("a null key", victim, "BadKey", key=None)
        yield _changed("a null value", victim, "NullValue", value=None)
    yield _changed("another key", victim, "BadKey", key=b"OTHER")
    yield _changed("an empty key", victim, "BadKey", key=b"")

    def elsewhere(n: int) -> Bad:
        sent = outgoing(victim.spec, victim.make(n))
        moved = ((sent.partition or 0) + 1) % victim.spec.partitions
        return Bad("another partition", sent._replace(partition=moved), Dead("WrongPartition"))

    yield elsewhere


def _with(victim: Victim, n: int, field: str, raw: bytes) -> Outgoing:
    """The message with one field's JSON replaced, or added."""
    sent = outgoing(victim.spec, victim.make(n))
    fields = msgspec.json.decode(sent.value or b"", type=dict[str, msgspec.Raw])
    return sent._replace(value=msgspec.json.encode(fields | {field: msgspec.Raw(raw)}))


def _flaw(kind: str, victim: Victim, field: str, raw: bytes, error_class: str) -> Kind:
    return lambda n: Bad(kind, _with(victim, n, field, raw), Dead(error_class))


def _changed(kind: str, victim: Victim, error_class: str, **changes: bytes | None) -> Kind:
    def make(n: int) -> Bad:
        return Bad(kind, outgoing(victim.spec, victim.make(n))._replace(**changes), Dead(error_class))  # type: ignore[arg-type]

    return make


def _truncated(victim: Victim) -> Kind:
    def make(n: int) -> Bad:
        sent = outgoing(victim.spec, victim.make(n))
        value = sent.value or b""
        return Bad("truncated", sent._replace(value=value[: len(value) * 2 // 3]), Dead("NotJson"))

    return make


def _text(size: int) -> bytes:
    return b'"' + b"x" * size + b'"'


def _klines(topics: Topics) -> Iterator[Kind]:
    victim = victims(topics)["klines"]
    yield _flaw("high below low", victim, "high", b"0.1", "Invalid")
    yield _flaw("a negative price", victim, "low", b"-1", "Invalid")
    yield _flaw("a price of zero", victim, "low", b"0", "Invalid")
    yield _flaw("a negative volume", victim, "volume", b"-1", "Invalid")
    yield _flaw("a time off the grid", victim, "open_time_ms", b"1700000040001", "Invalid")
    yield _flaw("a negative time", victim, "open_time_ms", b"-60000", "Invalid")
    yield _flaw("no symbol of a venue", victim, "symbol", b'"btc/usdt"', "Invalid")
    yield _flaw("17 kB where 16 are allowed", victim, "comment", _text(17 * 1_024), "TooLarge")
    yield _flaw("a bar before the first", victim, "open_time_ms", b"60000", "Late")

    def hourly(n: int) -> Bad:
        bar = msgspec.structs.replace(kline(n), interval="1h", open_time_ms=1_700_002_800_000)
        return Bad("bars of another interval", outgoing(topics.klines, bar), Dead("WrongInterval"))

    yield hourly


def _configs(topics: Topics) -> Iterator[Kind]:
    def answered(kind: str, event: str, field: str | None, **changes: object) -> Kind:
        def make(n: int) -> Bad:
            config = msgspec.structs.replace(bot(n, f"refused-{n}", INTRUDER), **changes)
            return Bad(kind, outgoing(topics.configs, config), Told(event, config.bot_id, field))

        return make

    def stolen(n: int) -> Bad:
        config = bot(0, f"bot-{n}", INTRUDER)
        return Bad(
            "another user's bot", outgoing(topics.configs, config), Told("rejected", config.bot_id, "user_id")
        )

    def nothing(n: int) -> Bad:
        sent = outgoing(topics.configs, bot(n, f"nobody-{n}", INTRUDER))
        return Bad("a tombstone of no bot", sent._replace(value=None), Told("ignored", f"nobody-{n}"))

    yield stolen
    yield nothing
    yield answered("an unknown indicator", "rejected", "entry", entry="rsii(14) < 30")
    yield answered("no pairs", "rejected", "pairs", pairs=[])
    yield answered(
        "a ladder below zero", "rejected", "price_deviation", max_safety_orders=9, price_deviation="50"
    )


def _user_alerts(topics: Topics) -> Iterator[Kind]:
    def answered(kind: str, condition: str | dict[str, object]) -> Kind:
        def make(n: int) -> Bad:
            command = alert(n, condition=condition)
            return Bad(
                kind, outgoing(topics.user_alerts, command), Told("rejected", command.alert_id, "condition")
            )

        return make

    yield answered("an unknown indicator", "rsii(14) < 30")
    yield answered("no condition", "")
    yield answered("code", "__import__('os').system('true') > 0")
    yield answered("a tree of nothing known", {"eval": "1"})


def _alerts(topics: Topics) -> Iterator[Kind]:
    def unknown_bot(n: int) -> Bad:
        return Bad("a group of no bot", outgoing(topics.alerts, group(n)), TriggerDies("UnknownBot"))

    def stolen_bot(n: int) -> Bad:
        command = group(n, f"bot-{n}")
        return Bad(
            "a group for another user's bot", outgoing(topics.alerts, command), TriggerDies("Mismatch")
        )

    yield unknown_bot
    yield stolen_bot


def _triggers(topics: Topics) -> Iterator[Kind]:
    def dead(kind: str, error_class: str, **changes: object) -> Kind:
        return lambda n: Bad(kind, outgoing(topics.triggers, trigger(n, **changes)), Dead(error_class))

    def never_armed(n: int) -> Bad:
        true = trigger(n)
        forged = msgspec.structs.replace(true, group_id=f"{true.bot_id}/{symbol(n)}/forged")
        return Bad(
            "a group that was never armed", outgoing(topics.triggers, forged), Told("ignored", true.bot_id)
        )

    def answer(n: int) -> Bad:
        return Bad(
            "an answer for another user's bot", outgoing(topics.triggers, stale_command(n)), Dead("Mismatch")
        )

    yield never_armed
    yield answer
    yield dead("another user's bot", "Mismatch", user_id=INTRUDER)
    yield dead("a bot that is not there", "UnknownBot", bot_id="nobody")
    yield dead("another bot's group", "Mismatch", group_id="bot-999/BTCUSDT/entry")
    yield dead("an id that no database takes", "Invalid", trigger_id="a\x00b")


_SPECIAL: Final[dict[str, Callable[[Topics], Iterator[Kind]]]] = {
    "klines": _klines,
    "configs": _configs,
    "user_alerts": _user_alerts,
    "alerts": _alerts,
    "triggers": _triggers,
}
