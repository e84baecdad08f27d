"""Parabolic stop and reverse (Wilder 1978). `ta.trend.psar_*`, to the digit, peculiarities included: it begins in
an up trend with the close of the second bar, and of the two lows (highs) before, the older one comes first as
the stop's limit even where the younger is further away; Wilder takes the further. TradingView's `ta.sar` begins by
the second bar's direction.

psar moves by `step`, 2·`step` … `max_step` of its distance towards the trend's extreme, and to the extreme when the
bar crosses it. psar_up is psar in an up trend and missing in a down trend, psar_down the other way round; an
indicator is 1 at the first bar of its trend, which the first bar of all with a trend is too. Defined from the
third bar: `ta` prints the close of the first two as psar.

Ready: between reversals what the stop was counts ever less, by 1 - `step` per bar at most, and a reversal forgets it
altogether; so it is when the slowest would have forgotten: 342 bars. That bounds the stop's own memory and no
more: which trend it is, and its extreme, are settled only by the next reversal, for which there is no bound
(a market that stands still never reverses). On generated walks two beginnings had become the same for good after
30 bars in the median and after 127 in the worst of 2,000 cases.
"""

from typing import Final

from streams.engine.bars import CLOSE, HIGH, LOW, Floats, Ints
from streams.engine.indicators.definition import Definition, Param, Plan, SeedCode, Values
from streams.engine.kernels.kernel import kernel
from streams.engine.kernels.readiness import slowest_bars

UP: Final = 1
DOWN: Final = 2


@kernel
def held(stop: float, older: float, younger: float) -> float:
    """An up trend's stop, not above the older of the two lows before, or else the younger."""
    if older < stop:
        return older
    return min(younger, stop)


@kernel
def follow(t: int, bars: Floats, p: Floats, f: Floats, i: Ints) -> None:
    """One bar on. A down trend is an up trend of the negated market."""
    sign = 1.0 if i[1] == UP else -1.0
    ahead = HIGH if i[1] == UP else LOW
    behind = LOW if i[1] == UP else HIGH
    stop = sign * f[0] + f[1] * (sign * f[2] - sign * f[0])
    far = sign * bars[t, ahead]
    near = sign * bars[t, behind]
    if near < stop:
        f[0] = f[2]
        f[1] = p[0]
        f[2] = bars[t, behind]
        i[1] = DOWN if i[1] == UP else UP
        return
    if far > sign * f[2]:
        f[2] = bars[t, ahead]
        f[1] = min(f[1] + p[0], p[1])
    f[0] = sign * held(stop, sign * bars[t - 2, behind], sign * bars[t - 1, behind])


@kernel
def step(t: int, bars: Floats, p: Floats, f: Floats, i: Ints, out: Floats) -> None:
    """p: step, max step. f: the stop, acceleration, the trend's extreme. i: rows seen, the trend."""
    i[0] += 1
    if i[0] < 3:
        if i[0] == 1:
            f[2] = bars[t, HIGH]
        f[0] = bars[t, CLOSE]
        f[1] = p[0]
        i[1] = UP
        return
    before = i[1] if i[0] > 3 else 0
    follow(t, bars, p, f, i)
    out[0] = f[0]
    if i[1] == UP:
        out[1] = f[0]
    else:
        out[2] = f[0]
    out[3] = 1.0 if i[1] == UP and before != UP else 0.0
    out[4] = 1.0 if i[1] == DOWN and before != DOWN else 0.0


def plan(values: Values, seed: SeedCode) -> Plan:
    slowest = values["step"]
    ready = max(slowest_bars(slowest), 1) + 2
    return Plan(
        (slowest, values["max_step"]), floats=3, ints=2, lookback=2, ready=(ready,) * 5, reads=(HIGH, LOW)
    )


def refuse(values: Values) -> tuple[str, str] | None:
    if values["step"] > values["max_step"]:
        return "step", "must not be more than max_step"
    return None


OUTPUTS = ("psar", "psar_up", "psar_down", "psar_up_indicator", "psar_down_indicator")
DEFINITION = Definition(
    name="psar",
    outputs=OUTPUTS,
    params=(
        Param("step", 0.02, low=0.001, high=1.0, whole=False),
        Param("max_step", 0.20, low=0.001, high=1.0, whole=False),
    ),
    step=step,
    plan=plan,
    functions={name: name for name in OUTPUTS[1:]},
    refuse=refuse,
)
