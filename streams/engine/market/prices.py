"""A price of the bar as a node, so that prices and indicators are read in one way."""

from typing import Final, get_args

from schemas.conditions import PriceField
from streams.engine.bars import CLOSE, HIGH, LOW, OPEN, Floats, Ints
from streams.engine.indicators.definition import Plan
from streams.engine.kernels.kernel import kernel

FIELDS: Final[tuple[str, ...]] = get_args(PriceField)
_HL2: Final = FIELDS.index("hl2")
_HLC3: Final = FIELDS.index("hlc3")
assert FIELDS[:5] == ("open", "high", "low", "close", "volume")


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


def price_plan(field: str) -> Plan:
    return Plan((float(FIELDS.index(field)),), floats=1, ints=1, lookback=0, ready=(1,))
