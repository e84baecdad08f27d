"""Two hundred bots of several shapes, long and short, for recorded markets."""

from collections.abc import Sequence
from typing import Any, Final

from schemas.bots import BotConfig, StopLoss, TakeProfit

_LADDER: Final[dict[str, Any]] = {
    "base_order_volume": "100",
    "safety_order_volume": "150",
    "max_safety_orders": 4,
    "price_deviation": "0.4",
    "step_scale": "1.3",
    "volume_scale": "1.4",
    "take_profit": TakeProfit(percent="0.7"),
}
_DEEP: Final = _LADDER | {
    "max_safety_orders": 8,
    "price_deviation": "0.25",
    "stop_loss": StopLoss(percent="6"),
}
_TIGHT: Final[dict[str, Any]] = {
    "base_order_volume": "250",
    "take_profit": TakeProfit(percent="0.5"),
    "stop_loss": StopLoss(percent="0.6"),
    "slippage": "0.02",
}
_SLOW: Final = _LADDER | {
    "max_safety_orders": 2,
    "take_profit": TakeProfit(percent="1.1", of="base"),
    "cooldown_s": 3_600,
}

SHAPES: Final[dict[str, dict[str, Any]]] = {
    "dip": _LADDER | {"entry": "rsi(14) < 32"},
    "peak": _LADDER | {"side": "short", "entry": "rsi(14) > 68"},
    "band": _DEEP | {"entry": "close < bollinger(20).lband"},
    "top": _DEEP | {"side": "short", "entry": "close > bollinger(20).hband", "intrabar": "ohlc"},
    "cross": _TIGHT | {"entry": "crosses_above(ema(9), ema(21))"},
    "fall": _TIGHT
    | {"side": "short", "entry": "crosses_below(ema(9), ema(21)) and atr(14) > close * 0.0005"},
    "trend": _SLOW | {"entry": 'close > sma(30) and close > ema(20, "15m")'},
    "fade": _SLOW | {"side": "short", "entry": 'stochastic(14) > 85 and rsi(14, "5m") > 55'},
    "hour": _LADDER | {"timeframe": "1h", "entry": "close < open"},
    "macd": _LADDER | {"timeframe": "5m", "entry": "macd_diff() > 0", "same_bar_exit": True},
    "any": _DEEP | {"entry": "rsi(7) < 25 or not (close > close[5] * 0.997)"},
    "always": _SLOW
    | {"side": "short", "entry": "close > 0", "stop_loss": StopLoss(percent="2", reference="average")},
}


def bots(symbols: Sequence[str], effective_from_ms: int, count: int = 200) -> list[BotConfig]:
    """Every shape on every symbol; the rest trade two symbols at once, one deal on each being free to open."""
    made = [_bot(shape, [symbol], effective_from_ms) for shape in SHAPES for symbol in symbols]
    for i in range(count - len(made)):
        pair = [symbols[i % len(symbols)], symbols[(i + 1) % len(symbols)]]
        made.append(_bot(list(SHAPES)[i % len(SHAPES)], pair, effective_from_ms))
    return made[:count]


def _bot(shape: str, pairs: list[str], effective_from_ms: int) -> BotConfig:
    # A limit below the number of pairs would make the outcome depend on the order between symbols (law 12).
    return BotConfig(
        bot_id=f"{shape}-{'-'.join(pairs)}",
        user_id=f"user-{len(shape)}",
        revision=1,
        pairs=pairs,
        max_active_deals=len(pairs),
        effective_from_ms=effective_from_ms,
        **SHAPES[shape],
    )
