"""A bot file with a `sweep` mapping: a configuration for every setting, refused or accepted as any bot file is."""

import difflib
import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from msgspec import structs

from schemas.bots import BotConfig
from streams.cli.backtesting.sweeping.space import Setting, Space, SpaceInvalid, space_of
from streams.cli.botfile import bot_of
from streams.cli.errors import Invalid
from streams.cli.yamlfile import Entry, entries

_FIELDS: Final = tuple(field.encode_name for field in structs.fields(BotConfig))
_CONDITIONS: Final = (("entry",), ("safety_condition",), ("close", "when"))
_PLACEHOLDER: Final = re.compile(r"\{\s*([A-Za-z_]\w*)\s*\}")


@dataclass(frozen=True)
class SweepFile:
    """`fields` of the bot without `sweep`; `place` says where it stands, for messages."""

    place: str
    line: int
    fields: Mapping[str, Any]
    space: Space

    @property
    def names(self) -> tuple[str, ...]:
        """Of the parameters."""
        return tuple(self.space.parameters)

    def written(self, setting: Setting) -> dict[str, Any]:
        """The bot's fields with a setting put in. Raises ValueError for a path that leads nowhere."""
        fields = deepcopy(dict(self.fields))
        words = dict(zip(self.names, setting, strict=True))
        for name, value in words.items():
            if _is_field(name):
                _put(fields, name.split("."), deepcopy(value), name)
        for path in _CONDITIONS:
            _fill(fields, path, words)
        return fields

    def configuration(self, setting: Setting) -> BotConfig | str:
        """The bot of a setting, or why a bot file that says so would be refused."""
        try:
            made = bot_of(Entry(self.line, self.written(setting)), "")
        except ValueError as wrong:
            return str(wrong)
        if isinstance(made, BotConfig):
            return made
        return "; ".join(f"{mistake.field}: {mistake.reason}" for mistake in made)


def read_sweep(path: Path) -> SweepFile:
    """The one bot of the file and what is to be varied. Raises Invalid, with the file, the line and the field."""
    found = entries(path)
    if len(found) != 1:
        raise Invalid(f"{path}: a sweep is of one bot, the file has {len(found)}")
    entry = found[0]
    place = f"{path}, line {entry.line}"
    fields = dict(entry.fields)
    if "sweep" not in fields:
        raise Invalid(f"{place}: sweep: is missing: what to vary, such as sweep: {{window: [7, 14]}}")
    try:
        space = space_of(fields.pop("sweep"))
        file = SweepFile(place, entry.line, fields, space)
        _check_names(file)
    except SpaceInvalid as wrong:
        raise Invalid(f"{place}: {wrong}") from None
    return file


def _is_field(name: str) -> bool:
    return name.partition(".")[0] in _FIELDS


def _check_names(file: SweepFile) -> None:
    """Every parameter is used, every placeholder is filled, and no field is set twice."""
    used = set(_placeholders(file))
    for name in file.names:
        if _is_field(name):
            if name in used:
                raise SpaceInvalid(name, "is a field and a placeholder; call the placeholder otherwise")
            if name.partition(".")[0] in ("bot_id", "user_id", "state", "revision", "effective_from_ms"):
                raise SpaceInvalid(name, "is no setting that a backtest could compare")
            whole = [other for other in file.names if name.startswith(f"{other}.")]
            if whole:
                raise SpaceInvalid(name, f"lies inside {whole[0]}, which is varied too")
        elif name not in used:
            near = difflib.get_close_matches(name, [*used, *_FIELDS], n=1, cutoff=0.5)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise SpaceInvalid(name, f"is no field of a bot, and no condition has {{{name}}} in it{hint}")
    if missing := sorted(used - set(file.names)):
        raise SpaceInvalid(missing[0], f"is missing: a condition has {{{missing[0]}}} in it")


def _placeholders(file: SweepFile) -> Iterator[str]:
    """Of the file's conditions, and of those that the sweep puts in their places."""
    texts = [text for path in _CONDITIONS for text in [_at(dict(file.fields), path)]]
    for name, parameter in file.space.parameters.items():
        if _is_field(name):
            texts += list(getattr(parameter, "values", ()))
    for text in texts:
        for inner in _texts(text):
            yield from _PLACEHOLDER.findall(inner)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)


def _at(fields: Any, path: tuple[str, ...]) -> Any:
    for part in path:
        fields = fields.get(part) if isinstance(fields, dict) else None
    return fields


def _put(fields: dict[str, Any], path: list[str], value: Any, name: str) -> None:
    """Set the field at `path`; what is missing on the way is made."""
    here: Any = fields
    for part in path[:-1]:
        if isinstance(here, dict):
            if here.get(part) is None:
                here[part] = {}
            here = here[part]
        elif isinstance(here, list) and part.isdecimal() and int(part) < len(here):
            here = here[int(part)]
        else:
            raise ValueError(f"{name}: there is no {part}")
    last = path[-1]
    if isinstance(here, dict):
        here[last] = value
    elif isinstance(here, list) and last.isdecimal() and int(last) < len(here):
        here[int(last)] = value
    else:
        raise ValueError(f"{name}: there is no {last}")


def _fill(fields: Any, path: tuple[str, ...], words: Mapping[str, Any]) -> None:
    """Put parameters into a condition written as text."""
    holder = _at(fields, path[:-1]) if len(path) > 1 else fields
    text = holder.get(path[-1]) if isinstance(holder, dict) else None
    if isinstance(text, str):
        holder[path[-1]] = _PLACEHOLDER.sub(lambda found: str(words.get(found[1], found[0])), text)
