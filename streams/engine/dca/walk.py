"""`walk(deal, bar, fired, trails)`: one bar settled, level by level, as its path meets them (law 8). Pure.

Live executor, replay and backtest use this one function. The levels are the deal's own, never the trigger's:
what the evaluator says about levels only decides which bar is walked. `trails` says how far each trail had come before
the bar. Decisions at the close count as they fired, after all levels (`closing`).
"""

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from schemas.alerts import TrailState
from schemas.triggers import Bar, FiredMember, Trigger
from streams.engine.dca.closing import decide_at_close
from streams.engine.dca.deal import Deal
from streams.engine.dca.events import DealEvent
from streams.engine.dca.levels import trails as trails_of
from streams.engine.dca.orders import STOP
from streams.engine.dca.path import Points, paths
from streams.engine.dca.settlement import Settlement
from streams.engine.dca.trailing import passage
from streams.engine.dca.trails import MetTrail, met_trails
from streams.engine.dca.unmet import unmet
from streams.engine.dca.walker import Shared, Walker
from streams.engine.trail import Passage


def settle(deal: Deal, trigger: Trigger) -> Settlement:
    """The deal after the trigger's bar."""
    names = {f"{deal.alert_prefix}_{trail.name}": trail.name for trail in trails_of(deal)}
    states = {names[alert_id]: state for alert_id, state in trigger.trails.items() if alert_id in names}
    return walk(deal, trigger.bar, trigger.fired, states)


def walk(
    deal: Deal, bar: Bar, fired: Sequence[FiredMember], trails: Mapping[str, TrailState] | None = None
) -> Settlement:
    """The deal after `bar`, and what happened in it. A closed deal stays as it is; the events say so.

    `trails`: states before the bar by level name (`tp_1`, `sl`); one that is missing stands where it was armed.
    """
    passages = _passages(deal, bar, trails or {})
    if bar.stale_price:
        after, events = decide_at_close(deal, [], bar, fired)
        return Settlement(_followed(after, passages), (*events, *unmet(deal, after, bar, fired, events)))
    both = paths(bar, deal.terms.instrument, deal.side, deal.terms.intrabar)
    shared = Shared()
    after, events = _along(deal, both.taken, shared, bar, passages, fired)
    told = (*events, *unmet(deal, after, bar, fired, events))
    if not events:
        return Settlement(after, told)  # a bar that met nothing meets nothing the other way round
    other = _along(deal, both.other, shared, bar, passages, fired)
    return Settlement(after, told, ambiguous=other != (after, events))


def _along(
    deal: Deal,
    points: Points,
    shared: Shared,
    bar: Bar,
    passages: Mapping[str, Passage],
    fired: Sequence[FiredMember],
) -> tuple[Deal, list[DealEvent]]:
    met: tuple[MetTrail, ...] = met_trails(deal, bar, passages, falls_first=points[1] <= points[2])
    after, events = Walker(deal, shared, met).along(points)
    after, events = decide_at_close(after, events, bar, fired)
    return _followed(after, passages), events


def _passages(deal: Deal, bar: Bar, states: Mapping[str, TrailState]) -> dict[str, Passage]:
    return {
        one.name: passage(deal.terms, one.trail, states.get(one.name, one.start), bar)
        for one in trails_of(deal)
    }


def _followed(deal: Deal, passages: Mapping[str, Passage]) -> Deal:
    """The deal with its trails where the bar left them."""
    if deal.closed or not passages:
        return deal
    stop = passages.get(STOP)
    target = next((passed for name, passed in passages.items() if name != STOP), None)
    return replace(
        deal,
        stop_trail=deal.stop_trail if stop is None else stop.state,
        target_trail=deal.target_trail if target is None else target.state,
    )
