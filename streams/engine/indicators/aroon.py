"""Aroon (Chande 1995). `ta.trend.aroon_*`, TradingView's `Aroon`.

aroon_up = 100·(window - bars since the highest high)/window of the last `window` + 1 bars, aroon_down the same of the
lowest low, aroon_indicator the difference. Where several bars tie the oldest counts, as in `ta`: a market that
stands still has both at 0.
"""

from streams.engine.bars import HIGH, LOW, Floats, Ints
from streams.engine.indicators.definition import Definition, Param, Plan, SeedCode, Values
from streams.engine.kernels.extremes import slide_oldest
from streams.engine.kernels.kernel import kernel


@kernel
def step(t: int, bars: Floats, p: Floats, f: Floats, i: Ints, out: Floats) -> None:
    """p: window. i: rows seen, two deques."""
    window = int(p[0])
    i[0] += 1
    since_high = slide_oldest(t, bars, HIGH, 1.0, window + 1, i[0], i, 1)
    since_low = slide_oldest(t, bars, LOW, -1.0, window + 1, i[0], i, 4 + window)
    if i[0] > window:
        out[0] = 100.0 * (window - since_high) / window
        out[1] = 100.0 * (window - since_low) / window
        out[2] = 100.0 * (since_low - since_high) / window


def plan(values: Values, seed: SeedCode) -> Plan:
    window = int(values["window"])
    return Plan(
        (window,),
        floats=0,
        ints=7 + 2 * window,
        lookback=window + 1,
        ready=(window + 1,) * 3,
        reads=(HIGH, LOW),
    )


DEFINITION = Definition(
    name="aroon",
    outputs=("aroon_up", "aroon_down", "aroon_indicator"),
    params=(Param("window", 25),),
    step=step,
    plan=plan,
    functions={"aroon_up": "aroon_up", "aroon_down": "aroon_down"},
)
