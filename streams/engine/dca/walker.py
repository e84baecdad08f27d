"""One pass along one path of a bar: each level that is met is filled, and changes the levels for the rest of it."""

from streams.engine.dca import paper
from streams.engine.dca.deal import Deal
from streams.engine.dca.events import DealEvent, Triggered
from streams.engine.dca.fillprices import limit_fill, stop_fill
from streams.engine.dca.levels import Kind, LevelOrder, levels
from streams.engine.dca.money import Number
from streams.engine.dca.path import Points
from streams.engine.dca.trails import MetTrail

_RANK: dict[Kind, int] = {"sl": 0, "dca": 1, "tp": 2}


class Shared:
    """What both paths of a bar have in common is computed once: the levels of a deal, and what a fill makes of it."""

    def __init__(self) -> None:
        # By identity, which holds while the deal is kept here.
        self._levels: dict[int, tuple[Deal, tuple[LevelOrder, ...]]] = {}
        self._fills: dict[tuple[int, str, tuple[str, ...], int], tuple[Deal, list[DealEvent]]] = {}

    def levels(self, deal: Deal) -> tuple[LevelOrder, ...]:
        """What the deal waits for."""
        known = self._levels.get(id(deal))
        if known is None:
            known = self._levels[id(deal)] = (deal, levels(deal))
        return known[1]

    def fill(self, deal: Deal, trigger: Triggered, ticks: int) -> tuple[Deal, list[DealEvent]]:
        """The deal after its order was filled at `ticks`; `levels` was asked for this deal before."""
        key = (id(deal), trigger.level, trigger.merges, ticks)
        known = self._fills.get(key)
        if known is None:
            known = self._fills[key] = paper.execute(deal, trigger, ticks)
        return known


class Walker:
    """Meets every level and trail on the way."""

    def __init__(self, deal: Deal, shared: Shared, trails: tuple[MetTrail, ...]) -> None:
        self.deal = deal
        self.events: list[DealEvent] = []
        self._shared = shared
        self._trails = trails
        self._averaged = False
        self._born: dict[tuple[str, int], Number] = {}  # the market when a level came to life there
        self._waiting: tuple[LevelOrder, ...] = ()

    def along(self, points: Points) -> tuple[Deal, list[DealEvent]]:
        """The deal after the path, and what happened on it."""
        here = points[0]
        self._look(here)
        for leg, there in enumerate(points):
            while (met := self._next(here, there, leg)) is not None:
                here = self._fill(met, here, there, leg)
            here = there
        return self.deal, self.events

    def _look(self, here: Number) -> None:
        """What waits from here on; a level that moved is a new one."""
        self._waiting = self._shared.levels(self.deal)
        if self._averaged:
            without = self._without()
            self._waiting = tuple(level for level in self._waiting if level.kind not in without)
            self._trails = tuple(trail for trail in self._trails if trail.kind not in without)
        for level in self._waiting:
            self._born.setdefault((level.name, level.ticks), here)

    def _without(self) -> set[Kind]:
        """What is over for a bar that filled a safety order."""
        terms = self.deal.terms
        without: set[Kind] = set() if terms.same_bar_exit else {"tp"}
        return without | {"dca"} if terms.gap_through == "one_per_bar" else without

    def _next(self, here: Number, there: Number, leg: int) -> LevelOrder | MetTrail | None:
        """What is met first on the way; of what is met at once: stop, safety orders, targets, each by number."""
        met: list[LevelOrder | MetTrail] = [
            level for level in self._waiting if level.met_at(here) or level.met_at(there)
        ]
        if self._trails:
            met += [trail for trail in self._trails if trail.leg == leg]
        if len(met) < 2:
            return met[0] if met else None
        return min(met, key=lambda one: (one.way_from(here), _RANK[one.kind], one.number))

    def _fill(self, met: LevelOrder | MetTrail, here: Number, there: Number, leg: int) -> Number:
        """Fill what was met; where on the path that was."""
        furthest: LevelOrder | MetTrail
        at: Number
        if isinstance(met, MetTrail):
            self._trails = tuple(trail for trail in self._trails if trail is not met)
            furthest, at, ticks = met, met.level, met.ticks
            trigger = self._trigger(met.name, ticks, at_market=True)
        else:
            *others, last = self._merged(met, here, there, leg)
            furthest, at, ticks = last, last.ticks, self._price(last)
            trigger = self._trigger(last.name, ticks, merges=tuple(level.name for level in others))
        here = at if furthest.way_from(here) > 0 else here
        self.deal, events = self._shared.fill(self.deal, trigger, ticks)
        self.events += events
        self._averaged = self._averaged or met.kind == "dca"
        if self.deal.status not in {"opening", "open"}:
            self._trails = ()
        self._look(here)
        return here

    def _trigger(
        self, name: str, ticks: int, *, at_market: bool = False, merges: tuple[str, ...] = ()
    ) -> Triggered:
        price = self.deal.terms.instrument.price(ticks)
        return Triggered(name, price, at_market=at_market, merges=merges)

    def _price(self, level: LevelOrder) -> int:
        terms = self.deal.terms
        side = self.deal.entry_side if level.kind == "dca" else self.deal.exit_side
        market = self._born[level.name, level.ticks]
        if level.kind == "sl":
            return stop_fill(terms, side, level.ticks, market)
        return limit_fill(side, level.ticks, market)

    def _merged(self, first: LevelOrder, here: Number, there: Number, leg: int) -> list[LevelOrder]:
        """With `gap_through: merge` all safety orders that one movement passes before it meets a stop."""
        if first.kind != "dca" or self.deal.terms.gap_through != "merge":
            return [first]
        passed = [level for level in self._waiting if level.met_at(here) or level.met_at(there)]
        stops = [level.way_from(here) for level in passed if level.kind == "sl"]
        stops += [trail.way_from(here) for trail in self._trails if trail.leg == leg and trail.kind == "sl"]
        return [
            level
            for level in passed
            if level.kind == "dca" and all(level.way_from(here) < way for way in stops)
        ]
