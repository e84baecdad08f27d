"""Stories of grids, as data. Every number here was worked out by hand.

The bot (`LONG`, `SHORT`, `NEUTRAL` in support): levels 80, 90, 100, 110, 120 (numbers 1 to 5), one base each, no fee,
tick 0.01, lot 0.1. At 100 level 3 is empty.
"""

from decimal import Decimal

from msgspec.structs import replace

from schemas.bots import BotConfig
from streams.engine.dca import Instrument
from tests.streams.engine.dca.support import MINUTE
from tests.streams.engine.grid.story import Story
from tests.streams.engine.grid.support import LONG, NEUTRAL, SHORT, TENTHS, of

START = "100 100 100 100\n"
STOPPED = of(LONG, stop_below="70", stop_above="130")
ENDED = "the grid ended before, by"

STORIES = [
    Story(
        "a long buys at the start what the levels above it will sell",
        LONG,
        START,
        "0 base buy 2 100",
        armed="1 2 | 4 5", profit="-200", holds="2",
    ),
    Story(
        "a filled buy arms the sell one level up, and that the buy again: one round trip",
        LONG,
        START + """ 95  96  89   91
                    91 101  91  100
                   100 100  90   91""",
        """0 base   buy  2 100
           1 grid_2 buy  1  90
           2 grid_3 sell 1 100
           3 grid_2 buy  1  90""",
        armed="1 | 3 4 5", trips="10", profit="-280", holds="3",
    ),
    Story(
        "a bar that falls through two levels fills each at its own price; what they arm waits for the next bar",
        LONG,
        START + " 99 105  79  105",
        """0 base   buy 2 100
           1 grid_2 buy 1  90
           1 grid_1 buy 1  80""",
        armed="| 2 3 4 5", profit="-370", holds="4",
    ),
    Story(
        "a gap opens beyond levels: they fill at the open, which is better",
        LONG,
        START + """ 85  86  84  85
                   115 115 112 114""",
        """0 base   buy  2 100
           1 grid_2 buy  1  85
           2 grid_3 sell 1 115
           2 grid_4 sell 1 115""",
        armed="1 2 3 | 5", trips="30 15", profit="-55", holds="1",
    ),
    Story(
        "a long that sold everything has only buys, and makes nothing above its range",
        LONG,
        START + "101 125 101 124\n124 130 121 125",
        """0 base   buy  2 100
           1 grid_4 sell 1 110
           1 grid_5 sell 1 120""",
        armed="1 2 3 4 |", trips="10 20", profit="30",
    ),
    Story(
        "both ways in one bar: a buy and a sell that both want one level; the one that the price is beyond has it",
        LONG,
        START + """ 99 111  89  110.5
                   110 110 101 102""",
        # Buy at 2 arms a sell at 3, the sell at 4 arms a buy at 3: at 110.5 the sell has it, and fills at the open.
        """0 base   buy  2 100
           1 grid_2 buy  1  90
           1 grid_4 sell 1 110
           2 grid_3 sell 1 110""",
        armed="1 2 3 | 5", trips="10 20", profit="-70", holds="1",
    ),
    Story(
        "the same with the price below the level at the end: the buy has it",
        LONG,
        START + """ 99 111  89   89.5
                    92  92  91   92""",
        """0 base   buy  2 100
           1 grid_2 buy  1  90
           1 grid_4 sell 1 110
           2 grid_3 buy  1  92""",
        armed="1 | 3 4 5", trips="10", profit="-272", holds="3",
    ),
    Story(
        "fees of both legs, and the start's, are in a trip's profit",
        replace(LONG, fee="0.1"),
        START + """ 95  96  89   91
                    91 111  91  100""",
        """0 base   buy  2 100 0.2
           1 grid_2 buy  1  90 0.09
           2 grid_3 sell 1 100 0.1
           2 grid_4 sell 1 110 0.11""",
        armed="1 2 3 | 5", trips="9.81 9.79", profit="-80.5", holds="1",
    ),
    Story(
        "slippage costs at the start, never at a level",
        replace(LONG, slippage="1"),
        START + "101 110 101 105",
        """0 base   buy  2 101
           1 grid_4 sell 1 110""",
        armed="1 2 3 | 5", trips="9", profit="-92", holds="1",
    ),
    Story(
        "whoever names no slippage has 0.05 % of it",
        replace(LONG, slippage=BotConfig(bot_id="x", user_id="x").slippage),
        START + "101 110 101 105",
        """0 base   buy  2 100.05
           1 grid_4 sell 1 110""",
        armed="1 2 3 | 5", trips="9.95", profit="-90.1", holds="1",
    ),
    Story(
        "without the initial purchase a long waits: a level above that is met arms the buy below it",
        of(LONG, initial_purchase=False),
        START + """101 112 101 111
                   111 111  99 101
                   101 112 101 111""",
        """2 grid_3 buy  1 100
           3 grid_4 sell 1 110""",
        armed="1 2 3 | 5", trips="10", profit="10", woken="1:grid_4",
    ),
    Story(
        "a short sells at the start what the levels below it will buy back",
        SHORT,
        START + """101 111  99 105
                   105 105  99  99
                    99  99  80  85""",
        """0 base   sell 2 100
           1 grid_4 sell 1 110
           2 grid_3 buy  1 100
           3 grid_2 buy  1  90
           3 grid_1 buy  1  80""",
        armed="| 2 3 4 5", trips="10 10 20", profit="40",
    ),
    Story(
        "a short without the initial sale: a level below that is met arms the sell above it",
        of(SHORT, initial_purchase=False),
        START + """ 99  99  89  95
                    95 101  95  99""",
        "2 grid_3 sell 1 100",
        armed="1 2 | 4 5", profit="100", holds="-1", woken="1:grid_2",
    ),
    Story(
        "a neutral grid starts with nothing, holds below its start and owes above it",
        NEUTRAL,
        START + """ 99  99  89  95
                    95 112  95 111
                   111 121 111 115""",
        """1 grid_2 buy  1  90
           2 grid_3 sell 1 100
           2 grid_4 sell 1 110
           3 grid_5 sell 1 120""",
        armed="1 2 3 4 |", trips="10", profit="240", holds="-2",
    ),
    Story(
        "a neutral grid walks the nearer extreme first, whatever intrabar says",
        of(replace(NEUTRAL, intrabar="pessimistic"), stop_above="125"),
        START + "100 126  89  90",
        # The low is nearer: the buy at 90 comes first, and three sells on the way to the stop leave it owing one.
        """1 grid_2     buy  1  90
           1 grid_4     sell 1 110
           1 grid_5     sell 1 120
           1 stop_above buy  1 125""",
        ends="stop_above", profit="15", ambiguous="1",
    ),
    Story(
        "a stop below sells everything, at its level less slippage",
        replace(STOPPED, slippage="1"),
        START + " 95  95  65  68",
        """0 base       buy  2 101
           1 grid_2     buy  1  90
           1 grid_1     buy  1  80
           1 stop_below sell 4  69.3""",
        ends="stop_below", profit="-94.8",
    ),
    Story(
        "a gap over the stop: the stop is first, at the open, and no level below it is bought",
        STOPPED,
        START + " 60  61  59  60",
        """0 base       buy  2 100
           1 stop_below sell 2  60""",
        ends="stop_below", profit="-80",
        skipped=f"1 grid_1 {ENDED} stop_below; 1 grid_2 {ENDED} stop_below",
    ),
    Story(
        "a stop that keeps: nothing is sold, the position is handed over at the stop's price",
        of(STOPPED, stop_action="keep"),
        START + " 95  95  65  68",
        """0 base       buy  2 100
           1 grid_2     buy  1  90
           1 grid_1     buy  1  80""",
        ends="stop_below", profit="-90", kept="4@70",
    ),
    Story(
        "a stop above ends a long that sold everything: there is nothing to sell",
        STOPPED,
        START + "101 131 101 130",
        """0 base   buy  2 100
           1 grid_4 sell 1 110
           1 grid_5 sell 1 120""",
        trips="10 20", ends="stop_above", profit="30",
    ),
    Story(
        "a stop above buys a short back, at a loss",
        of(SHORT, stop_above="130"),
        START + "101 131 101 130",
        """0 base       sell 2 100
           1 grid_4     sell 1 110
           1 grid_5     sell 1 120
           1 stop_above buy  4 130""",
        ends="stop_above", profit="-90",
    ),
    Story(
        "only the levels nearest to the price are armed; after a fill the next ones are",
        of(LONG, max_active_levels=2),
        START + """ 95  95  89  90
                    90  90  79  81""",
        """0 base   buy 2 100
           1 grid_2 buy 1  90
           2 grid_1 buy 1  80""",
        armed="| 2 3", profit="-370", holds="4",
    ),
    Story(
        "a level that is not armed does not fill, though the bar goes through it; at the next open it does",
        of(LONG, max_active_levels=2),
        START + """ 95  95  79  79
                    79  85  78  84""",
        """0 base   buy 2 100
           1 grid_2 buy 1  90
           2 grid_1 buy 1  79""",
        armed="| 2 3", profit="-369", holds="4",
    ),
    Story(
        "deleted with on_delete close: sold at that bar's close, after the levels it touched",
        replace(LONG, slippage="1"),
        START + " 95  96  89  91",
        """0 base   buy  2 101
           1 grid_2 buy  1  90
           1 close  sell 3  90.09""",
        ends="close", profit="-21.73",
        close_at=2 * MINUTE,
    ),
    Story(
        "deleted with on_delete keep: the position is handed over at that bar's close, without a trade",
        LONG,
        START + " 95  96  89  91",
        """0 base   buy  2 100
           1 grid_2 buy  1  90""",
        ends="close", profit="-17", kept="3@91",
        close_at=2 * MINUTE, keep=True,
    ),
    Story(
        "a neutral grid that owes hands over a debt",
        NEUTRAL,
        START + "101 112 101 111\n111 112 111 112",
        "1 grid_4 sell 1 110",
        ends="close", profit="-2", kept="-1@112",
        close_at=3 * MINUTE, keep=True,
    ),
    Story(
        "the price midway: the lower of two levels is empty; a quantity in quote is up to the lot at the lower level",
        of(LONG, quantity="100", quantity_in="quote"),
        "105 105 105 105\n105 110 104 106",
        # 100/80 = 1.25 → 1.3, 100/90 = 1.11 → 1.2, 1.0, 100/110 = 0.91 → 1.0
        """0 base   buy  2.0 105
           1 grid_4 sell 1   110""",
        armed="1 2 3 | 5", trips="5", profit="-100", holds="1",
    ),
    Story(
        "what a stop leaves below the minimum notional is dust, worth nothing",
        of(STOPPED, upper="110", levels=4),
        START + " 60  61  59  60",
        "0 base buy 1 100",
        ends="stop_below", profit="-100",
        skipped=f"1 grid_1 {ENDED} stop_below; 1 grid_2 {ENDED} stop_below",
        instrument=Instrument(TENTHS.tick, TENTHS.lot, Decimal(65)),
    ),
]  # fmt: skip
