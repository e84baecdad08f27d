"""Messages to bytes and back at the edge, and headers."""

import msgspec
import pytest

from schemas.bots import BotConfig
from schemas.message import Message
from tests.schemas.examples import EXAMPLES
from topics.codec import Undecodable, cloud_headers, decode, encode
from topics.records import Record
from topics.registry import Topics
from topics.spec import TopicSpec

TOPICS = Topics()
ON_THE_WIRE = [
    pytest.param(spec, EXAMPLES[str(value.__struct_config__.tag)], id=value.__name__)
    for spec in TOPICS.messages()
    for value in spec.values
]


def record(spec: TopicSpec, key: bytes | None, value: bytes | None) -> Record:
    return Record(spec.name, 0, 0, 0, key, value)


def key_of(spec: TopicSpec, message: Message) -> bytes:
    field: str = getattr(message, spec.key)
    return field.encode()


@pytest.mark.parametrize("spec, message", ON_THE_WIRE)
def test_what_was_encoded_is_decoded(spec: TopicSpec, message: Message) -> None:
    assert decode(record(spec, key_of(spec, message), encode(message)), spec) == message


@pytest.mark.parametrize("spec, message", ON_THE_WIRE)
def test_a_key_that_is_not_the_messages_is_refused(spec: TopicSpec, message: Message) -> None:
    for key in (
        None,
        b"",
        b"x",
        key_of(spec, message) + b"\x00",
        key_of(spec, message).lower() + b"z",
        b"\xff",
    ):
        with pytest.raises(Undecodable) as refused:
            decode(record(spec, key, encode(message)), spec)
        assert refused.value.error_class == "BadKey"
        assert spec.key in refused.value.reason


@pytest.mark.parametrize("spec, message", ON_THE_WIRE)
def test_a_message_of_another_topic_is_refused(spec: TopicSpec, message: Message) -> None:
    for other in TOPICS.messages():
        if type(message) not in other.values:
            with pytest.raises(Undecodable, match="Invalid value"):
                decode(record(other, key_of(spec, message), encode(message)), other)


def test_equal_messages_are_equal_bytes() -> None:
    kline = EXAMPLES["kline"]
    assert encode(kline) == encode(msgspec.structs.replace(kline))
    assert encode(kline) == (
        b'{"type":"kline","symbol":"BTCUSDT","interval":"1m","open_time_ms":1750000020000,'
        b'"open":100.5,"high":102.0,"low":99.0,"close":101.25,"volume":7.0}'
    )


def test_the_order_of_fields_does_not_matter() -> None:
    config = EXAMPLES["bot_config"]
    shuffled = dict(reversed(msgspec.json.decode(encode(config)).items()))
    assert decode(record(TOPICS.configs, b"btc-dip", msgspec.json.encode(shuffled)), TOPICS.configs) == config


def test_white_space_and_unknown_fields_are_ignored() -> None:
    value = b' {"type": "bot_config",\n"bot_id": "b", "user_id": "\\u0075", "later": {"a": [1, null]}} \n'
    expected = BotConfig(bot_id="b", user_id="u")
    assert decode(record(TOPICS.configs, b"b", value), TOPICS.configs) == expected


def test_text_may_be_any_unicode() -> None:
    config = BotConfig(bot_id="b", user_id="u", name="Größe 📈")
    assert decode(record(TOPICS.configs, b"b", encode(config)), TOPICS.configs) == config


def test_a_tombstone_is_none_where_it_is_allowed() -> None:
    assert decode(record(TOPICS.configs, b"btc-dip", None), TOPICS.configs) is None


@pytest.mark.parametrize("key", [None, b""])
def test_a_tombstone_needs_a_key(key: bytes | None) -> None:
    with pytest.raises(Undecodable, match="BadKey"):
        decode(record(TOPICS.configs, key, None), TOPICS.configs)


def test_a_tombstones_key_is_text() -> None:
    with pytest.raises(Undecodable, match="NotUtf8"):
        decode(record(TOPICS.configs, b"\xff", None), TOPICS.configs)


@pytest.mark.parametrize(
    "spec", [spec for spec in TOPICS.messages() if not spec.tombstones], ids=lambda s: s.name
)
def test_a_null_value_is_refused_elsewhere(spec: TopicSpec) -> None:
    with pytest.raises(Undecodable, match="NullValue"):
        decode(record(spec, b"k", None), spec)


def test_a_value_at_its_limit_is_read_and_one_byte_more_is_not() -> None:
    value = encode(EXAMPLES["kline"])
    limit = TOPICS.klines.max_value_bytes
    padded = value + b" " * (limit - len(value))
    assert decode(record(TOPICS.klines, b"BTCUSDT", padded), TOPICS.klines) == EXAMPLES["kline"]
    with pytest.raises(Undecodable, match="TooLarge: 16385 bytes, the limit is 16384"):
        decode(record(TOPICS.klines, b"BTCUSDT", padded + b" "), TOPICS.klines)


def test_headers_are_cloud_events() -> None:
    headers = cloud_headers(EXAMPLES["trigger"], "evaluator/3", "id-1", 1_750_000_020_007, "00-aa-bb-01")
    assert headers == (
        ("ce_id", b"id-1"),
        ("ce_type", b"strikeline.trigger"),
        ("ce_source", b"evaluator/3"),
        ("ce_time", b"2025-06-15T15:07:00.007Z"),
        ("ce_specversion", b"1.0"),
        ("content-type", b"application/json"),
        ("traceparent", b"00-aa-bb-01"),
    )


@pytest.mark.parametrize(
    "time_ms, text",
    [
        (0, b"1970-01-01T00:00:00.000Z"),
        (999, b"1970-01-01T00:00:00.999Z"),
        (253_402_300_800_000, b"9999-12-31T23:59:59.999Z"),
    ],
)
def test_a_trace_is_optional_and_times_are_exact(time_ms: int, text: bytes) -> None:
    headers = dict(cloud_headers(EXAMPLES["kline"], "feed", "x", time_ms))
    assert headers["ce_time"] == text
    assert "traceparent" not in headers
