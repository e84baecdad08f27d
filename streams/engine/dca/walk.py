"""`walk(deal, bar, fired)`: one bar settled, level by level, as its path meets them (law 8). Pure.

Live executor, replay and backtest use this one function. The levels are the deal's own, never the trigger's:
what the evaluator says about levels only decides which bar is walked.
Decisions at the close (`close`, `timeout`) count as they fired, after all levels.
"""

from collections.abc import Sequence

from schemas.triggers import Bar, FiredMember, Trigger
from streams.engine.dca import paper
from streams.engine.dca.deal import CLOSE, Deal
from streams.engine.dca.events import DealEvent, Triggered
from streams.engine.dca.levels import LevelOrder, levels
from streams.engine.dca.money import Number, market
from streams.engine.dca.path import Points, paths
from streams.engine.dca.settlement import Settlement
from streams.engine.dca.unmet import AT_CLOSE, unmet


def settle(deal: Deal, trigger: Trigger) -> Settlement:
    """The deal after the trigger's bar."""
    return walk(deal, trigger.bar, trigger.fired)


def walk(deal: Deal, bar: Bar, fired: Sequence[FiredMember]) -> Settlement:
    """The deal after `bar`, and what happened in it. A closed deal stays as it is; the events say so."""
    if bar.stale_price:
        after, events = _decided(deal, [], bar, fired)
        return Settlement(after, (*events, *unmet(deal, after, bar, fired, events)))
    both = paths(bar, deal.terms.instrument, deal.side, deal.terms.intrabar)
    steps = _Steps()
    after, events = _decided(*_Walker(deal, steps).along(both.taken), bar, fired)
    told = (*events, *unmet(deal, after, bar, fired, events))
    if not events:
        return Settlement(after, told)  # a bar that met nothing meets nothing the other way round
    other = _decided(*_Walker(deal, steps).along(both.other), bar, fired)
    return Settlement(after, told, ambiguous=other != (after, events))


def _decided(
    deal: Deal, events: list[DealEvent], bar: Bar, fired: Sequence[FiredMember]
) -> tuple[Deal, list[DealEvent]]:
    """The first decision for the close, if the levels left anything to leave."""
    reasons = [
        AT_CLOSE[member.action.action_type] for member in fired if member.action.action_type in AT_CLOSE
    ]
    if not reasons or deal.status not in {"opening", "open"}:
        return deal, events
    ticks = paper.market_fill(deal.terms, deal.exit_side, market(bar.close))
    trigger = Triggered(CLOSE, deal.terms.instrument.price(ticks), reasons[0])
    deal, more = paper.execute(deal, trigger, ticks)
    return deal, events + more


class _Steps:
    """What both paths of a bar have in common is computed once: the levels of a deal, and what a fill makes of it."""

    def __init__(self) -> None:
        # By identity, which holds while the deal is kept here.
        self._levels: dict[int, tuple[Deal, tuple[LevelOrder, ...]]] = {}
        self._fills: dict[tuple[int, str, int], tuple[Deal, list[DealEvent]]] = {}

    def levels(self, deal: Deal) -> tuple[LevelOrder, ...]:
        """What the deal waits for."""
        known = self._levels.get(id(deal))
        if known is None:
            known = self._levels[id(deal)] = (deal, levels(deal))
        return known[1]

    def fill(self, deal: Deal, level: LevelOrder, ticks: int) -> tuple[Deal, list[DealEvent]]:
        """The deal after the order of `level` was filled at `ticks`; `levels` was asked for this deal before."""
        key = (id(deal), level.name, ticks)
        known = self._fills.get(key)
        if known is None:
            trigger = Triggered(level.name, deal.terms.instrument.price(ticks))
            known = self._fills[key] = paper.execute(deal, trigger, ticks)
        return known


class _Walker:
    """One pass along one path."""

    def __init__(self, deal: Deal, steps: _Steps) -> None:
        self.deal = deal
        self.events: list[DealEvent] = []
        self._steps = steps
        self._averaged = False
        self._waiting = steps.levels(deal)
        self._armed = {(level.name, level.ticks) for level in self._waiting}

    def along(self, points: Points) -> tuple[Deal, list[DealEvent]]:
        """Meet every level on the way; each fill changes the levels for the rest of it."""
        here = points[0]
        for there in points:
            while (level := self._next(here, there)) is not None:
                if not level.met_at(here):
                    here = level.ticks
                self._fill(level, points[0])
            here = there
        return self.deal, self.events

    def _next(self, here: Number, there: Number) -> LevelOrder | None:
        met = [level for level in self._waiting if level.met_at(here) or level.met_at(there)]
        if len(met) < 2:
            return met[0] if met else None
        way = [level.way_from(here) for level in met]
        return met[way.index(min(way))]  # the first of equals: levels() has them as ties are won

    def _fill(self, level: LevelOrder, opened: Number) -> None:
        terms = self.deal.terms
        side = self.deal.entry_side if level.kind == "dca" else self.deal.exit_side
        counts = opened if (level.name, level.ticks) in self._armed else None
        if level.kind == "sl":
            ticks = paper.stop_fill(terms, side, level.ticks, counts)
        else:
            ticks = paper.limit_fill(side, level.ticks, counts)
        self.deal, events = self._steps.fill(self.deal, level, ticks)
        self.events += events
        self._waiting = self._steps.levels(self.deal)
        self._averaged = self._averaged or level.kind == "dca"
        if self._averaged and not terms.same_bar_exit:
            self._waiting = tuple(waiting for waiting in self._waiting if waiting.kind != "tp")
