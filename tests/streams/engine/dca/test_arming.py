"""Bots → groups: ids, members, conditions as trees, what a deal waits for."""

import msgspec
import pytest
from msgspec.structs import replace

from schemas.alerts import BotAction, GroupCommand
from streams.engine.dca import (
    EntryInvalid,
    EntryRefused,
    Instrument,
    deal_group,
    deal_id_of,
    entry_group,
    open_deal,
    open_deal_view,
    remove_group,
    walk,
)
from tests.streams.engine.dca.support import (
    GOLDEN,
    MINUTE,
    ROUND,
    SHORT,
    SYMBOL,
    TENTHS,
    bar,
    opened,
    stop,
    trigger,
)

PAIRS = replace(ROUND, pairs=[SYMBOL, "ETHUSDT"])


def _members(group: GroupCommand) -> list[tuple[str, str, object]]:
    return [(member.alert_id, member.action.action_type, member.condition) for member in group.members]


def test_an_entry_is_a_group_of_one_condition_with_every_timeframe_filled_in() -> None:
    bot = replace(GOLDEN, timeframe="5m")
    group = entry_group(bot, SYMBOL, generation=7, armed_from_ms=MINUTE, when_true="wait")
    tree = {"op": "lt", "left": {"price": "close", "timeframe": "5m"}, "right": 101}
    assert _members(group) == [("bot_btc-dip_entry", "execute_entry", tree)]
    assert group.members[0].when_true_at_arming == "wait"
    assert (group.op, group.group_id, group.generation) == ("arm", "btc-dip/BTCUSDT/entry", 7)
    assert (group.armed_from_ms, group.bot_id, group.user_id) == (MINUTE, "btc-dip", "alice")


def test_an_entry_as_text_becomes_a_tree_with_nothing_left_implicit() -> None:
    bot = replace(GOLDEN, entry='rsi(14) < 30 and close > ema(200, "1h")', timeframe="5m")
    group = entry_group(bot, SYMBOL, generation=1, armed_from_ms=0, when_true="fire")
    rsi, trend = group.members[0].condition["all"]
    assert (rsi["left"]["indicator"], rsi["left"]["timeframe"], rsi["right"]) == ("rsi", "5m", 30)
    assert (trend["left"]["timeframe"], trend["right"]["timeframe"]) == ("5m", "1h")


def test_while_a_cooldown_runs_only_its_end_is_waited_for() -> None:
    group = entry_group(
        ROUND, SYMBOL, generation=1, armed_from_ms=0, when_true="wait", cooldown_until_ms=5 * MINUTE
    )
    assert _members(group) == [("bot_btc-dip_cooldown", "cooldown", {"at": 5 * MINUTE})]


def test_a_deleted_bot_s_entry_ends_at_an_instant() -> None:
    group = entry_group(ROUND, SYMBOL, generation=1, armed_from_ms=0, when_true="fire", end_at_ms=MINUTE)
    assert [(alert_id, action) for alert_id, action, _ in _members(group)] == [
        ("bot_btc-dip_close", "close"),
        ("bot_btc-dip_entry", "execute_entry"),
    ]


def test_with_several_pairs_the_symbol_is_in_every_alert_id() -> None:
    group = entry_group(PAIRS, SYMBOL, generation=1, armed_from_ms=0, when_true="fire")
    assert group.members[0].alert_id == "bot_btc-dip_BTCUSDT_entry"
    deal = opened(replace(PAIRS, stop_loss=stop("15"), max_safety_orders=1))
    ids = [member.alert_id for member in deal_group(deal, generation=1, armed_from_ms=0).members]
    assert ids == ["bot_btc-dip_BTCUSDT_sl", "bot_btc-dip_BTCUSDT_dca_1", "bot_btc-dip_BTCUSDT_tp_1"]


def test_an_entry_that_does_not_parse_is_not_armed() -> None:
    with pytest.raises(EntryInvalid):
        entry_group(replace(ROUND, entry=""), SYMBOL, generation=1, armed_from_ms=0, when_true="fire")


