"""The compiled walk of one bot from Python: rooms for what comes out, and its arrays put back into words."""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from schemas.alerts import BotAction, Member
from schemas.bots import BotConfig
from schemas.conditions import At, Condition, Level
from schemas.interval import interval_ms
from schemas.triggers import FiredMember, Trigger
from streams.engine.backtest import slots as c
from streams.engine.backtest.compiled import DONE, FULL, OFF_GRID, REFUSED, counters, machine
from streams.engine.backtest.finder import Finder
from streams.engine.backtest.plan import Plan, plan_of
from streams.engine.backtest.result import BotResult, DealRow, FillRow
from streams.engine.backtest.truths import BarByBar, Truths, values_at
from streams.engine.backtest.wide import whole
from streams.engine.bars import Ints
from streams.engine.dca import Instrument, alert_prefix, deal_id_of, decimal_text, entry_group_id
from streams.engine.dca.deal import BASE, STOP
from streams.engine.dca.entry import entry_tree
from streams.engine.dca.ladder import rung_price, steps_of
from streams.engine.dca.levels import ACTIONS
from streams.engine.dca.money import EXACT, shown
from streams.engine.dca.terms import Terms, terms_of
from streams.engine.groups.path import in_path_order
from streams.engine.groups.reports import trigger_id

_NO_ROWS: Final = np.empty(0, np.int8)
_TARGET: Final = "tp_1"
_ENDS: Final = {
    OFF_GRID: "a price lies between two ticks",
    REFUSED: "an entry is refused: the tick is too coarse for its ladder",
}


@dataclass(frozen=True)
class Arrays:
    """What the walk wrote: int64 rows, see `compiled`."""

    triggers: Ints
    fills: Ints
    deals: Ints


class Room:
    """Where a walk writes, used again by the next one: fresh memory costs more than the walk."""

    def __init__(self, rows: int = 8_192) -> None:
        self.triggers = np.empty((rows, c.T_WIDTH), np.int64)
        self.fills = np.empty((2 * rows, c.F_WIDTH), np.int64)
        self.deals = np.empty((rows, c.D_WIDTH), np.int64)

    def larger(self) -> "Room":
        """Four times as much."""
        return Room(4 * len(self.triggers))


def sprint(
    plan: Plan, finder: Finder, truths: Truths, armed_from_ms: int, room: Room | None = None
) -> Arrays | str:
    """Walk all of the candles; or why Python must do it, from the beginning."""
    candles, extremes = finder.candles, finder.extremes
    filled = _NO_ROWS
    if len(candles.filled):
        filled = np.zeros(len(candles), np.int8)
        filled[candles.filled] = 1
    room, at = room or Room(), counters()
    while True:
        ended = machine()(
            plan.numbers, plan.rungs, plan.amounts, plan.scale, candles.columns, candles.open_ms, extremes.lows,
            extremes.highs, extremes.big_lows, extremes.big_highs, filled, candles.ticks_until_ms, room.triggers,
            room.fills, room.deals, truths, armed_from_ms, at,
        )  # fmt: skip
        if ended == DONE:
            triggers, fills, deals = at[c.N_TRIGGERS], at[c.N_FILLS], at[c.N_DEALS]
            return Arrays(
                room.triggers[:triggers].copy(), room.fills[:fills].copy(), room.deals[:deals].copy()
            )
        if ended != FULL:
            return _ENDS[ended]
        room = room.larger()


