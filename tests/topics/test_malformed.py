"""Bytes that no producer of ours would write: each is refused with its class, nothing else is raised."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.schemas.examples import EXAMPLES
from topics.codec import Undecodable, decode, encode
from topics.dead_letters import MAX_VALUE, dead_letter
from topics.records import Record
from topics.registry import Topics
from topics.spec import MIB

TOPICS = Topics()
KLINE = encode(EXAMPLES["kline"])
CONFIG = encode(EXAMPLES["bot_config"])


def kline_with(field: str, text: bytes) -> bytes:
    """The good kline with one field's JSON replaced."""
    fields = msgspec.json.decode(KLINE, type=dict[str, msgspec.Raw])
    return msgspec.json.encode(fields | {field: msgspec.Raw(text)})


def config_with(entry: bytes) -> bytes:
    fields = msgspec.json.decode(CONFIG, type=dict[str, msgspec.Raw])
    return msgspec.json.encode(fields | {"entry": msgspec.Raw(entry)})


DIGITS = b"7" * 5_000
DEEP = b"[" * 10_000
NESTED = b'{"not":' * 10_000 + b"1" + b"}" * 10_000

CORPUS: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "NotJson"),
    "white space": (b"  \n", "NotJson"),
    "null": (b"null", "Invalid"),
    "a number": (b"7", "Invalid"),
    "a list": (b"[" + KLINE + b"]", "Invalid"),
    "text": (b"hello", "NotJson"),
    "not JSON's quotes": (KLINE.replace(b'"', b"'"), "NotJson"),
    "two documents": (KLINE + KLINE, "NotJson"),
    "a byte order mark": (b"\xef\xbb\xbf" + KLINE, "NotJson"),
    "UTF-16": (KLINE.decode().encode("utf-16"), "NotUtf8"),
    "a broken byte in a name": (KLINE.replace(b"BTC", b"B\xffC"), "NotUtf8"),
    "a broken byte in an unknown field": (KLINE[:-1] + b',"x":"\xc3("}', "NotUtf8"),
    "an overlong NUL": (KLINE[:-1] + b',"x":"\xc0\x80"}', "NotUtf8"),
    "a surrogate in UTF-8": (KLINE[:-1] + b',"x":"\xed\xa0\x80"}', "NotUtf8"),
    "half a surrogate pair": (KLINE[:-1] + b',"feed":"\\ud800"}', "NotJson"),
    "a control character in text": (KLINE[:-1] + b',"feed":"a\x01"}', "NotJson"),
    "a NUL at the end": (KLINE + b"\x00", "NotJson"),
    "no type": (KLINE.replace(b'"type":"kline",', b""), "Invalid"),
    "an unknown type": (KLINE.replace(b'"kline"', b'"candle"'), "Invalid"),
    "a type that is no text": (KLINE.replace(b'"kline"', b"1"), "Invalid"),
    "a message of another topic": (CONFIG, "Invalid"),
    "a price as text": (kline_with("open", b'"100.5"'), "Invalid"),
    "a price that is null": (kline_with("open", b"null"), "Invalid"),
    "a price that is a list": (kline_with("open", b"[100.5]"), "Invalid"),
    "a price that is NaN": (kline_with("open", b"NaN"), "NotJson"),
    "a price that is Infinity": (kline_with("high", b"Infinity"), "NotJson"),
    "a price that is -Infinity": (kline_with("low", b"-Infinity"), "NotJson"),
    "a price of 1e400": (kline_with("high", b"1e400"), "Invalid"),
    "a price of 1e-400": (kline_with("low", b"1e-400"), "Invalid"),
    "a price of 5,000 digits": (kline_with("high", DIGITS), "Invalid"),
    "a time of 5,000 digits": (kline_with("open_time_ms", DIGITS), "Invalid"),
    "a negative time": (kline_with("open_time_ms", b"-60000"), "Invalid"),
    "a time with a fraction": (kline_with("open_time_ms", b"60000.5"), "Invalid"),
    "a time beyond the year 9999": (kline_with("open_time_ms", b"253402300800000"), "Invalid"),
    "a negative price": (kline_with("low", b"-99.0"), "Invalid"),
    "a price of zero": (kline_with("low", b"0"), "Invalid"),
    "high below low": (kline_with("high", b"98.0"), "Invalid"),
    "a negative volume": (kline_with("volume", b"-0.1"), "Invalid"),
    "a number with a leading zero": (kline_with("open", b"0100.5"), "NotJson"),
    "a number with a plus": (kline_with("open", b"+100.5"), "NotJson"),
    "a hexadecimal number": (kline_with("open", b"0x64"), "NotJson"),
    "a missing comma": (KLINE.replace(b',"open"', b'"open"'), "NotJson"),
    "a trailing comma": (KLINE[:-1] + b",}", "NotJson"),
    "a comment": (KLINE[:-1] + b"/* */}", "NotJson"),
    "10,000 levels of lists": (DEEP, "Invalid"),
    "10,000 levels in an unknown field": (KLINE[:-1] + b',"x":' + DEEP, "TooDeep"),
    "2 MB": (KLINE[:-1] + b',"x":"' + b"x" * (2 * MIB) + b'"}', "TooLarge"),
}


