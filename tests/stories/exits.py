"""How a long ends: stops, slippage, fees, closing, dust. Every number here was worked out by hand.

The bot (`ROUND` in support): 100 quote at 100, three safety orders of 100 quote, 10 % apart, target 10 % on
average, no fee, tick 0.01, lot 0.1. A long's ladder: 1.2 @ 90, 1.3 @ 80, 1.5 @ 70 (108, 104, 105 quote).
"""

from decimal import Decimal

from msgspec.structs import replace

from schemas.bots import BotConfig, TakeProfit
from streams.engine.dca import Instrument
from tests.stories.story import Story
from tests.streams.engine.dca.support import MINUTE, ROUND, TENTHS, stop

STOPPED = replace(ROUND, stop_loss=stop("15"))
SLIPPING = replace(STOPPED, slippage="1")
BY_DEFAULT = replace(STOPPED, slippage=BotConfig(bot_id="x", user_id="x").slippage)
LOST_TO_STOP = "; ".join(f"1 dca_{index} the deal was closed before, by stop_loss" for index in (1, 2))

STORIES = [
    Story(
        "the stop ends it below the first safety order",
        STOPPED,
        """100 100 100 100
            95  96  84  86""",
        """0 base  buy  1   100
           1 dca_1 buy  1.2  90
           1 sl    sell 2.2  85""",
        "stop_loss", "-21",  # 187 − 208
    ),
    Story(
        "a gap opens below stop and safety order: where both are met at once the stop is first, at the open",
        STOPPED,
        """100 100 100 100
            80  81  79  80""",
        """0 base buy  1 100
           1 sl   sell 1  80""",
        "stop_loss", "-20",
        skipped=LOST_TO_STOP,
    ),
    Story(
        "a stop at the very price of a safety order wins the tie",
        replace(ROUND, stop_loss=stop("10")),
        """100 100 100 100
            95  96  88  89""",
        """0 base buy  1 100
           1 sl   sell 1  90""",
        "stop_loss", "-10",
        skipped="1 dca_1 the deal was closed before, by stop_loss",
    ),
    Story(
        "a stop on average moves down with the fill, in the same bar; rounded towards the market",
        replace(ROUND, stop_loss=stop("15", "average")),
        """100 100 100 100
            95  96  84  86
            86  87  80  81""",
        """0 base  buy  1   100
           1 dca_1 buy  1.2  90
           2 sl    sell 2.2  80.37""",  # 94.5454…·0.85 = 80.3636…, up
        "stop_loss", "-31.186",  # 176.814 − 208
        skipped="1 sl the bar's path did not meet it; "
        "2 dca_2 the deal was closed before, by stop_loss",
    ),
    Story(
        "a stop from the last level waits for the whole ladder",
        replace(ROUND, stop_loss=stop("10", "last_level")),
        """100 100 100 100
            95  96  60  65""",
        """0 base  buy  1   100
           1 dca_1 buy  1.2  90
           1 dca_2 buy  1.3  80
           1 dca_3 buy  1.5  70
           1 sl    sell 5    63""",
        "stop_loss", "-102",  # 315 − 417
    ),
    Story(
        "a stop born in the bar fills at its level, not at the open above it",
        replace(ROUND, stop_loss=stop("6", "average"), price_deviation="5", max_safety_orders=1),
        """100 100 100   100
            94.5 95 90    91""",
        # Safety order 95, passed at the open: 1.1 @ 94.5. Average 203.95/2.1 = 97.119…, stop 91.2919… up.
        """0 base  buy  1   100
           1 dca_1 buy  1.1  94.5
           1 sl    sell 2.1  91.3""",
        "stop_loss", "-12.22",  # 191.73 − 203.95
    ),
    Story(
        "a target of the base order's size asks for 10 quote whatever was bought",
        replace(ROUND, take_profit=TakeProfit(percent="10", of="base")),
        """100 100 100  100
            95  96  89   91
            91 100  90.5  99.5""",
        """0 base  buy  1   100
           1 dca_1 buy  1.2  90
           2 tp_1  sell 2.2  99.1""",  # 218/2.2 = 99.0909…, up
        "take_profit", "10.02",
    ),
    Story(
        "the target pays for the exit's fee",
        replace(ROUND, fee="0.1"),
        """100 100   100 100
           100 111    99 110""",
        """0 base buy  1 100    0.1
           1 tp_1 sell 1 110.12 0.11012""",  # 110/0.999 = 110.1101…, up
        "take_profit", "9.90988",  # 110.12 − 100 − 0.1 − 0.11012
    ),
    Story(
        "whoever names no slippage pays 0.05 % at the market and at the stop; the ladder hangs below it",
        BY_DEFAULT,
        """100 100 100 100
            95  96  84  86""",
        """0 base  buy  1   100.05
           1 dca_1 buy  1.2  90.04
           1 sl    sell 2.2  85""",  # 85.0425 is 85.05 towards the market; 85.05·0.9995 = 85.007…
        "stop_loss", "-21.098",  # 187 − 208.098
    ),
    Story(
        "slippage costs at the market and at the stop, never at a limit",
        SLIPPING,
        """100 100 100 100
            95  96  84  86""",
        # Base 100·1.01 = 101, 1.0 lots; ladder 90.9 (1.2); stop 85.85, sold at 85.85·0.99 = 84.9915 → 84.99.
        """0 base  buy  1   101
           1 dca_1 buy  1.2  90.9
           1 sl    sell 2.2  84.99""",
        "stop_loss", "-23.102",  # 186.978 − 101 − 109.08
    ),
    Story(
        "a stop passed at the open slips from the open",
        SLIPPING,
        """100 100 100 100
            80  81  79  80""",
        """0 base buy  1 101
           1 sl   sell 1  79.2""",
        "stop_loss", "-21.8",
        skipped=LOST_TO_STOP,
    ),
    Story(
        "deleted with on_delete close: sold at that bar's close, after the levels it touched",
        ROUND,
        """100 100 100 100
            95  96  89  91
            91  92  90  91.5""",
        """0 base  buy  1   100
           1 dca_1 buy  1.2  90
           1 close sell 2.2  91""",
        "close", "-7.8",  # 200.2 − 208
        close_at=2 * MINUTE,
    ),
    Story(
        "deleted, and the stop is met in the same bar: the stop has it",
        STOPPED,
        """100 100 100 100
            95  96  84  86""",
        """0 base  buy  1   100
           1 dca_1 buy  1.2  90
           1 sl    sell 2.2  85""",
        "stop_loss", "-21",
        skipped="1 close the deal was closed before, by stop_loss",
        close_at=2 * MINUTE,
    ),
    Story(
        "closing at the market slips",
        replace(ROUND, slippage="1"),
        """100 100 100 100
           102 103 101 102""",
        """0 base  buy  1 101
           1 close sell 1 100.98""",  # 102·0.99
        "close", "-0.02",
        close_at=2 * MINUTE,
    ),
    Story(
        "a gap takes the value of the whole deal below the minimum notional: booked off as dust",
        replace(ROUND, stop_loss=stop("5")),
        """100 100 100 100
            80  81  79  80""",
        "0 base buy 1 100",
        "stop_loss", "-100",
        skipped="1 sl what is left is below the minimum notional; 1 dca_1 what is left is below the minimum "
        "notional; 1 dca_2 what is left is below the minimum notional",
        instrument=Instrument(TENTHS.tick, TENTHS.lot, Decimal(90)),
    ),
]  # fmt: skip
