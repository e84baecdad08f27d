"""Random bots over random and recorded candles: what the two speeds are compared on."""

from collections.abc import Mapping
from decimal import Decimal
from random import Random
from typing import Any, Final

from schemas.bots import BotConfig, StopLoss, TakeProfit
from streams.engine.bars import BarArrays
from streams.engine.dca import Instrument, problems

ENTRIES: Final = (
    "rsi(14) < 40",
    "rsi(5) < 30",
    "close < sma(10)",
    "crosses_above(ema(3), ema(9))",
    'close > ema(3, "5m") and rsi(7) < 50',
    "moves_down_percent(close, 0.2, 5)",
    "holds(close < sma(5), 3)",
    "close > 1",
)
COARSE: Final = Instrument(tick=Decimal("0.05"), lot=Decimal("0.001"), min_notional=Decimal(5))
CENTS: Final = Instrument(tick=Decimal("0.01"), lot=Decimal("0.00001"))
INSTRUMENTS: Final[Mapping[str, Instrument]] = {"COARSE": COARSE, "CENTS": CENTS}


def bot(random: Random, name: str, pairs: list[str], instrument: Instrument, start_ms: int) -> BotConfig:
    """A bot that can be armed, of every setting that the walk knows."""
    while True:
        made = _drawn(random, name, pairs, start_ms)
        if not problems(made, instrument):
            return made


def _drawn(random: Random, name: str, pairs: list[str], start_ms: int) -> BotConfig:
    choice = random.choice
    target = choice([None, *["x"] * 5])
    stop = choice([None, None, "x"])
    settings: dict[str, Any] = {
        "bot_id": name, "user_id": "alice", "pairs": pairs, "entry": choice(ENTRIES),
        "side": choice(["long", "short"]), "intrabar": choice(["pessimistic", "ohlc"]),
        "base_order_volume": choice(["15", "33.3"]), "safety_order_volume": choice(["30", "17.77"]),
        "max_safety_orders": choice([0, 1, 3, 6]), "price_deviation": choice(["0.05", "0.2", "0.4"]),
        "step_scale": choice(["1", "1.3", "0.8"]), "volume_scale": choice(["1", "1.5"]),
        "take_profit": target and TakeProfit(percent=choice(["0.31", "0.5", "1.1"]), of=choice(["average", "base"])),
        "stop_loss": stop and StopLoss(
            percent=choice(["0.5", "1.5"]), reference=choice(["base", "average", "last_level"])
        ),
        "cooldown_s": choice([0, 0, 60, 300, 1000]), "same_bar_exit": choice([True, False]),
        "fee": choice(["0.1", "0", "0.075"]), "slippage": choice(["0", "0", "0.05"]),
        "max_active_deals": choice([1, 1, 2, 5]), "effective_from_ms": start_ms,
    }  # fmt: skip
    return BotConfig(**settings)


def stretch(random: Random, bars: BarArrays, count: int) -> BarArrays:
    """`count` consecutive bars from anywhere."""
    first = random.randrange(max(1, len(bars) - count))
    return BarArrays(bars.open_time_ms[first : first + count], bars.ohlcv[first : first + count])
