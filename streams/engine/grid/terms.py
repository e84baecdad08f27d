"""The terms of a grid: what its bot's configuration said when it started. Later revisions leave it alone."""

from decimal import Decimal
from fractions import Fraction

import msgspec

from schemas.bots import BotConfig, BotSide, ConfigSide, Grid, Intrabar
from streams.engine.dca.instrument import Instrument, instrument_of
from streams.engine.dca.money import percent


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """Prices and quantities as the decimal text the user wrote, and what the venue accepts."""

    side: ConfigSide
    grid: Grid
    fee: str
    slippage: str
    intrabar: Intrabar
    tick: Decimal
    lot: Decimal
    min_notional: Decimal

    @property
    def shared(self) -> bool:
        """A grid has a group of its own, and nothing is added to it."""
        return False

    @property
    def accumulate(self) -> bool:
        return False

    @property
    def walk_side(self) -> BotSide:
        """Whose adverse extreme a bar is taken to meet first: a long's, for whatever has no side."""
        return "short" if self.side == "short" else "long"

    @property
    def walk_intrabar(self) -> Intrabar:
        """A neutral grid has no adverse extreme: it always walks `ohlc`."""
        return "ohlc" if self.side == "neutral" else self.intrabar

    @property
    def instrument(self) -> Instrument:
        return instrument_of(self.tick, self.lot, self.min_notional)

    @property
    def fee_ratio(self) -> Fraction:
        return percent(self.fee)

    @property
    def slippage_ratio(self) -> Fraction:
        return percent(self.slippage)


def terms_of(config: BotConfig, grid: Grid, instrument: Instrument) -> Terms:
    """What `config`, whose grid is `grid`, says about money, and what the venue accepts."""
    return Terms(
        side=config.side,
        grid=grid,
        fee=config.fee,
        slippage=config.slippage,
        intrabar=config.intrabar,
        tick=instrument.tick,
        lot=instrument.lot,
        min_notional=instrument.min_notional,
    )
