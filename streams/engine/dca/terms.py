"""The terms of a deal: what its bot's configuration said when it opened. Later revisions leave it alone."""

from decimal import Decimal
from fractions import Fraction
from typing import Any, Literal, NamedTuple

import msgspec

from schemas.bots import BotConfig, BotSide, Intrabar, LadderStep, StopLoss, TakeProfit, WrittenCondition
from schemas.conditions import condition_to_json
from streams.engine.dca.entry import accumulates, condition_tree
from streams.engine.dca.instrument import Instrument, instrument_of
from streams.engine.dca.money import percent


class Target(NamedTuple):
    """Take profit `number` (from 1): at `percent`, `amount` percent of all that was bought."""

    number: int
    percent: str
    amount: str


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """Volumes in quote, percents as percents, all as the decimal text the user wrote; conditions as the JSON text of
    their trees (terms are hashed).

    `shared`: the deal's alerts live in its pair's entry group, since other deals of the pair, or entries that add to
    this one, must be in one order with them.
    """

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
    steps: tuple[LadderStep, ...] = ()
    anchor: Literal["base_fill", "previous_order", "average"] = "base_fill"
    safety_condition: str = ""
    max_active_safety_orders: int | None = None
    gap_through: Literal["each", "one_per_bar", "merge"] = "each"
    close_when: str = ""
    min_profit: str | None = None
    deal_timeout_s: int = 0
    fee_in: Literal["quote", "base"] = "quote"
    accumulate: bool = False
    shared: bool = False

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

    @property
    def safety_orders(self) -> int:
        """How many there are, by table or by formula."""
        return len(self.steps) or self.max_safety_orders

    @property
    def targets(self) -> tuple[Target, ...]:
        """Every take-profit step, in rising order; the last one sells all that is left."""
        profit = self.take_profit
        if profit is None:
            return ()
        if profit.percent is not None:
            return (Target(1, profit.percent, "100"),)
        return tuple(Target(n, step.percent, step.amount) for n, step in enumerate(profit.steps, start=1))

    @property
    def trailing_stop(self) -> bool:
        return self.stop_loss is not None and self.stop_loss.trailing


def terms_of(config: BotConfig, instrument: Instrument, interval: str = "1m") -> Terms:
    """What `config` says about money and exits on base bars of `interval`, and what the venue accepts.

    Raises EntryInvalid for a condition that does not parse; `problems` reports it with its column.
    """
    rule, collects = config.close, accumulates(config, interval)
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
        steps=config.steps,
        anchor=config.anchor,
        safety_condition=_tree_text(config.safety_condition, "safety_condition", config.timeframe, interval),
        max_active_safety_orders=config.max_active_safety_orders,
        gap_through=config.gap_through,
        close_when=_tree_text(rule.when, "close.when", config.timeframe, interval) if rule else "",
        min_profit=rule.min_profit if rule else None,
        deal_timeout_s=config.deal_timeout_s,
        fee_in=config.fee_in,
        accumulate=collects,
        shared=collects or config.max_active_deals_per_pair > 1,
    )


def tree_of(text: str) -> dict[str, Any]:
    """The tree of a condition in terms, as a GroupCommand carries it."""
    tree: dict[str, Any] = msgspec.json.decode(text)
    return tree


def _tree_text(raw: WrittenCondition, field: str, timeframe: str, interval: str) -> str:
    if raw in ("", {}):
        return ""
    tree = condition_tree(raw, field, timeframe, interval)
    return msgspec.json.encode(condition_to_json(tree)).decode()
