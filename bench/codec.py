"""What a record costs at the edge: decode with its key checked, encode, partition.

python bench/codec.py [--json]
"""

import argparse
import json
import time
import timeit
from collections.abc import Callable
from typing import Any

import aiokafka.partitioner
import msgspec

from schemas.market import Kline
from topics.codec import cloud_headers, decode, encode
from topics.partitioner import murmur2, partition_for
from topics.records import Record
from topics.registry import Topics

ROUNDS, REPEATS = 50_000, 7
SPEC = Topics().klines
KLINE = Kline(
    symbol="BTCUSDT", interval="1m", open_time_ms=1_750_000_020_000,
    open=104_512.34, high=104_600.1, low=104_500.0, close=104_555.55, volume=12.345, feed="binance",
)  # fmt: skip
EVENT_ID = "BTCUSDT:1m:1750000020000"
RECORD = Record(SPEC.name, 0, 0, KLINE.open_time_ms, b"BTCUSDT", encode(KLINE))


def microseconds(call: Callable[[], object]) -> float:
    """CPU time per call, the best of several rounds."""
    return min(timeit.repeat(call, timer=time.process_time, number=ROUNDS, repeat=REPEATS)) / ROUNDS * 1e6


def results() -> list[dict[str, Any]]:
    """One row per claim; `ratio` is how many times cheaper than the peer."""
    value = encode(KLINE)
    unchecked = msgspec.json.Decoder(dict[str, Any])
    rows: list[tuple[str, Callable[[], object], str, Callable[[], object], float]] = [
        ("decode a kline, strictly, and check its key", lambda: decode(RECORD, SPEC),
         "json.loads without any check", lambda: json.loads(value), 1.5),
        ("encode a kline", lambda: encode(KLINE),
         "msgspec to a dict and back", lambda: msgspec.json.encode(unchecked.decode(value)), 1.0),
        ("partition of a symbol seen before", lambda: partition_for(b"BTCUSDT", 12),
         "aiokafka's murmur2", lambda: aiokafka.partitioner.murmur2(b"BTCUSDT"), 0.3),
        ("partition of a new symbol", lambda: murmur2(b"BTCUSDT"),
         "aiokafka's murmur2", lambda: aiokafka.partitioner.murmur2(b"BTCUSDT"), 5.0),
        ("headers of a kline", lambda: cloud_headers(KLINE, "feed", EVENT_ID, KLINE.open_time_ms),
         "", lambda: None, 2.0),
    ]  # fmt: skip
    found = []
    for name, call, peer, other, goal in rows:
        took, theirs = microseconds(call), microseconds(other)
        ratio = round(theirs / took, 2) if peer else None
        found.append(
            {"name": name, "value": round(took, 3), "unit": "µs", "peer": peer, "ratio": ratio,
             "goal": f"< {goal} µs", "met": took < goal}
        )  # fmt: skip
    return found


def main() -> None:
    """Print a table, or with --json the list of results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    rows = results()
    if parser.parse_args().json:
        print(json.dumps(rows, ensure_ascii=False))
        return
    for row in rows:
        print(
            f"{row['name']:45} {row['value']:8.3f} µs   {row['goal']:9} {'met' if row['met'] else 'MISSED'}"
        )


if __name__ == "__main__":
    main()
