"""What the command line shows."""

import msgspec
from sqlalchemy import Engine

from schemas.bots import BotConfig
from schemas.positions import Position
from sinks import queries
from tests.sinks.bots import T0, TOPICS, golden
from tests.sinks.loop import Loop
from tests.sinks.scenario import play


def test_an_empty_database_shows_nothing(engine: Engine) -> None:
    assert queries.list_bots(engine) == []
    assert queries.list_deals(engine) == []
    assert queries.list_fills(engine) == []
    assert queries.list_groups(engine) == []
    assert queries.list_positions(engine) == []
    assert queries.closed_profit(engine) == "0"
    assert queries.bot_config(engine, "dip") is None


def test_after_a_busy_day(engine: Engine) -> None:
    loop = Loop(engine)
    play(loop)
    bots = {bot.bot_id: bot for bot in queries.list_bots(engine)}
    assert sorted(bots) == ["both", "dip", "fall", "gone", "net", "short"]
    assert [bot.bot_id for bot in queries.list_bots(engine, user_id="bob")] == ["gone", "net", "short"]
    assert (bots["both"].state, bots["dip"].state) == ("deleted", "active")
    assert bots["dip"].entry == "close < 99"

    deals = queries.list_deals(engine)
    assert deals == sorted(deals, key=lambda deal: (deal.opened_at_ms, deal.deal_id))
    assert sum(bot.open_deals for bot in bots.values()) == len(queries.list_deals(engine, state="open"))
    assert sum(bot.closed_deals for bot in bots.values()) == len(queries.list_deals(engine, state="closed"))
    mine = queries.list_deals(engine, bot_id="dip")
    assert {deal.bot_id for deal in mine} == {"dip"}

    fills = queries.list_fills(engine, deal_id=mine[0].deal_id)
    assert [fill.position for fill in fills] == list(range(1, len(fills) + 1))
    assert fills[0].level == "base"
    assert len(queries.list_fills(engine)) > len(queries.list_fills(engine, bot_id="dip")) > 0

    armed = {group.group_id: group for group in queries.list_groups(engine)}
    assert {group.expected for group in armed.values()} == {"armed"}
    held_by_evaluator = {
        group_id: command for group_id, command in loop.evaluator.groups.items() if command.op == "arm"
    }
    assert {g: group.generation for g, group in armed.items()} == {
        g: command.generation for g, command in held_by_evaluator.items()
    }
    assert len(queries.list_groups(engine, armed_only=False)) > len(armed)

    told = {message.bot_id: message for message in loop.messages(TOPICS.positions)}
    assert {position.bot_id: position for position in queries.list_positions(engine)} == told
    assert isinstance(queries.list_positions(engine, bot_id="dip")[0], Position)

    profits = {bot.bot_id: bot.realized_profit for bot in bots.values()}
    assert queries.closed_profit(engine, bot_id="dip") == profits["dip"]
    config = queries.bot_config(engine, "short")
    assert isinstance(config, BotConfig)
    assert config.state == "active"

    counts = queries.count_all(engine)
    assert counts.bots == {"active": 5, "deleted": 1}
    assert counts.waiting == 0
    assert counts.fills == len(queries.list_fills(engine))
    inbox = queries.list_inbox(engine, limit=5)
    assert [row.id for row in inbox] == sorted(row.id for row in inbox)
    assert len(inbox) == 5
    assert sum(counts.records.values()) == len(queries.list_inbox(engine, limit=10_000))
    assert all(row.bot_id == "dip" for row in queries.list_inbox(engine, bot_id="dip"))


def test_everything_shown_can_be_written_as_json(sqlite: Engine) -> None:
    loop = Loop(sqlite)
    loop.put(golden(effective_from_ms=T0))
    loop.run()
    shown = [
        *queries.list_bots(sqlite),
        *queries.list_groups(sqlite),
        *queries.list_inbox(sqlite),
        queries.count_all(sqlite),
    ]
    assert msgspec.json.decode(msgspec.json.encode(shown))[0]["bot_id"] == "dip"
