"""What becomes of a config, decided without a database."""

import pytest
from msgspec.structs import replace

from schemas.alerts import GroupCommand
from schemas.bots import BotConfig, CloseRule, TakeProfit
from schemas.events import BotEvent
from schemas.limits import Limits
from schemas.positions import Position
from sinks.executor.configs import decide_config, decide_tombstone
from sinks.executor.decision import Decision, Rules
from sinks.executor.state import Bot
from sinks.executor.triggers import decide_trigger
from sinks.venues.paper import Paper
from tests.sinks.bots import MINUTE, T0, bar, config_out, fire, golden, record_of
from topics.codec import encode
from topics.records import Record
from topics.tiers import Tiers

RULES = Rules(Paper(), tiers=Tiers(Limits(bots=2)))


def record(config: BotConfig, offset: int = 0, at_ms: int = T0) -> Record:
    return record_of(config_out(config, at_ms=at_ms), offset)


def take(bot: Bot | None, config: BotConfig, offset: int = 0, at_ms: int = T0) -> Decision:
    return decide_config(bot, config, record(config, offset, at_ms), RULES)


def accepted(*configs: BotConfig) -> Bot:
    bot: Bot | None = None
    for offset, config in enumerate(configs):
        bot = take(bot, config, offset).bot
    assert bot is not None
    return bot


def with_deal(*, config: BotConfig | None = None) -> Bot:
    bot = accepted(config or golden())
    command = bot.groups["dip/BTCUSDT/entry"].command
    opened = decide_trigger(bot, fire(command, bar(1, 100.0)), False, RULES).bot
    assert opened is not None
    assert opened.deals
    return opened


def events(decision: Decision) -> list[BotEvent]:
    return [told.message for told in decision.told if isinstance(told.message, BotEvent)]


def commands(decision: Decision) -> list[GroupCommand]:
    return [told.message for told in decision.told if isinstance(told.message, GroupCommand)]


def test_a_new_bot_is_accepted_armed_and_shown() -> None:
    decision = take(None, golden(pairs=["BTCUSDT", "ETHUSDT"]))
    assert [(event.event, event.event_id) for event in events(decision)] == [
        ("accepted", "dip:config:1:accepted")
    ]
    assert [(c.op, c.group_id, c.generation, c.armed_from_ms) for c in commands(decision)] == [
        ("arm", "dip/BTCUSDT/entry", 1, T0),
        ("arm", "dip/ETHUSDT/entry", 1, T0),
    ]
    assert [c.members[0].when_true_at_arming for c in commands(decision)] == ["fire", "fire"]
    assert isinstance(decision.told[-1].message, Position)
    assert decision.noted.outcome == "accepted"
    assert decision.noted.config_seq == 1


@pytest.mark.parametrize(
    "effective, stamped, armed",
    [(T0, T0 + 5 * MINUTE, T0), (T0 + 1, T0, T0 + MINUTE), (None, T0 + 30_000, T0 + MINUTE), (None, -1, 0)],
)
def test_it_is_effective_from_the_next_bar(effective: int | None, stamped: int, armed: int) -> None:
    decision = take(None, golden(effective_from_ms=effective), at_ms=stamped)
    assert commands(decision)[0].armed_from_ms == armed


def test_a_refusal_names_every_problem_with_its_path() -> None:
    bad = golden(entry="rsi(14) <", base_order_volume="0", take_profit=TakeProfit(percent="0.1"))
    decision = take(None, bad)
    (event,) = events(decision)
    assert event.event == "rejected"
    assert event.field == "entry"
    assert {"entry", "base_order_volume"} <= event.detail.keys()
    assert event.event_id == "bots.configs.v1[0]@0:rejected"
    assert decision.bot is None
    assert "base_order_volume" in decision.noted.reason


def test_a_refused_edit_leaves_the_config_in_force() -> None:
    bot = accepted(golden())
    decision = take(bot, golden(base_order_volume="0"), 1)
    assert decision.bot == bot
    assert commands(decision) == []
    assert decision.noted.outcome == "rejected"
    assert decision.noted.config_seq == 1


