"""A price of the bar as a node, so that prices and indicators are read in one way."""

from typing import Final, get_args

from schemas.conditions import PriceField
from streams.engine.bars import CLOSE, HIGH, LOW, OPEN, Floats, Ints
from streams.engine.indicators.definition import Plan
from streams.engine.kernels.kernel import Step, kernel
from streams.engine.kernels.readiness import AVERAGE, bars_until, smoothing

FIELDS: Final[tuple[str, ...]] = get_args(PriceField)
_HL2: Final = FIELDS.index("hl2")
_HLC3: Final = FIELDS.index("hlc3")
_HA_OPEN: Final = FIELDS.index("ha_open")
_HA_CLOSE: Final = FIELDS.index("ha_close")
assert FIELDS[:5] == ("open", "high", "low", "close", "volume")
assert FIELDS[_HA_OPEN:] == ("ha_open", "ha_high", "ha_low", "ha_close")


@kernel
def price_step(t: int, bars: Floats, p: Floats, f: Floats, i: Ints, out: Floats) -> None:
    """p: which field. hl2, hlc3 and ohlc4 are the means of the bar's high and low, and close, and open."""
    which = int(p[0])
    if which <= 4:
        out[0] = bars[t, which]
    elif which == _HL2:
        out[0] = (bars[t, HIGH] + bars[t, LOW]) / 2.0
    elif which == _HLC3:
        out[0] = (bars[t, HIGH] + bars[t, LOW] + bars[t, CLOSE]) / 3.0
    else:
        out[0] = (bars[t, OPEN] + bars[t, HIGH] + bars[t, LOW] + bars[t, CLOSE]) / 4.0


@kernel
def heikin_ashi_step(t: int, bars: Floats, p: Floats, f: Floats, i: Ints, out: Floats) -> None:
    """p: which field. f: open and close of the Heikin-Ashi candle before. i: rows seen.

    TradingView's candles: the close is the mean of the bar's four prices, the open that of the open and close
    of the candle before (of the bar itself at the first), high and low the farthest of the bar's and those two.
    """
    which = int(p[0])
    i[0] += 1
    close = (bars[t, OPEN] + bars[t, CLOSE] + (bars[t, HIGH] + bars[t, LOW])) / 4.0
    opened = (f[0] + f[1]) / 2.0 if i[0] > 1 else (bars[t, OPEN] + bars[t, CLOSE]) / 2.0
    f[0] = opened
    f[1] = close
    if which == _HA_OPEN:
        out[0] = opened
    elif which == _HA_CLOSE:
        out[0] = close
    elif which == _HA_OPEN + 1:
        out[0] = max(bars[t, HIGH], opened, close)
    else:
        out[0] = min(bars[t, LOW], opened, close)


STEPS: Final[tuple[Step, ...]] = (price_step, heikin_ashi_step)


def price_plan(field: str) -> tuple[Step, Plan]:
    """What computes a price field, and how."""
    which = FIELDS.index(field)
    if which < _HA_OPEN:
        return price_step, Plan((float(which),), floats=1, ints=1, lookback=0, ready=(1,))
    # The open is an average with weight 1/2 of the closes before, one bar late.
    ready = 1 if which == _HA_CLOSE else bars_until(smoothing(0.5), AVERAGE, 1) + 1
    return heikin_ashi_step, Plan((float(which),), floats=2, ints=1, lookback=0, ready=(ready,))
