"""Dips, gaps and targets of a long. Every number here was worked out by hand.

The bot (`ROUND` in support): 100 quote at 100, three safety orders of 100 quote, 10 % apart, target 10 % on
average, no fee, tick 0.01, lot 0.1. A long's ladder: 1.2 @ 90, 1.3 @ 80, 1.5 @ 70 (108, 104, 105 quote).
"""

from msgspec.structs import replace

from tests.stories.story import Story
from tests.streams.engine.dca.support import ROUND

STORIES = [
    Story(
        "it rises to the target and everything is sold there",
        ROUND,
        """100 100   100 100
           100 105    99 104
           104 110.5 103 110""",
        """0 base buy  1 100
           2 tp_1 sell 1 110""",
        "take_profit", "10",
    ),
    Story(
        "a touch counts: the high is the target to the cent",
        ROUND,
        """100 100 100 100
           104 110 103 109""",
        """0 base buy  1 100
           1 tp_1 sell 1 110""",
        "take_profit", "10",
    ),
    Story(
        "a cent short of the levels is nothing",
        ROUND,
        """100 100    100   100
           104 109.99  90.01 100""",
        "0 base buy 1 100",
        holds="1",
    ),
    Story(
        "one dip, the average falls to 94.55, the target to 104",  # (100 + 108)·1.1 / 2.2
        ROUND,
        """100 100  100 100
            95  96   89  91
            91 104   90.5 103""",
        """0 base  buy  1   100
           1 dca_1 buy  1.2  90
           2 tp_1  sell 2.2 104""",
        "take_profit", "20.8",  # 228.8 − 208
    ),
    Story(
        "a deep dip fills every level at its own price; the way back up in that bar takes no profit",
        ROUND,
        """100 100 100 100
            95  96  69  75
            75  92  74  91""",
        """0 base  buy  1   100
           1 dca_1 buy  1.2  90
           1 dca_2 buy  1.3  80
           1 dca_3 buy  1.5  70
           2 tp_1  sell 5    91.74""",  # 417·1.1 / 5
        "take_profit", "41.7",
    ),
    Story(
        "a gap opens below two levels: both are bought at the open",
        ROUND,
        """100 100 100 100
            78  85  77  84
            84  93  83  92""",
        """0 base  buy  1   100
           1 dca_1 buy  1.2  78
           1 dca_2 buy  1.3  78
           2 tp_1  sell 3.5  92.72""",  # 295·1.1 / 3.5 = 92.714…, up to the cent
        "take_profit", "29.52",  # 324.52 − 295
    ),
    Story(
        "a gap opens between two levels: the passed one at the open, the other at its level",
        ROUND,
        """100 100 100 100
            85  86  79  81""",
        """0 base  buy 1   100
           1 dca_1 buy 1.2  85
           1 dca_2 buy 1.3  80""",
        holds="3.5",
    ),
    Story(
        "a gap opens above the target: it is sold at the open",
        ROUND,
        """100 100 100 100
           115 116 109 112""",
        """0 base buy  1 100
           1 tp_1 sell 1 115""",
        "take_profit", "15",
    ),
    Story(
        "no profit in a bar that bought, but the next one opens above the target",
        ROUND,
        """100 100 100 100
            95 106  89 105
           105 105 104 104""",
        """0 base  buy  1   100
           1 dca_1 buy  1.2  90
           2 tp_1  sell 2.2 105""",
        "take_profit", "23",  # 231 − 208
    ),
    Story(
        "the target of before is touched in a bar that bought: skipped, and the reason is told",
        ROUND,
        """100 100 100 100
            95 111  89 100""",
        """0 base  buy 1   100
           1 dca_1 buy 1.2  90""",
        holds="2.2",
        skipped="1 tp_1 no take profit in a bar that filled a safety order (same_bar_exit: false)",
        ambiguous="1",  # had the high come first, the deal would have ended at 110
    ),
    Story(
        "same_bar_exit: the target is born in the bar and sells at its level",
        replace(ROUND, same_bar_exit=True),
        """100 100 100 100
            95 105  89 100""",
        """0 base  buy  1   100
           1 dca_1 buy  1.2  90
           1 tp_1  sell 2.2 104""",
        "take_profit", "20.8",
        ambiguous="1",  # high first: 110 is not reached, and after the low it closes at 100
    ),
    Story(
        "same_bar_exit: the open was above the target that is born later, which still sells at its level",
        replace(ROUND, same_bar_exit=True),
        """100 100   100 100
           109 109.5  89 100""",
        """0 base  buy  1   100
           1 dca_1 buy  1.2  90
           1 tp_1  sell 2.2 104""",
        "take_profit", "20.8",
        ambiguous="1",
    ),
    Story(
        "a close between two ticks is bought on the tick above",
        ROUND,
        "100 100.01 100 100.005",
        "0 base buy 1 100.01",
        holds="1",
    ),
    Story(
        "ohlc: the high is nearer, so the target comes before the safety order",
        replace(ROUND, intrabar="ohlc"),
        """100 100 100 100
           101 111  89 100""",
        """0 base buy  1 100
           1 tp_1 sell 1 110""",
        "take_profit", "10",
        skipped="1 dca_1 the deal was closed before, by take_profit",
        ambiguous="1",
    ),
    Story(
        "ohlc: both extremes are as far, the adverse one is taken first",
        replace(ROUND, intrabar="ohlc"),
        """100 100 100 100
           100 111  89 100""",
        """0 base  buy 1   100
           1 dca_1 buy 1.2  90""",
        holds="2.2",
        skipped="1 tp_1 no take profit in a bar that filled a safety order (same_bar_exit: false)",
        ambiguous="1",
    ),
]  # fmt: skip
