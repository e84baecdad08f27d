"""The thin thread: candles in, fills out, through every part of the pipeline."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from streams.cli.pipeline import Pipeline
from tests.pipeline import START, Shape, bars, golden_bot, run


@pytest.fixture
def pipeline(tmp_path: Path) -> Iterator[Pipeline]:
    made = Pipeline(f"sqlite:///{tmp_path / 'deals.db'}")
    yield made
    made.close()


async def test_one_candle_in_one_fill_out(pipeline: Pipeline) -> None:
    out = await run(pipeline, [golden_bot()], bars([100.0]))
    assert [(t.bot_id, t.action.action_type, t.bar.open_time_ms) for t in out.triggers] == [
        ("golden", "execute_entry", START)
    ]
    assert out.levels() == [("base", Decimal(100))]
    assert [(deal["state"], deal["symbol"]) for deal in out.deals] == [("open", "BTCUSDT")]
    assert out.dead_letters == 0


async def test_a_dip_is_averaged_and_sold_with_profit(pipeline: Pipeline) -> None:
    shapes: list[Shape] = [102.0, 100.0, (100.0, 100.0, 97.0, 97.2), (97.2, 101.0, 97.2, 100.9), 102.0]
    out = await run(pipeline, [golden_bot()], bars(shapes))
    golden = Decimal("100.4757")
    levels = out.levels()
    assert levels[:3] == [("base", Decimal(100)), ("dca_1", Decimal(99)), ("dca_2", Decimal("97.5"))]
    assert levels[3][0].startswith("tp_1")
    assert abs(levels[3][1] - golden) < Decimal("0.0001")
    first = out.deals[0]
    assert (first["state"], first["safety_orders_filled"]) == ("closed", 2)
    assert Decimal(out.deals[0]["profit"]) > 0
    assert out.dead_letters == 0


async def test_how_often_the_parts_take_turns_changes_nothing(tmp_path: Path) -> None:
    shapes = [100.0 + 3 * ((i * 7) % 5 - 2) for i in range(60)]
    outcomes = []
    for step, seed in ((1, None), (7, 1), (1_000, 2)):
        made = Pipeline(f"sqlite:///{tmp_path / f'deals-{step}.db'}", seed=seed)
        out = await run(made, [golden_bot()], bars(shapes), step)
        outcomes.append((out.triggers, out.levels(), [deal["profit"] for deal in out.deals]))
        made.close()
    assert len(outcomes[0][1]) > 4
    assert outcomes[0] == outcomes[1] == outcomes[2]
