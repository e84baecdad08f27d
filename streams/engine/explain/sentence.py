"""One sentence: why it fired, or what stood in the way, the first thing that did."""

from collections.abc import Sequence

from schemas.alerts import AlertCommand
from schemas.events import BotEvent
from schemas.triggers import Fired, Trigger
from streams.engine.explain.candidates import Candidate
from streams.engine.explain.finding import Finding, said, to_blame
from streams.engine.explain.replay import Seen
from streams.engine.explain.words import bars, number, when
from streams.engine.groups.group import Watch
from streams.engine.groups.notify import Alert
from streams.engine.groups.reports import Output


def fired_with(outputs: Sequence[Output], alert_id: str) -> bool:
    """Whether a message among them says that it fired."""
    return any(
        (isinstance(one, Fired) and one.alert_id == alert_id)
        or (isinstance(one, Trigger) and any(member.alert_id == alert_id for member in one.fired))
        for one in outputs
    )


def told_on(seen: Seen, open_time_ms: int) -> list[Output]:
    """What came of the bar that opened then, its updates before it closed included (`on: tick`)."""
    updates = [one for one in seen.earlier if isinstance(one, Fired) and one.bar.open_time_ms == open_time_ms]
    return [*updates, *seen.said]


def sentence(
    candidate: Candidate, alert_id: str, seen: Seen, finding: Finding | None, open_time_ms: int
) -> str:
    """The answer for the bar that opened then, which the command was in force on."""
    for one in told_on(seen, open_time_ms):
        if isinstance(one, Fired) and one.provisional:
            values = ", ".join(f"{text} {number(value)}" for text, value in one.values.items())
            last = number(one.bar.close)
            return f"It fired before the bar closed, on an update with a last price of {last}: {values}."
    if fired_with(seen.said, alert_id):
        return f"It fired: {_how(seen, finding)}."
    return f"It did not fire: {_obstacle(candidate, alert_id, seen, finding)}."


def _how(seen: Seen, finding: Finding | None) -> str:
    true = said(to_blame(finding)) if finding is not None else "its condition held"
    if isinstance(seen.unit, Alert) and seen.unit.command.debounce_bars > 1:
        return f"{true} held for {bars(seen.unit.command.debounce_bars)}"
    if seen.before.known is None:
        return f"{true} at the first bar it saw"
    return f"{true}, and it was armed" if seen.before.known else f"{true} came true"


def _obstacle(candidate: Candidate, alert_id: str, seen: Seen, finding: Finding | None) -> str:
    refusal = next(
        (one for one in seen.earlier if isinstance(one, BotEvent) and one.event == "rejected"), None
    )
    if refusal is not None:
        return f"its command was refused, {refusal.field}: {refusal.reason}"
    if not candidate.has(alert_id):
        return f"generation {candidate.generation} of its group has no such member any more"
    if seen.before.unit == "held":
        return _held(candidate, seen)
    if seen.before.unit == "removed" or seen.after.unit == "removed":
        return _over(seen)
    if seen.moment is not None and seen.moment.stand_in and (finding is None or finding.truth is None):
        return "no bar closed then, a tick stood in for it, and only instants count on such a bar"
    if finding is None or finding.truth is None:
        why = said(to_blame(finding)) if finding is not None else "nothing is known yet"
        return f"its condition is unknown, {why}"
    if finding.truth is False:
        return f"its condition is false, {said(to_blame(finding))}"
    return _true_but(seen)


def _held(candidate: Candidate, seen: Seen) -> str:
    trigger = next((one for one in reversed(seen.earlier) if isinstance(one, Trigger)), None)
    if trigger is None:
        return "its group is held"
    names = ", ".join(member.alert_id for member in trigger.fired)
    return (
        f"its group is held since {names} fired on the bar that closed {when(trigger.bar.close_time_ms)}; "
        f"it fires nothing until the executor arms a generation after {candidate.generation}"
    )


def _over(seen: Seen) -> str:
    command = seen.unit.command
    if seen.before.fired_ms is not None and isinstance(command, AlertCommand) and command.frequency == "once":
        return f"frequency is once, and it fired at {when(seen.before.fired_ms)}"
    if isinstance(command, AlertCommand) and command.expires_at_ms is not None:
        return f"it expired at {when(command.expires_at_ms)}"
    return "it was removed"


def _true_but(seen: Seen) -> str:
    """The condition is true. Why is that no reason to fire?"""
    since = seen.before.true_since_ms
    known_since = f" since {when(since)}" if since is not None else ""
    if isinstance(seen.watcher, Watch):
        if seen.before.known:
            return f"its condition was already true{known_since}, and only a change from false to true fires"
        return "its condition was true at the first bar it saw, and when_true_at_arming is wait"
    if not isinstance(seen.unit, Alert):
        return "its condition is true, but it was not armed"
    command = seen.unit.command
    if command.on == "tick" and seen.after.fired_ms is not None:
        return f"it fired at {when(seen.after.fired_ms)}, and fires once per bar of {command.timeframe}"
    if seen.after.armed:
        left = debounce_left(seen.unit, seen)
        return f"its condition has not held for {bars(command.debounce_bars)}, {bars(left)} to go"
    if not seen.after.fires:
        return "its condition was true at the first bar it saw, and when_true_at_arming is wait"
    fired = f"it fired at {when(seen.after.fired_ms or 0)}"
    if (rearm_ms := seen.unit.rearms_ms) is not None:
        return f"{fired} and may fire again from {when(rearm_ms)} on"
    return f"its condition was already true{known_since}: {fired}, and arms anew when the condition is false"


def debounce_left(alert: Alert, seen: Seen) -> int:
    """How many more closed bars the condition must hold; all of them where it does not hold."""
    if alert.run_ms < 0 or seen.moment is None:
        return alert.command.debounce_bars
    return max(alert.command.debounce_bars - alert.held_bars(seen.moment.now_ms), 0)
