"""From which bar a report arms a group anew. No venue: reports are written by hand."""

from schemas.alerts import GroupCommand
from schemas.bots import StopLoss
from schemas.orders import OrderReport
from sinks.executor.configs import decide_config
from sinks.executor.decision import Decision
from sinks.executor.state import Bot
from sinks.executor.triggers import decide_trigger
from sinks.orders.reports import decide_report
from tests.sinks.bots import bar, config_out, fire, record_of
from tests.sinks.venues.trading import RULES, live_bot

TRAILING = live_bot(
    max_active_deals=2,
    max_active_deals_per_pair=2,
    max_safety_orders=0,
    safety_order_volume="0",
    take_profit=None,
    stop_loss=StopLoss(percent="10", trailing=True),
)


def group_of(bot: Bot) -> GroupCommand:
    """What the pair has armed."""
    return bot.groups["dip/BTCUSDT/entry"].command


def known(decision: Decision) -> Bot:
    """The bot after a decision that found one."""
    assert decision.bot is not None
    assert decision.noted.outcome in {"accepted", "applied"}, decision.noted
    return decision.bot


def entered(bot: Bot, number: int) -> Bot:
    """An entry fires on that bar."""
    return known(decide_trigger(bot, fire(group_of(bot), bar(number, 100.0), "execute_entry"), False, RULES))


def filled(bot: Bot, at_ms: int) -> Bot:
    """The order that is open is filled in full at 100."""
    [intent] = [intent for intent in bot.intents.values() if intent.open]
    report = OrderReport(
        report_id=f"{intent.client_id}:trade:1", client_id=intent.client_id, bot_id="dip", user_id="alice",
        symbol="BTCUSDT", status="filled", at_ms=at_ms, quantity=intent.quantity, price="100", fee="0", fee_base="0",
        last=True,
    )  # fmt: skip
    accepted = OrderReport(
        report_id=f"{intent.client_id}:accepted", client_id=intent.client_id, bot_id="dip", user_id="alice",
        symbol="BTCUSDT", status="accepted", at_ms=at_ms,
    )  # fmt: skip
    for one in (accepted, report):
        bot = known(decide_report(bot, one, False, RULES))
    return bot


def test_a_trail_sees_every_bar_while_a_deal_beside_it_is_filled() -> None:
    """The state of a trail is of the bar from which its group was armed, whoever's report arms it again."""
    bot = known(decide_config(None, TRAILING, record_of(config_out(TRAILING), 0), RULES))
    bot = filled(entered(bot, 1), bar(2, 1.0).open_time_ms + 300)
    assert group_of(bot).armed_from_ms == bar(2, 1.0).open_time_ms
    bot = entered(bot, 3)
    assert [member.trail is not None for member in group_of(bot).members].count(True) == 1
    bot = filled(bot, bar(6, 1.0).open_time_ms + 300)
    assert [member.trail is not None for member in group_of(bot).members].count(True) == 2
    assert group_of(bot).armed_from_ms == bar(4, 1.0).open_time_ms