def test_another_users_config_is_refused_and_told_nothing_more() -> None:
    bot = accepted(golden())
    for state in ("active", "deleted"):
        decision = take(bot, golden(user_id="mallory", base_order_volume="0", state=state), 1)
        (event,) = events(decision)
        assert (event.field, event.user_id) == ("user_id", "mallory")
        assert "alice" not in str(event)
        assert decision.bot == bot


@pytest.mark.parametrize(
    "first, second, outcome",
    [
        (golden(), golden(), "repeated"),
        (golden(), golden(effective_from_ms=T0 + MINUTE), "repeated"),
        (golden(effective_from_ms=T0 + MINUTE), golden(), "accepted"),
        (golden(), golden(max_safety_orders=4), "accepted"),
        (golden(revision=5), golden(revision=5), "repeated"),
        (golden(revision=5), golden(revision=5, max_safety_orders=4), "rejected"),
        (golden(revision=5), golden(revision=5, state="paused"), "accepted"),
        (golden(revision=5), golden(revision=4, max_safety_orders=4), "rejected"),
        (golden(revision=5), golden(revision=6), "accepted"),
        (golden(revision=5), golden(revision=0, max_safety_orders=4), "accepted"),
        (golden(state="paused"), golden(state="paused"), "repeated"),
        (golden(), golden(kind="dca", bot_id="dip", state="deleted"), "accepted"),
    ],
)
def test_revisions_and_repeats(first: BotConfig, second: BotConfig, outcome: str) -> None:
    bot = accepted(first)
    decision = take(bot, second, 1)
    assert decision.noted.outcome == outcome
    if outcome != "accepted":
        assert decision.bot == bot
        assert commands(decision) == []


def test_a_repeat_is_answered_by_the_same_event() -> None:
    first = take(None, golden())
    again = take(first.bot, golden(), 7, T0 + MINUTE)
    assert [event.event_id for event in events(again)] == [event.event_id for event in events(first)]


def test_a_user_may_have_so_many_bots() -> None:
    decision = decide_config(None, golden(), record(golden()), RULES, bots_of_user=2)
    assert events(decision)[0].field == "bot_id"
    edit = decide_config(accepted(golden()), golden(name="new"), record(golden()), RULES, bots_of_user=2)
    assert edit.noted.outcome == "accepted"


def test_an_edit_of_volumes_leaves_the_entry_group_alone() -> None:
    bot = accepted(golden())
    decision = take(bot, golden(base_order_volume="20", effective_from_ms=T0 + 5 * MINUTE), 1)
    assert commands(decision) == []
    assert decision.bot is not None
    assert len(decision.bot.configs) == 2


def test_an_edit_of_the_entry_ends_the_group_where_it_begins() -> None:
    bot = accepted(golden())
    edit = take(bot, golden(entry="close < 90", effective_from_ms=T0 + 5 * MINUTE), 1)
    (command,) = commands(edit)
    assert (command.generation, command.armed_from_ms) == (2, T0)
    assert [member.action.action_type for member in command.members] == ["close", "execute_entry"]
    assert command.members[0].condition == {"at": T0 + 5 * MINUTE}
    assert command.members[1].condition["right"] == 101
    assert edit.bot is not None
    ended = decide_trigger(edit.bot, fire(command, bar(4, 105.0), "close"), False, RULES)
    (after,) = commands(ended)
    assert (after.generation, after.armed_from_ms) == (3, T0 + 5 * MINUTE)
    assert after.members[0].condition["right"] == 90
    assert after.members[0].when_true_at_arming == "fire"


def test_an_edit_that_begins_before_the_group_replaces_it_at_once() -> None:
    bot = accepted(golden(effective_from_ms=T0 + 5 * MINUTE))
    (command,) = commands(take(bot, golden(entry="close < 90", effective_from_ms=T0), 1))
    assert [member.condition.get("right") for member in command.members] == [90]