def refusal(value: bytes, key: bytes = b"BTCUSDT") -> Undecodable:
    with pytest.raises(Undecodable) as refused:
        decode(Record(TOPICS.klines.name, 0, 0, 0, key, value), TOPICS.klines)
    return refused.value


@pytest.mark.parametrize("value, error_class", CORPUS.values(), ids=CORPUS)
def test_it_is_refused_with_its_class(value: bytes, error_class: str) -> None:
    refused = refusal(value)
    assert refused.error_class == error_class
    assert 0 < len(refused.reason) <= 500


@pytest.mark.parametrize("value", [value for value, _ in CORPUS.values()], ids=list(CORPUS))
def test_it_can_be_dead_lettered(value: bytes) -> None:
    refused = refusal(value)
    letter = dead_letter(Record("t", 3, 9, 7, b"BTCUSDT", value), refused.error_class, refused.reason)
    assert letter.value == value[:MAX_VALUE]
    assert dict(letter.headers)["dlq.error_class"] == refused.error_class.encode()


@pytest.mark.parametrize("length", range(1, len(KLINE)))
def test_a_truncated_kline_is_refused(length: int) -> None:
    assert refusal(KLINE[:length]).error_class == "NotJson"


@pytest.mark.parametrize(
    "entry, error_class",
    [
        (NESTED, "TooDeep"),
        (b'{"op":"lt","left":{"indicator":"rsi","window":' + DIGITS + b'},"right":30}', "Invalid"),
        (b'{"op":"lt","left":1e400,"right":30}', "Invalid"),
        (b'{"op":"lt","left":NaN,"right":30}', "NotJson"),
        (b"7", "Invalid"),
        (b'"' + b"x" * (2 * MIB) + b'"', "TooLarge"),
    ],
    ids=["10,000 levels", "5,000 digits", "1e400", "NaN", "a number", "2 MB"],
)
def test_a_hostile_condition_is_refused(entry: bytes, error_class: str) -> None:
    with pytest.raises(Undecodable) as refused:
        decode(Record(TOPICS.configs.name, 0, 0, 0, b"btc-dip", config_with(entry)), TOPICS.configs)
    assert refused.value.error_class == error_class


def test_the_last_of_doubled_fields_counts() -> None:
    """As in every JSON parser; what matters is that all checks see the same one."""
    doubled = KLINE[:-1] + b',"symbol":"ETHUSDT"}'
    assert refusal(doubled).error_class == "BadKey"


@given(st.binary(max_size=300), st.none() | st.binary(max_size=40))
def test_no_bytes_raise_anything_else(value: bytes, key: bytes | None) -> None:
    for spec in TOPICS.messages():
        with pytest.raises(Undecodable):
            decode(Record(spec.name, 0, 0, 0, key, value), spec)


@given(st.data())
def test_a_damaged_kline_is_refused_or_still_a_good_one(data: st.DataObject) -> None:
    damaged = bytearray(KLINE)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(damaged) - 1))
        damaged[at] = data.draw(st.integers(0, 255))
    try:
        message = decode(Record(TOPICS.klines.name, 0, 0, 0, b"BTCUSDT", bytes(damaged)), TOPICS.klines)
    except Undecodable:
        return
    assert message is not None
    assert decode(Record(TOPICS.klines.name, 0, 0, 0, b"BTCUSDT", encode(message)), TOPICS.klines) == message
