"""Donchian channel. `ta.volatility.donchian_channel_*`; TradingView's `DC` has the first three.

hband and lband are the highest high and the lowest low of `window` bars, mband lies between them; wband is their
distance in percent of the mean close (an exact sum); pband = (close - lband)/(hband - lband), missing where the
channel has no width. With an `offset` all of it is what it was that many bars ago, the close of pband too, as
in `ta`; a negative one would read the future and is refused.
"""

from streams.engine.bars import CLOSE, HIGH, LOW, Floats, Ints
from streams.engine.indicators.definition import Definition, Param, Plan, SeedCode, Values
from streams.engine.kernels.exact import run_length, slide
from streams.engine.kernels.extremes import slide_extreme
from streams.engine.kernels.kernel import kernel


@kernel
def step(t: int, bars: Floats, p: Floats, f: Floats, i: Ints, out: Floats) -> None:
    """p: window, offset. f: scale. i: rows seen, sum of closes, run of equal closes, two deques."""
    window = int(p[0])
    i[0] += 1
    n = i[0] - int(p[1])
    if n < 1:
        return
    row = t - int(p[1])
    highest = slide_extreme(row, bars, HIGH, 1.0, window, n, i, 3)
    lowest = slide_extreme(row, bars, LOW, -1.0, window, n, i, 5 + window)
    slide(row, bars, CLOSE, window, n, f, i, 1)
    i[2] = run_length(row, bars, CLOSE, n, i[2])
    if n < window:
        return
    close = bars[row, CLOSE]
    mean = close if i[2] >= window else i[1] / (window * f[0])
    out[0] = highest
    out[1] = lowest
    out[2] = (highest - lowest) / 2.0 + lowest
    if mean > 0.0:
        out[3] = (highest - lowest) / mean * 100.0
    if highest > lowest:
        out[4] = (close - lowest) / (highest - lowest)


def plan(values: Values, seed: SeedCode) -> Plan:
    window, offset = int(values["window"]), int(values["offset"])
    return Plan(
        (window, offset),
        floats=1,
        ints=7 + 2 * window,
        lookback=window + offset,
        ready=(window + offset,) * 5,
        reads=(HIGH, LOW, CLOSE),
    )


def refuse(values: Values) -> tuple[str, str] | None:
    if values["window"] + values["offset"] > Param("window", 1).high:
        return "offset", f"window and offset together must not be more than {Param('window', 1).high:g} bars"
    return None


DEFINITION = Definition(
    name="donchian",
    outputs=("hband", "lband", "mband", "wband", "pband"),
    params=(Param("window", 20), Param("offset", 0, low=0.0)),
    step=step,
    plan=plan,
    functions={f"donchian_channel_{name}": name for name in ("hband", "lband", "mband", "wband", "pband")},
    refuse=refuse,
)
