"""Candles that are too few for what a bot asks are told before anybody wonders why nothing fired."""

from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from schemas.bots import BotConfig, CloseRule
from schemas.interval import grid
from streams.cli.backtesting.checking.costs import unknown_instruments
from streams.cli.backtesting.checking.readiness import never_ready, warm_up_ms
from streams.engine.backtest.candles import Candles
from streams.engine.backtest.operands import Operands
from streams.engine.conditions.reach import leaves
from streams.engine.dca.entry import entry_tree
from tests.streams.engine.candles import walk

CANDLES = {"A": Candles.of("A", walk(600, 3))}
BOT = BotConfig(bot_id="dip", user_id="u", pairs=["A"], entry="close > 1", base_order_volume="15")


def test_an_operand_that_needs_more_bars_than_there_are_is_named() -> None:
    bot = replace(
        BOT,
        entry='rsi(14, "1h") < 30 and rsi(14) < 30',
        close=CloseRule(when='sma(700) > 1 and ema(3, "5m") > 1'),
    )
    found = list(never_ready([bot], CANDLES))
    assert found == [
        'dip: rsi(14, "1h") is ready only after 95 bars of 1h; of A there are 10: what asks for it never fires',
        "dip: sma(700) is ready only after 700 bars of 1m; of A there are 600: what asks for it never fires",
    ]


@pytest.mark.parametrize("timeframe", ["1m", "5m", "15m"])
def test_exactly_those_are_named_that_have_no_value(timeframe: str) -> None:
    operands = Operands(CANDLES["A"])
    named, silent = 0, 0
    for window in (*range(2, 45), *range(110, 130), *range(590, 606)):
        bot = replace(BOT, entry=f'sma({window}, "{timeframe}") > 1')
        (leaf,) = leaves(entry_tree(bot))
        without = bool(np.isnan(operands.read(leaf, grid(timeframe))).all())
        assert bool(list(never_ready([bot], CANDLES))) == without, window
        named, silent = named + without, silent + (not without)
    assert named >= 5
    assert silent >= 5


def test_the_warm_up_of_an_entry_is_that_of_its_slowest_operand() -> None:
    bot = replace(BOT, entry='rsi(14) < 30 and sma(20, "1h") > 1', close=CloseRule(when='sma(700, "1d") > 1'))
    assert warm_up_ms(bot, "1m") == 20 * 3_600_000
    assert warm_up_ms(replace(BOT, entry='schedule("0 9 * * *")'), "1m") == 0


def test_a_symbol_that_the_instruments_leave_out_is_named() -> None:
    file = Path("venue.yaml")
    (said,) = unknown_instruments(file, ["A"], ["A", "B"])
    assert said.startswith("B is not in venue.yaml: ticks and lots of 1e-8")
    assert list(unknown_instruments(None, [], ["A", "B"])) == []