def test_a_pause_ends_the_entry_and_a_resume_arms_it_from_its_own_instant() -> None:
    bot = accepted(golden())
    paused = take(bot, golden(state="paused", effective_from_ms=T0 + 5 * MINUTE), 1)
    assert [event.event for event in events(paused)] == ["accepted", "paused"]
    (command,) = commands(paused)
    assert command.members[0].condition == {"at": T0 + 5 * MINUTE}
    assert paused.bot is not None
    ended = decide_trigger(paused.bot, fire(command, bar(4, 105.0), "close"), False, RULES)
    assert [(c.op, c.generation) for c in commands(ended)] == [("remove", 3)]
    resumed = take(ended.bot, golden(effective_from_ms=T0 + 9 * MINUTE), 2)
    assert [(c.op, c.generation, c.armed_from_ms) for c in commands(resumed)] == [("arm", 4, T0 + 9 * MINUTE)]


def test_a_pause_leaves_an_open_deal_armed() -> None:
    decision = take(with_deal(), golden(state="paused", effective_from_ms=T0 + 5 * MINUTE), 1)
    assert commands(decision) == []


def test_delete_and_keep_leaves_exits_and_takes_no_new_entry() -> None:
    bot = with_deal()
    gone = BotConfig(bot_id="dip", user_id="alice", state="deleted", effective_from_ms=T0 + 5 * MINUTE)
    decision = take(bot, gone, 1)
    assert [event.event for event in events(decision)] == ["accepted", "deleted"]
    assert commands(decision) == []
    assert decision.bot is not None
    assert decision.bot.newest.config.pairs == ["BTCUSDT"]


def test_delete_and_close_arms_the_deal_again_from_the_same_instant_with_a_close() -> None:
    bot = with_deal()
    (deal_id,) = bot.deals
    group_id = f"dip/BTCUSDT/{deal_id}"
    gone = BotConfig(
        bot_id="dip", user_id="alice", state="deleted", on_delete="close", effective_from_ms=T0 + 5 * MINUTE
    )
    decision = take(bot, gone, 1)
    (command,) = commands(decision)
    before = bot.groups[group_id].command
    assert command.group_id == group_id
    assert command.armed_from_ms == before.armed_from_ms
    assert command.generation == before.generation + 1
    assert command.members[:-1] == before.members
    assert command.members[-1].condition == {"at": T0 + 6 * MINUTE}
    assert decision.bot is not None
    closed = decide_trigger(decision.bot, fire(command, bar(5, 100.5), "close"), False, RULES)
    assert [(c.op, c.group_id) for c in commands(closed)] == [("remove", group_id)]
    assert closed.bot is not None
    assert closed.bot.deals[deal_id].close_reason == "close"
    assert take(decision.bot, gone, 2).noted.outcome == "repeated"


def test_deleting_first_and_closing_later_is_no_repeat() -> None:
    bot = with_deal()
    gone = BotConfig(bot_id="dip", user_id="alice", state="deleted", effective_from_ms=T0 + 5 * MINUTE)
    kept = take(bot, gone, 1).bot
    assert len(commands(take(kept, replace(gone, on_delete="close"), 2))) == 1


@pytest.mark.parametrize("on_delete, rearmed", [("keep", 0), ("close", 1)])
def test_a_tombstone_deletes_as_the_config_says(on_delete: str, rearmed: int) -> None:
    bot = with_deal(config=golden(on_delete=on_delete))
    tombstone = Record("bots.configs.v1", 0, 9, T0 + 5 * MINUTE, b"dip", None)
    decision = decide_tombstone(bot, "dip", tombstone, RULES)
    assert [event.event for event in events(decision)] == ["accepted", "deleted"]
    assert len(commands(decision)) == rearmed
    again = decide_tombstone(decision.bot, "dip", tombstone._replace(offset=10), RULES)
    assert again.noted.outcome == "repeated"


def test_deleting_nobody_is_reported() -> None:
    gone = BotConfig(bot_id="dip", user_id="alice", state="deleted")
    for decision in (take(None, gone), decide_tombstone(None, "dip", record(gone), RULES)):
        assert decision.noted.outcome == "ignored"
        assert [event.event for event in events(decision)] == ["ignored"]
        assert decision.bot is None


