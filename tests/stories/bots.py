"""Stories of bots: several deals after and beside each other. Each is told to the pipeline in one process."""

from typing import NamedTuple

from msgspec.structs import replace

from schemas.bots import BotConfig, StopLoss, TakeProfit
from tests.stories.batch import START
from tests.stories.targets import HALVES
from tests.streams.engine.dca.support import ROUND

MINUTE = 60_000

SIMPLE = replace(
    ROUND,
    bot_id="bot",
    pairs=["AUSDT"],
    entry="close < 101",
    max_safety_orders=0,
    effective_from_ms=START,
    revision=1,
)
PERIODIC = replace(SIMPLE, entry='schedule("*/2 * * * *")', take_profit=None)
TWO = replace(SIMPLE, max_active_deals=2, max_active_deals_per_pair=2)


class BotStory(NamedTuple):
    """`candles` by symbol; `fills`: bar, symbol's first letter and the deal's number on it (from 1), level, side,
    quantity, price; `deals`: deal, reason and profit of those that ended; `events`: what the executor told beside
    deals and orders, `bar event reason`; `edits`: configs that follow the first.
    """

    title: str
    bot: BotConfig
    candles: dict[str, str]
    fills: str
    deals: str = ""
    events: str = ""
    edits: tuple[BotConfig, ...] = ()


def one(table: str) -> dict[str, str]:
    return {"AUSDT": table}


