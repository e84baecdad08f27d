"""What a run of chaos is about: symbols, bots, changes in mid-stream and klines, all made from one seed.

Everything is written to a folder, and both the real pipeline and the uninterrupted one read it from there. Klines
are fed in segments. The changes of a segment say from which minute *inside* it they count, and are accepted before it
is fed: whatever is still being worked on of earlier segments races with them, and must not care.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Final

import msgspec
import polars as pl
from msgspec.structs import replace

from schemas.bots import BotConfig, StopLoss, TakeProfit
from schemas.interval import MINUTE_MS
from streams.feeds.files import KlineFile, read_klines
from streams.feeds.simulator import Market, simulate

START_MS: Final = 1_735_689_600_000
_USERS: Final = ("alice", "bob", "carol")
_TIGHT: Final[dict[str, Any]] = {
    "base_order_volume": "20", "safety_order_volume": "20", "max_safety_orders": 6, "volume_scale": "1.2",
    "step_scale": "1.15", "fee": "0.05",
}  # fmt: skip
_CALM: Final[dict[str, Any]] = {
    "base_order_volume": "50", "safety_order_volume": "75", "max_safety_orders": 4, "volume_scale": "1.4",
    "step_scale": "1.3", "fee": "0.1",
}  # fmt: skip


@dataclass(frozen=True)
class Scenario:
    """`bots` by the time the first bar comes, `changes` by number of the segment they fall into."""

    seed: int
    symbols: list[str]
    segment_minutes: int
    segments: int
    bots: list[BotConfig]
    changes: list[list[BotConfig]]

    @property
    def changed(self) -> frozenset[str]:
        """Bots that are edited, paused or deleted on the way."""
        return frozenset(config.bot_id for configs in self.changes for config in configs)

    def start_of(self, segment: int) -> int:
        """Open time of the segment's first bar."""
        return START_MS + segment * self.segment_minutes * MINUTE_MS

    def klines(self, path: Path, segment: int) -> KlineFile:
        """The bars of one segment, read from the file that `write` made."""
        return read_klines(path, from_ms=self.start_of(segment), to_ms=self.start_of(segment + 1))


def make(
    seed: int, *, symbols: int = 24, segment_minutes: int = 240, segments: int = 40, bots_per_symbol: int = 5
) -> Scenario:
    """A scenario; the same for the same arguments."""
    random = Random(seed)
    names = [f"S{number:02d}USDT" for number in range(symbols)]
    bots = [_bot(random, name, number) for name in names for number in range(bots_per_symbol)]
    restless = random.sample(range(len(bots)), k=max(4, len(bots) // 6))
    scenario = Scenario(seed, names, segment_minutes, segments, bots, [])
    newest = {index: bots[index] for index in restless}
    for segment in range(segments):
        few = random.sample(restless, k=min(3, len(restless))) if segment else []
        made = [_changed(random, newest[index], scenario, segment) for index in few]
        newest.update(zip(few, made, strict=True))
        scenario.changes.append(made)
    return scenario


def write(scenario: Scenario, folder: Path) -> tuple[Path, Path]:
    """The klines as parquet and everything else as JSON; the paths of both."""
    klines, rest = folder / "klines.parquet", folder / "scenario.json"
    rows = pl.DataFrame(_rows(scenario), schema=_COLUMNS, orient="row")
    rows.write_parquet(klines)
    rest.write_bytes(msgspec.json.format(msgspec.json.encode(scenario)))
    return klines, rest


def read(path: Path) -> Scenario:
    """The scenario that `write` made."""
    return msgspec.json.decode(path.read_bytes(), type=Scenario)


_COLUMNS: Final = {
    "symbol": pl.String, "open_time": pl.Int64, "open": pl.Float64, "high": pl.Float64, "low": pl.Float64,
    "close": pl.Float64, "volume": pl.Float64,
}  # fmt: skip


def _rows(scenario: Scenario) -> Iterator[tuple[str, int, float, float, float, float, float]]:
    minutes = scenario.segment_minutes * scenario.segments
    market = Market(scenario.seed, scenario.symbols, START_MS, minutes, gaps=0.002, volatility=1.5)
    for boundary in simulate(market):
        for k in boundary.klines:
            yield k.symbol, k.open_time_ms, k.open, k.high, k.low, k.close, k.volume


def _bot(random: Random, symbol: str, number: int) -> BotConfig:
    shape = _SHAPES[number % len(_SHAPES)]
    start = START_MS + random.choice([0, 0, 0, random.randrange(1, 90)]) * MINUTE_MS
    return BotConfig(
        bot_id=f"{symbol[:3].lower()}-{shape['name']}-{number}",
        user_id=random.choice(_USERS),
        pairs=[symbol],
        effective_from_ms=start,
        revision=1,
        same_bar_exit=random.random() < 0.3,
        intrabar=random.choice(["pessimistic", "pessimistic", "ohlc"]),
        slippage=random.choice(["0", "0", "0.02"]),
        side=shape.get("side", "long"),
        entry=shape["entry"],
        cooldown_s=shape.get("cooldown_s", 0),
        price_deviation=str(round(shape["deviation"] * random.uniform(0.8, 1.3), 3)),
        take_profit=TakeProfit(percent=str(round(shape["profit"] * random.uniform(0.9, 1.3), 3))),
        stop_loss=shape.get("stop_loss"),
        **shape["money"],
    )


_SHAPES: Final[list[dict[str, Any]]] = [
    {"name": "tight", "entry": "close < sma(5)", "deviation": 0.12, "profit": 0.35, "money": _TIGHT},
    {
        "name": "mirror", "side": "short", "entry": "close > ema(9)", "deviation": 0.15, "profit": 0.4,
        "money": _TIGHT, "stop_loss": StopLoss(percent="4", reference="last_level"),
    },
    {
        "name": "dip", "entry": 'rsi(14) < 40 and close < bollinger(20).mavg', "deviation": 0.4, "profit": 0.6,
        "money": _CALM, "stop_loss": StopLoss(percent="6"), "cooldown_s": 300,
    },
    {
        "name": "trend", "entry": 'crosses_above(ema(5), sma(20)) or close > sma(10, "5m")', "deviation": 0.3,
        "profit": 0.5, "money": _CALM, "cooldown_s": 900, "stop_loss": StopLoss(percent="3", reference="average"),
    },
    {
        "name": "spike", "side": "short", "entry": "stochastic(14, 3) > 80 and close > close[1]",
        "deviation": 0.25, "profit": 0.45, "money": _CALM,
    },
]  # fmt: skip


def _changed(random: Random, before: BotConfig, scenario: Scenario, segment: int) -> BotConfig:
    """The next config of a bot, counting from a minute inside the segment."""
    minute = random.randrange(scenario.segment_minutes)
    config = replace(
        before,
        revision=before.revision + 1,
        effective_from_ms=scenario.start_of(segment) + minute * MINUTE_MS + random.choice([0, 0, 17_000]),
    )
    if before.state != "active":
        return replace(config, state="active")
    match random.randrange(5):
        case 0:
            return replace(config, state="paused")
        case 1:
            return replace(config, state="deleted", on_delete="close")
        case 2:
            return replace(config, state="deleted", on_delete="keep")
        case 3:
            return replace(config, entry=random.choice(["close < sma(8)", "rsi(7) < 45", "close < open"]))
        case _:
            return replace(
                config, base_order_volume=str(random.randrange(20, 60)), cooldown_s=random.randrange(2) * 180
            )
