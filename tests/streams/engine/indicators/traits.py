"""What single indicators are excused from by the invariants that all of them are held to, each with the reason."""

from typing import Final

from schemas.conditions import Indicator

# Outputs that may be missing on a moving market after they are ready: 0/0 in a still window.
MISSING_AT_TIMES: Final = {
    "bollinger.pband": "the bands meet where the window stands still",
    "stochastic.stoch": "no range",
    "stochastic.stoch_signal": "no range in one of its bars",
    "williams_r.williams_r": "no range",
    "stochrsi.stochrsi": "the RSI stands still",
    "stochrsi.stochrsi_k": "the RSI stands still",
    "stochrsi.stochrsi_d": "the RSI stands still",
    "zscore.zscore": "no deviation",
    "ultimate_oscillator.ultimate_oscillator": "no true range in its shortest window",
    "psar.psar_up": "the trend is down",
    "psar.psar_down": "the trend is up",
    "stc.stc": "the line, or its average, stands still for a cycle",
    "cci.cci": "no deviation",
    "donchian.pband": "the bands meet",
    "keltner.pband": "the bands meet",
}

# Indicators whose values depend on all bars before, with a weight that fades: they are ready when it has faded (law 5).
# The number: by how much a fraction of them may magnify what is left, where its denominator is small.
RECURSIVE: Final = {
    "adx": 10.0,
    "atr": 1.0,
    "elder_ray": 10.0,
    "ema": 1.0,
    "fi": 1.0,
    "kama": 1.0,
    "keltner": 10.0,
    "macd": 1.0,
    "mass_index": 1.0,
    "ppo": 1.0,
    "pvo": 1.0,
    "rsi": 10.0,
    "stc": 1.0,
    "stochrsi": 100.0,
    "supertrend": 1.0,
    "trix": 1.0,
    "tsi": 10.0,
}


def magnification(leaf: Indicator) -> float | None:
    """That of RECURSIVE; None where the values are made of a window alone, as the original Keltner channel's are."""
    if dict(leaf.params).get("original_version") == 1:
        return None
    return RECURSIVE.get(leaf.name)


# Indicators whose state grows with a window, and what it keeps.
GROWS: Final = {
    "aroon": "two deques of extremes",
    "cmf": "rings of money flow and volume",
    "donchian": "two deques of extremes",
    "eom": "a ring of what the second output is the mean of",
    "highest": "a deque of extremes",
    "hma": "a ring of what the last average is made of",
    "ichimoku": "six deques of extremes",
    "kst": "what the means of its rates of change are made of",
    "lowest": "a deque of extremes",
    "mass_index": "the ratios of a window",
    "mfi": "rings of rises and falls",
    "rolling_vwap": "rings of price times volume, and volume",
    "stc": "what is compared over a cycle, twice, with deques",
    "stochastic": "two deques of extremes, a ring of %K",
    "stochrsi": "a ring of RSIs, two deques of their extremes, rings of what is averaged",
    "ulcer_index": "the drawdowns of a window, a deque of extremes",
    "vwma": "rings of price times volume, and volume",
    "williams_r": "two deques of extremes",
}
