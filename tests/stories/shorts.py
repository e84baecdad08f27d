"""Shorts. Every number here was worked out by hand.

The bot (`ROUND` in support): 100 quote at 100, three safety orders of 100 quote, 10 % apart, target 10 % on
average, no fee, tick 0.01, lot 0.1. A short's ladder: 1.0 @ 110, 0.9 @ 120, 0.8 @ 130.
"""

from msgspec.structs import replace

from tests.stories.story import Story
from tests.streams.engine.dca.support import SHORT, stop

STOPPED = replace(SHORT, stop_loss=stop("15"))

STORIES = [
    Story(
        "short: it falls to the target",
        SHORT,
        """100 100 100 100
            95  96  90  91""",
        """0 base sell 1 100
           1 tp_1 buy  1  90""",
        "take_profit", "10",
    ),
    Story(
        "short: the high comes first, it sells more, and the low of that bar takes no profit",
        SHORT,
        """100 100 100 100
           105 111  94  95
            95  96  94  95""",
        """0 base  sell 1 100
           1 dca_1 sell 1 110
           2 tp_1  buy  2  94.5""",  # 210·0.9 / 2
        "take_profit", "21",
    ),
    Story(
        "short: a gap opens above two levels, both are sold at the open",
        SHORT,
        """100 100 100 100
           125 126 121 122
           122 122 104 105""",
        """0 base  sell 1   100
           1 dca_1 sell 1   125
           1 dca_2 sell 0.9 125
           2 tp_1  buy  2.9 104.74""",  # 337.5·0.9 / 2.9 = 104.7413…, down
        "take_profit", "33.754",  # 337.5 − 303.746
    ),
    Story(
        "short: a gap opens below the target, it is bought at the open",
        SHORT,
        """100 100 100 100
            85  91  84  90""",
        """0 base sell 1 100
           1 tp_1 buy  1  85""",
        "take_profit", "15",
    ),
    Story(
        "short: the stop above, slippage on both market orders",
        replace(STOPPED, slippage="1"),
        # Base 99 (1.1: 1.0 would bring less than 100); ladder 108.9 (1.0); stop 113.85, bought at 114.9885.
        """100 100 100 100
           105 115 104 110""",
        """0 base  sell 1.1  99
           1 dca_1 sell 1   108.9
           1 sl    buy  2.1 114.99""",
        "stop_loss", "-23.679",  # 217.8 − 241.479
    ),
    Story(
        "short: a gap opens above the stop",
        STOPPED,
        """100 100 100 100
           118 119 117 118""",
        """0 base sell 1 100
           1 sl   buy  1 118""",
        "stop_loss", "-18",
        skipped="1 dca_1 the deal was closed before, by stop_loss",
    ),
    Story(
        "short: fees on both sides",
        replace(SHORT, fee="0.1"),
        """100 100 100 100
            95  96  89  91""",
        """0 base sell 1 100    0.1
           1 tp_1 buy  1  89.91 0.08991""",  # 90/1.001 = 89.9100…, down
        "take_profit", "9.90009",
    ),
]  # fmt: skip
