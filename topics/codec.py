"""The only place where JSON is spelled: messages to bytes, and records back to messages at the edge.

The edge trusts nothing: size first, then strict decoding, then the key. What it refuses is dead-lettered.
"""

from datetime import UTC, datetime
from functools import cache, lru_cache
from typing import Final, Literal, Union

import msgspec

from schemas.message import Message
from topics.records import Headers, Record
from topics.spec import TopicSpec

ErrorClass = Literal["TooLarge", "NullValue", "NotUtf8", "NotJson", "TooDeep", "Invalid", "BadKey"]

_encoder = msgspec.json.Encoder()
_REASON_LENGTH: Final = 500
_LAST_MS: Final = 253_402_300_799_999


class Undecodable(Exception):
    """A record that can never be read: dead-letter it and go on. `reason` is for people, one line."""

    def __init__(self, error_class: ErrorClass, reason: str) -> None:
        reason = reason[:_REASON_LENGTH].encode("utf-8", "backslashreplace").decode()
        super().__init__(f"{error_class}: {reason}")
        self.error_class = error_class
        self.reason = reason


def encode(message: Message) -> bytes:
    """`message` as JSON: fields in declared order, defaults left out, so equal messages are equal bytes."""
    return _encoder.encode(message)


def decode(record: Record, spec: TopicSpec) -> Message | None:
    """The message that `record` carries, one of `spec.values`; None for a tombstone where the topic allows
    it.

    Raises Undecodable, and nothing else, whatever the bytes are.
    """
    value, key = record.value, record.key
    if value is None:
        _check_tombstone(key, spec)
        return None
    if len(value) > spec.max_value_bytes:
        raise Undecodable("TooLarge", f"{len(value)} bytes, the limit is {spec.max_value_bytes}")
    if not value.isascii():
        _check_utf8(value)
    try:
        message = _decoder(spec.values).decode(value)
    except (ValueError, RecursionError, OverflowError, MemoryError) as error:
        raise _refusal(error) from error
    field: str = getattr(message, spec.key)
    if key is None or key != field.encode():
        raise Undecodable("BadKey", f"key {_shown(key)} is not the value's {spec.key} {field!r}")
    return message


@cache
def _decoder(values: tuple[type[Message], ...]) -> "msgspec.json.Decoder[Message]":
    return msgspec.json.Decoder(Union[values])  # noqa: UP007


def _check_tombstone(key: bytes | None, spec: TopicSpec) -> None:
    if not spec.tombstones:
        raise Undecodable("NullValue", "a null value has no meaning on this topic")
    if not key:
        raise Undecodable("BadKey", "a null value needs a key to delete")
    _check_utf8(key)


def _check_utf8(data: bytes) -> None:
    # The decoder skips unknown fields without reading their text.
    try:
        data.decode()
    except UnicodeDecodeError as error:
        raise Undecodable("NotUtf8", f"{error.reason} at byte {error.start}") from error


def _refusal(error: Exception) -> Undecodable:
    if isinstance(error, RecursionError):
        return Undecodable("TooDeep", "nested too deeply")
    if isinstance(error, msgspec.ValidationError):
        return Undecodable("Invalid", str(error))
    return Undecodable("NotJson", str(error) or type(error).__name__)


def _shown(key: bytes | None) -> str:
    return "null" if key is None else repr(key[:80])


def cloud_headers(
    message: Message, source: str, event_id: str, time_ms: int, traceparent: str | None = None
) -> Headers:
    """Headers of CloudEvents 1.0 in Kafka's binary mode; `time_ms`: event time, `source`: the process."""
    headers: Headers = (
        ("ce_id", event_id.encode()),
        ("ce_type", _event_type(type(message))),
        ("ce_source", source.encode()),
        ("ce_time", _rfc3339(time_ms)),
        ("ce_specversion", b"1.0"),
        ("content-type", b"application/json"),
    )
    return headers if traceparent is None else (*headers, ("traceparent", traceparent.encode()))


@cache
def _event_type(message: type[Message]) -> bytes:
    return f"strikeline.{message.__struct_config__.tag}".encode()


def _rfc3339(time_ms: int) -> bytes:
    # RFC 3339 has four digits for the year; a bar may close in the year 10000 all the same.
    seconds, millis = divmod(min(max(time_ms, 0), _LAST_MS), 1_000)
    return b"%s.%03dZ" % (_to_the_second(seconds), millis)


@lru_cache(maxsize=1_024)
def _to_the_second(seconds: int) -> bytes:
    """Cached: the klines of all symbols close at the same time."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}".encode()
