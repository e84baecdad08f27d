"""Stops that trail, go to break even, or wait; closes by rule and by time. Every number here was worked out by hand.

The bot: 100 quote at 100, no fee, tick 0.01, lot 0.1; most without safety orders or a target in reach.
"""

from decimal import Decimal

from msgspec.structs import replace

from schemas.bots import CloseRule, StopLoss, TakeProfit
from streams.engine.dca import Instrument
from tests.stories.story import Story
from tests.stories.targets import HALVES, steps
from tests.streams.engine.dca.support import ROUND, SHORT, TENTHS

PLAIN = replace(ROUND, max_safety_orders=0, take_profit=None)
FOLLOWED = replace(PLAIN, stop_loss=StopLoss(percent="5", trailing=True))
EVEN = replace(HALVES, max_safety_orders=0, stop_loss=StopLoss(percent="15", break_even=True))
PATIENT = replace(PLAIN, stop_loss=StopLoss(percent="15", timeout_s=120))
SHORTED = replace(SHORT, max_safety_orders=0, take_profit=None)


def closed(when: str, min_profit: str | None = None) -> CloseRule:
    return CloseRule(when=when, min_profit=min_profit)


STORIES = [
    Story(
        "a trailing stop follows 5 % behind the best price",
        FOLLOWED,
        """100 100 100 100
           106 110 105 106
           106 106 104 105""",
        """0 base buy  1 100
           2 sl   sell 1 104.5""",
        "stop_loss", "4.5",
    ),
    Story(
        "a trailing stop starts at the base order's price",
        FOLLOWED,
        """100 100 100 100
            99  99  94  96""",
        """0 base buy  1 100
           1 sl   sell 1  95""",
        "stop_loss", "-5",
    ),
    Story(
        "a trailing stop never goes back: the safety order does not move it",
        replace(ROUND, take_profit=None, price_deviation="4", stop_loss=StopLoss(percent="5", trailing=True)),
        """100 100 100 100
            99  99  95.5 96
            96  96  94  96""",
        # 96: 100/96 → 1.1
        """0 base  buy  1   100
           1 dca_1 buy  1.1  96
           2 sl    sell 2.1  95""",
        "stop_loss", "-6.1",  # 199.5 − 205.6
        skipped="",
    ),
    Story(
        "a gap opens below the trailing stop",
        FOLLOWED,
        """100 100 100 100
           106 110 105 106
           102 103 101 102""",
        """0 base buy  1 100
           2 sl   sell 1 102""",
        "stop_loss", "2",
    ),
    Story(
        "a trailing stop in a bar that went up and down: the best price counts first",
        FOLLOWED,
        """100 100 100 100
           103 110 102 103""",
        """0 base buy  1 100
           1 sl   sell 1 104.5""",
        "stop_loss", "4.5",
    ),
    Story(
        "a trailing stop slips",
        replace(FOLLOWED, slippage="1"),
        # base 101; 101·0.95 = 95.95, 95.95·0.99 = 94.9905, down
        """100 100 100 100
            99  99  94  96""",
        """0 base buy  1 101
           1 sl   sell 1  94.99""",
        "stop_loss", "-6.01",
    ),
    Story(
        "a trailing stop, short",
        replace(SHORTED, stop_loss=StopLoss(percent="5", trailing=True)),
        """100 100 100 100
            92  93  90  91
            91  95  91  94""",
        """0 base sell 1 100
           2 sl   buy  1  94.5""",  # 90·1.05
        "stop_loss", "5.5",
    ),
    Story(
        "break even: after the first step the rest is sold where it was bought",
        EVEN,
        """100 100 100 100
           105 111 104 110
           101 102  99 100""",
        """0 base buy  1   100
           1 tp_1 sell 0.5 110
           2 sl   sell 0.5 100""",
        "break_even", "5",
    ),
    Story(
        "break even in the very bar of the first step, on its way to the close",
        EVEN,
        """100 100 100 100
           105 111  99  99""",
        """0 base buy  1   100
           1 tp_1 sell 0.5 110
           1 sl   sell 0.5 100""",
        "break_even", "5",
    ),
    Story(
        "break even pays for the fees of both sides",
        replace(EVEN, fee="0.1"),
        """100 100 100 100
           105 111 104 110
           101 102  99 100""",
        # 100·1.001/0.999 = 100.2002…, up
        """0 base buy  1   100    0.1
           1 tp_1 sell 0.5 110.12 0.05506
           2 sl   sell 0.5 100.21 0.050105""",
        "break_even", "4.959835",  # 55.06 + 50.105 − 100 − 0.205165
    ),
    Story(
        "before the first step the stop is where it was",
        EVEN,
        """100 100 100 100
            99 100  84  86""",
        """0 base buy  1 100
           1 sl   sell 1  85""",
        "stop_loss", "-15",
    ),
    Story(
        "break even, short",
        replace(SHORTED, take_profit=steps(("10", "50"), ("20", "50")), stop_loss=EVEN.stop_loss),
        """100 100 100 100
            95  96  89  91
            95 101  94 100""",
        """0 base sell 1   100
           1 tp_1 buy  0.5  90
           2 sl   buy  0.5 100""",
        "break_even", "5",
    ),
    Story(
        "a stop with two minutes' patience: back above it the time starts anew",
        PATIENT,
        """100 100 100 100
            90  91  83  84 | closes beyond 85: the time runs
            84  87  84  86 | back
            86  86  83  84 | beyond again, from minute 4 on
            84  85  82  83
            83  84  81  82 | minute 6: sold at the close""",
        """0 base buy  1 100
           5 sl   sell 1  82""",
        "stop_loss", "-18",
    ),
    Story(
        "a stop with patience takes no notice of a wick",
        PATIENT,
        """100 100 100 100
            90  91  70  90
            90  91  70  90""",
        "0 base buy 1 100",
        holds="1",
    ),
    Story(
        "a stop with patience whose market is back when the time is up",
        PATIENT,
        """100 100 100 100
            90  91  83  84
            84  85  82  83
            83  86  83  85.01
            85  86  84.5 85.5""",
        "0 base buy 1 100",
        holds="1",
        skipped="3 sl the bar's path did not meet it",
    ),
    Story(
        "a stop with patience, short",
        replace(SHORTED, stop_loss=StopLoss(percent="15", timeout_s=60)),
        """100 100 100 100
           110 117 109 116
           116 118 115 117""",
        """0 base sell 1 100
           2 sl   buy  1 117""",
        "stop_loss", "-17",
    ),
    Story(
        "closed by its rule",
        replace(ROUND, close=closed("close > 104")),
        """100 100 100 100
           101 104 100 104
           104 106 103 105""",
        """0 base  buy  1 100
           2 close sell 1 105""",
        "condition", "5",
    ),
    Story(
        "the rule waits for its minimum profit",
        replace(ROUND, close=closed("close > 101", "3")),
        """100 100 100 100
           101 103 100 102
           102 105 101 103.5""",
        """0 base  buy  1 100
           2 close sell 1 103.5""",
        "condition", "3.5",
        skipped="1 exit closing would bring less than 3 % of what was invested",
    ),
    Story(
        "the minimum profit is of the average after the bar: the dip that bought makes it enough",
        replace(ROUND, close=closed("close > 96", "2")),
        """100 100 100 100
            95  97.5 89  97""",
        """0 base  buy  1   100
           1 dca_1 buy  1.2  90
           1 close sell 2.2  97""",
        "condition", "5.4",  # 213.4 − 208, 2.6 %
    ),
    Story(
        "the minimum profit is after fees",
        replace(ROUND, fee="0.1", close=closed("close > 100.5", "0.8")),
        """100 100   100 100
           101 101.5 100 101
           101 101.5 100 101.01""",
        # 1 − 0.1 − 0.101 = 0.799 is too little, 1.01 − 0.1 − 0.10101 = 0.80899 is enough
        """0 base  buy  1 100    0.1
           2 close sell 1 101.01 0.10101""",
        "condition", "0.80899",
        skipped="1 exit closing would bring less than 0.8 % of what was invested",
    ),
    Story(
        "a rule may cut losses, but not more than 5 %",
        replace(ROUND, close=closed("close < 99", "-5")),
        """100 100 100 100
            98  99  93  94
            94  97  93  96""",
        """0 base  buy  1 100
           2 close sell 1  96""",
        "condition", "-4",
        skipped="1 exit closing would bring less than -5 % of what was invested",
    ),
    Story(
        "the rule counts what targets have brought already",
        replace(HALVES, close=closed("close < 101", "2")),
        """100 100 100 100
           105 111 104 110
           104 105  99 100""",
        """0 base  buy  1   100
           1 tp_1  sell 0.5 110
           2 close sell 0.5 100""",
        "condition", "5",
    ),
    Story(
        "the rule of a short",
        replace(SHORT, close=closed("close < 96", "4")),
        """100 100 100 100
            98  99  94  95.5""",
        """0 base  sell 1 100
           1 close buy  1  95.5""",
        "condition", "4.5",
    ),
    Story(
        "the level on the way has it before the rule",
        replace(ROUND, close=closed("close > 104")),
        """100 100 100 100
           101 111 100 105""",
        """0 base buy  1 100
           1 tp_1 sell 1 110""",
        "take_profit", "10",
        skipped="1 exit the deal was closed before, by take_profit",
    ),
    Story(
        "a deal that lasts too long is closed after three minutes",
        replace(ROUND, deal_timeout_s=180),
        """100 100 100 100
           100 101  99 100
           100 101  99 101
           101 102 100 101.5
           101 102 100 101""",
        """0 base  buy  1 100
           3 close sell 1 101.5""",
        "timeout", "1.5",
    ),
    Story(
        "a deal that lasts too long: the safety order of that bar counts",
        replace(ROUND, deal_timeout_s=60),
        """100 100 100 100
            95  96  89  91""",
        """0 base  buy  1   100
           1 dca_1 buy  1.2  90
           1 close sell 2.2  91""",
        "timeout", "-7.8",
    ),
    Story(
        "fees in base: less is held than was bought, and all of it is sold",
        replace(ROUND, fee="1", fee_in="base"),
        # 1 − 0.01 is held; 110/0.99 = 111.1111…, up; 110.0088 quote, 1 % of it is 1.100088
        """100 100 100 100
           105 112 104 111.5""",
        """0 base buy  1    100    0.01b
           1 tp_1 sell 0.99 111.12 1.100088""",
        "take_profit", "8.908712",
        instrument=Instrument(TENTHS.tick, Decimal("0.01")),
    ),
    Story(
        "fees in base and a coarse lot: what is left of a lot is dust",
        replace(ROUND, fee="1", fee_in="base"),
        """100 100 100 100
           105 112 104 111.5""",
        """0 base buy  1   100    0.01b
           1 tp_1 sell 0.9 111.12 1.00008""",
        "take_profit", "-0.99208",  # 100.008 − 100 − 1.00008
    ),
    Story(
        "fees in base and safety orders: every buy pays its own",
        replace(ROUND, fee="1", fee_in="base", take_profit=TakeProfit(percent="12")),
        """100 100 100 100
            95  96  89  91""",
        # 2.2 bought, 0.01 + 0.012 taken
        """0 base  buy 1   100 0.01b
           1 dca_1 buy 1.2  90 0.012b""",
        holds="2.178",
    ),
]  # fmt: skip
