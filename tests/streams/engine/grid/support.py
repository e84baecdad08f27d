"""Grids, bars and triggers for the tests, and a small executor that tells a story bar by bar."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from schemas.alerts import GroupCommand, Member
from schemas.bots import BotConfig, Grid
from schemas.triggers import Bar, FiredMember
from streams.engine.dca import Instrument
from streams.engine.grid import Deal, GridEvent, Settlement, deal_group, open_deal, settle
from tests.streams.engine.dca.support import SYMBOL, bar, trigger

# Levels 80, 90, 100, 110, 120; one base each, no fee: a round trip brings 10.
FIVE = Grid(lower="80", upper="120", levels=5, quantity="1", quantity_in="base")
LONG = BotConfig(
    bot_id="grid", user_id="alice", kind="grid", pairs=[SYMBOL], grid=FIVE, fee="0", slippage="0"
)
SHORT = replace(LONG, side="short")
NEUTRAL = replace(LONG, side="neutral")
TENTHS = Instrument(tick=Decimal("0.01"), lot=Decimal("0.1"))


def of(config: BotConfig, **changes: Any) -> BotConfig:
    """The bot with other settings of its grid."""
    assert config.grid is not None
    return replace(config, grid=replace(config.grid, **changes))


def opened(config: BotConfig = LONG, price: float = 100.0, instrument: Instrument = TENTHS) -> Deal:
    """A grid that started at the close of minute 0."""
    return open_deal(config, SYMBOL, instrument, trigger(bar(price, price, price, price), config=config)).deal


def run(
    config: BotConfig,
    bars: Sequence[Bar],
    *,
    instrument: Instrument = TENTHS,
    close_at_ms: int | None = None,
    keep: bool = False,
) -> list[tuple[int, Settlement]]:
    """A grid that starts at the close of the first bar: the settlements and the numbers of their bars."""
    out = [(0, open_deal(config, SYMBOL, instrument, trigger(bars[0], config=config)))]
    for number, now in enumerate(bars[1:], start=1):
        deal = replace(out[-1][1].deal, keep=keep)
        group = deal_group(deal, generation=1, armed_from_ms=0, close_at_ms=close_at_ms)
        if hits := touched(group, now):
            out.append((number, settle(deal, trigger(now, hits, config=config))))
    return out


def touched(group: GroupCommand, of: Bar) -> list[FiredMember]:
    """What of `group` fires on the bar: levels by touch, as the evaluator sees them, and `at` at the close."""
    return [_as_fired(member, of) for member in group.members if _fires(member.condition, of)]


def _as_fired(member: Member, of: Bar) -> FiredMember:
    level = member.condition.get("level")
    price = float(level["price"]) if level else of.close
    return FiredMember(alert_id=member.alert_id, action=member.action, price=price)


def _fires(condition: dict[str, Any], of: Bar) -> bool:
    if "at" in condition:
        return bool(of.close_time_ms >= condition["at"])
    level = condition["level"]
    if of.stale_price:
        return False
    return of.low <= float(level["price"]) if level["side"] == "below" else of.high >= float(level["price"])


def events(settlements: Iterable[tuple[int, Settlement]]) -> list[tuple[int, GridEvent]]:
    return [(number, event) for number, settlement in settlements for event in settlement.events]
