"""What becomes of a trigger, decided without a database."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from schemas.alerts import BotAction, GroupCommand
from schemas.bots import BotConfig, StopLoss, TakeProfit
from schemas.events import BotEvent
from schemas.positions import Position
from schemas.triggers import FiredMember, StaleCommand, Trigger
from sinks.executor.configs import decide_config
from sinks.executor.decide import Known, decide
from sinks.executor.decision import Decision, Rules
from sinks.executor.edge import Incoming
from sinks.executor.outbox import message
from sinks.executor.stale import decide_stale
from sinks.executor.state import Bot
from sinks.executor.triggers import decide_trigger
from sinks.venues.paper import Paper
from streams.engine.dca import DealError, Instrument, Settlement
from tests.sinks.bots import MINUTE, T0, TOPICS, bar, config_out, fire, golden, record_of
from topics.codec import decode, encode
from topics.records import Outgoing, Record

RULES = Rules(Paper())
ENTRY = "dip/BTCUSDT/entry"


def bot_of(*configs: BotConfig) -> Bot:
    bot: Bot | None = None
    for offset, config in enumerate(configs):
        bot = decide_config(bot, config, record_of(config_out(config), offset), RULES).bot
    assert bot is not None
    return bot


def give(bot: Bot, trigger: Trigger, rules: Rules = RULES) -> Decision:
    return decide_trigger(bot, trigger, False, rules)


def after(decision: Decision) -> Bot:
    assert decision.bot is not None
    return decision.bot


def commands(decision: Decision) -> list[GroupCommand]:
    return [told.message for told in decision.told if isinstance(told.message, GroupCommand)]


def events(decision: Decision) -> list[BotEvent]:
    return [told.message for told in decision.told if isinstance(told.message, BotEvent)]


def with_deal(config: BotConfig | None = None) -> tuple[Bot, GroupCommand]:
    bot = bot_of(config or golden())
    decision = give(bot, fire(bot.groups[ENTRY].command, bar(1, 100.0)))
    return after(decision), commands(decision)[-1]


def test_an_entry_opens_a_deal_arms_it_and_takes_the_entry_group_away() -> None:
    bot = bot_of(golden())
    decision = give(bot, fire(bot.groups[ENTRY].command, bar(1, 100.0)))
    removed, armed = commands(decision)
    (deal_id,) = after(decision).deals
    assert (removed.op, removed.group_id, removed.generation) == ("remove", ENTRY, 2)
    assert (armed.op, armed.group_id, armed.generation) == ("arm", f"dip/BTCUSDT/{deal_id}", 3)
    assert armed.armed_from_ms == T0 + 2 * MINUTE
    assert [event.event for event in events(decision)] == ["deal_opened", "order_accepted", "filled"]
    (fill,) = decision.fills
    assert fill[:4] == (deal_id, "base", 1, 1)
    assert (fill.price, fill.quantity, fill.quote, fill.fee) == ("100", "0.15", "15", "0.015")
    assert {entry.account: entry.amount for entry in decision.ledger} == {
        "base": "0.15",
        "quote": "-15",
        "fee": "-0.015",
    }
    (snapshot,) = [told.message for told in decision.told if isinstance(told.message, Position)]
    assert snapshot.open_deals[0].take_profit_price == "102.10210211"


def test_size_side_and_owner_come_from_the_database() -> None:
    bot, command = with_deal()
    lie = fire(command, bar(2, 79.0), "stop_loss")
    (member,) = lie.fired
    forged = replace(
        member, action=BotAction(bot_id="dip", action_type="execute_dca", dca_index=1), price=1.0
    )
    honest, told = give(bot, lie), give(bot, replace(lie, fired=[forged], action=forged.action))
    assert told == honest


@pytest.mark.parametrize(
    "change, error_class",
    [
        ({"user_id": "mallory"}, "Mismatch"),
        ({"group_id": "other/BTCUSDT/entry"}, "Mismatch"),
        ({"group_id": "dip/ETHUSDT/entry"}, "Mismatch"),
        ({"symbol": "ETHUSDT"}, "Mismatch"),
        ({"fired": []}, "Mismatch"),
        ({"bar": bar(-1, 100.0)}, "Mismatch"),
    ],
)
def test_what_contradicts_the_database_is_a_dead_letter_and_blocks_nothing(change, error_class) -> None:
    bot = bot_of(golden())
    trigger = replace(fire(bot.groups[ENTRY].command, bar(1, 100.0)), **change)
    decision = give(bot, trigger)
    assert decision.dead is not None
    assert decision.dead.error_class == error_class
    assert decision.noted.trigger_id is None
    assert (decision.bot, decision.told, decision.fills) == (bot, (), ())


def test_a_member_that_is_not_in_the_group_is_a_dead_letter() -> None:
    bot = bot_of(golden())
    action = BotAction(bot_id="dip", action_type="execute_entry")
    stranger = FiredMember(alert_id="bot_dip_dca_1", action=action, price=1.0)
    trigger = replace(fire(bot.groups[ENTRY].command, bar(1, 100.0)), fired=[stranger])
    assert give(bot, trigger).dead is not None


def test_a_trigger_of_an_unknown_bot_is_a_dead_letter() -> None:
    bot = bot_of(golden())
    decision = decide_trigger(None, fire(bot.groups[ENTRY].command, bar(1, 100.0)), False, RULES)
    assert decision.dead is not None
    assert decision.dead.error_class == "UnknownBot"


def test_a_repeat_is_ignored_and_reported_under_one_id() -> None:
    bot = bot_of(golden())
    trigger = fire(bot.groups[ENTRY].command, bar(1, 100.0))
    decision = decide_trigger(bot, trigger, True, RULES)
    assert [(e.event, e.event_id) for e in events(decision)] == [
        ("ignored", f"{trigger.trigger_id}:duplicate")
    ]
    assert decision.noted.trigger_id is None
    assert decision.bot == bot


def test_an_older_generation_is_ignored_and_reported() -> None:
    bot = bot_of(golden(), golden(entry="close < 90", effective_from_ms=T0 + 5 * MINUTE))
    old = replace(fire(bot.groups[ENTRY].command, bar(1, 100.0), "execute_entry"), generation=1)
    decision = give(bot, old)
    assert "replaced by 2" in events(decision)[0].reason
    assert commands(decision) == []
    assert decision.bot == bot


def test_a_trigger_of_a_group_that_is_gone_is_ignored() -> None:
    bot, _ = with_deal()
    gone = replace(fire(bot_of(golden()).groups[ENTRY].command, bar(1, 100.0)), generation=2)
    assert "removed" in events(give(bot, gone))[0].reason
    assert commands(give(bot, gone)) == []


def test_a_group_nobody_armed_is_told_to_go_whatever_the_pairs_counter_is() -> None:
    """Left without an answer it would be held for ever."""
    bot, _ = with_deal()
    gone = replace(fire(bot_of(golden()).groups[ENTRY].command, bar(1, 100.0)), generation=2)
    unheard_of = "dip/BTCUSDT/dffff"
    never = give(bot, replace(gone, group_id=unheard_of, trigger_id=f"{unheard_of}:2:0:1"))
    assert "never armed" in events(never)[0].reason
    assert [(c.op, c.group_id, c.generation) for c in commands(never)] == [("remove", "dip/BTCUSDT/dffff", 4)]


def test_a_group_ahead_of_the_database_is_armed_anew_though_the_pairs_counter_is_further_still() -> None:
    bot = bot_of(golden())
    bot = replace(bot, pairs={"BTCUSDT": replace(bot.pairs["BTCUSDT"], generation=20)})
    decision = give(bot, replace(fire(bot.groups[ENTRY].command, bar(1, 100.0)), generation=9))
    assert [c.generation for c in commands(decision)] == [21]


def test_a_generation_ahead_of_the_database_raises_the_counter_and_arms_anew() -> None:
    bot = bot_of(golden())
    command = bot.groups[ENTRY].command
    decision = give(bot, replace(fire(command, bar(1, 100.0)), generation=9))
    (again,) = commands(decision)
    assert again == replace(command, generation=10)
    assert decision.noted.outcome == "ignored"
    assert decision.fills == ()


def stale(bot: Bot, group_id: str, held: int, sent: int) -> StaleCommand:
    return StaleCommand(
        group_id=group_id, generation=held, bot_id="dip", user_id="alice", symbol="BTCUSDT",
        stale_generation=sent,
    )  # fmt: skip


def test_a_stale_command_is_answered_above_the_evaluators_generation() -> None:
    bot = bot_of(golden())
    record = record_of(config_out(golden()), 5)
    decision = decide_stale(bot, stale(bot, ENTRY, 7, 1), record, RULES)
    assert commands(decision) == [replace(bot.groups[ENTRY].command, generation=8)]
    assert after(decision).pairs["BTCUSDT"].generation == 8
    again = decide_stale(after(decision), stale(bot, ENTRY, 7, 1), record, RULES)
    assert (again.noted.outcome, commands(again)) == ("ignored", [])


def test_a_stale_command_for_a_group_nobody_knows_removes_it() -> None:
    bot = bot_of(golden())
    decision = decide_stale(
        bot, stale(bot, "dip/BTCUSDT/dffff", 7, 1), record_of(config_out(golden()), 5), RULES
    )
    assert [(c.op, c.group_id, c.generation) for c in commands(decision)] == [
        ("remove", "dip/BTCUSDT/dffff", 8)
    ]


def test_a_deal_goes_on_from_the_bars_close() -> None:
    bot, command = with_deal()
    decision = give(bot, fire(command, bar(2, 99.0, low=97.0), "execute_dca"))
    (armed,) = commands(decision)
    assert (armed.generation, armed.armed_from_ms) == (4, T0 + 3 * MINUTE)
    assert [fill.level for fill in decision.fills] == ["dca_1", "dca_2"]
    assert [fill.position for fill in decision.fills] == [2, 3]
    assert {fill.generation for fill in decision.fills} == {3}


def test_a_closed_deal_makes_room_for_an_entry_that_waits() -> None:
    bot, command = with_deal()
    decision = give(bot, fire(command, bar(2, 103.0), "take_profit"))
    removed, armed = commands(decision)
    assert (removed.op, removed.group_id, removed.generation) == ("remove", command.group_id, 4)
    assert (armed.group_id, armed.generation, armed.armed_from_ms) == (ENTRY, 5, T0 + 3 * MINUTE)
    assert armed.members[0].when_true_at_arming == "wait"
    assert events(decision)[-1].event == "closed"
    held = next(iter(after(decision).deals.values()))
    assert (held.open, held.closed_at_ms, held.close_reason) == (False, T0 + 3 * MINUTE, "take_profit")
    profit = sum((Decimal(e.amount) for e in decision.ledger if e.account != "base"), Decimal("-15.015"))
    assert Decimal(after(decision).realized_profit) == profit
    assert after(decision).closed_deals == 1


def test_a_cooldown_comes_alone_and_then_the_entry() -> None:
    bot, command = with_deal(golden(cooldown_s=300))
    closed = give(bot, fire(command, bar(2, 103.0), "take_profit"))
    (cooldown,) = [c for c in commands(closed) if c.group_id == ENTRY]
    assert [member.condition for member in cooldown.members] == [{"at": T0 + 8 * MINUTE}]
    over = give(after(closed), fire(cooldown, bar(7, 100.0), "cooldown"))
    (entry,) = commands(over)
    assert (entry.generation, entry.armed_from_ms) == (cooldown.generation + 1, T0 + 8 * MINUTE)
    assert [m.action.action_type for m in entry.members] == ["execute_entry"]
    assert entry.members[0].when_true_at_arming == "wait"
    assert over.fills == ()


def test_too_many_deals_refuse_an_entry_which_waits_then() -> None:
    bot = bot_of(golden(pairs=["BTCUSDT", "ETHUSDT"]))
    bot = after(give(bot, fire(bot.groups[ENTRY].command, bar(1, 100.0))))
    other = bot.groups["dip/ETHUSDT/entry"].command
    decision = give(bot, fire(other, bar(3, 50.0)))
    (event,) = events(decision)
    assert (event.event, event.symbol) == ("entry_refused", "ETHUSDT")
    assert "1 of at most 1" in event.reason
    (armed,) = commands(decision)
    assert (armed.generation, armed.armed_from_ms) == (other.generation + 1, T0 + 4 * MINUTE)
    assert armed.members[0].when_true_at_arming == "wait"
    assert decision.noted.outcome == "refused"


def test_an_entry_the_instrument_does_not_allow_is_refused_with_the_reason() -> None:
    bot = bot_of(golden())
    rules = Rules(Paper(), {"BTCUSDT": Instrument(tick=Decimal(60))})
    decision = give(bot, fire(bot.groups[ENTRY].command, bar(1, 100.0)), rules)
    assert events(decision)[0].event == "entry_refused"
    assert events(decision)[0].reason
    assert after(decision).deals == {}
    assert len(commands(decision)) == 1


def test_an_entry_on_the_bar_that_ends_its_config_counts() -> None:
    bot = bot_of(golden(), golden(state="paused", effective_from_ms=T0 + 2 * MINUTE))
    command = bot.groups[ENTRY].command
    same_bar = give(bot, fire(command, bar(1, 100.0), "close", "execute_entry"))
    assert len(after(same_bar).deals) == 1
    after_a_gap = give(bot, fire(command, bar(9, 100.0), "close", "execute_entry"))
    assert after(after_a_gap).deals == {}
    assert [c.op for c in commands(after_a_gap)] == ["remove"]


def test_after_a_gap_the_next_config_sees_every_bar_since_its_start() -> None:
    bot = bot_of(golden(), golden(entry="close < 90", effective_from_ms=T0 + 2 * MINUTE))
    decision = give(bot, fire(bot.groups[ENTRY].command, bar(9, 100.0), "close"))
    assert [c.armed_from_ms for c in commands(decision)] == [T0 + 2 * MINUTE]


def test_a_deal_keeps_its_config_and_the_next_one_takes_the_new() -> None:
    bot, command = with_deal()
    edit = golden(base_order_volume="30", safety_order_volume="60", effective_from_ms=T0 + 2 * MINUTE)
    bot = after(decide_config(bot, edit, record_of(config_out(edit), 3), RULES))
    averaged = give(bot, fire(command, bar(2, 99.5, low=98.9), "execute_dca"))
    assert [fill.quote[:2] for fill in averaged.fills] == ["30"]
    closed = give(after(averaged), fire(commands(averaged)[0], bar(3, 103.0), "take_profit"))
    reopened = give(after(closed), fire(commands(closed)[-1], bar(6, 100.0)))
    assert reopened.fills[0].quote == "30"
    assert reopened.noted.config_seq == 2


def test_a_bar_before_an_edit_opens_under_the_config_of_its_time() -> None:
    bot = bot_of(golden(), golden(base_order_volume="30", effective_from_ms=T0 + 5 * MINUTE))
    decision = give(bot, fire(bot.groups[ENTRY].command, bar(4, 100.0)))
    assert decision.fills[0].quote == "15"
    assert decision.noted.config_seq == 1


class Doubtful(Paper):
    """A venue that cannot make sense of any bar."""

    def settle(self, deal: object, trigger: Trigger) -> Settlement:
        raise DealError("the bar contradicts the deal")


def test_a_bar_that_cannot_be_settled_is_reported_and_the_deal_goes_on() -> None:
    bot, command = with_deal()
    decision = give(bot, fire(command, bar(2, 103.0), "take_profit"), Rules(Doubtful()))
    assert decision.fills == ()
    assert (events(decision)[0].event, events(decision)[0].reason) == (
        "ignored",
        "the bar contradicts the deal",
    )
    assert [(c.op, c.armed_from_ms) for c in commands(decision)] == [("arm", T0 + 3 * MINUTE)]
    assert decision.noted.outcome == "refused"


def test_a_deal_that_opens_before_a_deletion_known_already_is_told_to_close_then() -> None:
    gone = BotConfig(
        bot_id="dip", user_id="alice", state="deleted", on_delete="close", effective_from_ms=T0 + 5 * MINUTE
    )
    entry = bot_of(golden()).groups["dip/BTCUSDT/entry"].command
    first_opened = after(give(bot_of(golden()), fire(entry, bar(0, 100.0))))
    told_later = decide_config(first_opened, gone, record_of(config_out(gone), 1), RULES)
    first_told = bot_of(golden(), gone)
    entry = first_told.groups["dip/BTCUSDT/entry"].command
    opened_later = give(first_told, fire(entry, bar(0, 100.0), "execute_entry"))
    (one,), (other,) = commands(told_later)[-1:], commands(opened_later)[-1:]
    assert one.members == other.members
    assert other.members[-1].condition == {"at": T0 + 6 * MINUTE}


def test_a_deleted_bots_last_deal_closes_and_nothing_is_armed_anew() -> None:
    bot, command = with_deal()
    gone = BotConfig(bot_id="dip", user_id="alice", state="deleted", effective_from_ms=T0 + 2 * MINUTE)
    bot = after(decide_config(bot, gone, record_of(config_out(gone), 3), RULES))
    decision = give(bot, fire(command, bar(2, 103.0), "take_profit"))
    assert [(c.op, c.group_id) for c in commands(decision)] == [("remove", command.group_id)]


def test_a_bar_of_another_interval_than_the_groups_is_not_its_fire() -> None:
    """The deal would be armed on bars nobody feeds."""
    bot = bot_of(golden())
    trigger = fire(bot.groups[ENTRY].command, bar(1, 100.0))
    hour = replace(trigger.bar, interval="1h", open_time_ms=T0 - T0 % 3_600_000 + 3_600_000)
    hour = replace(hour, close_time_ms=hour.open_time_ms + 3_600_000)
    decision = give(bot, replace(trigger, bar=hour))
    assert decision.dead is not None
    assert "1h" in decision.dead.reason


def test_a_member_that_fired_twice_is_no_fire() -> None:
    bot, command = with_deal()
    trigger = fire(command, bar(2, 99.0), "execute_dca")
    decision = give(bot, replace(trigger, fired=trigger.fired[:1] * 2))
    assert decision.dead is not None


def test_a_price_no_market_has_opens_nothing_and_books_nothing() -> None:
    bot = bot_of(golden())
    opening = give(bot, fire(bot.groups[ENTRY].command, bar(1, 1e300)))
    assert (opening.noted.outcome, events(opening)[0].event) == ("refused", "entry_refused")
    bot, command = with_deal()
    settling = give(bot, fire(command, bar(2, 1e300), "take_profit"))
    assert (settling.noted.outcome, settling.fills) == ("refused", ())
    assert [c.armed_from_ms for c in commands(settling)] == [T0 + 3 * MINUTE]


@pytest.mark.parametrize(
    "change, price",
    [
        ({"base_order_volume": "100000000000000", "max_safety_orders": 0}, 1e-7),
        ({"take_profit": TakeProfit(percent="999999999999999999")}, 100.123),
        ({"side": "short", "stop_loss": StopLoss(percent="999999999999999999")}, 100.123),
        ({"fee": "99.999999999999999999", "take_profit": TakeProfit(percent="99999999999999")}, 100.123),
    ],
)
def test_a_deal_whose_amounts_no_message_could_carry_is_refused(change, price) -> None:
    bot = bot_of(golden(**change))
    decision = give(bot, fire(bot.groups[ENTRY].command, bar(1, price)))
    assert decision.noted.outcome == "refused"
    for told in decision.told:
        spec = getattr(TOPICS, told.to)
        out = message(told, TOPICS)
        assert decode(Record(spec.name, 0, 0, 0, out.key, out.value), spec) == told.message


class Broken(Paper):
    """A venue with a defect."""

    def open(self, *_: object) -> Settlement:
        raise ZeroDivisionError("nobody foresaw this")


def test_a_defect_is_a_dead_letter_and_the_group_is_answered() -> None:
    bot = bot_of(golden())
    trigger = fire(bot.groups[ENTRY].command, bar(1, 100.0))
    record = record_of(Outgoing(TOPICS.triggers.name, b"dip", encode(trigger), T0), 7)
    decision = decide(bot, Incoming(record, trigger), Known(set(), {}), Rules(Broken()))
    assert decision.dead is not None
    assert decision.dead.error_class == "Poison"
    assert (decision.noted.outcome, decision.noted.trigger_id) == ("dead", None)
    assert [(c.generation, c.armed_from_ms) for c in commands(decision)] == [(2, T0 + 2 * MINUTE)]
    assert [event.event for event in events(decision)] == ["ignored"]
    assert after(decision).deals == {}


def test_an_outdated_stale_command_is_told_to_be_ignored() -> None:
    bot = bot_of(golden(), golden(entry="close < 90", effective_from_ms=T0 + 5 * MINUTE))
    decision = decide_stale(bot, stale(bot, ENTRY, 2, 1), record_of(config_out(golden()), 5), RULES)
    assert [event.event for event in events(decision)] == ["ignored"]
