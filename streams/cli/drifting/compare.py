"""Two tables of what should be the same, by key: what differs, and how. Pure."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from schemas.triggers import Fired, Trigger


class Difference(NamedTuple):
    """`what` (trigger, fired, deal, fill) called `name` is `missing` in the replay, `extra` there, or has another
    `field`.

    `look`: the command that shows why, where there is one.
    """

    what: str
    name: str
    how: str
    recorded: str = ""
    replayed: str = ""
    look: str = ""


def triggers_differ(recorded: Mapping[str, Trigger], replayed: Mapping[str, Trigger]) -> list[Difference]:
    """By trigger_id; the same trigger is the same bytes."""

    found = []
    for difference in _differ("trigger", recorded, replayed, _fields):
        trigger = recorded.get(difference.name) or replayed[difference.name]
        found.append(
            difference._replace(look=f"strikeline explain {_first(trigger)} --at {trigger.bar.close_time_ms}")
        )
    return found


def fires_differ(
    recorded: Mapping[tuple[str, str], Fired], replayed: Mapping[tuple[str, str], Fired]
) -> list[Difference]:
    """By symbol and fired_id; the same fire is the same bytes."""
    fires = {_name(key): fired for key, fired in [*replayed.items(), *recorded.items()]}
    found = []
    for difference in _differ("fired", recorded, replayed, _fields):
        fired = fires[difference.name]
        look = f"strikeline explain {fired.alert_id} --at {fired.bar.close_time_ms} --symbol {fired.symbol}"
        found.append(difference._replace(look=look))
    return found


def rows_differ(
    what: str, recorded: Mapping[Any, Mapping[str, Any]], replayed: Mapping[Any, Mapping[str, Any]]
) -> list[Difference]:
    """By key; of each row the fields that are recorded."""
    return _differ(what, recorded, replayed, dict)


def _fields(message: Trigger | Fired) -> dict[str, Any]:
    return {name: getattr(message, name) for name in message.__struct_fields__}


def _first(trigger: Trigger) -> str:
    return trigger.fired[0].alert_id if trigger.fired else trigger.group_id


def _differ(
    what: str,
    recorded: Mapping[Any, Any],
    replayed: Mapping[Any, Any],
    fields: Callable[[Any], dict[str, Any]],
) -> list[Difference]:
    found = [
        Difference(what, _name(key), "missing", recorded="recorded") for key in _sorted(recorded, replayed)
    ]
    found += [
        Difference(what, _name(key), "extra", replayed="replayed") for key in _sorted(replayed, recorded)
    ]
    for key in recorded.keys() & replayed.keys():
        was, now = fields(recorded[key]), fields(replayed[key])
        for name, value in was.items():
            if value != now.get(name):
                found.append(Difference(what, _name(key), name, _short(value), _short(now.get(name))))
    return sorted(found, key=lambda one: (one.what, one.name, one.how))


def _sorted(one: Mapping[Any, Any], other: Mapping[Any, Any]) -> Iterable[Any]:
    return sorted(one.keys() - other.keys(), key=str)


def _name(key: Any) -> str:
    return " ".join(map(str, key)) if isinstance(key, tuple) else str(key)


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 200 else f"{text[:199]}…"
