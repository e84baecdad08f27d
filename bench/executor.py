"""Triggers per second of the executor on SQLite, with and without publishing what it tells.

Every bot takes one trigger a round: the first opens a deal, each later one fills a safety order. So each
books a fill and is answered by commands, two or three events and a snapshot. The database is on the disk of
the temporary folder.
"""

import argparse
import asyncio
import json
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import msgspec

from schemas.alerts import GroupCommand
from schemas.bots import BotConfig, TakeProfit
from schemas.triggers import Bar, FiredMember, Trigger
from sinks.database.engine import open_engine
from sinks.database.migrate import upgrade
from sinks.executor.core import Executor
from sinks.executor.decision import Rules
from sinks.executor.owned import Claim, Source
from sinks.executor.relay import Relay
from sinks.process import calm_collector
from sinks.venues.paper import Paper
from topics.bus import MemoryBus, MemoryPublisher
from topics.codec import encode
from topics.records import Record
from topics.registry import Topics

GOAL = 1_500
START_MS = 1_700_000_040_000
TOPICS = Topics(partitions=1)


def _config(bot_id: str) -> BotConfig:
    return BotConfig(
        bot_id=bot_id, user_id="bench", pairs=["BTCUSDT"], entry="close < 101", base_order_volume="15",
        safety_order_volume="30", max_safety_orders=5, price_deviation="1", take_profit=TakeProfit(percent="2"),
        effective_from_ms=START_MS,
    )  # fmt: skip


def _bar(number: int, close: float) -> Bar:
    at = START_MS + number * 60_000
    return Bar(
        interval="1m", open_time_ms=at, close_time_ms=at + 60_000, open=close, high=close, low=close, close=close,
        volume=1.0,
    )  # fmt: skip


def _trigger(command: GroupCommand, bar: Bar) -> Trigger:
    member = command.members[0]
    return Trigger(
        trigger_id=f"{command.group_id}:{command.generation}:{bar.open_time_ms}:1", group_id=command.group_id,
        generation=command.generation, bot_id=command.bot_id, user_id=command.user_id, symbol=command.symbol,
        bar=bar, action=member.action,
        fired=[FiredMember(alert_id=member.alert_id, action=member.action, price=bar.close)],
    )  # fmt: skip


class _Run:
    """An executor on a fresh database, one partition, fed with records made from its own commands."""

    def __init__(self, folder: Path) -> None:
        engine = open_engine(str(folder / "bench.db"))
        upgrade(engine)
        self.executor = Executor(engine, TOPICS, Rules(Paper()))
        self.executor.begin()
        self.claim: Claim = self.executor.claim(
            0, [Source(name, name, 0, 10**9) for name in self.executor.sources]
        )
        self.relay = Relay(engine, self.claim, 10_000)
        self.bus = MemoryBus(*TOPICS.all())
        self.offsets = dict.fromkeys(self.executor.sources, 0)
        self.read = 0
        self.cpu = 0.0

    def record(self, topic: str, message: BotConfig | Trigger) -> Record:
        offset = self.offsets[topic]
        self.offsets[topic] = offset + 1
        return Record(topic, 0, offset, START_MS, message.bot_id.encode(), encode(message))

    def apply(self, records: list[Record], batch: int) -> float:
        start, cpu = time.perf_counter(), time.process_time()
        for at in range(0, len(records), batch):
            self.executor.apply(self.claim, records[at : at + batch])
        self.cpu += time.process_time() - cpu
        return time.perf_counter() - start

    def publish(self) -> float:
        async def all_of_it() -> None:
            publisher = MemoryPublisher(self.bus)
            while await self.relay.run_once(publisher):
                pass

        start = time.perf_counter()
        asyncio.run(all_of_it())
        return time.perf_counter() - start

    def commands(self) -> list[GroupCommand]:
        found = self.bus.read(TOPICS.alerts.name, 0, self.read, 10**6)
        self.read += len(found)
        newest = {
            c.bot_id: c for c in (msgspec.json.decode(r.value or b"", type=GroupCommand) for r in found)
        }
        return [command for command in newest.values() if command.op == "arm"]


class Rates(NamedTuple):
    """Triggers per second."""

    applied: float
    with_relay: float
    per_cpu_second: float


def measure(bots: int, rounds: int, batch: int) -> Rates:
    """Every bot takes one trigger a round."""
    with tempfile.TemporaryDirectory() as folder:
        run = _Run(Path(folder))
        run.apply([run.record(TOPICS.configs.name, _config(f"bot{n}")) for n in range(bots)], batch)
        applied = published = run.cpu = 0.0
        count = 0
        for number in range(rounds):
            run.publish()
            triggers = [_trigger(c, _bar(number, 100.0 - 0.99 * number)) for c in run.commands()]
            records = [run.record(TOPICS.triggers.name, trigger) for trigger in triggers]
            applied += run.apply(records, batch)
            published += run.publish()
            count += len(records)
        run.executor.engine.dispose()
        return Rates(count / applied, count / (applied + published), count / run.cpu)


def main() -> None:
    """Print the result, with `--json` as the list every benchmark prints."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--bots", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batch", type=int, default=500)
    args = parser.parse_args()
    calm_collector()
    rates = measure(args.bots, args.rounds, args.batch)
    unit = "triggers/s"
    rows = [
        {"name": "executor: apply on SQLite (WAL, synchronous=FULL)", "value": round(rates.applied), "unit": unit,
         "peer": None, "ratio": None, "goal": GOAL, "met": rates.applied >= GOAL},
        {"name": "executor: apply and relay", "value": round(rates.with_relay), "unit": unit,
         "peer": None, "ratio": None, "goal": None, "met": None},
        {"name": "executor: apply, per CPU second", "value": round(rates.per_cpu_second), "unit": unit,
         "peer": None, "ratio": None, "goal": None, "met": None},
    ]  # fmt: skip
    if args.json:
        print(json.dumps(rows))
    else:
        for row in rows:
            print(
                f"{row['name']}: {row['value']:,} {unit}"
                + (f" (goal {row['goal']:,})" if row["goal"] else "")
            )


if __name__ == "__main__":
    main()
