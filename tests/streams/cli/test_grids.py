"""Grids through the whole pipeline: when they start and end, what is told, and the commands about them."""

import asyncio
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from schemas.bots import BotConfig
from schemas.events import BotEvent
from schemas.interval import MINUTE_MS
from schemas.positions import Position
from streams.cli.pipeline import Pipeline
from streams.engine import kinds
from streams.engine.grid import Deal
from tests.pipeline import START, Outcome, Shape, bars, outcome, run
from tests.streams.cli.commandline import CommandLine
from tests.streams.engine.grid.support import LONG, of

GRID = replace(LONG, bot_id="grid", pairs=["BTCUSDT"], effective_from_ms=START, revision=1)
STOPPED = of(GRID, stop_below="70")


def at(minute: int) -> int:
    return START + minute * MINUTE_MS


async def feed(pipeline: Pipeline, shapes: Sequence[Shape], minute: int = 0) -> Outcome:
    """The bars from that minute on."""
    await pipeline.feed_klines(bars(shapes, start_ms=at(minute)))
    return outcome(pipeline)


def told(out: Outcome, *names: str) -> list[BotEvent]:
    return [event for event in out.events if event.event in names]


def opened_at(out: Outcome) -> list[int]:
    """Minutes at whose close deals were opened."""
    return [(deal["opened_at_ms"] - START) // MINUTE_MS - 1 for deal in out.deals]


async def test_a_grid_waits_until_a_bar_closes_in_its_range(pipeline: Pipeline) -> None:
    await pipeline.apply(GRID)
    out = await feed(pipeline, [150.0, (150.0, 151.0, 90.0, 130.0), 121.0, 119.0, 118.0])
    assert opened_at(out) == [3]
    assert out.levels() == []
    deal = kinds.from_json(out.deals[0]["body"])
    assert isinstance(deal, Deal)
    assert (deal.start_level, deal.ledger.position) == (5, 0)


async def test_a_grid_without_an_entry_starts_once_and_again_when_it_is_applied_anew(
    pipeline: Pipeline,
) -> None:
    await pipeline.apply(STOPPED)
    out = await feed(pipeline, [100.0, (100.0, 100.0, 65.0, 68.0), 100.0, 110.0, 60.0, 100.0])
    assert [deal["close_reason"] for deal in out.deals] == ["stop_below"]
    await pipeline.apply(replace(STOPPED, revision=2, effective_from_ms=at(6)))
    out = await feed(pipeline, [101.0, 100.0], 6)
    assert opened_at(out) == [0, 6]


async def test_a_config_that_begins_before_the_end_of_the_last_grid_says_that_it_starts_none(
    pipeline: Pipeline,
) -> None:
    await pipeline.apply(STOPPED)
    await feed(pipeline, [100.0, (100.0, 100.0, 65.0, 68.0), 100.0])
    await pipeline.apply(replace(STOPPED, revision=2, effective_from_ms=at(1), name="late"))
    out = await feed(pipeline, [100.0, 100.0], 3)
    assert opened_at(out) == [0]
    assert (
        told(out, "ignored")[-1].reason
        == "it begins before the last grid ended, and starts none: apply it again"
    )


async def test_a_grid_with_an_entry_starts_again_when_that_becomes_true_after_the_cooldown(
    pipeline: Pipeline,
) -> None:
    await pipeline.apply(replace(STOPPED, entry="close < 101", cooldown_s=120))
    shapes: list[Shape] = [105.0, 100.0, (100.0, 100.0, 65.0, 68.0), 99.0, 99.0, 98.0, 105.0, 100.0]
    assert opened_at(await feed(pipeline, shapes)) == [1, 7]


async def test_an_edit_leaves_a_grid_that_runs_alone_and_so_does_a_pause(pipeline: Pipeline) -> None:
    await pipeline.apply(STOPPED)
    await feed(pipeline, [100.0])
    await pipeline.apply(
        replace(of(STOPPED, lower="50", stop_below="40"), revision=2, effective_from_ms=at(1))
    )
    await pipeline.apply(replace(STOPPED, revision=3, state="paused", effective_from_ms=at(2)))
    reasons = [event.reason for event in told(outcome(pipeline), "ignored")]
    assert reasons == [
        "a grid runs, with the settings it started with: to change it, delete the bot and apply it again"
    ]
    out = await feed(pipeline, [89.0, 91.0, 60.0, 100.0, 100.0], 1)
    levels = [("base", 100), ("grid_2", 89), ("stop_below", 60)]
    assert out.levels() == [(level, Decimal(price)) for level, price in levels]
    assert opened_at(out) == [0]


async def test_a_bot_that_is_deleted_and_applied_again_in_one_minute_starts_a_new_grid(
    pipeline: Pipeline,
) -> None:
    await pipeline.apply(GRID)
    await feed(pipeline, [100.0, 101.0])
    gone = BotConfig(bot_id="grid", user_id="alice", state="deleted", revision=2, effective_from_ms=at(2))
    await pipeline.apply(gone, replace(of(GRID, lower="90", levels=4), revision=3, effective_from_ms=at(2)))
    out = await feed(pipeline, [102.0, 103.0, 104.0], 2)
    assert opened_at(out) == [0, 3]
    assert [deal["close_reason"] for deal in out.deals] == ["close", None]
    kept = told(out, "kept")[0]
    assert kept.detail == {"quantity": "2", "price": "102", "quote": "204"}
    assert Decimal(out.deals[0]["profit"]) == 4


async def test_events_and_the_position_tell_of_orders_and_round_trips(pipeline: Pipeline) -> None:
    await pipeline.apply(replace(GRID, fee="0.1"))
    out = await feed(pipeline, [100.0, (99.0, 99.0, 90.0, 91.0), (91.0, 100.0, 91.0, 99.0)])
    names = ("deal_opened", "order_accepted", "filled", "round_trip")
    assert [event.event for event in told(out, *names)] == [
        "deal_opened", *["order_accepted", "filled"] * 3, "round_trip",
    ]  # fmt: skip
    trip = told(out, "round_trip")[0]
    assert (trip.reason, trip.detail["level"]) == ("round trip 1 brought 9.81", "grid_3")
    position = pipeline.messages(pipeline.topics.positions)[-1]
    assert isinstance(position, Position)
    seen = position.open_deals[0]
    assert seen.grid is not None
    assert (seen.quantity, seen.average_price, seen.invested) == ("2", "100", "200")
    assert (seen.grid.buys, seen.grid.sells, seen.grid.round_trips, seen.grid.profit) == (2, 2, 1, "9.81")


async def test_the_largest_grid_there_is(pipeline: Pipeline) -> None:
    wide = of(GRID, lower="1", upper="200", levels=200, stop_below="0.5", stop_above="201")
    await pipeline.apply(wide)
    out = await feed(pipeline, [100.0, (100.0, 100.0, 41.0, 42.0), (42.0, 161.0, 42.0, 160.0)])
    assert len(out.fills) == 1 + 59 + 120
    assert out.dead_letters == 0


async def test_the_evaluator_s_members_are_in_the_order_of_the_path(pipeline: Pipeline) -> None:
    await pipeline.apply(of(GRID, lower="88", upper="112", levels=13))
    out = await feed(pipeline, [100.0, (100.0, 103.0, 95.0, 100.0)])
    fired = [member.action.grid_level for member in out.triggers[-1].fired]
    assert fired == [6, 5, 8]  # 98 and 96 on the way down, 102 on the way up
    assert [level for level, _ in out.levels()[1:]] == ["grid_6", "grid_5", "grid_8"]


async def test_a_grid_that_cannot_be_is_rejected_with_the_field(pipeline: Pipeline) -> None:
    await pipeline.apply(of(GRID, lower="130"), replace(GRID, bot_id="neutral", kind="dca", side="neutral"))
    found = {event.bot_id: set(event.detail) for event in told(outcome(pipeline), "rejected")}
    assert found["grid"] == {"grid.lower", "revision"}
    assert found["neutral"] >= {"side", "grid", "base_order_volume"}


async def test_how_often_the_parts_take_turns_changes_nothing(tmp_path: Path) -> None:
    shapes: list[Shape] = [100.0 + 4 * ((i * 7) % 11 - 5) for i in range(25)]
    found: list[Any] = []
    for step, seed in ((1, None), (7, 1), (1_000, 2)):
        made = Pipeline(f"sqlite:///{tmp_path / f'{step}.db'}", seed=seed)
        out = await run(made, [of(GRID, max_active_levels=3)], bars(shapes), step)
        found.append((out.triggers, out.levels(), [deal["body"] for deal in out.deals]))
        made.close()
    assert len(found[0][1]) > 20
    assert found[0] == found[1] == found[2]


def test_a_preview_is_that_of_the_document(strikeline: CommandLine, tmp_path: Path) -> None:
    text = (Path(__file__).parents[3] / "docs/grid.md").read_text()
    file = tmp_path / "btc-grid.yaml"
    file.write_text(text.split("```yaml\n")[1].split("```")[0])
    block = text.split("```console\n")[1].split("```")[0].splitlines()
    answer = strikeline(*block[0].replace("$ strikeline", "").replace("btc-grid.yaml", str(file)).split())
    assert answer.code == 0
    shown = [line.split() for line in answer.out.splitlines() if line.strip()]
    assert shown == [line.split() for line in block[1:] if line.strip()]


def test_a_preview_without_a_price_is_of_the_middle_of_the_range(
    strikeline: CommandLine, tmp_path: Path
) -> None:
    file = tmp_path / "grid.yaml"
    lines = "bot_id: g\nuser_id: alice\nkind: grid\npairs: [BTCUSDT]\nslippage: 0\n"
    file.write_text(lines + "grid: {lower: 60000, upper: 80000, levels: 5, quantity: 100}\n")
    answer = strikeline("bots", "preview", str(file))
    assert (answer.code, " at 70000" in answer.out) == (0, True), answer.out
    assert "70000 is outside" not in answer.out
    assert strikeline("bots", "preview", str(file), "--price", "").code == 2


def test_a_grid_from_its_file_to_the_executor_s_answer(strikeline: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "grids.yaml"
    lines = "bot_id: g\nuser_id: alice\nkind: grid\npairs: [BTCUSDT]\n"
    lines += "grid: {lower: 80, upper: 120, levels: 5, quantity: 1"
    file.write_text(lines + "}\n")
    assert [
        row["answer"] for row in strikeline("bots", "apply", str(file), "--wait", "5", "--json").json
    ] == ["accepted"]
    file.write_text(lines + ", stop_below: 90.5}\n")
    assert (
        'grid.stop_below: 90.5 is a float, not exact; write "90.5"'
        in strikeline("bots", "apply", str(file)).err
    )
    file.write_text(lines + ", stop_below: 90}\n")
    assert "grid.stop_below: 90 is not below the range" in strikeline("bots", "apply", str(file)).err


def test_positions_show_the_grids_beside_the_deals(strikeline: CommandLine, pipeline: Pipeline) -> None:
    asyncio.run(pipeline.apply(GRID))
    asyncio.run(pipeline.feed_klines(bars([100.0, (99.0, 99.0, 90.0, 91.0), (91.0, 100.0, 91.0, 99.0)])))
    shown = [line.split() for line in strikeline("positions", "list").out.splitlines()]
    assert ["grid", "BTCUSDT", "2", "2", "1", "10"] in shown
    (position,) = strikeline("positions", "list", "--json").json
    assert position["open_deals"][0]["grid"]["round_trips"] == 1


def test_explain_says_why_a_level_fired_or_did_not(strikeline: CommandLine, pipeline: Pipeline) -> None:
    asyncio.run(pipeline.apply(GRID))
    asyncio.run(pipeline.feed_klines(bars([100.0, (99.0, 99.0, 90.0, 91.0), 92.0])))
    fired = strikeline("explain", "bot_grid_grid_2", "--at", str(at(2)), "--json").json
    assert (fired["fired"], fired["kind"]) == (True, "member")
    other = strikeline("explain", "bot_grid_grid_4", "--at", str(at(2)), "--json").json
    assert "not reached: the high was 99" in other["answer"]
    start = strikeline("explain", "bot_grid_entry", "--at", str(at(1)), "--json").json
    assert [part["text"] for part in start["condition"]["parts"]] == ["close >= 80", "close <= 120"]


def test_small_amounts_are_shown_without_an_exponent(strikeline: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "small.yaml"
    lines = "bot_id: g\nuser_id: alice\nkind: grid\npairs: [AUSDT]\nfee: 0\nslippage: 0\n"
    file.write_text(
        lines + 'grid: {lower: "0.0000001", upper: "0.0000003", levels: 3, quantity: 1, quantity_in: base}'
    )
    answer = strikeline("bots", "preview", str(file), "--price", "0.0000002")
    assert (answer.code, "capital: 0.0000003 quote" in answer.out, "E-" in answer.out) == (0, True, False)
