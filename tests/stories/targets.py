"""Take profit in steps and trailing, long and short. Every number here was worked out by hand.

The bot: 100 quote at 100 (1 lot of ten), no fee, tick 0.01, lot 0.1.
"""

from decimal import Decimal

from msgspec.structs import replace

from schemas.bots import StopLoss, TakeProfit, TargetStep
from streams.engine.dca import Instrument
from tests.stories.story import Story
from tests.streams.engine.dca.support import ROUND, SHORT, TENTHS, stop


def steps(*table: tuple[str, str], of: str = "average", trailing: str | None = None) -> TakeProfit:
    """Steps of (percent, amount)."""
    made = tuple(TargetStep(percent=percent, amount=amount) for percent, amount in table)
    return TakeProfit(steps=made, of=of, trailing=trailing)  # type: ignore[arg-type]


HALVES = replace(ROUND, take_profit=steps(("10", "50"), ("20", "50")))
TRAILING = replace(ROUND, take_profit=TakeProfit(percent="10", trailing="2"))

STORIES = [
    Story(
        "two steps: half at 10 %, half at 20 %",
        HALVES,
        """100 100 100 100
           105 111 104 110
           110 121 109 120""",
        """0 base buy  1   100
           1 tp_1 sell 0.5 110
           2 tp_2 sell 0.5 120""",
        "take_profit", "15",
    ),
    Story(
        "both steps in one bar",
        HALVES,
        """100 100 100 100
           105 121 104 120""",
        """0 base buy  1   100
           1 tp_1 sell 0.5 110
           1 tp_2 sell 0.5 120""",
        "take_profit", "15",
    ),
    Story(
        "a gap opens above the first step: it sells at the open",
        HALVES,
        """100 100 100 100
           115 116 114 115
           115 120 114 119""",
        """0 base buy  1   100
           1 tp_1 sell 0.5 115
           2 tp_2 sell 0.5 120""",
        "take_profit", "17.5",
    ),
    Story(
        "four steps of a quarter: down to the lot, the last one sells the rest",
        replace(ROUND, take_profit=steps(("10", "25"), ("20", "25"), ("30", "25"), ("40", "25"))),
        """100 100 100 100
           105 131 104 130
           130 141 129 140""",
        """0 base buy  1   100
           1 tp_1 sell 0.2 110
           1 tp_2 sell 0.2 120
           1 tp_3 sell 0.2 130
           2 tp_4 sell 0.4 140""",
        "take_profit", "28",  # 22 + 24 + 26 + 56 − 100
    ),
    Story(
        "a step below a lot is passed over, the last one sells it",
        replace(ROUND, take_profit=steps(("10", "5"), ("20", "95"))),
        """100 100 100 100
           105 111 104 110
           110 112 109 111
           111 121 110 120""",
        """0 base buy  1 100
           3 tp_2 sell 1 120""",
        "take_profit", "20",
        skipped="1 tp_1 so little cannot be sold: the last target sells it",
    ),
    Story(
        "a step below the minimum notional is passed over too",
        HALVES,
        """100 100 100 100
           105 111 104 110
           110 121 109 120""",
        """0 base buy  1 100
           2 tp_2 sell 1 120""",
        "take_profit", "20",
        skipped="1 tp_1 so little cannot be sold: the last target sells it",
        instrument=Instrument(TENTHS.tick, TENTHS.lot, Decimal(60)),
    ),
    Story(
        "after the first step it falls: a safety order lowers the second one",
        HALVES,
        """100 100 100   100
           105 111 104   110
           100 101  89    92
            92 114  91.5 113""",
        # 208/2.2 · 1.2 = 113.4545…, up
        """0 base  buy  1   100
           1 tp_1  sell 0.5 110
           2 dca_1 buy  1.2  90
           3 tp_2  sell 1.7 113.46""",
        "take_profit", "39.882",  # 55 + 192.882 − 208
    ),
    Story(
        "after the first step the stop closes the rest",
        replace(HALVES, stop_loss=stop("8")),
        """100 100 100 100
           105 111 104 110
           100 101  91  92""",
        """0 base buy  1   100
           1 tp_1 sell 0.5 110
           2 sl   sell 0.5  92""",
        "stop_loss", "1",  # 55 + 46 − 100
        skipped="",
    ),
    Story(
        "steps of the base order's size",
        replace(ROUND, take_profit=steps(("10", "50"), ("20", "50"), of="base")),
        """100 100 100  100
            95  96  89   91
            91 100  90.5  99.5
            99 104  98  103.8""",
        # 218/2.2 = 99.0909…, 228/2.2 = 103.6363…, both up; half of 2.2 is 1.1
        """0 base  buy  1   100
           1 dca_1 buy  1.2  90
           2 tp_1  sell 1.1  99.1
           3 tp_2  sell 1.1 103.64""",
        "take_profit", "15.014",  # 109.01 + 114.004 − 208
    ),
    Story(
        "steps, short",
        replace(SHORT, take_profit=steps(("10", "50"), ("20", "50"))),
        """100 100 100 100
            95  96  89  91
            91  92  79  81""",
        """0 base sell 1   100
           1 tp_1 buy  0.5  90
           2 tp_2 buy  0.5  80""",
        "take_profit", "15",
    ),
    Story(
        "steps with fees: each target pays for its own",
        replace(HALVES, fee="0.1"),
        """100 100 100 100
           105 111 104 110.5
           110 121 109 120.5""",
        # 110/0.999 = 110.1101…, 120/0.999 = 120.1201…
        """0 base buy  1   100    0.1
           1 tp_1 sell 0.5 110.12 0.05506
           2 tp_2 sell 0.5 120.13 0.060065""",
        "take_profit", "14.909875",  # 55.06 + 60.065 − 100 − 0.215125
    ),
    Story(
        "trailing: from 110 on it follows, and sells 2 % below the best",
        TRAILING,
        """100 100 100   100
           111 112 110.5 111
           113 115 113   114
           114 114 112   112.5""",
        """0 base buy  1 100
           3 tp_1 sell 1 112.7""",  # 115·0.98
        "take_profit", "12.7",
    ),
    Story(
        "trailing: a gap opens below the level, it sells at the open",
        TRAILING,
        """100 100 100 100
           113.5 115 113 114
           111 112 110 111""",
        """0 base buy  1 100
           2 tp_1 sell 1 111""",
        "take_profit", "11",
    ),
    Story(
        "trailing: activated and met in one bar, at the level that was born in it",
        TRAILING,
        """100 100 100 100
           105 112 104 105""",
        """0 base buy  1 100
           1 tp_1 sell 1 109.76""",  # 112·0.98
        "take_profit", "9.76",
    ),
    Story(
        "trailing: met on the way down, before the safety order",
        TRAILING,
        """100 100 100 100
           105 112  89  95""",
        """0 base buy  1 100
           1 tp_1 sell 1 109.76""",
        "take_profit", "9.76",
        skipped="1 dca_1 the deal was closed before, by take_profit",
    ),
    Story(
        "trailing: a safety order lowers the price it is activated at",
        TRAILING,
        """100 100   100 100
            95  96    89  91
            103.5 105 103 104
           104 104.5 102 103""",
        """0 base  buy  1   100
           1 dca_1 buy  1.2  90
           3 tp_1  sell 2.2 102.9""",  # 105·0.98
        "take_profit", "18.38",  # 226.38 − 208
    ),
    Story(
        "trailing slips, as every market order",
        replace(TRAILING, slippage="1"),
        # base 101 (1.0), activated at 111.1; 115·0.98 = 112.7, 112.7·0.99 = 111.573, down
        """100 100 100 100
           113.5 115 113 114
           114 114 112 113""",
        """0 base buy  1 101
           2 tp_1 sell 1 111.57""",
        "take_profit", "10.57",
    ),
    Story(
        "trailing, short: from 90 on it follows, and buys 2 % above the best",
        replace(SHORT, take_profit=TakeProfit(percent="10", trailing="2")),
        """100 100 100   100
            89  89.5 88   89
            89  90   88.5 89.9""",
        """0 base sell 1 100
           2 tp_1 buy  1  89.76""",  # 88·1.02
        "take_profit", "10.24",
    ),
    Story(
        "half at 10 %, the other half trails from 20 % on",
        replace(ROUND, take_profit=steps(("10", "50"), ("20", "50"), trailing="5")),
        """100 100 100 100
           105 111 104 110
           122 126 121 122
           121 122 119 120""",
        """0 base buy  1   100
           1 tp_1 sell 0.5 110
           3 tp_2 sell 0.5 119.7""",  # 126·0.95
        "take_profit", "14.85",
    ),
    Story(
        "half is sold, the stop is at break even, the other half trails",
        replace(
            ROUND,
            take_profit=steps(("10", "50"), ("20", "50"), trailing="5"),
            stop_loss=StopLoss(percent="15", break_even=True),
        ),
        """100 100 100 100
           105 111 104 110
           105 106  99 100""",
        """0 base buy  1   100
           1 tp_1 sell 0.5 110
           2 sl   sell 0.5 100""",
        "break_even", "5",
    ),
]  # fmt: skip
