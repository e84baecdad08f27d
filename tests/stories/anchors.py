"""Ladders by table, other anchors, few orders at a time, gaps, and safety orders on a condition, long and short.

The bot (`ROUND` in support): 100 quote at 100, three safety orders of 100 quote, 10 % apart, target 10 % on average,
no fee, tick 0.01, lot 0.1. Every number here was worked out by hand.
"""

from msgspec.structs import replace

from schemas.bots import LadderStep
from tests.stories.story import Story
from tests.streams.engine.dca.support import ROUND, SHORT, stop

TABLE = replace(
    ROUND,
    price_deviation="1",
    safety_order_volume="0",
    max_safety_orders=0,
    steps=(LadderStep(deviation="5", volume="50"), LadderStep(deviation="12", volume="200")),
)
PREVIOUS = replace(ROUND, anchor="previous_order")
AVERAGE = replace(ROUND, anchor="average")
ONE = replace(ROUND, max_active_safety_orders=1)
SLOW = replace(ROUND, gap_through="one_per_bar")
MERGED = replace(ROUND, gap_through="merge")
WAITING = replace(ROUND, safety_condition="low < 88")

STORIES = [
    Story(
        "a table of steps: 50 quote at 5 %, 200 quote at 12 %",
        TABLE,
        """100 100 100 100
            96  97  87  90
            90 102  89 101""",
        # 50/95 = 0.53 → 0.6, 200/88 = 2.27 → 2.3; 359.4/3.9 · 1.1 = 101.3692…, up
        """0 base  buy  1   100
           1 dca_1 buy  0.6  95
           1 dca_2 buy  2.3  88
           2 tp_1  sell 3.9 101.37""",
        "take_profit", "35.943",  # 395.343 − 359.4
    ),
    Story(
        "a table of steps, short",
        replace(TABLE, side="short"),
        """100 100 100 100
           104 113 103 110
           110 110  97  98""",
        # 50/105 → 0.5, 200/112 → 1.8; 354.1/3.3 · 0.9 = 96.5727…, down
        """0 base  sell 1   100
           1 dca_1 sell 0.5 105
           1 dca_2 sell 1.8 112""",
        holds="3.3",
    ),
    Story(
        "anchored at the order before: each level is 10 % below the last fill",
        PREVIOUS,
        """100 100 100 100
            95  96  72  75""",
        """0 base  buy 1   100
           1 dca_1 buy 1.2  90
           1 dca_2 buy 1.3  81
           1 dca_3 buy 1.4  72.9""",
        holds="4.9",
    ),
    Story(
        "anchored at the order before: a gap moves all that is below it",
        PREVIOUS,
        """100 100 100 100
            80  82  75  78
            78  79  72  73""",
        # filled at 80, so the second stands at 72 instead of 81, with 1.4 instead of 1.3
        """0 base  buy 1   100
           1 dca_1 buy 1.2  80
           2 dca_2 buy 1.4  72""",
        holds="3.6",
        skipped="1 dca_2 the bar's path did not meet it",
    ),
    Story(
        "anchored at the order before, short",
        replace(PREVIOUS, side="short"),
        """100 100 100 100
           105 122 104 110""",
        """0 base  sell 1   100
           1 dca_1 sell 1   110
           1 dca_2 sell 0.9 121""",
        holds="2.9",
    ),
    Story(
        "anchored at the average: each level is 10 % below what the deal has cost so far",
        AVERAGE,
        """100 100 100 100
            95  96  84  86
            86  86  82  83""",
        # (100 + 108)/2.2 · 0.9 = 85.0909…, down; (208 + 102.108)/3.4 · 0.9 = 82.0874…, down
        """0 base  buy 1   100
           1 dca_1 buy 1.2  90
           1 dca_2 buy 1.2  85.09
           2 dca_3 buy 1.3  82.08""",
        holds="4.7",
    ),
    Story(
        "anchored at the average: a gap lowers the average, and the next level with it",
        AVERAGE,
        """100 100 100 100
            80  85  79.5 84""",
        # (100 + 96)/2.2 · 0.9 = 80.1818…, down: the market opened below it already, where it was born
        """0 base  buy 1   100
           1 dca_1 buy 1.2  80
           1 dca_2 buy 1.3  80""",
        holds="3.5",
        skipped="1 dca_3 the bar's path did not meet it",
    ),
    Story(
        "one safety order at a time: the next one waits from the fill on, in the same bar",
        ONE,
        """100 100 100 100
            95  96  75  78""",
        """0 base  buy 1   100
           1 dca_1 buy 1.2  90
           1 dca_2 buy 1.3  80""",
        holds="3.5",
    ),
    Story(
        "one safety order at a time: what the gap had passed is bought where the market is",
        ONE,
        """100 100 100 100
            78  79  75  77""",
        """0 base  buy 1   100
           1 dca_1 buy 1.2  78
           1 dca_2 buy 1.3  78""",
        holds="3.5",
    ),
    Story(
        "one_per_bar: of three levels only the first is bought, the next bar buys the next at its open",
        SLOW,
        """100 100 100 100
            95  96  69  75
            75  76  74  75
            85  86  71  83""",
        """0 base  buy 1   100
           1 dca_1 buy 1.2  90
           2 dca_2 buy 1.3  75""",
        holds="3.5",
        skipped="1 dca_2 one safety order a bar (gap_through: one_per_bar); "
        "1 dca_3 one safety order a bar (gap_through: one_per_bar)",
    ),
    Story(
        "one_per_bar, short",
        replace(SHORT, gap_through="one_per_bar"),
        """100 100 100 100
           125 131 124 126
           126 127 125 126""",
        """0 base  sell 1   100
           1 dca_1 sell 1   125
           2 dca_2 sell 0.9 126""",
        holds="2.9",
        skipped="1 dca_2 one safety order a bar (gap_through: one_per_bar); "
        "1 dca_3 one safety order a bar (gap_through: one_per_bar)",
    ),
    Story(
        "merge: what one fall passes is bought together at the last level",
        MERGED,
        """100 100 100 100
            95  96  69  75
            75  84  74  83""",
        # 300/70 = 4.28… → 4.3; 401/5.3 · 1.1 = 83.2264…, up
        """0 base  buy  1   100
           1 dca_3 buy  4.3  70
           2 tp_1  sell 5.3  83.23""",
        "take_profit", "40.119",  # 441.119 − 401
    ),
    Story(
        "merge: a gap is one movement, the way to the low is another",
        MERGED,
        """100 100 100 100
            78  79  69  72""",
        """0 base  buy 1   100
           1 dca_2 buy 2.5  78
           1 dca_3 buy 1.5  70""",
        holds="5",
    ),
    Story(
        "merge: only what comes before the stop is bought",
        replace(MERGED, stop_loss=stop("25")),
        """100 100 100 100
            95  96  69  72""",
        # 200/80 = 2.5
        """0 base  buy  1   100
           1 dca_2 buy  2.5  80
           1 sl    sell 3.5  75""",
        "stop_loss", "-37.5",  # 262.5 − 300
        skipped="1 dca_3 the deal was closed before, by stop_loss",
    ),
    Story(
        "merge, short",
        replace(SHORT, gap_through="merge"),
        """100 100 100 100
           105 121 104 110""",
        # 200/120 = 1.67 → 1.7
        """0 base  sell 1   100
           1 dca_2 sell 1.7 120""",
        holds="2.7",
    ),
    Story(
        "on a condition: the touch alone buys nothing, nor the condition above the deviation",
        WAITING,
        """100 100 100  100
            95  96  89   89.5 | beyond the deviation, the condition is false
            91  93  87   92   | true, and not beyond
            90  90  85   86   | both: bought at the close
            86  87  80.5 81   | true, but the next deviation is 80
            81 102  81  101""",
        # 100/86 = 1.17 → 1.2; 203.2/2.2 · 1.1 = 101.6
        """0 base  buy  1   100
           3 dca_1 buy  1.2  86
           5 tp_1  sell 2.2 101.6""",
        "take_profit", "20.32",
    ),
    Story(
        "on a condition: one order a bar, however far it fell",
        WAITING,
        """100 100 100 100
            80  81  66  68
            68  70  66  69.5""",
        """0 base  buy 1   100
           1 dca_1 buy 1.5  68
           2 dca_2 buy 1.5  69.5""",
        holds="4",
    ),
    Story(
        "on a condition: the stop on the way has it",
        replace(WAITING, stop_loss=stop("15")),
        """100 100 100 100
            95  96  84  86""",
        """0 base buy  1 100
           1 sl   sell 1  85""",
        "stop_loss", "-15",
        skipped="1 dca_1 the deal was closed before, by stop_loss",
    ),
    Story(
        "on a condition, short: sold at the close with slippage",
        replace(SHORT, safety_condition="high > 112", slippage="1"),
        # base 99 (1.1); the deviation is 108.9; 113·0.99 = 111.87, 100/111.87 → 0.9
        """100 100 100 100
           105 111 104 110
           110 114 109 113""",
        """0 base  sell 1.1  99
           2 dca_1 sell 0.9 111.87""",
        holds="2",
    ),
]  # fmt: skip