def compiled_result(config: BotConfig, instrument: Instrument, finder: Finder) -> BotResult | str:
    """The backtest of one bot by the compiled walk, or why it cannot be. `config` says from when it is in force."""
    candles = finder.candles
    plan = plan_of(config, instrument, candles, finder.extremes)
    if isinstance(plan, str):
        return plan
    entry = entry_tree(config, candles.interval)
    try:
        truths = finder.truths.of(entry)
    except BarByBar as why:
        return str(why)
    step_ms = interval_ms(candles.interval)
    armed_from_ms = -(-(config.effective_from_ms or 0) // step_ms) * step_ms
    arrays = sprint(plan, finder, truths, armed_from_ms)
    if isinstance(arrays, str):
        return arrays
    return _Words(config, terms_of(config, instrument), entry, finder, arrays).result()


class _Words:
    """Arrays back into messages and decimals."""

    def __init__(
        self, config: BotConfig, terms: Terms, entry: Condition, finder: Finder, arrays: Arrays
    ) -> None:
        self._config = config
        self._terms = terms
        self._entry = entry
        self._finder = finder
        self._arrays = arrays
        self._symbol = config.pairs[0]
        self._prefix = alert_prefix(config, self._symbol)
        self._levels: dict[int, list[tuple[Member, Level]]] = {}

    def result(self) -> BotResult:
        triggers = [self._trigger(*row) for row in self._arrays.triggers.tolist()]
        return BotResult(
            self._config.bot_id, "compiled", triggers, ["applied"] * len(triggers), self._fills(triggers), self._deals()
        )  # fmt: skip

    @cached_property
    def _deal_ids(self) -> list[str]:
        opened = self._arrays.triggers[self._arrays.deals[:, c.D_OPENED]]
        group = entry_group_id(self._config.bot_id, self._symbol)
        step_ms = self._finder.candles.step_ms
        pairs = zip(opened[:, c.T_GENERATION].tolist(), opened[:, c.T_CLOSE_MS].tolist(), strict=True)
        return [deal_id_of(trigger_id(group, generation, close - step_ms)) for generation, close in pairs]

    def _trigger(
        self,
        row: int,
        close_ms: int,
        generation: int,
        kind: int,
        deal: int,
        rung: int,
        stop: int,
        target: int,
    ) -> Trigger:
        candles = self._finder.candles
        bar = candles.bar(row) if row >= 0 else candles.stand_in(close_ms)
        if kind == c.DEAL:
            group_id = f"{self._config.bot_id}/{self._symbol}/{self._deal_ids[deal]}"
            fired = self._touched(deal, rung, stop, target, bar.low, bar.high)
        else:
            group_id = entry_group_id(self._config.bot_id, self._symbol)
            fired = [self._of_entry() if kind == c.ENTRY else self._of_cooldown()]
        ordered = in_path_order(fired, bar, self._terms.side, self._terms.intrabar)
        members = [
            FiredMember(alert_id=member.alert_id, action=member.action,
                        price=float(condition.price) if isinstance(condition, Level) else bar.close)
            for member, condition in ordered
        ]  # fmt: skip
        values = values_at([self._entry], self._finder.operands, row) if kind == c.ENTRY else {}
        return Trigger(
            trigger_id=trigger_id(group_id, generation, bar.open_time_ms), group_id=group_id, generation=generation,
            bot_id=self._config.bot_id, user_id=self._config.user_id, symbol=self._symbol, bar=bar,
            action=members[0].action, fired=members, values=values,
        )  # fmt: skip

    def _of_entry(self) -> tuple[Member, Condition]:
        action = BotAction(bot_id=self._config.bot_id, action_type="execute_entry")
        return Member(alert_id=f"{self._prefix}_entry", action=action, condition={}), self._entry

    def _of_cooldown(self) -> tuple[Member, Condition]:
        action = BotAction(bot_id=self._config.bot_id, action_type="cooldown")
        return Member(alert_id=f"{self._prefix}_cooldown", action=action, condition={}), At(0)

    def _touched(
        self, deal: int, rung: int, stop: int, target: int, low: float, high: float
    ) -> list[tuple[Member, Condition]]:
        """Members of the deal's group that the bar's range reaches."""
        armed = self._ladder(deal)[rung - 1 :]
        if stop:
            armed = [self._member(STOP, "sl", None, stop, adverse=True), *armed]
        if target:
            armed = [*armed, self._member(_TARGET, "tp", 1, target, adverse=False)]
        return [
            (member, level)
            for member, level in armed
            if (low <= float(level.price) if level.side == "below" else high >= float(level.price))
        ]

    def _ladder(self, deal: int) -> list[tuple[Member, Level]]:
        found = self._levels.get(deal)
        if found is None:
            first = int(self._arrays.deals[deal, c.D_OPENED])
            place = int(np.searchsorted(self._arrays.fills[:, c.F_TRIGGER], first))
            lots, ticks = self._arrays.fills[place, [c.F_LOTS, c.F_TICKS]].tolist()
            found = self._levels[deal] = [
                self._member(
                    f"dca_{step.number}",
                    "dca",
                    step.number,
                    rung_price(self._terms.long, lots * ticks, lots, step.deviation),
                    adverse=True,
                )
                for step in steps_of(self._terms)
            ]
        return found

    def _member(
        self, name: str, kind: str, number: int | None, ticks: int, *, adverse: bool
    ) -> tuple[Member, Level]:
        action = BotAction(
            bot_id=self._config.bot_id, action_type=ACTIONS[kind],  # type: ignore[index]
            dca_index=number if kind == "dca" else None, tp_index=number if kind == "tp" else None,
        )  # fmt: skip
        side = "below" if adverse == self._terms.long else "above"
        level = Level(decimal_text(self._terms.instrument.price(ticks)), side)  # type: ignore[arg-type]
        return Member(alert_id=f"{self._prefix}_{name}", action=action, condition={}), level

    def _fills(self, triggers: list[Trigger]) -> list[FillRow]:
        instrument, rows = self._terms.instrument, []
        buys, sells = ("buy", "sell") if self._terms.long else ("sell", "buy")
        position, before = 0, -1
        for trigger, level, lots, ticks, fee in self._arrays.fills.tolist():
            of, deal = triggers[trigger], int(self._arrays.triggers[trigger, c.T_DEAL])
            position, before = 1 if deal != before else position + 1, deal
            name = {0: BASE, c.LEVEL_STOP: STOP, c.LEVEL_TARGET: _TARGET}.get(level, f"dca_{level}")
            rows.append(
                FillRow(
                    self._config.bot_id, self._symbol, self._deal_ids[deal], name, of.generation, position,
                    of.trigger_id, of.bar.close_time_ms, buys if level >= 0 else sells, instrument.price(ticks),
                    instrument.quantity(lots), instrument.quote(lots * ticks), instrument.fee(fee),
                )
            )  # fmt: skip
        return rows

    def _deals(self) -> list[DealRow]:
        closes = self._arrays.triggers[:, c.T_CLOSE_MS]
        return [self._deal(number, row, closes) for number, row in enumerate(self._arrays.deals.tolist())]

    def _deal(self, number: int, row: list[int], closes: Ints) -> DealRow:
        instrument, closed = self._terms.instrument, row[c.D_CLOSED] >= 0
        lots, quote = row[c.D_ENTRY_LOTS], whole(row[c.D_ENTRY_QUOTE], row[c.D_ENTRY_HIGH])
        back = whole(row[c.D_EXIT_QUOTE], row[c.D_EXIT_HIGH])
        gain = back - quote if self._terms.long else quote - back
        from fractions import Fraction

        return DealRow(
            bot_id=self._config.bot_id, symbol=self._symbol, deal_id=self._deal_ids[number], side=self._terms.side,
            opened_at_ms=int(closes[row[c.D_OPENED]]),
            closed_at_ms=int(closes[row[c.D_CLOSED]]) if closed else None,
            close_reason=("stop_loss" if row[c.D_REASON] == c.LEVEL_STOP else "take_profit") if closed else None,
            fills=row[c.D_FILLS], safety_orders=row[c.D_SAFETY], entry_quantity=instrument.quantity(lots),
            entry_quote=instrument.quote(quote), exit_quantity=instrument.quantity(row[c.D_EXIT_LOTS]),
            exit_quote=instrument.quote(back), fees=instrument.fee(row[c.D_FEES]),
            dust=instrument.quantity(row[c.D_DUST]),
            average_price=shown(Fraction(quote, lots) * Fraction(self._terms.tick)),
            profit=EXACT.subtract(instrument.quote(gain), instrument.fee(row[c.D_FEES])),
            ambiguous_bars=row[c.D_AMBIGUOUS],
        )  # fmt: skip
