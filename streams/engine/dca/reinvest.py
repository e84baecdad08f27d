"""Profits put back to work: the volumes of a new deal grow by a share of what the bot has realized."""

from decimal import ROUND_FLOOR, Context, Decimal
from fractions import Fraction
from typing import Final

from msgspec.structs import replace

from schemas.bots import BotConfig
from streams.engine.dca.instrument import Instrument
from streams.engine.dca.ladder import steps_of
from streams.engine.dca.money import percent, text
from streams.engine.dca.validation import sound_terms

_STEP: Final = Decimal("1e-8")
_CONTEXT: Final = Context(prec=60, rounding=ROUND_FLOOR)


def reinvested(config: BotConfig, realized_profit: str) -> BotConfig:
    """`config` with volumes for `realized_profit` (decimal text): each of the deals that may be open at a time gets the
    same part of the share, spread over its orders as they are; down to 1e-8 quote. A loss changes nothing.
    """
    share = percent(config.reinvest_percent) * Fraction(realized_profit) / config.max_active_deals
    if share <= 0:
        return config
    ladder = steps_of(sound_terms(config, Instrument()))
    capital = Fraction(config.base_order_volume) + sum(step.volume for step in ladder)
    if not capital:
        return config
    factor = 1 + share / capital

    def grown(volume: str) -> str:
        return _down(Fraction(volume) * factor)

    return replace(
        config,
        base_order_volume=grown(config.base_order_volume),
        safety_order_volume=grown(config.safety_order_volume),
        steps=tuple(replace(step, volume=grown(step.volume)) for step in config.steps),
    )


def _down(amount: Fraction) -> str:
    exact = _CONTEXT.divide(Decimal(amount.numerator), Decimal(amount.denominator))
    return text(exact.quantize(_STEP, context=_CONTEXT))
