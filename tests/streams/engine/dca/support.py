"""Bots, bars and triggers for the tests, and a small executor that tells a story bar by bar.

It does what the real one does, without a database: it arms the deal's group, lets a bar touch the members (as
the evaluator would, on floats), settles the bar with what fired, and arms again.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from operator import ge, gt, le, lt
from typing import Any

from msgspec.structs import replace

from schemas.alerts import BotAction, GroupCommand, Member, TrailState
from schemas.bots import BotConfig, StopLoss, TakeProfit
from schemas.conditions import Trail
from schemas.triggers import Bar, FiredMember, Trigger
from streams.engine.dca import Deal, DealEvent, Instrument, Settlement, deal_group, open_deal, settle
from streams.engine.trail import follow, start_of

MINUTE = 60_000
SYMBOL = "BTCUSDT"

GOLDEN = BotConfig(
    bot_id="btc-dip", user_id="alice", pairs=[SYMBOL],
    entry={"op": "lt", "left": {"price": "close"}, "right": 101},
    base_order_volume="15", safety_order_volume="30", max_safety_orders=5,
    price_deviation="1", step_scale="1.5", volume_scale="1.5", take_profit=TakeProfit(percent="2"), fee="0.1",
    slippage="0",
)  # fmt: skip

# Round numbers: at a price of 100 a long's safety orders are 1.2 @ 90, 1.3 @ 80, 1.5 @ 70; a short's
# 1.0 @ 110, 0.9 @ 120, 0.8 @ 130. The target is 10 % from the average, without fees.
ROUND = replace(
    GOLDEN, base_order_volume="100", safety_order_volume="100", max_safety_orders=3,
    price_deviation="10", step_scale="1", volume_scale="1", take_profit=TakeProfit(percent="10"), fee="0",
)  # fmt: skip
SHORT = replace(ROUND, side="short")
_OPS = {"lt": lt, "lte": le, "gt": gt, "gte": ge}
TENTHS = Instrument(tick=Decimal("0.01"), lot=Decimal("0.1"))


def bar(open_: float, high: float, low: float, close: float, *, number: int = 0, stale: bool = False) -> Bar:
    """The `number`-th minute."""
    start = number * MINUTE
    return Bar(
        interval="1m", open_time_ms=start, close_time_ms=start + MINUTE,
        open=open_, high=high, low=low, close=close, volume=0.0 if stale else 1.0, stale_price=stale,
    )  # fmt: skip


def trigger(of: Bar, fired: Iterable[FiredMember] = (), *, config: BotConfig = GOLDEN) -> Trigger:
    """A trigger of the bot's group on that bar."""
    entry = FiredMember(alert_id="entry", action=_action("execute_entry"), price=of.close)
    members = list(fired) or [entry]
    return Trigger(
        trigger_id=f"{config.bot_id}/{SYMBOL}/entry:1:{of.open_time_ms}:1",
        group_id=f"{config.bot_id}/{SYMBOL}/entry",
        generation=1, bot_id=config.bot_id, user_id=config.user_id, symbol=SYMBOL,
        bar=of, action=members[0].action, fired=members,
    )  # fmt: skip


def fired(action_type: Any, *, index: int | None = None, price: float = 1.0) -> FiredMember:
    """A member that fired."""
    return FiredMember(alert_id=f"x_{action_type}", action=_action(action_type, index), price=price)


def _action(action_type: Any, index: int | None = None) -> BotAction:
    dca = index if action_type == "execute_dca" else None
    return BotAction(bot_id="btc-dip", action_type=action_type, dca_index=dca)


def opened(config: BotConfig = ROUND, price: float = 100.0, instrument: Instrument = TENTHS) -> Deal:
    """A deal whose base order was filled at the close of minute 0."""
    return open_deal(config, SYMBOL, instrument, trigger(bar(price, price, price, price), config=config)).deal


class Armed:
    """A group as the evaluator holds it between two commands: which of its members a bar makes fire, and its trails."""

    def __init__(self, group: GroupCommand) -> None:
        self._group = group
        self.trails = {
            member.alert_id: member.trail or start_of(_trail(member))
            for member in group.members
            if "trail" in member.condition
        }

    def see(self, of: Bar) -> tuple[list[FiredMember], dict[str, TrailState]]:
        """What fires on the bar, instants before conditions, and where the trails stood before it."""
        before = dict(self.trails)
        fired = [member for member in self._group.members if self._fires(member, of)]
        fired.sort(key=lambda member: "at" not in member.condition)
        return [_as_fired(member, of) for member in fired], before

    def _fires(self, member: Member, of: Bar) -> bool:
        if "trail" not in member.condition:
            return _fires(member.condition, of)
        if of.stale_price:
            return False
        passed = follow(
            _trail(member), self.trails[member.alert_id], of, self._group.side, self._group.intrabar
        )
        self.trails[member.alert_id] = passed.state
        return passed.met is not None


def _trail(member: Member) -> Trail:
    return Trail(**member.condition["trail"])


def _as_fired(member: Member, of: Bar) -> FiredMember:
    level = member.condition.get("level")
    return FiredMember(
        alert_id=member.alert_id, action=member.action, price=float(level["price"]) if level else of.close
    )


def _fires(condition: dict[str, Any], of: Bar) -> bool:
    if "all" in condition:
        return all(_fires(part, of) for part in condition["all"])
    if "op" in condition:
        return bool(_OPS[condition["op"]](getattr(of, condition["left"]["price"]), condition["right"]))
    if "at" in condition:
        return bool(of.close_time_ms >= condition["at"])
    level = condition["level"]
    if of.stale_price:
        return False
    return of.low <= float(level["price"]) if level["side"] == "below" else of.high >= float(level["price"])


def run(
    config: BotConfig, bars: Sequence[Bar], *, instrument: Instrument = TENTHS, close_at_ms: int | None = None
) -> list[tuple[int, Settlement]]:
    """A deal opened at the close of the first bar: the settlements and the numbers of their bars."""
    out = [(0, open_deal(config, SYMBOL, instrument, trigger(bars[0], config=config)))]
    armed: Armed | None = None
    for number, now in enumerate(bars[1:], start=1):
        deal = out[-1][1].deal
        if armed is None:
            armed = Armed(deal_group(deal, generation=1, armed_from_ms=0, close_at_ms=close_at_ms))
        hits, trails = armed.see(now)
        if hits:
            out.append((number, settle(deal, replace(trigger(now, hits, config=config), trails=trails))))
            armed = None
    return out


def events(settlements: Iterable[tuple[int, Settlement]]) -> list[tuple[int, DealEvent]]:
    return [(number, event) for number, settlement in settlements for event in settlement.events]


def stop(percent: str, reference: Any = "base") -> StopLoss:
    return StopLoss(percent=percent, reference=reference)
