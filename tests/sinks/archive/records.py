"""Records of the archived topics, as a broker would hand them over."""

from schemas.market import Kline, Tick
from schemas.message import Message
from tests.schemas.examples import EXAMPLES
from topics.codec import encode
from topics.records import Record
from topics.registry import Topics
from topics.spec import TopicSpec

TOPICS = Topics("archived", 2)
START_MS = 1_750_032_000_000 - 5 * 60_000  # five minutes before a midnight
MINUTE_MS = 60_000


def bar(minute: int, symbol: str = "BTCUSDT", *, closed: bool = True, close: float = 10.0) -> Kline:
    return Kline(
        symbol=symbol, interval="1m", open_time_ms=START_MS + minute * MINUTE_MS,
        open=10.0, high=11.0, low=9.0, close=close, volume=float(minute), closed=closed, feed="test",
    )  # fmt: skip


def tick(minute: int, symbol: str = "BTCUSDT") -> Tick:
    return Tick(symbol=symbol, feed="test", time_ms=START_MS + minute * MINUTE_MS)


def record(
    message: Message | bytes, offset: int, spec: TopicSpec = TOPICS.klines, partition: int = 0
) -> Record:
    """`bytes`: a value that is no message."""
    if isinstance(message, bytes):
        return Record(spec.name, partition, offset, START_MS, b"BTCUSDT", message)
    key = str(getattr(message, spec.key)).encode()
    return Record(spec.name, partition, offset, START_MS + offset, key, encode(message))


def example(name: str, offset: int, spec: TopicSpec) -> Record:
    return record(EXAMPLES[name], offset, spec)
