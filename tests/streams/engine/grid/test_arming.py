"""A grid as groups of alerts."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from streams.engine.dca import EntryInvalid, Instrument
from streams.engine.grid import deal_group, entry_group, open_deal
from streams.engine.groups.group import Group
from streams.engine.groups.unit_rows import MAX_BODY, group_row
from tests.streams.engine.dca.support import SYMBOL, bar, trigger
from tests.streams.engine.grid.support import LONG, NEUTRAL, SHORT, of, opened


def test_members_are_named_after_their_levels() -> None:
    group = deal_group(
        opened(of(LONG, stop_below="70.005")), generation=3, armed_from_ms=60_000, close_at_ms=9
    )
    assert (group.op, group.generation, group.armed_from_ms) == ("arm", 3, 60_000)
    shown = [(m.alert_id, m.action.action_type, m.action.grid_level, m.condition) for m in group.members]
    assert shown == [
        ("bot_grid_stop_below", "stop_loss", None, {"level": {"price": "70.01", "side": "below"}}),
        ("bot_grid_grid_1", "grid", 1, {"level": {"price": "80", "side": "below"}}),
        ("bot_grid_grid_2", "grid", 2, {"level": {"price": "90", "side": "below"}}),
        ("bot_grid_grid_4", "grid", 4, {"level": {"price": "110", "side": "above"}}),
        ("bot_grid_grid_5", "grid", 5, {"level": {"price": "120", "side": "above"}}),
        ("bot_grid_close", "close", None, {"at": 9}),
    ]


@pytest.mark.parametrize(
    "bot, side, intrabar",
    [(LONG, "long", "pessimistic"), (SHORT, "short", "pessimistic"), (NEUTRAL, "long", "ohlc")],
)
def test_a_neutral_grid_walks_ohlc(bot: object, side: str, intrabar: str) -> None:
    assert isinstance(bot, type(LONG))
    group = deal_group(opened(bot), generation=1, armed_from_ms=0)
    start = entry_group(bot, SYMBOL, generation=1, armed_from_ms=0, when_true="fire")
    assert (group.side, group.intrabar) == (start.side, start.intrabar) == (side, intrabar)


def test_a_grid_starts_inside_its_range_and_when_its_entry_is_true() -> None:
    plain = entry_group(LONG, SYMBOL, generation=1, armed_from_ms=0, when_true="fire").members
    assert [(m.alert_id, m.action.action_type, len(m.condition["all"])) for m in plain] == [
        ("bot_grid_entry", "execute_entry", 2)
    ]
    with_entry = replace(LONG, entry="rsi(14) < 30")
    (member,) = entry_group(with_entry, SYMBOL, generation=1, armed_from_ms=0, when_true="wait").members
    assert [part["op"] for part in member.condition["all"]] == ["gte", "lte", "lt"]
    with pytest.raises(EntryInvalid, match="needs a grid"):
        entry_group(replace(LONG, grid=None), SYMBOL, generation=1, armed_from_ms=0, when_true="fire")


def test_while_a_cooldown_runs_only_its_end_is_waited_for() -> None:
    group = entry_group(
        LONG, SYMBOL, generation=1, armed_from_ms=0, when_true="wait", cooldown_until_ms=5, end_at_ms=7
    )
    assert [member.action.action_type for member in group.members] == ["close", "cooldown"]


def test_the_largest_grid_with_the_longest_names_fits_a_row_of_the_evaluator() -> None:
    bot = of(
        replace(LONG, bot_id="b" * 64, pairs=["S" * 32]),
        lower="10000.123456789", upper="99999.987654321", levels=200, stop_below="1", stop_above="999999",
    )  # fmt: skip
    steps = Instrument(Decimal("1e-9"), Decimal("1e-9"))
    deal = open_deal(bot, "S" * 32, steps, trigger(bar(50_000, 50_000, 50_000, 50_000), config=bot)).deal
    group = deal_group(deal, generation=2**40, armed_from_ms=10**12, close_at_ms=10**12)
    assert len(group.members) == 202
    assert len(group_row(Group(group, pos=2**40)).body) < MAX_BODY
