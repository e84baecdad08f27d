"""Random bots over random and recorded candles: what the two speeds are compared on."""

from collections.abc import Mapping
from decimal import Decimal
from random import Random
from typing import Any, Final

from schemas.bots import BotConfig, CloseRule, Grid, LadderStep, StopLoss, TakeProfit, TargetStep
from streams.engine.bars import BarArrays
from streams.engine.dca import Instrument
from streams.engine.kinds import problems

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
INSTRUMENTS: Final[Mapping[str, Instrument]] = {"COARSE": COARSE, "CENTS": CENTS, "CENTS2": CENTS}


def bot(
    random: Random, name: str, pairs: list[str], instrument: Instrument, start_ms: int, *, plain: bool = False
) -> BotConfig:
    """A bot that can be armed, of every setting; `plain`: only of those that the compiled walk knows."""
    while True:
        settings = _drawn(random, name, pairs, start_ms)
        if not plain:
            settings |= _grid(random) if random.random() < 0.2 else _more(random)
        try:
            made = BotConfig(**settings)
        except ValueError:
            continue
        if not problems(made, instrument):
            return made


def _grid(random: Random) -> dict[str, Any]:
    """A grid around the candles' first prices."""
    choice = random.choice
    low, high = choice([("98.5", "101.5"), ("99.2", "100.9"), ("97", "104")])
    found = Grid(
        lower=low, upper=high, levels=choice([4, 9, 15]), quantity=choice(["20", "0.4"]),
        quantity_in=choice(["quote", "base"]), spacing=choice(["arithmetic", "geometric"]),
        max_active_levels=choice([None, 3]), initial_purchase=choice([True, False]),
        stop_below=choice([None, "96.5"]), stop_above=choice([None, "104.5"]), stop_action=choice(["close", "keep"]),
    )  # fmt: skip
    nothing = BotConfig(bot_id="x", user_id="x")
    names = ("base_order_volume", "safety_order_volume", "max_safety_orders", "price_deviation", "step_scale",
             "volume_scale", "take_profit", "stop_loss", "same_bar_exit", "max_active_deals")  # fmt: skip
    plain = {name: getattr(nothing, name) for name in names}
    side = choice(["long", "short", "neutral"])
    return plain | {
        "kind": "grid",
        "grid": found,
        "side": side,
        "fee": "0.01",
        **choice([{"entry": "", "cooldown_s": 0}, {"entry": "rsi(14) < 50"}]),
    }


def _more(random: Random) -> dict[str, Any]:
    """Settings that Python walks, a few of them at a time."""
    choice = random.choice
    found: dict[str, Any] = {
        "steps": tuple(LadderStep(deviation=d, volume=choice(["20", "31.5"])) for d in ("0.1", "0.25", "0.7")),
        "anchor": choice(["previous_order", "average"]),
        "safety_condition": choice(["rsi(7) < 40", "close < ema(5)", 'rsi(3, "5m") < 50']),
        "max_active_safety_orders": choice([1, 2]),
        "gap_through": choice(["one_per_bar", "merge"]),
        "take_profit": choice([
            TakeProfit(steps=(TargetStep(percent="0.3", amount="40"), TargetStep(percent="0.8", amount="60"))),
            TakeProfit(percent="0.4", trailing="0.15"),
            TakeProfit(steps=(TargetStep(percent="0.3", amount="50"), TargetStep(percent="0.5", amount="50")),
                       trailing="0.2"),
        ]),
        "stop_loss": choice([
            StopLoss(percent="0.8", trailing=True), StopLoss(percent="0.6", break_even=True),
            StopLoss(percent="0.4", timeout_s=300),
        ]),
        "close": CloseRule(when=choice(["rsi(14) > 60", "close > sma(20)"]), min_profit=choice([None, "0.1", "-1"])),
        "deal_timeout_s": choice([600, 5_400]),
        "start_delay_s": choice([60, 420]),
        "disable_after_deals": choice([1, 3]),
        "max_active_deals_per_pair": 2,
        "max_active_deals": 3,
        "reinvest_percent": "50",
        "fee_in": "base",
        "entry": choice(['schedule("*/20 * * * *")', 'schedule("7 * * * *", "Europe/Berlin")',
                         "sequence(rsi(5) < 40, rsi(5) > 50, within=10)"]),
        "accumulate": True,
    }  # fmt: skip
    names = random.sample(sorted(found), random.choice([1, 1, 2, 3]))
    return {name: found[name] for name in names}


def _drawn(random: Random, name: str, pairs: list[str], start_ms: int) -> dict[str, Any]:
    choice = random.choice
    target = choice([None, *["x"] * 5])
    stop = choice([None, None, "x"])
    return {
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


def stretch(random: Random, bars: BarArrays, count: int) -> BarArrays:
    """`count` consecutive bars from anywhere."""
    first = random.randrange(max(1, len(bars) - count))
    return BarArrays(bars.open_time_ms[first : first + count], bars.ohlcv[first : first + count])
