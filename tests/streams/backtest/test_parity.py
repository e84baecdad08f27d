"""Law 12, the closed loop: a backtest = the replay bar by bar = the pipeline in one process, to the last digit.

1,020 cases, a case being a random bot over candles: 960 random walks against the replay, 30 recorded stretches, 30
through the pipeline.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from random import Random

import numpy as np
import pytest

from schemas.bots import BotConfig
from sinks.executor.decision import Rules
from sinks.venues.paper import Paper
from streams.cli.backtesting.bot import feed, run_bot
from streams.cli.backtesting.desk import Desk, accept_all
from streams.cli.backtesting.replay import replay
from streams.cli.backtesting.results import result_of
from streams.cli.pipeline import Pipeline
from streams.engine.backtest.candles import Candles
from streams.engine.backtest.finder import Finder
from streams.engine.backtest.plan import Plan, plan_of
from streams.engine.backtest.sprint import Arrays, Room, sprint
from streams.engine.bars import BarArrays
from streams.engine.dca.entry import entry_tree
from tests.pipeline import outcome
from tests.streams.backtest.random_bots import INSTRUMENTS, bot, stretch
from tests.streams.engine.candles import MINUTE, SHARED, recorded, walk, with_gaps

SEEDS, BOTS, BARS = 48, 20, 360
RULES = Rules(Paper(), INSTRUMENTS)
NAMES = ("CENTS", "CENTS2", "COARSE", "DEFAULT")


def market(seed: int, number: int) -> BarArrays:
    """Every other one with holes, short and long."""
    bars = walk(BARS, seed * 31 + number, start=100.0 + number)
    return with_gaps(bars, 0.02, 9, seed) if seed % 2 else bars


def finders(symbols: dict[str, BarArrays]) -> dict[str, Finder]:
    end_ms = max(int(bars.open_time_ms[-1]) for bars in symbols.values()) + MINUTE
    return {name: Finder(Candles.of(name, bars, ticks_until_ms=end_ms)) for name, bars in symbols.items()}


def drawn(random: Random, names: Sequence[str], count: int, start_ms: int) -> list[BotConfig]:
    """Half of them such as the compiled walk knows."""
    bots = []
    for number in range(count):
        plain = number % 2 == 0
        pairs = (
            [random.choice((*names[:2], names[-1]))]
            if plain
            else random.sample(names, random.choice([1, 1, 1, 3]))
        )
        begins = start_ms + random.choice([0, 0, 3_600_000])
        bots.append(bot(random, f"b{number}", pairs, INSTRUMENTS["COARSE"], begins, plain=plain))
    return bots


def agree(bots: Sequence[BotConfig], found: dict[str, Finder]) -> Counter[str]:
    """Backtest every bot, and hold it against all of them bar by bar. How they were walked, and what they did."""
    slow = Desk(RULES)
    replay(slow, accept_all(slow, bots), feed([finder.candles for finder in found.values()]))
    counted: Counter[str] = Counter()
    for config in bots:
        fast = run_bot(config, found, RULES)
        assert fast._replace(walked="") == result_of(slow, config.bot_id, ""), (config, fast.walked)
        counted[fast.walked.split(" because")[0]] += 1
        counted["fills"] += len(fast.fills)
        counted["ambiguous"] += sum(deal.ambiguous_bars for deal in fast.deals)
    return counted


def test_a_backtest_is_the_replay_bar_by_bar() -> None:
    counted: Counter[str] = Counter()
    for seed in range(SEEDS):
        random = Random(seed)
        symbols = {name: market(seed, number) for number, name in enumerate(NAMES)}
        start_ms = int(symbols["CENTS"].open_time_ms[0])
        counted += agree(drawn(random, NAMES, BOTS, start_ms), finders(symbols))
    assert counted["compiled"] > SEEDS * BOTS * 0.4, counted
    assert counted["from event to event"] > SEEDS * BOTS * 0.3, counted
    assert counted["bar by bar"] > 5, counted
    assert counted["fills"] > 10_000, counted
    assert counted["ambiguous"] > 20, counted


def test_a_walk_that_runs_out_of_room_begins_anew_in_a_larger_one() -> None:
    found = finders({"CENTS": market(2, 0)})["CENTS"]
    bots = drawn(Random(3), NAMES, 40, 0)[::2]
    config = next(one for one in bots if one.pairs == ["CENTS"] and one.max_safety_orders > 2)
    plan = plan_of(config, INSTRUMENTS["CENTS"], found.candles, found.extremes)
    assert isinstance(plan, Plan)
    truths = found.truths.of(entry_tree(config))
    small, large = sprint(plan, found, truths, 0, Room(2)), sprint(plan, found, truths, 0)
    assert isinstance(small, Arrays)
    assert isinstance(large, Arrays)
    assert len(small.triggers) > 8
    assert all(
        np.array_equal(getattr(small, name), getattr(large, name)) for name in ("triggers", "fills", "deals")
    )


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.exists(), reason="the shared recordings are not beside the checkout")
def test_a_backtest_is_the_replay_on_recorded_candles() -> None:
    counted: Counter[str] = Counter()
    for seed, symbol in enumerate(("BTCUSDT", "ETHUSDT", "SOLUSDT")):
        random = Random(seed)
        bars = stretch(random, recorded(symbol, 20_000), 500)
        symbols = {"CENTS": bars, "CENTS2": bars, "DEFAULT": bars}
        bots = drawn(random, ("CENTS", "CENTS2", "DEFAULT"), 10, int(bars.open_time_ms[0]))
        counted += agree(bots, finders(symbols))
    assert counted["fills"] > 100, counted


async def test_a_replay_is_the_pipeline_in_one_process(tmp_path: Path) -> None:
    random = Random(5)
    symbols = {name: market(5, number) for number, name in enumerate(NAMES)}
    found = finders(symbols)
    bots = drawn(random, NAMES, 30, int(symbols["CENTS"].open_time_ms[0]))
    slow = Desk(RULES)
    replay(slow, accept_all(slow, bots), feed([finder.candles for finder in found.values()]))

    pipeline = Pipeline(f"sqlite:///{tmp_path / 'deals.db'}", rules=RULES)
    await pipeline.apply(*bots)
    await pipeline.feed(feed([finder.candles for finder in found.values()]))
    out = outcome(pipeline)
    pipeline.close()

    assert len(slow.fills) > 200
    alone = {
        config.bot_id for config in bots if len(config.pairs) == 1
    }  # law 12: of several pairs, the order is free
    mine = sorted((t for t in slow.triggers if t.bot_id in alone), key=lambda t: (t.bot_id, t.generation))
    theirs = [t for t in out.triggers if t.bot_id in alone]
    assert {t.trigger_id for t in mine} <= {t.trigger_id for t in theirs}
    known = {t.trigger_id: t for t in theirs}
    assert [known[t.trigger_id] for t in mine] == mine
    columns = ("deal_id", "level", "generation", "position", "trigger_id", "at_ms", "side", "price", "quantity",
               "quote", "fee")  # fmt: skip
    deals = {name for name, held in slow.deals.items() if held.deal.bot_id in alone}
    booked = sorted(
        tuple(str(getattr(fill, name)) for name in columns) for fill in slow.fills if fill.deal_id in deals
    )
    assert booked == sorted(
        tuple(str(fill[name]) for name in columns) for fill in out.fills if fill["deal_id"] in deals
    )