STORIES = [
    BotStory(
        "the signal has to go false before it counts again",
        SIMPLE,
        one("""100 100 100 100
               100 111 100 100   | closed at 110; the signal is true still
               100 100 100 100
               100 103 100 103   | false
               103 103 100 100   | true anew"""),
        """0 A1 base buy  1 100
           1 A1 tp_1 sell 1 110
           4 A2 base buy  1 100""",
        "A1 take_profit 10",
    ),
    BotStory(
        "cooldown: nothing for two minutes after a deal, then the signal has to come anew",
        replace(SIMPLE, cooldown_s=120),
        one("""100 100 100 100
               100 111 100 103   | closed; false
               103 103 100 100   | true, but cooling down
               100 103 100 103   | the cooldown ends with this bar
               103 103 103 103   | seen to be false
               103 103 100 100"""),
        """0 A1 base buy  1 100
           1 A1 tp_1 sell 1 110
           5 A2 base buy  1 100""",
        "A1 take_profit 10",
    ),
    BotStory(
        "start delay: the deal is opened two minutes later, whatever the signal says then",
        replace(SIMPLE, start_delay_s=120),
        one("""105 105 100 100   | fires
               100 105 100 105
               105 105 104 104   | two minutes later
               104 115 104 114"""),
        # 100/104 = 0.96 → 1.0; 104·1.1 = 114.4
        """2 A1 base buy  1 104
           3 A1 tp_1 sell 1 114.4""",
        "A1 take_profit 10.4",
        "0 entry_delayed the deal is opened after 120 s (start_delay_s)",
    ),
    BotStory(
        "start delay: a bot that was paused meanwhile does not open it",
        replace(SIMPLE, start_delay_s=120),
        one("""105 105 100 100
               100 105 100 105
               105 105 104 104"""),
        "",
        "",
        "0 entry_delayed the deal is opened after 120 s (start_delay_s); "
        "2 entry_refused the bot took no entries when this bar opened",
        (replace(SIMPLE, state="paused", start_delay_s=120, effective_from_ms=START + MINUTE, revision=2),),
    ),
    BotStory(
        "two pairs, one deal at a time: the other pair stays armed, is refused, and told why",
        replace(SIMPLE, pairs=["AUSDT", "BUSDT"]),
        {
            "AUSDT": """100 100 100 100
                        100 100 100 100
                        100 111 100 105
                        105 105 105 105""",
            "BUSDT": """105 105 105 105
                        105 105 100 100   | refused
                        100 105 100 105   | false
                        105 105 100 100   | true anew, and there is room""",
        },
        """0 A1 base buy  1 100
           2 A1 tp_1 sell 1 110
           3 B1 base buy  1 100""",
        "A1 take_profit 10",
        "1 entry_refused 1 of at most 1 deals are open",
    ),
    BotStory(
        "two deals on one pair: the second opens on a new signal, each has its own ladder and target",
        replace(TWO, max_safety_orders=1),
        one("""100 100 100  100
               100 102 100  102   | false
               102 102  98   98   | the second: 1.1 at 98
               98  98  89   91   | safety orders: 90 (1.2) and 88.2 (not yet)
               91 105  91  105   | the first: 208·1.1/2.2 = 104
               105 108 105 107.9 | the second: 98·1.1 = 107.8"""),
        """0 A1 base  buy  1   100
           2 A2 base  buy  1.1  98
           3 A1 dca_1 buy  1.2  90
           4 A1 tp_1  sell 2.2 104
           5 A2 tp_1  sell 1.1 107.8""",
        "A1 take_profit 20.8; A2 take_profit 10.78",
    ),
    BotStory(
        "two deals on one pair: a third signal finds no room until one is closed",
        TWO,
        one("""100 100 100 100
               100 102 100 102
               102 102 100 100   | the second
               100 102 100 102
               102 102 100 100   | no room: nothing is armed for it
               100 111 100 102   | both are closed
               102 102 102 102
               102 102 100 100   | the third"""),
        """0 A1 base buy  1 100
           2 A2 base buy  1 100
           5 A1 tp_1 sell 1 110
           5 A2 tp_1 sell 1 110
           7 A3 base buy  1 100""",
        "A1 take_profit 10; A2 take_profit 10",
    ),
    BotStory(
        "two deals on one pair trail on their own",
        replace(TWO, take_profit=TakeProfit(percent="10", trailing="2")),
        one("""100   100 100   100
               100   106 100   106   | false
               106   106 100.9 100.9 | the second, target 110.99
               100.9 110.5 100.9 110.5 | only the first is active: 108.29, and met on the way back
               110.5 115 110.5 113   | the second: 115·0.98
               113   113 112.7 112.8"""),
        """0 A1 base buy  1 100
           2 A2 base buy  1 100.9
           3 A1 tp_1 sell 1 108.29
           4 A2 tp_1 sell 1 112.7""",
        "A1 take_profit 8.29; A2 take_profit 11.8",
    ),
    BotStory(
        "two deals on one pair, then cooldown",
        replace(TWO, cooldown_s=120),
        one("""100 100 100 100
               100 102 100 102
               102 111 102 102   | the first is closed
               102 102 100 100   | cooling down
               100 102 100 102   | the cooldown ends
               102 102 102 102
               102 102 100 100"""),
        """0 A1 base buy  1 100
           2 A1 tp_1 sell 1 110
           6 A2 base buy  1 100""",
        "A1 take_profit 10",
    ),
    BotStory(
        "done after two deals",
        replace(SIMPLE, disable_after_deals=2),
        one("""100 100 100 100
               100 111 100 103
               103 103 103 103
               103 103 100 100
               100 111 100 103
               103 103 103 103
               103 103 100 100   | would be the third"""),
        """0 A1 base buy  1 100
           1 A1 tp_1 sell 1 110
           3 A2 base buy  1 100
           4 A2 tp_1 sell 1 110""",
        "A1 take_profit 10; A2 take_profit 10",
        "3 disabled deal 2 of 2 was opened: no further entries (disable_after_deals)",
    ),
    BotStory(
        "done after one deal, until an edit allows another",
        replace(SIMPLE, disable_after_deals=1),
        one("""100 100 100 100
               100 111 100 103
               103 103 100 100
               100 103 100 103
               103 103 100 100"""),
        """0 A1 base buy  1 100
           1 A1 tp_1 sell 1 110
           4 A2 base buy  1 100""",
        "A1 take_profit 10",
        "0 disabled deal 1 of 1 was opened: no further entries (disable_after_deals); "
        "4 disabled deal 2 of 2 was opened: no further entries (disable_after_deals)",
        (replace(SIMPLE, disable_after_deals=2, effective_from_ms=START + 3 * MINUTE, revision=2),),
    ),
    BotStory(
        "half of the profit is reinvested: 100 quote become 105",
        replace(SIMPLE, reinvest_percent="50"),
        one("""100 100 100 100
               100 111 100 103
               103 103 103 103
               103 103 100 100"""),
        """0 A1 base buy  1   100
           1 A1 tp_1 sell 1   110
           3 A2 base buy  1.1 100""",
        "A1 take_profit 10",
    ),
    BotStory(
        "a loss is not reinvested",
        replace(SIMPLE, reinvest_percent="100", stop_loss=StopLoss(percent="10")),
        one("""100 100 100 100
               100 103  90 103
               103 103 103 103
               103 103 100 100"""),
        """0 A1 base buy  1 100
           1 A1 sl   sell 1  90
           3 A2 base buy  1 100""",
        "A1 stop_loss -10",
    ),
    BotStory(
        "an edit while a deal is open: the deal keeps its target, the next one has the new",
        SIMPLE,
        one("""100 100 100 100
               100 106 100 106
               106 111 103 103
               103 103 103 103
               103 103 100 100
               100 106 100 105"""),
        """0 A1 base buy  1 100
           2 A1 tp_1 sell 1 110
           4 A2 base buy  1 100
           5 A2 tp_1 sell 1 105""",
        "A1 take_profit 10; A2 take_profit 5",
        "",
        (
            replace(
                SIMPLE, take_profit=TakeProfit(percent="5"), effective_from_ms=START + MINUTE, revision=2
            ),
        ),
    ),
    BotStory(
        "periodic: every other minute 100 quote more, one deal, no end",
        PERIODIC,
        one("""100 100 100 100
               100 100  80  80
               80  80  50  50
               50  50  50  50
               50 200  50 200"""),
        # 2023-11-14 22:14 + 1 …: due at even minutes, which bars 1 and 3 close at
        """1 A1 base   buy 1.3  80
           3 A1 base_2 buy 2    50""",
    ),
    BotStory(
        "periodic with a target: every base order lowers the average; then a new deal begins",
        replace(PERIODIC, accumulate=True, take_profit=TakeProfit(percent="10")),
        one("""100 100 100 100
               100 100  80  80
               80  80  50  50
               50  50  50  50
               50  68  50  66
               66  66  66  66"""),
        # (104 + 100)/3.3 · 1.1 = 68; 100/66 = 1.52 → 1.6
        """1 A1 base   buy  1.3 80
           3 A1 base_2 buy  2   50
           4 A1 tp_1   sell 3.3 68
           5 A2 base   buy  1.6 66""",
        "A1 take_profit 20.4",  # 224.4 − 204
    ),
    BotStory(
        "periodic with a target: in the bar in which it is met and the next order is due, it is met first",
        replace(PERIODIC, accumulate=True, take_profit=TakeProfit(percent="10")),
        one("""100 100 100 100
               100 100  80  80
               80  80  80  80
               80  88  80  85"""),
        # 100/85 = 1.18 → 1.2
        """1 A1 base buy  1.3 80
           3 A1 tp_1 sell 1.3 88
           3 A2 base buy  1.2 85""",
        "A1 take_profit 10.4",
    ),
    BotStory(
        "a bot that opens deals on schedule does not accumulate when it takes profit",
        replace(PERIODIC, take_profit=TakeProfit(percent="10")),
        one("""100 100 100 100
               100 100  80  80
               80  80  50  50
               50  50  50  50
               50  88  50  66
               66  66  66  66"""),
        """1 A1 base buy  1.3 80
           4 A1 tp_1 sell 1.3 88
           5 A2 base buy  1.6 66""",
        "A1 take_profit 10.4",
    ),
    BotStory(
        "periodic beside others: its deal does not count among max_active_deals",
        replace(PERIODIC, pairs=["AUSDT", "BUSDT"]),
        {
            "AUSDT": """100 100 100 100
                        100 100 100 100
                        100 100 100 100
                        100 100 100 100""",
            "BUSDT": """50 50 50 50
                        50 50 50 50
                        50 50 50 50
                        50 50 50 50""",
        },
        """1 A1 base   buy 1 100
           1 B1 base   buy 2  50
           3 A1 base_2 buy 1 100
           3 B1 base_2 buy 2  50""",
    ),
    BotStory(
        "two deals on one pair, deleted with on_delete close: both are sold with the next bar",
        TWO,
        one("""100 100 100 100
               100 102 100 102
               102 102 100 100
               100 104 100 104"""),
        """0 A1 base  buy  1 100
           2 A2 base  buy  1 100
           3 A1 close sell 1 104
           3 A2 close sell 1 104""",
        "A1 close 4; A2 close 4",
        "",
        (replace(TWO, state="deleted", on_delete="close", effective_from_ms=START + 3 * MINUTE, revision=2),),
    ),
    BotStory(
        "two deals on one pair become one at a time: the open ones run to their ends",
        replace(TWO, take_profit=HALVES.take_profit),
        one("""100 100 100 100
               100 102 100 102
               102 102 100 100
               100 111 100 102
               102 102 100 100   | a signal, and no room for it
               100 121 100 102
               102 102 102 102
               102 102 100 100"""),
        """0 A1 base buy  1   100
           2 A2 base buy  1   100
           3 A1 tp_1 sell 0.5 110
           3 A2 tp_1 sell 0.5 110
           5 A1 tp_2 sell 0.5 120
           5 A2 tp_2 sell 0.5 120
           7 A3 base buy  1   100""",
        "A1 take_profit 15; A2 take_profit 15",
        "",
        (replace(SIMPLE, max_active_deals=2, effective_from_ms=START + 3 * MINUTE, revision=2),),
    ),
]  # fmt: skip
