"""A malformed record and its fate, and how one is made of a good message."""

from collections.abc import Callable
from typing import NamedTuple

import msgspec

from tests.e2e.victims import Victim, outgoing
from topics.records import Outgoing


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
"""Makes the bad record of that number."""


def with_field(victim: Victim, n: int, field: str, raw: bytes) -> Outgoing:
    """The message with one field's JSON replaced, or added."""
    sent = outgoing(victim.spec, victim.make(n))
    fields = msgspec.json.decode(sent.value or b"", type=dict[str, msgspec.Raw])
    return sent._replace(value=msgspec.json.encode(fields | {field: msgspec.Raw(raw)}))


def flaw(kind: str, victim: Victim, field: str, raw: bytes, error_class: str) -> Kind:
    """One field is wrong: its JSON is `raw`."""
    return lambda n: Bad(kind, with_field(victim, n, field, raw), Dead(error_class))


def changed(kind: str, victim: Victim, error_class: str, **changes: bytes | None) -> Kind:
    """Key, value or partition is another one."""

    def make(n: int) -> Bad:
        return Bad(kind, outgoing(victim.spec, victim.make(n))._replace(**changes), Dead(error_class))  # type: ignore[arg-type]

    return make


def json_text(size: int) -> bytes:
    """JSON text of so many bytes."""
    return b'"' + b"x" * size + b'"'
