"""What a configuration traded, as arrays: the compiled walk's, with no message written, or else those of rows."""

from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from schemas.bots import BotConfig
from sinks.executor.decision import Rules
from streams.cli.backtesting.bot import run_bot
from streams.engine.backtest import slots as c
from streams.engine.backtest.finder import Finder
from streams.engine.backtest.plan import plan_of
from streams.engine.backtest.result import BotResult
from streams.engine.backtest.sprint import Arrays, Room, sprint
from streams.engine.backtest.truths import BarByBar
from streams.engine.backtest.wide import floats, products, total, turns
from streams.engine.bars import Floats, Ints
from streams.engine.dca import Instrument
from streams.engine.dca.entry import entry_tree
from streams.engine.dca.money import FEE_UNITS_PER_QUOTE


@dataclass(frozen=True)
class Traded:
    """Of fills, in order, then of what closed deals leave, which is booked off: `at_ms`, `symbol` (its place in
    `symbols`), `base` (negative: sold), `quote` (negative: paid, fees included). Of deals: `opened_ms`, `closed_ms`
    (-1: open), `gains`, `invested` (quote), `safety`, `ambiguous`. `profit` of the closed deals, exactly; `fees` of all
    deals.
    """

    symbols: tuple[str, ...]
    at_ms: Ints
    symbol: Ints
    base: Floats
    quote: Floats
    opened_ms: Ints
    closed_ms: Ints
    gains: Floats
    invested: Floats
    safety: Ints
    ambiguous: Ints
    profit: Decimal
    fees: Decimal
    walked: str


def traded(config: BotConfig, finders: dict[str, Finder], rules: Rules, room: Room) -> Traded:
    """Backtest one configuration that the executor accepts."""
    if len(config.pairs) == 1:
        finder, instrument = finders[config.pairs[0]], rules.instrument(config.pairs[0])
        arrays = _compiled(config, instrument, finder, room)
        if arrays is not None:
            return _from_arrays(config, instrument, arrays, finder.candles.step_ms)
    return from_rows(run_bot(config, finders, rules), config.pairs)


def _compiled(config: BotConfig, instrument: Instrument, finder: Finder, room: Room) -> Arrays | None:
    plan = plan_of(config, instrument, finder.candles, finder.extremes)
    if isinstance(plan, str):
        return None
    try:
        truths = finder.truths.of(entry_tree(config, finder.candles.interval))
    except BarByBar:
        return None
    step_ms = finder.candles.step_ms
    armed_from_ms = -(-(config.effective_from_ms or 0) // step_ms) * step_ms
    found = sprint(plan, finder, truths, armed_from_ms, room)
    return found if isinstance(found, Arrays) else None


def _from_arrays(config: BotConfig, instrument: Instrument, arrays: Arrays, step_ms: int) -> Traded:
    closes = arrays.triggers[:, c.T_CLOSE_MS]
    fills, deals = arrays.fills, arrays.deals
    long = config.side == "long"
    unit, fee_unit = float(instrument.quote_unit), 1 / FEE_UNITS_PER_QUOTE
    entered = fills[:, c.F_LEVEL] >= 0
    bought = entered if long else ~entered
    lots = fills[:, c.F_LOTS] * float(instrument.lot)
    quote = products(fills[:, c.F_LOTS], fills[:, c.F_TICKS]) * unit
    fees = fills[:, c.F_FEE] * fee_unit
    closed = deals[:, c.D_CLOSED] >= 0
    way = 1 if long else -1
    won = way * (deals[:, c.D_EXIT_QUOTE] - deals[:, c.D_ENTRY_QUOTE])
    won_turns = turns(won, way * (deals[:, c.D_EXIT_HIGH] - deals[:, c.D_ENTRY_HIGH]))
    done_quote, done_fees = total(won[closed], won_turns[closed]), sum(deals[closed, c.D_FEES].tolist())
    return Traded(
        symbols=(config.pairs[0],),
        at_ms=closes[fills[:, c.F_TRIGGER]],
        symbol=np.zeros(len(fills), np.int64),
        base=np.where(bought, lots, -lots),
        quote=np.where(bought, -quote, quote) - fees,
        opened_ms=closes[deals[:, c.D_OPENED]],
        closed_ms=np.where(closed, closes[deals[:, c.D_CLOSED]], -1),
        gains=floats(won, won_turns) * unit - deals[:, c.D_FEES] * fee_unit,
        invested=floats(deals[:, c.D_ENTRY_QUOTE], turns(deals[:, c.D_ENTRY_QUOTE], deals[:, c.D_ENTRY_HIGH])) * unit,
        safety=deals[:, c.D_SAFETY],
        ambiguous=deals[:, c.D_AMBIGUOUS],
        profit=instrument.quote(done_quote) - instrument.fee(done_fees),
        fees=instrument.fee(sum(deals[:, c.D_FEES].tolist())),
        walked="compiled",
    )  # fmt: skip


def from_rows(result: BotResult, symbols: list[str]) -> Traded:
    """The same of a result in words."""
    place = {symbol: number for number, symbol in enumerate(symbols)}
    fills, deals, left = result.fills, result.deals, result.left
    way = [1.0 if fill.side == "buy" else -1.0 for fill in fills]
    return Traded(
        symbols=tuple(symbols),
        at_ms=np.array(
            [*(fill.at_ms for fill in fills), *(deal.closed_at_ms for deal, _, _ in left)], np.int64
        ),
        symbol=np.array(
            [place[fill.symbol] for fill in fills] + [place[deal.symbol] for deal, _, _ in left], np.int64
        ),
        base=np.array(
            [w * float(fill.quantity) - float(fill.fee_base) for w, fill in zip(way, fills, strict=True)]
            + [-float(rest) for _, rest, _ in left]
        ),
        quote=np.array(
            [-w * float(fill.quote) - float(fill.fee) for w, fill in zip(way, fills, strict=True)]
            + [float(worth) for _, _, worth in left]
        ),
        opened_ms=np.array([deal.opened_at_ms for deal in deals], np.int64),
        closed_ms=np.array(
            [-1 if deal.closed_at_ms is None else deal.closed_at_ms for deal in deals], np.int64
        ),
        gains=np.array([float(deal.profit) for deal in deals]),
        invested=np.array(result.invested, np.float64),
        safety=np.array([deal.safety_orders for deal in deals], np.int64),
        ambiguous=np.array([deal.ambiguous_bars for deal in deals], np.int64),
        profit=result.profit,
        fees=sum((deal.fees for deal in deals), Decimal(0)),
        walked=result.walked,
    )


def nothing() -> Traded:
    """Of a bot without candles."""
    return from_rows(BotResult("", "no candles", [], [], [], []), [])
