"""Keltner channel. `ta.volatility.keltner_channel_*`; TradingView's `KC` is the second version but for its ATR,
which is there an EMA by default.

`original_version` 1 (Keltner 1960): the mean of (high + low + close)/3 over `window` bars, and above and below it
the mean of high - low, both from exact sums; `window_atr` and `multiplier` have no part in it, as in `ta`.
0 (Raschke): the EMA of the close, and `multiplier` times ATR(window_atr); there the seed is the EMA's.

wband = 100·(hband - lband)/mband; pband = (close - lband)/(hband - lband), missing where the bands meet; the
indicators are 1 where the close is outside, which the original decides in whole numbers: a close on the band is not
outside (in `ta` a rounding error may put it there). `ta` prints bands before the window is full, from what there
is (min_periods=0; an ATR of 0): missing here.
"""

from streams.engine.bars import CLOSE, HIGH, LOW, Floats, Ints
from streams.engine.indicators.atr import true_range
from streams.engine.indicators.definition import SMA, Definition, Param, Plan, SeedCode, Values, seed_code
from streams.engine.kernels.averages import smoothed
from streams.engine.kernels.exact import outgrown, slide_scaled, units
from streams.engine.kernels.kernel import kernel
from streams.engine.kernels.readiness import ema_bars, span, wilder, wilder_bars


@kernel
def draw(middle: float, reach: float, out: Floats) -> None:
    """Bands `reach` from the middle, and their width."""
    out[0] = middle
    out[1] = middle + reach
    out[2] = middle - reach
    if middle > 0.0:
        out[3] = (out[1] - out[2]) / middle * 100.0


@kernel
def same_as_before(t: int, bars: Floats) -> bool:
    return bool(
        bars[t, HIGH] == bars[t - 1, HIGH]
        and bars[t, LOW] == bars[t - 1, LOW]
        and bars[t, CLOSE] == bars[t - 1, CLOSE]
    )


@kernel
def original(t: int, bars: Floats, window: int, f: Floats, i: Ints, out: Floats) -> None:
    """f: scale. i: rows seen, sums of highs, lows, closes, run of equal bars."""
    high = bars[t, HIGH]
    low = bars[t, LOW]
    close = bars[t, CLOSE]
    anew = outgrown(high, i[0], f)
    slide_scaled(t, bars, HIGH, window, i[0], anew, f, i, 1)
    slide_scaled(t, bars, LOW, window, i[0], anew, f, i, 2)
    slide_scaled(t, bars, CLOSE, window, i[0], anew, f, i, 3)
    i[4] = i[4] + 1 if i[0] > 1 and same_as_before(t, bars) else 1
    if i[0] < window:
        return
    if i[4] >= window:
        middle = close + ((high - close) + (low - close)) / 3.0
        reach = high - low
    else:
        middle = (i[1] + i[2] + i[3]) / (3.0 * window * f[0])
        reach = (i[1] - i[2]) / (window * f[0])
    draw(middle, reach, out)
    place(t, bars, window, f, i, out)


@kernel
def place(t: int, bars: Floats, window: int, f: Floats, i: Ints, out: Floats) -> None:
    """Where the close lies, in whole numbers: 3·window times its distance from the middle, and the bands'."""
    away = 3 * window * units(bars[t, CLOSE], f[0]) - (i[1] + i[2] + i[3])
    reach = 3 * (i[1] - i[2])
    if reach > 0:
        out[4] = 0.5 + 0.5 * (away / reach)
    out[5] = 1.0 if away > reach else 0.0
    out[6] = 1.0 if away < -reach else 0.0


@kernel
def step(t: int, bars: Floats, p: Floats, f: Floats, i: Ints, out: Floats) -> None:
    """p: window, ATR's window, original or not, multiplier, the two alphas, seed. f: scale or close before,
    the EMA, the ATR. i: as `original`.
    """
    window = int(p[0])
    window_atr = int(p[1])
    i[0] += 1
    if p[2] > 0.0:
        original(t, bars, window, f, i, out)
        return
    high = bars[t, HIGH]
    low = bars[t, LOW]
    close = bars[t, CLOSE]
    reach = true_range(high, low, f[0]) if i[0] > 1 else high - low
    f[0] = close
    f[1] = smoothed(f[1], close, i[0], window, p[4], p[6] == SMA)
    f[2] = smoothed(f[2], reach, i[0], window_atr, p[5], True)
    if i[0] >= window:
        out[0] = f[1]
        if i[0] >= window_atr:
            draw(f[1], p[3] * f[2], out)
            if out[1] > out[2]:
                out[4] = (close - out[2]) / (out[1] - out[2])
            out[5] = 1.0 if close > out[1] else 0.0
            out[6] = 1.0 if close < out[2] else 0.0


def plan(values: Values, seed: SeedCode) -> Plan:
    window, window_atr = int(values["window"]), int(values["window_atr"])
    p = (
        window, window_atr, values["original_version"], values["multiplier"], span(window), wilder(window_atr),
        seed_code(seed),
    )  # fmt: skip
    if values["original_version"]:
        return Plan(p, floats=3, ints=5, lookback=window, ready=(window,) * 7, reads=(HIGH, LOW, CLOSE))
    middle = max(ema_bars(window), window)
    bands = max(middle, max(wilder_bars(window_atr), window_atr) + 1)
    return Plan(p, floats=3, ints=5, lookback=0, ready=(middle, *(bands,) * 6))


OUTPUTS = ("mband", "hband", "lband", "wband", "pband", "hband_indicator", "lband_indicator")
DEFINITION = Definition(
    name="keltner",
    outputs=OUTPUTS,
    params=(
        Param("window", 20),
        Param("window_atr", 10),
        Param("original_version", 1, low=0.0, high=1.0),
        Param("multiplier", 2, low=0.0, high=100.0, whole=False),
    ),
    step=step,
    plan=plan,
    functions={f"keltner_channel_{name}": name for name in OUTPUTS},
    auto="first",
)
