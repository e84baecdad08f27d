"""Broker, worker and executor as processes of their own, bots armed on them, and what they cost in CPU seconds."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from bench._dedicated import MINUTE, Bot, candle
from schemas.bots import BotConfig, StopLoss, TakeProfit
from schemas.market import Kline, Tick
from streams.cli.database import counts_by_state, query
from streams.cli.health import readers
from streams.cli.kafka import KafkaCluster
from topics.admin import TopicAdmin
from topics.codec import encode
from topics.connection import KafkaSettings
from topics.producer import KafkaPublisher
from topics.records import Outgoing
from topics.registry import Topics

FIRST: Final = 28_000_000
"""The first minute of the made-up market, counted from 1970."""
WARM: Final = 300
"""Minutes that are there before any bot is."""
_PER_USER: Final = 500
_DEADLINE_S: Final = 900.0


class Spent(NamedTuple):
    """CPU seconds."""

    worker: float
    executor: float
    broker: float | None
    feed: float


class Pipeline:
    """One namespace on one broker. `broker_pid` is None where the broker is not ours to look at."""

    def __init__(
        self, bootstrap: str, broker_pid: int | None, folder: Path, symbols: list[str], name: str
    ) -> None:
        self.symbols = symbols
        self.kafka = KafkaSettings(bootstrap=bootstrap)
        self.topics = Topics(name, 4, keep_history=True)
        self.database = f"sqlite:///{folder / name}.db"
        self.next = FIRST
        self._broker_pid = broker_pid
        self._folder = folder
        self._cluster = KafkaCluster(self.kafka)
        self._publisher = KafkaPublisher(self.kafka)
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        TopicAdmin(self.kafka).create(self.topics.all())

    def __enter__(self) -> "Pipeline":
        self.close_minutes(WARM)
        for name in ("executor", "worker"):
            self._processes[name] = self._start(name)
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes.values():
            process.terminate()
        for process in self._processes.values():
            process.wait(60)

    def close_minutes(self, count: int) -> None:
        """Put the next minutes' closed bars and ticks on the topic, all at once."""
        for minute in range(self.next, self.next + count):
            for record in self._closing(minute):
                self._publisher.send(record)
        self.next += count
        asyncio.run(self._publisher.flush())

    def arm(self, bots: list[Bot]) -> float:
        """Produce the bots' configs and wait until each has its group armed; seconds of wall time."""
        start = time.monotonic()
        for number, bot in enumerate(bots):
            config = _config(bot, number, self.next * MINUTE)
            record = Outgoing(self.topics.configs.name, bot.name.encode(), encode(config), self.next * MINUTE)
            self._publisher.send(record)
        asyncio.run(self._publisher.flush())
        self._until(lambda: self._groups() >= len(bots))
        self.settle()
        return time.monotonic() - start

    def settle(self) -> None:
        """Return when evaluator and executor have handled everything, and still have a moment later."""
        for _ in range(3):
            self._until(lambda: not any(r.lag for r in readers(self._cluster, self.topics, self.database)))
            time.sleep(2)

    def minute(self, seconds: int = 60, *, idle: bool = False) -> Spent:
        """Let a minute pass: a forming kline of each symbol a second, the close in its middle. `idle`: send nothing."""
        payloads = [] if idle else [self._second(second) for second in range(seconds)]
        before, cpu, start = self._cpu(), time.process_time(), time.monotonic()
        for second in range(seconds):
            time.sleep(max(0.0, start + second - time.monotonic()))
            if not idle:
                self._send(payloads[second], closing=second == seconds // 2)
        time.sleep(max(0.0, start + seconds - time.monotonic()))
        feed, after = time.process_time() - cpu, self._cpu()
        spent = {name: after[name] - before[name] for name in after}
        return Spent(spent["worker"], spent["executor"], spent.get("broker"), feed)

    def deals(self) -> int:
        """Deals opened so far."""
        return sum(counts_by_state(self.database, "deals").values())

    def _second(self, second: int) -> list[str]:
        age = (second + 30) % 60 + 1
        minute = self.next + (second >= 30)
        rows = [(symbol, minute * MINUTE, candle(minute, n, age)) for n, symbol in enumerate(self.symbols)]
        return [json.dumps({"s": s, "t": t, "k": [str(v) for v in k], "x": False}) for s, t, k in rows]

    def _send(self, payloads: list[str], *, closing: bool) -> None:
        """What a feed does: decode what the venue says, send it on."""
        if closing:
            for record in self._closing(self.next):
                self._publisher.send(record)
            self.next += 1
        for payload in payloads:
            told = json.loads(payload)
            self._publisher.send(
                self._kline(told["s"], told["t"], [float(v) for v in told["k"]], closed=told["x"])
            )

    def _closing(self, minute: int) -> Iterator[Outgoing]:
        for n, symbol in enumerate(self.symbols):
            yield self._kline(symbol, minute * MINUTE, list(candle(minute, n)), closed=True)
        for symbol in self.symbols:
            tick = Tick(symbol=symbol, feed="bench", time_ms=(minute + 1) * MINUTE)
            yield Outgoing(self.topics.klines.name, symbol.encode(), encode(tick), tick.time_ms)

    def _kline(self, symbol: str, opened: int, numbers: list[float], *, closed: bool) -> Outgoing:
        o, h, low, c, v = numbers
        kline = Kline(
            symbol=symbol, interval="1m", open_time_ms=opened, open=o, high=h, low=low, close=c, volume=v,
            closed=closed, feed="bench",
        )  # fmt: skip
        return Outgoing(self.topics.klines.name, symbol.encode(), encode(kline), opened + MINUTE)

    def _start(self, name: str) -> "subprocess.Popen[bytes]":
        place = [
            "--bootstrap", self.kafka.bootstrap, "--namespace", self.topics.namespace, "--partitions", "4",
            "--keep-history", "--database", self.database, "--dir", str(self._folder / "state"),
        ]  # fmt: skip
        log = (self._folder / f"{self.topics.namespace}-{name}.log").open("wb")
        command = [sys.executable, "-m", "streams.cli", *place, name]
        return subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)

    def _groups(self) -> int:
        from sqlalchemy import text

        if query(self.database, text("select count(*) from sqlite_master where name = 'groups'"))[0][0] == 0:
            return 0
        return counts_by_state(self.database, "groups").get("armed", 0)

    def _until(self, reached: object) -> None:
        assert callable(reached)
        end = time.monotonic() + _DEADLINE_S
        while not reached():
            for name, process in self._processes.items():
                if process.poll() is not None:
                    raise SystemExit(f"the {name} ended with {process.returncode}: {self._log_tail(name)}")
            if time.monotonic() > end:
                raise SystemExit(f"not done within {_DEADLINE_S:.0f} s")
            time.sleep(0.5)

    def _log_tail(self, name: str) -> str:
        return (self._folder / f"{self.topics.namespace}-{name}.log").read_text()[-1_000:]

    def _cpu(self) -> dict[str, float]:
        pids = {name: process.pid for name, process in self._processes.items()}
        if self._broker_pid is not None:
            pids["broker"] = self._broker_pid
        return {name: cpu_seconds(pid) for name, pid in pids.items()}


def cpu_seconds(pid: int) -> float:
    """User and system time of a living process and of its threads (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _config(bot: Bot, number: int, effective_from_ms: int) -> BotConfig:
    return BotConfig(
        bot_id=bot.name, user_id=f"user-{number // _PER_USER}", pairs=[bot.symbol], entry=bot.text,
        base_order_volume="100", safety_order_volume="200", max_safety_orders=3, price_deviation="0.5",
        take_profit=TakeProfit(percent="0.8"), stop_loss=StopLoss(percent="15"), revision=1,
        effective_from_ms=effective_from_ms,
    )  # fmt: skip
