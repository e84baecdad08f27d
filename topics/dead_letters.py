"""Dead letters: a record that could not be used, kept as it came, with where it was and why.

Key and value are the bytes as received; the original headers keep their names behind `dlq.header.`. A dead
letter must fit its topic (2 MiB a record), so a value beyond 1 MiB (larger than any topic of ours accepts), a
key beyond 4 KiB and headers beyond 64 KiB are cut; headers then tell the full length and the SHA-256 of what
was received.
"""

from hashlib import sha256
from typing import Final, NamedTuple

from topics.records import Headers, Outgoing, Record
from topics.registry import dlq_name
from topics.spec import KIB, MIB

MAX_VALUE: Final = MIB
MAX_KEY: Final = 4 * KIB
MAX_HEADERS: Final = 64 * KIB
MAX_REASON: Final = 1_000
_PREFIX: Final = "dlq."
_ORIGINAL: Final = "dlq.header."


class NotRevivable(ValueError):
    """The dead letter cannot be sent again: it was cut, or it is no dead letter."""


class DeadLetter(NamedTuple):
    """What a dead letter tells: the record as received, and why it was refused. `cut`: bytes are missing."""

    record: Record
    error_class: str
    reason: str
    cut: bool


def dead_letter(record: Record, error_class: str, reason: str) -> Outgoing:
    """The dead letter of `record`, on `<topic>.dlq`, in the partition of the same number."""
    told: list[tuple[str, bytes]] = [
        ("dlq.topic", record.topic.encode()),
        ("dlq.partition", b"%d" % record.partition),
        ("dlq.offset", b"%d" % record.offset),
        ("dlq.timestamp", b"%d" % record.timestamp_ms),
        ("dlq.error_class", _text(error_class)),
        ("dlq.reason", _text(reason)),
    ]
    key, cut_key = _cut("key", record.key, MAX_KEY)
    value, cut_value = _cut("value", record.value, MAX_VALUE)
    originals, cut_headers = _originals(record.headers)
    headers = (*told, *cut_key, *cut_value, *cut_headers, *originals)
    return Outgoing(
        dlq_name(record.topic), key, value, max(record.timestamp_ms, 0), headers, record.partition
    )


def read_dead_letter(record: Record) -> DeadLetter:
    """What the dead letter `record` tells. Raises NotRevivable where it was not made by `dead_letter`."""
    told = {name: value for name, value in record.headers if not name.startswith(_ORIGINAL)}
    original = tuple(
        (name.removeprefix(_ORIGINAL), value) for name, value in record.headers if name.startswith(_ORIGINAL)
    )
    try:
        return DeadLetter(
            Record(
                topic=told["dlq.topic"].decode(),
                partition=int(told["dlq.partition"]),
                offset=int(told["dlq.offset"]),
                timestamp_ms=int(told["dlq.timestamp"]),
                key=record.key,
                value=record.value,
                headers=original,
            ),
            told["dlq.error_class"].decode(),
            told["dlq.reason"].decode(),
            any(name.endswith(".length") for name in told),
        )
    except (KeyError, ValueError) as error:
        raise NotRevivable(f"{record.address} is no dead letter: {error}") from error


def revive(record: Record) -> Outgoing:
    """The original record, to be sent to its topic again. Raises NotRevivable."""
    letter = read_dead_letter(record)
    if letter.cut:
        raise NotRevivable(f"{record.address} was cut: it is not the whole record that was received")
    was = letter.record
    return Outgoing(was.topic, was.key, was.value, max(was.timestamp_ms, 0), was.headers)


def _text(text: str) -> bytes:
    return text[:MAX_REASON].encode("utf-8", "backslashreplace")


def _cut(what: str, data: bytes | None, limit: int) -> tuple[bytes | None, Headers]:
    if data is None or len(data) <= limit:
        return data, ()
    length = (f"{_PREFIX}{what}.length", b"%d" % len(data))
    digest = (f"{_PREFIX}{what}.sha256", sha256(data).hexdigest().encode())
    return data[:limit], (length, digest)


def _originals(headers: Headers) -> tuple[Headers, Headers]:
    """The headers that fit, renamed, and, when some did not, the full count of bytes."""
    kept: list[tuple[str, bytes]] = []
    size = 0
    for name, value in headers:
        size += len(name) + len(value or b"")
        if size <= MAX_HEADERS:
            kept.append((_ORIGINAL + name, value))
    return tuple(kept), ((("dlq.headers.length", b"%d" % size),) if size > MAX_HEADERS else ())
