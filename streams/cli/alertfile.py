"""Users' alerts from YAML files: strict, their conditions read as the evaluator will read them."""

from pathlib import Path

import msgspec

from schemas.alerts import AlertCommand
from schemas.conditions import ConditionError
from streams.cli.botfile import Mistake, Mistakes, from_msgspec, strange_fields
from streams.cli.yamlfile import Entry, entries
from streams.engine.groups.arming import conditions_of, message_of
from streams.engine.groups.combinations import refuse_contradictions
from topics.codec import encode

_SHORTEST = "1m"


def read_alerts(path: Path) -> list[AlertCommand]:
    """All alerts of the file. Raises Invalid (Mistakes) with every mistake that can be seen in one pass."""
    alerts: list[AlertCommand] = []
    mistakes: list[Mistake] = []
    for entry in entries(path):
        place = f"{path}, line {entry.line}"
        name = entry.fields.get("alert_id")
        made = _alert(entry, f"{place}, alert {name}" if isinstance(name, str) else place)
        if isinstance(made, list):
            mistakes += made
            continue
        if any(made.alert_id == other.alert_id for other in alerts):
            mistakes.append(Mistake(place, "alert_id", f"{made.alert_id} stands twice"))
        alerts.append(made)
    if mistakes:
        raise Mistakes(mistakes)
    return alerts


def _alert(entry: Entry, place: str) -> AlertCommand | list[Mistake]:
    fields = dict(entry.fields)
    if fields.pop("type", "alert_command") != "alert_command":
        return [Mistake(place, "type", "expected alert_command, or nothing")]
    if mistakes := strange_fields(AlertCommand, fields, place):
        return mistakes
    try:
        command = msgspec.convert({"type": "alert_command", **fields}, AlertCommand)
        # What the topic's readers will do with it: the same refusals, before it is sent.
        command = msgspec.json.decode(encode(command), type=AlertCommand)
    except msgspec.ValidationError as wrong:
        return [from_msgspec(str(wrong), place, AlertCommand)]
    if command.state == "deleted":
        reason = f"a file holds alerts that are wanted; `strikeline alerts delete {command.alert_id}` deletes"
        return [Mistake(place, "state", reason)]
    if useless := _useless(command, fields, place):
        return useless
    try:
        # The symbol's bars may be longer than a minute; the evaluator then refuses what does not fit them.
        refuse_contradictions(command, conditions_of(command, _SHORTEST)[0])
        message_of(command, _SHORTEST)
    except ConditionError as wrong:
        return [Mistake(place, wrong.path, wrong.reason)]
    return command


def _useless(command: AlertCommand, fields: dict[str, object], place: str) -> list[Mistake]:
    """Settings that would change nothing: whoever wrote them expects that they do."""
    found = []
    if command.frequency != "once_per_bar_close":
        found += [
            Mistake(place, name, f"means nothing with frequency {command.frequency}")
            for name in ("rearm", "rearm_bars")
            if name in fields
        ]
    elif "rearm_bars" in fields and command.rearm != "after_bars":
        found.append(Mistake(place, "rearm_bars", "means nothing without rearm: after_bars"))
    since, until = command.effective_from_ms, command.expires_at_ms
    if since is not None and until is not None and until <= since:
        found.append(Mistake(place, "expires_at_ms", "is not after effective_from_ms"))
    return found