def test_a_deleted_bot_can_be_made_again_by_its_owner_and_generations_go_on() -> None:
    bot = accepted(golden())
    gone = take(bot, BotConfig(bot_id="dip", user_id="alice", state="deleted", effective_from_ms=T0), 1)
    assert [(c.op, c.generation) for c in commands(gone)] == [("remove", 2)]
    again = take(gone.bot, golden(effective_from_ms=T0 + MINUTE), 2)
    assert [(c.op, c.generation, c.armed_from_ms) for c in commands(again)] == [("arm", 3, T0 + MINUTE)]
    assert take(gone.bot, golden(user_id="mallory"), 2).noted.outcome == "rejected"


def test_a_pair_that_an_edit_drops_ends_and_a_new_one_begins() -> None:
    bot = accepted(golden())
    edit = take(bot, golden(pairs=["ETHUSDT"], effective_from_ms=T0 + 5 * MINUTE), 1)
    found = {c.symbol: c for c in commands(edit)}
    assert found["BTCUSDT"].members[0].condition == {"at": T0 + 5 * MINUTE}
    assert found["ETHUSDT"].armed_from_ms == T0 + 5 * MINUTE
    assert found["ETHUSDT"].generation == 1


@pytest.mark.parametrize(
    "entry",
    [{"x" * 900_000: 1, "op": "lt", "left": 1}, {"op": "lt", "left": {"price": "close", "y" * 900_000: 1}, "right": 1}],
)  # fmt: skip
def test_a_refusal_fits_its_topic_whatever_it_has_to_repeat(entry) -> None:
    """An event that no broker takes would stop the outbox, and with it the partition, for ever."""
    (event,) = events(take(None, golden(entry=entry)))
    assert event.field is not None
    assert event.field.startswith("entry")
    assert len(encode(event)) < 10_000


def test_a_beginning_that_no_command_could_carry_is_refused() -> None:
    (event,) = events(take(None, golden(effective_from_ms=253_402_300_799_999)))
    assert (event.event, event.field) == ("rejected", "effective_from_ms")


def test_an_entry_that_cannot_be_evaluated_on_the_deployments_bars_is_refused_not_armed() -> None:
    config = golden(timeframe="1m")
    decision = decide_config(None, config, record(config), Rules(Paper(), base_interval="5m"))
    assert [(event.event, event.field) for event in events(decision)] == [("rejected", "entry")]


def test_many_edits_that_do_not_show_are_forgotten_when_the_group_answers() -> None:
    edits = [
        golden(base_order_volume=str(20 + number), effective_from_ms=T0 + number * MINUTE)
        for number in range(1, 41)
    ]
    bot = accepted(golden(), *edits)
    group = bot.groups["dip/BTCUSDT/entry"]
    assert group.end_at_ms == T0 + 32 * MINUTE
    handed_over = decide_trigger(bot, fire(group.command, bar(32, 105.0), "close"), False, RULES).bot
    assert handed_over is not None
    later = take(handed_over, golden(base_order_volume="99", effective_from_ms=T0 + 50 * MINUTE)).bot
    assert later is not None
    assert len(later.configs) == 10  # those from bar 32 on, and the new one


def test_a_condition_larger_than_the_tier_allows_is_refused_with_the_field() -> None:
    rules = Rules(Paper(), tiers=Tiers(users={"alice": Limits(nodes=3)}))
    config = golden(entry="close < 101 and close > 1")
    rejected = events(decide_config(None, config, record(config), rules))[0]
    assert (rejected.field, rejected.reason) == ("entry", "7 nodes, the user's limit is 3")
    exits = golden(safety_condition="close < 99 - 1", close=CloseRule(when="close > 1 and open > 1"))
    refused = decide_config(None, exits, record(exits), rules)
    assert events(refused)[0].detail.keys() >= {"safety_condition", "close.when"}
    bobs = golden(entry="close < 101 and close > 1", user_id="bob")
    assert decide_config(None, bobs, record(bobs), rules).noted.outcome == "accepted"
