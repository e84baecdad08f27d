"""A topic's klines from the real broker through the engine, beside a consumer that only counts them.

python bench/replay.py [--json] [--klines N]

CPU seconds of this process (the client's threads too), the broker's not counted; the two take turns, medians of five.
Bare: consume(1000) in a loop, its messages dropped, and like ours without garbage collection, which in a process that
has loaded as much as this one costs it a third. Ours: what `strikeline replay` does with a topic: all partitions
read, decoded and checked, law 2, put together by symbol in order of event time, RSI and an entry condition over
every symbol, a DCA bot on each, its triggers, fills and deals as messages.
"""

import argparse
import asyncio
import json
import tempfile
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from statistics import median
from typing import Final

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from schemas.bots import BotConfig, TakeProfit
from streams.cli.backtesting.candles import of_topic
from streams.cli.backtesting.pool import Work, run_all
from streams.engine.dca import Instrument
from streams.feeds.simulator import Market, simulate
from streams.feeds.topic import read_topic
from streams.garbage import not_collecting
from topics.admin import TopicAdmin
from topics.broker.choose import choose
from topics.codec import encode
from topics.connection import KafkaSettings
from topics.producer import KafkaPublisher
from topics.records import Outgoing
from topics.registry import Topics

SYMBOLS: Final = tuple(f"S{n:02d}USDT" for n in range(50))
STEPS: Final = Instrument(tick=Decimal("0.000001"), lot=Decimal("0.000001"))
"""Every simulated price is so many ticks: between two of them the compiled walk would give up."""
ROUNDS: Final = 5


def feed(kafka: KafkaSettings, topics: Topics, count: int) -> int:
    """Simulated klines of all symbols, in order of time. Returns how many."""
    publisher, sent = KafkaPublisher(kafka), 0
    for boundary in simulate(Market(seed=3, symbols=SYMBOLS, minutes=count // len(SYMBOLS))):
        for kline in boundary.klines:
            key = kline.symbol.encode()
            publisher.send(Outgoing(topics.klines.name, key, encode(kline), kline.close_time_ms))
            sent += 1
    asyncio.run(publisher.flush())
    return sent


def bare(kafka: KafkaSettings, topics: Topics, count: int) -> None:
    """Consume everything, and do nothing with it."""
    consumer = Consumer(
        kafka.for_confluent()
        | {
            "group.id": "bare",
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "fetch.queue.backoff.ms": 5,
        }
    )
    places = [TopicPartition(topics.klines.name, p, OFFSET_BEGINNING) for p in range(topics.partitions)]
    consumer.assign(places)
    seen = 0
    with not_collecting():
        while seen < count:
            seen += len(consumer.consume(1_000, 0.05))
    consumer.close()


def replay(kafka: KafkaSettings, topics: Topics) -> int:
    """What `strikeline replay` does between the topic and the files. Returns how many triggers there were."""
    read = read_topic(kafka, topics.klines)
    candles = of_topic(read.bars, SYMBOLS, "1m", 5)
    bots = [
        BotConfig(
            bot_id=f"bot-{symbol}", user_id="bench", pairs=[symbol], entry="rsi(14) < 30", base_order_volume="15",
            safety_order_volume="30", max_safety_orders=5, take_profit=TakeProfit(percent="2"), effective_from_ms=0,
        )
        for symbol in SYMBOLS
    ]  # fmt: skip
    work = Work(bots, dict.fromkeys(SYMBOLS, STEPS))
    return sum(len(result.triggers) for result in run_all(work, candles, 1, lambda done, name: None))


def cpu(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--klines", type=int, default=1_000_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, choose(Path(folder)) as broker:
        kafka, topics = (
            KafkaSettings(bootstrap=broker.bootstrap),
            Topics("bench-replay", 4, keep_history=True),
        )
        TopicAdmin(kafka).create(topics.all())
        count = feed(kafka, topics, asked.klines)
        replay(kafka, topics)  # compiled, and the broker's cache is warm
        rounds = [
            (cpu(lambda: bare(kafka, topics, count)), cpu(lambda: replay(kafka, topics)))
            for _ in range(ROUNDS)
        ]
    peer, ours = (median(column) / count for column in zip(*rounds, strict=True))
    ratio = peer / ours
    name = f"{count:,} klines of a topic through the engine"
    row = {
        "name": name, "value": round(1 / ours), "unit": "klines/s per core", "peer": f"bare consume, {1 / peer:,.0f}",
        "ratio": round(ratio, 3), "goal": "at least 0.5", "met": ratio >= 0.5,
    }  # fmt: skip
    if asked.json:
        print(json.dumps([row]))
        return
    print(f"{name}: {1e6 * ours:.2f} µs each, {row['value']:,} {row['unit']}")
    print(f"bare consume {1e6 * peer:.2f} µs: {ratio:.2f} of its rate  {'met' if row['met'] else 'missed'}")


if __name__ == "__main__":
    main()
