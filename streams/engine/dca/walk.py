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
    after, events = _decided(*_Walker(deal).along(both.taken), bar, fired)
    told = (*events, *unmet(deal, after, bar, fired, events))
    if not events:
        return Settlement(after, told)  # a bar that met nothing meets nothing the other way round
    other = _decided(*_Walker(deal).along(both.other), bar, fired)
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


class _Walker:
    """One pass along one path."""

    def __init__(self, deal: Deal) -> None:
        self.deal = deal
        self.events: list[DealEvent] = []
        self._armed = {(level.name, level.ticks) for level in levels(deal)}
        self._averaged = False

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
        met = [level for level in levels(self.deal) if level.met_at(here) or level.met_at(there)]
        if self._averaged and not self.deal.terms.same_bar_exit:
            met = [level for level in met if level.kind != "tp"]
        if not met:
            return None
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
        trigger = Triggered(level.name, terms.instrument.price(ticks))
        self.deal, events = paper.execute(self.deal, trigger, ticks)
        self.events += events
        self._averaged = self._averaged or level.kind == "dca"
