"""A DCA bot as whole numbers: what the compiled walk needs, or the reason why Python must walk it.

Every ratio is reduced, and every division that the walk can make is bounded beforehand from the candles' highest and
lowest price: numbers may pass 64 bits (see `wide`), what divides them may not; what could is left to Python's integers.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from math import ceil, floor, gcd
from typing import Final, TypeAlias

import numpy as np

from schemas.bots import BotConfig, StopLoss, TakeProfit
from schemas.conditions import Schedule
from streams.engine.backtest.candles import Candles
from streams.engine.backtest.extremes import Extremes
from streams.engine.backtest.slots import (
    AVERAGE,
    BASE,
    BASE_A,
    COOLDOWN_MS,
    FEE_D,
    FEE_N,
    LAST,
    LEAST,
    LONG,
    NUMBERS,
    OHLC,
    RUNGS,
    SAME_BAR,
    SL_D,
    SL_N,
    SLIP_DOWN_D,
    SLIP_DOWN_N,
    SLIP_UP_D,
    SLIP_UP_N,
    STEP_MS,
    STOP,
    TARGET,
    TP_B_D,
    TP_B_N,
    TP_D,
    TP_N,
    U_WIDTH,
    UNITS,
)  # fmt: skip
from streams.engine.backtest.wide import kept
from streams.engine.bars import Floats, Ints
from streams.engine.dca import Instrument
from streams.engine.dca.entry import entry_tree
from streams.engine.dca.instrument import instrument_of
from streams.engine.dca.ladder import steps
from streams.engine.dca.money import FEE_UNITS_PER_QUOTE, percent
from streams.engine.dca.terms import Terms, terms_of

MOST: Final = 1 << 62
_MOST_QUOTE: Final = 1 << 94
"""Of a sum in ticks and lots, so that `wide.high` fits."""
_EXACT_FLOAT: Final = 10**15
"""Below this every decimal of so many digits is one float, and every float one such decimal."""


_Rung: TypeAlias = tuple[int, int, int]


@dataclass(frozen=True)
class Plan:
    """`numbers` int64, `rungs` int64[n, 3] (see `slots`); `amounts` float64[n + 1]: what base order and rungs are to
    cost at least, in quote units; `scale`: 10^decimals of a tick; `wide`: quote sums may not fit 64 bits.
    """

    numbers: Ints
    rungs: Ints
    amounts: Floats
    scale: float
    instrument: Instrument
    wide: bool


def plan_of(config: BotConfig, instrument: Instrument, candles: Candles, extremes: Extremes) -> Plan | str:
    """The plan, or why there is none."""
    if config.kind != "dca":
        return f"a {config.kind}"
    for reason in _unplanned(config, candles.interval):
        return reason
    terms = terms_of(config, instrument)
    return _numbers(config, terms, candles.step_ms, extremes)


def _unplanned(config: BotConfig, interval: str) -> Iterator[str]:
    """Settings that only Python walks, in the words of a configuration."""
    target, stop = config.take_profit, config.stop_loss
    found = {
        "several pairs": len(config.pairs) != 1,
        "explicit steps": bool(config.steps),
        f"anchor: {config.anchor}": config.anchor != "base_fill",
        "a safety condition": bool(config.safety_condition),
        "max_active_safety_orders": config.max_active_safety_orders is not None,
        f"gap_through: {config.gap_through}": config.gap_through != "each",
        "several targets": target is not None and (bool(target.steps) or target.percent is None),
        "a trailing take profit": target is not None and target.trailing is not None,
        "a trailing stop": stop is not None and stop.trailing,
        "break-even": stop is not None and stop.break_even,
        "a stop with a timeout": stop is not None and bool(stop.timeout_s),
        "a close condition": config.close is not None,
        "a deal timeout": bool(config.deal_timeout_s),
        "a start delay": bool(config.start_delay_s),
        "several deals per pair": config.max_active_deals_per_pair != 1,
        "disable_after_deals": config.disable_after_deals is not None,
        "accumulating": bool(config.accumulate),
        "reinvestment": float(config.reinvest_percent) != 0,
        "fees in base": config.fee_in != "quote",
        f"a bot that is {config.state}": config.state != "active",
        "a schedule": isinstance(entry_tree(config, interval), Schedule),
    }
    yield from (what for what, is_so in found.items() if is_so)


def _numbers(config: BotConfig, terms: Terms, step_ms: int, extremes: Extremes) -> Plan | str:
    instrument = instrument_of(terms.tick, terms.lot, terms.min_notional)
    n = list(
        _costs_and_exits(
            terms.long, terms.slippage, terms.fee, terms.take_profit, terms.stop_loss, instrument
        )
    )
    n[LONG], n[SAME_BAR], n[OHLC] = terms.long, terms.same_bar_exit, terms.intrabar == "ohlc"
    n[COOLDOWN_MS], n[STEP_MS] = config.cooldown_s * 1_000, step_ms
    base = _amount(Fraction(terms.base_order_volume), instrument.quote_unit)
    n[BASE_A] = kept(base)
    rungs = _ladder(
        terms.max_safety_orders, terms.price_deviation, terms.step_scale, terms.safety_order_volume,
        terms.volume_scale, instrument, terms.long,
    )  # fmt: skip
    n[RUNGS] = len(rungs)
    most = _most_quote(base, rungs, terms, extremes)
    if reason := _too_large(n, most, rungs, terms):
        return reason
    table = np.array([(over, under, kept(amount)) for over, under, amount in rungs], np.int64)
    amounts = np.array([float(base), *(float(amount) for _, _, amount in rungs)])
    wide = most[0] * most[1] >= MOST
    return Plan(
        np.array(n, np.int64), table.reshape(-1, U_WIDTH), amounts, _scale(instrument), instrument, wide
    )


def _scale(instrument: Instrument) -> float:
    return 10.0 ** max(0, -int(instrument.tick.as_tuple().exponent))


# The bots of a sweep differ in a few settings: what the others come to is computed once.
@lru_cache(maxsize=1024)
def _ladder(
    count: int,
    deviation: str,
    step_scale: str,
    volume: str,
    volume_scale: str,
    instrument: Instrument,
    long: bool,
) -> tuple[_Rung, ...]:
    """The rungs of a ladder's shape: price as a ratio of the base order's, and what it is to cost."""
    shape = steps(count, deviation, step_scale, volume, volume_scale)
    ratios = [at_most(1 - step.deviation) if long else at_least(1 + step.deviation) for step in shape]
    return tuple(
        (*ratio.as_integer_ratio(), _amount(step.volume, instrument.quote_unit))
        for ratio, step in zip(ratios, shape, strict=True)
    )


def _amount(volume: Fraction, unit: Fraction) -> int:
    """A volume in ticks times lots, rounded up: ceil(volume / ticks) lots are the same for it, ticks being whole."""
    return ceil(volume / unit)


def at_most(ratio: Fraction) -> Fraction:
    """The largest fraction up to `ratio` with a denominator of up to 10^15.

    floor(ticks · ratio) is the same for both where ticks are fewer: the quotient j is the largest with
    j / ticks <= ratio, and every j / ticks is such a fraction.
    """
    near = ratio.limit_denominator(_EXACT_FLOAT)
    if near <= ratio:
        return near
    # Of two neighbours among such fractions the denominators' sum is larger: the other one is found from this.
    a, b = near.as_integer_ratio()
    under = pow(a, -1, b) if b > 1 else 1
    under += (_EXACT_FLOAT - under) // b * b
    return Fraction((a * under - 1) // b, under)


def at_least(ratio: Fraction) -> Fraction:
    """The smallest fraction from `ratio` on, for ceil."""
    return -at_most(-ratio)


@lru_cache(maxsize=1024)
def _costs_and_exits(
    long: bool,
    slippage: str,
    fee: str,
    target: TakeProfit | None,
    stop: StopLoss | None,
    instrument: Instrument,
) -> tuple[int, ...]:
    """A bot's numbers as far as these settings make them; the others are 0."""
    n = [0] * NUMBERS
    slip, unit = percent(slippage), instrument.quote_unit
    n[UNITS] = int(Fraction(instrument.tick) * int(_scale(instrument)))
    n[SLIP_UP_N], n[SLIP_UP_D] = (1 + slip).as_integer_ratio()
    n[SLIP_DOWN_N], n[SLIP_DOWN_D] = (1 - slip).as_integer_ratio()
    n[FEE_N], n[FEE_D] = (unit * percent(fee) * FEE_UNITS_PER_QUOTE).as_integer_ratio()
    n[LEAST] = -(-Fraction(instrument.min_notional) // unit)
    _exits(n, 1 if long else -1, percent(fee), target, stop)
    return tuple(n)


def _exits(n: list[int], sign: int, fee: Fraction, target: TakeProfit | None, stop: StopLoss | None) -> None:
    """Target: (Q·TP_N/TP_D) / base of the average; plus B·TP_B_N/TP_B_D where it is counted from the base order."""
    keeps = 1 - sign * fee
    n[TP_N] = n[TP_D] = n[TP_B_D] = n[SL_N] = n[SL_D] = 1
    if target is not None and target.percent is not None:
        gain = percent(target.percent)
        n[TARGET] = AVERAGE if target.of == "average" else BASE
        whole = (1 + sign * gain) / keeps if target.of == "average" else 1 / keeps
        n[TP_N], n[TP_D] = whole.as_integer_ratio()
        share = sign * gain / keeps
        common = share.denominator * n[TP_D] // gcd(share.denominator, n[TP_D])
        if target.of == "base":
            n[TP_N], n[TP_D] = n[TP_N] * (common // n[TP_D]), common
            n[TP_B_N], n[TP_B_D] = share.numerator * (common // share.denominator), common
    if stop is not None:
        n[STOP] = {"average": AVERAGE, "base": BASE, "last_level": LAST}[stop.reference]
        n[SL_N], n[SL_D] = (1 - sign * percent(stop.percent)).as_integer_ratio()


def _most_quote(base: int, rungs: tuple[_Rung, ...], terms: Terms, extremes: Extremes) -> tuple[int, int]:
    """The most lots that a deal may hold, and the highest price, in ticks: no quote sum is above their product."""
    highest, lowest = _reach(extremes.highest, extremes.lowest, terms.tick, terms.slippage)
    if rungs and terms.long:
        lowest = max(1, lowest * rungs[-1][0] // rungs[-1][1])
    return sum(-(-amount // lowest) + 1 for amount in (base, *(amount for _, _, amount in rungs))), highest


def _too_large(n: list[int], most: tuple[int, int], rungs: tuple[_Rung, ...], terms: Terms) -> str:
    """Why the walk could leave what `wide` divides, or floats their exact decimals; empty where it cannot."""
    lots, highest = most
    if highest * n[UNITS] >= _EXACT_FLOAT:
        return f"numbers too large: prices of more than 15 digits in ticks of {terms.tick}"
    gains = n[TP_N] + abs(n[TP_B_N])
    divisions = [
        (lots * highest * n[FEE_N], n[FEE_D]), (highest * n[SLIP_UP_N], n[SLIP_UP_D]), (lots * highest, highest),
        (highest * lots * gains, lots * n[TP_D]), (highest * lots * n[SL_N], lots * n[SL_D]),
        *((highest * over, under) for over, under, _ in rungs),
    ]  # fmt: skip
    whole = [*n[:BASE_A], *n[BASE_A + 1 :], *(part for rung in rungs for part in rung[:2])]
    if max(map(abs, whole)) >= MOST or lots * highest >= _MOST_QUOTE or not all(map(_divided, divisions)):
        return f"numbers too large for 64 bits: ticks of {terms.tick} and lots of {terms.lot}"
    if highest * Fraction(terms.tick) >= 10**17:
        return "numbers too large: prices of 1e17"
    return ""


def _divided(division: tuple[int, int]) -> bool:
    """Whether `wide.down` divides (a, b): a float of a sum of up to 101 products is right to 2^-46, and what the guess
    is wrong by, times b, must fit 64 bits.
    """
    over, under = division
    quotient = over // under
    return quotient < 1 << 56 and under * ((quotient >> 46) + 3) < MOST


@lru_cache(maxsize=1024)
def _reach(high: float, low: float, tick: Decimal, slippage: str) -> tuple[int, int]:
    """The highest price, in ticks, that a walk can speak of (a short's ladder reaches to twice the market's), and the
    lowest.
    """
    slip = percent(slippage)
    top = 2 * (Fraction(high) / Fraction(tick) * (1 + slip) + 2)
    bottom = Fraction(low) / Fraction(tick) * (1 - slip)
    return ceil(top), max(1, floor(bottom))
