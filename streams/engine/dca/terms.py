"""The terms of a deal: what its bot's configuration said when it opened. Later revisions leave it alone."""

from decimal import Decimal
from fractions import Fraction

import msgspec

from schemas.bots import BotConfig, BotSide, Intrabar, StopLoss, TakeProfit
from streams.engine.dca.instrument import Instrument, instrument_of
from streams.engine.dca.money import percent


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """Volumes in quote, percents as percents, all as the decimal text the user wrote."""

    side: BotSide
    base_order_volume: str
    safety_order_volume: str
    max_safety_orders: int
    price_deviation: str
    step_scale: str
    volume_scale: str
    take_profit: TakeProfit | None
    stop_loss: StopLoss | None
    fee: str
    slippage: str
    same_bar_exit: bool
    intrabar: Intrabar
    tick: Decimal
    lot: Decimal
    min_notional: Decimal

    @property
    def long(self) -> bool:
        return self.side == "long"

    @property
    def instrument(self) -> Instrument:
        return instrument_of(self.tick, self.lot, self.min_notional)

    @property
    def fee_ratio(self) -> Fraction:
        return percent(self.fee)

    @property
    def slippage_ratio(self) -> Fraction:
        return percent(self.slippage)


def terms_of(config: BotConfig, instrument: Instrument) -> Terms:
    """What `config` says about money, and what the venue accepts."""
    return Terms(
        side="short" if config.side == "short" else "long",  # only a grid may be neutral
        base_order_volume=config.base_order_volume,
        safety_order_volume=config.safety_order_volume,
        max_safety_orders=config.max_safety_orders,
        price_deviation=config.price_deviation,
        step_scale=config.step_scale,
        volume_scale=config.volume_scale,
        take_profit=config.take_profit,
        stop_loss=config.stop_loss,
        fee=config.fee,
        slippage=config.slippage,
        same_bar_exit=config.same_bar_exit,
        intrabar=config.intrabar,
        tick=instrument.tick,
        lot=instrument.lot,
        min_notional=instrument.min_notional,
    )