def test_a_deal_waits_for_stop_remaining_safety_orders_and_target() -> None:
    deal = walk(opened(replace(ROUND, stop_loss=stop("35"))), bar(95, 96, 89, 91), []).deal
    group = deal_group(deal, generation=3, armed_from_ms=2 * MINUTE, close_at_ms=9 * MINUTE)
    assert _members(group) == [
        ("bot_btc-dip_sl", "stop_loss", {"level": {"price": "65", "side": "below"}}),
        ("bot_btc-dip_dca_2", "execute_dca", {"level": {"price": "80", "side": "below"}}),
        ("bot_btc-dip_dca_3", "execute_dca", {"level": {"price": "70", "side": "below"}}),
        ("bot_btc-dip_tp_1", "take_profit", {"level": {"price": "104", "side": "above"}}),
        ("bot_btc-dip_close", "close", {"at": 9 * MINUTE}),
    ]
    assert [(member.action.dca_index, member.action.tp_index) for member in group.members] == [
        (None, None), (2, None), (3, None), (None, 1), (None, None),
    ]  # fmt: skip
    assert group.group_id == f"btc-dip/BTCUSDT/{deal.deal_id}"
    assert (group.side, group.intrabar, group.interval) == ("long", "pessimistic", "1m")


def test_a_short_waits_the_other_way_round() -> None:
    deal = opened(replace(SHORT, stop_loss=stop("35"), max_safety_orders=1))
    assert [
        member.condition["level"] for member in deal_group(deal, generation=1, armed_from_ms=0).members
    ] == [
        {"price": "135", "side": "above"},
        {"price": "110", "side": "above"},
        {"price": "90", "side": "below"},
    ]


def test_a_closed_deal_has_its_group_removed() -> None:
    closed = walk(opened(), bar(100, 110, 99, 110), []).deal
    group = deal_group(closed, generation=4, armed_from_ms=0, close_at_ms=9 * MINUTE)
    assert (group.op, group.members, group.generation) == ("remove", [], 4)


def test_removing_keeps_the_group_s_identity() -> None:
    armed = deal_group(opened(), generation=4, armed_from_ms=0)
    removed = remove_group(armed, generation=5)
    assert (removed.op, removed.group_id, removed.generation, removed.members) == (
        "remove",
        armed.group_id,
        5,
        [],
    )


def test_groups_are_valid_messages_even_with_the_finest_steps() -> None:
    group = deal_group(opened(GOLDEN, 0.00001234, Instrument()), generation=1, armed_from_ms=0)
    assert msgspec.json.decode(msgspec.json.encode(group), type=GroupCommand) == group
    assert group.members[0].condition == {"level": {"price": "0.00001221", "side": "below"}}


def test_a_deal_s_id_is_that_of_its_entry_trigger() -> None:
    first = deal_id_of("btc-dip/BTCUSDT/entry:1:0:1")
    assert first == deal_id_of("btc-dip/BTCUSDT/entry:1:0:1") == opened().deal_id
    assert first != deal_id_of("btc-dip/BTCUSDT/entry:2:0:1")
    assert first == "d3fb4f291f4da4a4c"


@pytest.mark.parametrize(
    "changes, instrument, field",
    [
        ({"base_order_volume": "5"}, Instrument(min_notional=TENTHS.tick.scaleb(3)), "base_order_volume"),
        ({"price_deviation": "32"}, Instrument(tick=TENTHS.tick.scaleb(4)), "max_safety_orders"),
        (
            {"stop_loss": stop("1"), "max_safety_orders": 0},
            Instrument(tick=TENTHS.tick.scaleb(4)),
            "stop_loss.percent",
        ),
        ({"side": "short"}, Instrument(tick=TENTHS.tick.scaleb(4)), "take_profit.percent"),
    ],
)
def test_an_entry_that_the_venue_could_not_carry_out_is_refused(
    changes: dict[str, object], instrument: Instrument, field: str
) -> None:
    bot = replace(ROUND, **changes)
    with pytest.raises(EntryRefused) as refused:
        open_deal(bot, SYMBOL, instrument, trigger(bar(100, 100, 100, 100), config=bot))
    assert refused.value.field == field


def test_a_position_tells_an_open_deal_in_plain_decimals() -> None:
    deal = walk(opened(replace(ROUND, stop_loss=stop("35"))), bar(95, 96, 89, 91), []).deal
    seen = open_deal_view(deal)
    assert (seen.quantity, seen.invested, seen.average_price) == ("2.2", "208", "94.5454545454545455")
    assert (seen.take_profit_price, seen.stop_loss_price, seen.safety_orders_filled) == ("104", "65", 1)
    assert (seen.opened_at_ms, seen.side) == (MINUTE, "long")


def test_the_terms_of_a_deal_outlive_a_revision_of_the_bot() -> None:
    deal = opened(replace(ROUND, fee="0.1"))
    assert BotAction(bot_id="btc-dip", action_type="execute_dca", dca_index=1) in [
        member.action for member in deal_group(deal, generation=2, armed_from_ms=0).members
    ]
    assert deal.terms.fee == "0.1"
    assert deal.from_json(deal.to_json()).terms == deal.terms
