"""One good example of every message, by its `type`."""

from typing import Final

from schemas.alerts import AlertCommand, BotAction, GroupCommand, Member, TrailState
from schemas.bots import BotConfig, StopLoss, TakeProfit
from schemas.events import BotEvent
from schemas.market import Kline, Tick
from schemas.message import Message
from schemas.orders import OrderReport
from schemas.positions import OpenDeal, Position
from schemas.triggers import Bar, Fired, FiredMember, StaleCommand, Trigger

MINUTE = 1_750_000_020_000
GROUP: Final = "btc-dip/BTCUSDT/entry"
CONDITION: Final = {"op": "lt", "left": {"indicator": "rsi", "window": 14, "timeframe": "1m"}, "right": 30}
ACTION: Final = BotAction(bot_id="btc-dip", action_type="execute_entry")
DCA: Final = BotAction(bot_id="btc-dip", action_type="execute_dca", dca_index=1)
BAR: Final = Bar(
    interval="1m", open_time_ms=MINUTE, close_time_ms=MINUTE + 60_000,
    open=1.0, high=2.0, low=0.5, close=1.5, volume=3.0,
)  # fmt: skip

_KLINE = Kline(
    symbol="BTCUSDT", interval="1m", open_time_ms=MINUTE,
    open=100.5, high=102.0, low=99.0, close=101.25, volume=7.0,
)  # fmt: skip
_CONFIG = BotConfig(
    bot_id="btc-dip",
    user_id="alice",
    pairs=["BTCUSDT"],
    entry="rsi(14) < 30",
    base_order_volume="15",
    safety_order_volume="30",
    max_safety_orders=5,
    step_scale="1.5",
    take_profit=TakeProfit(percent="2"),
    stop_loss=StopLoss(percent="20", reference="average"),
)
_GROUP_COMMAND = GroupCommand(
    op="arm",
    group_id=GROUP,
    generation=3,
    bot_id="btc-dip",
    user_id="alice",
    symbol="BTCUSDT",
    armed_from_ms=MINUTE,
    members=[
        Member(alert_id="bot_btc-dip_entry", action=ACTION, condition=CONDITION),
        Member(
            alert_id="bot_btc-dip_dca_1", action=DCA, condition={"level": {"price": "99", "side": "below"}}
        ),
        Member(
            alert_id="bot_btc-dip_tp_1",
            action=BotAction(bot_id="btc-dip", action_type="take_profit", tp_index=1),
            condition={"trail": {"percent": "3", "activate_at": "104.15", "side": "below"}},
            trail=TrailState(active=True, extreme=105.5),
        ),
    ],
)
_TRIGGER = Trigger(
    trigger_id=f"{GROUP}:3:{MINUTE}:1",
    group_id=GROUP,
    generation=3,
    bot_id="btc-dip",
    user_id="alice",
    symbol="BTCUSDT",
    bar=BAR,
    action=ACTION,
    fired=[FiredMember(alert_id="bot_btc-dip_entry", action=ACTION, price=1.5)],
    values={"rsi(14)": 28.25},
    trails={"bot_btc-dip_tp_1": TrailState(active=True, extreme=105.5), "bot_btc-dip_tp_2": TrailState()},
)
_STALE = StaleCommand(
    group_id=GROUP, generation=4, bot_id="btc-dip", user_id="alice", symbol="BTCUSDT", stale_generation=3
)
_ALERT = AlertCommand(
    alert_id="al-1",
    user_id="alice",
    symbol="BTCUSDT",
    condition=CONDITION,
    frequency="every",
    debounce_bars=2,
)
_FIRED = Fired(
    fired_id="al-1:7:0:1", alert_id="al-1", user_id="alice", symbol="BTCUSDT", bar=BAR, generation=7,
    frequency="once", fire_number=1, message="dip",
)  # fmt: skip
_EVENT = BotEvent(
    event_id="e-1", event="filled", subject="btc-dip", at_ms=MINUTE, bot_id="btc-dip",
    detail={"price": "99", "level": 1},
)  # fmt: skip
_REPORT = OrderReport(
    report_id=f"{'0f' * 16}:trade:7", client_id="0f" * 16, bot_id="btc-dip", user_id="alice", symbol="BTCUSDT",
    status="filled", at_ms=MINUTE, quantity="0.15", price="100", fee="-0.01", fee_base="0.00015", last=True,
    venue_order_id="28",
)  # fmt: skip
_POSITION = Position(
    bot_id="btc-dip",
    user_id="alice",
    state="active",
    revision=2,
    as_of_ms=MINUTE,
    open_deals=[
        OpenDeal(
            deal_id="d-1", symbol="BTCUSDT", side="long", opened_at_ms=MINUTE, quantity="0.15",
            average_price="100", invested="15", safety_orders_filled=0, stop_loss_price="80",
        )
    ],
    realized_profit="-1.25",
)  # fmt: skip
_ALL: tuple[Message, ...] = (
    _KLINE, Tick(symbol="BTCUSDT", feed="sim", time_ms=MINUTE), _CONFIG, _GROUP_COMMAND, _TRIGGER, _STALE,
    _ALERT, _FIRED, _EVENT, _POSITION, _REPORT,
)  # fmt: skip
EXAMPLES: Final[dict[str, Message]] = {str(message.__struct_config__.tag): message for message in _ALL}
