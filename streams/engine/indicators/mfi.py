"""Money flow index (Quong and Soudack 1989). `ta.volume.money_flow_index`, TradingView's `ta.mfi`.

100·P / (P + N), P and N being the sums over `window` bars of (high + low + close)/3 times volume where that price
rose or fell (`slide_sum`: no drift); missing where there was neither. Whether it rose is decided, as in both
references, by the prices as floats: two equal sums of three decimals may differ in their last bit (on 4 of 1,000
generated bars).

As in `ta` it is defined at bar `window`, where the first bar of all counts as unchanged; it is ready one bar
later, when every bar of the window has had one before it.
"""

from streams.engine.bars import CLOSE, HIGH, LOW, VOLUME, Floats, Ints
from streams.engine.indicators.definition import Definition, Param, Plan, SeedCode, Values
from streams.engine.kernels.kernel import kernel
from streams.engine.kernels.windows import slide_sum, sum_floats


@kernel
def step(t: int, bars: Floats, p: Floats, f: Floats, i: Ints, out: Floats) -> None:
    """p: window. f: typical price before, sums of rises and of falls. i: rows seen."""
    window = int(p[0])
    i[0] += 1
    typical = (bars[t, HIGH] + bars[t, LOW] + bars[t, CLOSE]) / 3.0
    flow = typical * bars[t, VOLUME]
    rise = flow if i[0] > 1 and typical > f[0] else 0.0
    fall = flow if i[0] > 1 and typical < f[0] else 0.0
    f[0] = typical
    rises = slide_sum(rise, window, i[0], f, 1)
    falls = slide_sum(fall, window, i[0], f, window + 2)
    if i[0] >= window and rises + falls > 0.0:
        out[0] = 100.0 * rises / (rises + falls)


def plan(values: Values, seed: SeedCode) -> Plan:
    window = int(values["window"])
    return Plan((window,), floats=1 + 2 * sum_floats(window), ints=1, lookback=0, ready=(window + 1,))


DEFINITION = Definition(
    name="mfi",
    outputs=("mfi",),
    params=(Param("window", 14),),
    step=step,
    plan=plan,
    functions={"money_flow_index": "mfi"},
)
