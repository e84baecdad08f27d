"""The compiled walk of one bot from Python: rooms for what comes out, and its arrays put back into words."""

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Final

import numpy as np

from schemas.alerts import BotAction, Member
from schemas.bots import BotConfig
from schemas.conditions import At, Condition, Level, Side
from schemas.interval import interval_ms
from schemas.triggers import FiredMember, Trigger
from streams.engine.backtest import slots as c
from streams.engine.backtest.compiled import DONE, FULL, OFF_GRID, REFUSED, counters, machine
from streams.engine.backtest.finder import Finder
from streams.engine.backtest.plan import Plan, plan_of
from streams.engine.backtest.result import BotResult, DealRow, FillRow
from streams.engine.backtest.truths import BarByBar, Truths, Watched, told_at, watched
from streams.engine.backtest.wide import whole
from streams.engine.bars import Ints
from streams.engine.dca import Instrument, alert_prefix, deal_id_of, decimal_text, entry_group_id
from streams.engine.dca.deal import BASE, STOP
from streams.engine.dca.entry import entry_tree
from streams.engine.dca.ladder import Step, rung_price, steps_of
from streams.engine.dca.levels import ACTIONS, Kind
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
    sums = (np.zeros(c.R_WIDTH), np.zeros(c.R_WIDTH)) if plan.wide else (None, None)
    while True:
        ended = machine(plan.wide)(
            plan.numbers, plan.rungs, plan.amounts, plan.scale, candles.columns, candles.open_ms, extremes.lows,
            extremes.highs, extremes.big_lows, extremes.big_highs, filled, candles.ticks_until_ms, room.triggers,
            room.fills, room.deals, truths, armed_from_ms, at, *sums,
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
    return _Words(config, plan, terms_of(config, instrument), entry, finder, arrays).result()


class _Words:
    """Arrays back into messages and decimals."""

    def __init__(
        self, config: BotConfig, plan: Plan, terms: Terms, entry: Condition, finder: Finder, arrays: Arrays
    ) -> None:
        self._units, self._scale = int(plan.numbers[c.UNITS]), plan.scale
        self._config = config
        self._terms = terms
        self._entry = entry
        self._finder = finder
        self._arrays = arrays
        self._symbol = config.pairs[0]
        self._prefix = alert_prefix(config, self._symbol)

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
            fired = [self._of_entry if kind == c.ENTRY else self._of_cooldown]
        ordered = in_path_order(fired, bar, self._terms.side, self._terms.intrabar)
        members = [
            FiredMember(alert_id=member.alert_id, action=member.action,
                        price=float(condition.price) if isinstance(condition, Level) else bar.close)
            for member, condition in ordered
        ]  # fmt: skip
        values = told_at(self._watched, row) if kind == c.ENTRY else {}
        return Trigger(
            trigger_id=trigger_id(group_id, generation, bar.open_time_ms), group_id=group_id, generation=generation,
            bot_id=self._config.bot_id, user_id=self._config.user_id, symbol=self._symbol, bar=bar,
            action=members[0].action, fired=members, values=values,
        )  # fmt: skip

    @cached_property
    def _watched(self) -> Watched:
        return watched([self._entry], self._finder.operands)

    @cached_property
    def _of_entry(self) -> tuple[Member, Condition]:
        action = BotAction(bot_id=self._config.bot_id, action_type="execute_entry")
        return Member(alert_id=f"{self._prefix}_entry", action=action, condition={}), self._entry

    @cached_property
    def _of_cooldown(self) -> tuple[Member, Condition]:
        action = BotAction(bot_id=self._config.bot_id, action_type="cooldown")
        return Member(alert_id=f"{self._prefix}_cooldown", action=action, condition={}), At(0)

    def _touched(
        self, deal: int, rung: int, stop: int, target: int, low: float, high: float
    ) -> list[tuple[Member, Condition]]:
        """Members of the deal's group that the bar's range reaches."""
        long, fired = self._terms.long, []
        if stop and _reached(self._price(stop), long, low, high):
            fired.append(self._member(STOP, stop, adverse=True))
        for number in range(rung, len(self._steps) + 1):
            ticks = self._rung(deal, number)
            if not _reached(self._price(ticks), long, low, high):
                break  # those behind it lie further away
            fired.append(self._member(f"dca_{number}", ticks, adverse=True))
        if target and _reached(self._price(target), not long, low, high):
            fired.append(self._member(_TARGET, target, adverse=False))
        return fired

    @cached_property
    def _steps(self) -> tuple[Step, ...]:
        return steps_of(self._terms)

    def _rung(self, deal: int, number: int) -> int:
        """The price of a safety order of a deal, in ticks."""
        lots, ticks = self._bases[deal]
        return rung_price(self._terms.long, lots * ticks, lots, self._steps[number - 1].deviation)

    @cached_property
    def _bases(self) -> list[tuple[int, int]]:
        """Of each deal its base order's lots and ticks."""
        fills = self._arrays.fills
        rows = np.searchsorted(fills[:, c.F_TRIGGER], self._arrays.deals[:, c.D_OPENED])
        return [(lots, ticks) for lots, ticks in fills[rows][:, [c.F_LOTS, c.F_TICKS]].tolist()]

    def _price(self, ticks: int) -> float:
        """What a level at so many ticks is compared as, as the walk does it: `plan` saw to it that this is exact."""
        return ticks * self._units / self._scale

    def _member(self, name: str, ticks: int, *, adverse: bool) -> tuple[Member, Condition]:
        side: Side = "below" if adverse == self._terms.long else "above"
        return self._members[name], Level(decimal_text(self._terms.instrument.price(ticks)), side)

    @cached_property
    def _members(self) -> dict[str, Member]:
        """Of a deal's group, by what they are called. They are the same in every deal."""
        kinds: list[tuple[str, Kind, int | None]] = [(STOP, "sl", None), (_TARGET, "tp", 1)]
        kinds += [(f"dca_{step.number}", "dca", step.number) for step in self._steps]
        return {
            name: Member(
                alert_id=f"{self._prefix}_{name}",
                action=BotAction(
                    bot_id=self._config.bot_id, action_type=ACTIONS[kind],
                    dca_index=number if kind == "dca" else None, tp_index=number if kind == "tp" else None,
                ),
                condition={},
            )
            for name, kind, number in kinds
        }  # fmt: skip

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


def _reached(price: float, below: bool, low: float, high: float) -> bool:
    """Whether a bar's range reaches a level, on its lower or its upper side."""
    return low <= price if below else high >= price
