"""What a config would change: field by field, old and new."""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import msgspec
from msgspec import structs

from schemas.bots import BotConfig

_COUNTED: Final = {"revision", "effective_from_ms"}
"""Counted up and dated by the command itself."""


class Change(NamedTuple):
    """`field` is a path such as `take_profit.steps[1].percent`; None: it was, or is, not there."""

    field: str
    old: Any
    new: Any

    def __str__(self) -> str:
        return f"{self.field}: {_shown(self.old)} → {_shown(self.new)}"


def differences(before: BotConfig, after: BotConfig) -> list[Change]:
    """Every field in which `after` says something else."""
    old, new = dict(_leaves(before, "")), dict(_leaves(after, ""))
    fields = list(dict.fromkeys([*old, *new]))
    return [
        Change(field, old.get(field), new.get(field))
        for field in fields
        if field not in _COUNTED and old.get(field) != new.get(field)
    ]


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """(path, value) of everything that is no part with fields of its own; a condition is one value."""
    if isinstance(value, msgspec.Struct):
        for field in structs.fields(value):
            yield from _leaves(
                getattr(value, field.name), f"{path}.{field.encode_name}" if path else field.encode_name
            )
    elif isinstance(value, tuple):
        for number, item in enumerate(value):
            yield from _leaves(item, f"{path}[{number}]")
    else:
        yield path, value


def _shown(value: Any) -> str:
    match value:
        case None | "" | {}:
            return "none"
        case bool():
            return "yes" if value else "no"
        case list():
            return ", ".join(map(str, value))
        case _:
            return str(value)
