"""Two thousand records that no producer of ours would write, and what must become of each.

Most are good messages with one flaw and belong on a dead-letter topic. Some are flawless in form and forbidden or
meaningless in content: those are answered by an event. `accepted_size` is how much of a value the broker takes.
"""

from collections.abc import Iterator, Mapping
from itertools import cycle, islice
from typing import Final

from tests.e2e.bad import Bad, Dead, Kind, changed, flaw, json_text, with_field
from tests.e2e.forbidden import FORBIDDEN
from tests.e2e.victims import Victim, outgoing, victims
from topics.records import Outgoing
from topics.registry import Topics

Counts = Mapping[str, int]
TWO_THOUSAND: Final[Counts] = {
    "klines": 700, "configs": 350, "user_alerts": 350, "alerts": 300, "triggers": 300,
}  # fmt: skip
_DIGITS: Final = b"7" * 5_000


def malformed(topics: Topics, accepted_size: int, counts: Counts) -> dict[str, list[Bad]]:
    """Every kind of every topic by turns, as many as `counts` says, by the topic's name in the registry."""
    found = {}
    for name, victim in victims(topics).items():
        kinds = [*_spoilt(victim, accepted_size), *_misaddressed(victim), *FORBIDDEN[name](topics)]
        found[name] = [kind(n) for n, kind in enumerate(islice(cycle(kinds), counts[name]))]
    return found


def oversized(topics: Topics, size: int) -> list[Bad]:
    """One value of `size` bytes for each topic."""
    return [
        Bad("too large", with_field(victim, size, "comment", json_text(size)), Dead("TooLarge"))
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
        "2 MB": ("comment", json_text(accepted_size), "TooLarge"),
    }
    for kind, (field, raw, error_class) in flaws.items():
        yield flaw(kind, victim, field, raw, error_class)
    for kind, value in (("no JSON", b"hello"), ("empty", b""), ("two documents", b"{}{}")):
        yield changed(kind, victim, "Invalid" if value == b"{}{}" else "NotJson", value=value)
    yield _truncated(victim)


def _misaddressed(victim: Victim) -> Iterator[Kind]:
    if (
        victim.spec.cleanup != "compact"
    ):  # there the broker takes no null key, and a null value means something
        yield changed("a null key", victim, "BadKey", key=None)
        yield changed("a null value", victim, "NullValue", value=None)
    yield changed("another key", victim, "BadKey", key=b"OTHER")
    yield changed("an empty key", victim, "BadKey", key=b"")

    def elsewhere(n: int) -> Bad:
        sent = outgoing(victim.spec, victim.make(n))
        moved = ((sent.partition or 0) + 1) % victim.spec.partitions
        return Bad("another partition", sent._replace(partition=moved), Dead("WrongPartition"))

    yield elsewhere


def _truncated(victim: Victim) -> Kind:
    def make(n: int) -> Bad:
        sent = outgoing(victim.spec, victim.make(n))
        value = sent.value or b""
        return Bad("truncated", sent._replace(value=value[: len(value) * 2 // 3]), Dead("NotJson"))

    return make
