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
    "donchian": "extremes of two blocks, twice",
    "eom": "a ring of what the second output is the mean of",
    "highest": "extremes of two blocks, twice",
    "hma": "a ring of what the last average is made of",
    "ichimoku": "extremes of two blocks, six times",
    "kst": "what the means of its rates of change are made of",
    "lowest": "extremes of two blocks, twice",
    "mass_index": "the ratios of a window",
    "mfi": "rings of rises and falls",
    "rolling_vwap": "rings of price times volume, and volume",
    "stc": "what is compared over a cycle, twice, with deques",
    "stochastic": "extremes of two blocks, twice, and a ring of %K, where it is longer than 16 or smooth_window than 4",
    "stochrsi": "a ring of RSIs, two deques of their extremes, rings of what is averaged",
    "ulcer_index": "the drawdowns of a window, extremes of two blocks",
    "vwma": "rings of price times volume, and volume",
    "williams_r": "extremes of two blocks, twice",
}
