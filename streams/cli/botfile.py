"""Bot configurations from YAML files: strict, and helpful about what is wrong.

Unknown fields are refused by name with the nearest known one; a decimal may be written as text or as a whole
number, never as a YAML float, which is not exact.
"""

import difflib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, get_args

import msgspec
from msgspec import inspect, structs
from msgspec.structs import FieldInfo

from schemas.bots import BotConfig
from schemas.interval import INTERVAL_PATTERN
from schemas.message import DECIMAL_PATTERN, ID_PATTERN, SYMBOL_PATTERN, Decimals, SignedDecimals
from streams.cli.errors import Invalid
from streams.cli.yamlfile import Entry, entries
from topics.codec import encode


@dataclass(frozen=True)
class Mistake:
    """One thing that is wrong with a file: where, in which field, and why."""

    place: str
    field: str
    reason: str

    def __str__(self) -> str:
        return f"{self.place}: {self.field}: {self.reason}" if self.field else f"{self.place}: {self.reason}"


class Mistakes(Invalid):
    """Everything that is wrong with a file, a line each."""

    def __init__(self, found: list[Mistake]) -> None:
        self.found = tuple(found)
        super().__init__("\n".join(str(mistake) for mistake in found))


def read_bots(path: Path) -> list[BotConfig]:
    """All bots of the file. Raises Invalid (Mistakes) with every mistake that can be seen in one pass."""
    bots: list[BotConfig] = []
    mistakes: list[Mistake] = []
    for entry in entries(path):
        made = bot_of(entry, f"{path}, line {entry.line}")
        if isinstance(made, BotConfig):
            bots.append(made)
        else:
            mistakes += made
    mistakes += _twice(path, bots)
    if mistakes:
        raise Mistakes(mistakes)
    return bots


def bot_of(entry: Entry, place: str) -> BotConfig | list[Mistake]:
    """The bot of one mapping, or everything that can be seen to be wrong with it."""
    fields = dict(entry.fields)
    name = fields.get("bot_id")
    place = f"{place}, bot {name}" if isinstance(name, str) else place
    if fields.pop("type", "bot_config") != "bot_config":
        return [Mistake(place, "type", "expected bot_config, or nothing")]
    mistakes = strange_fields(BotConfig, fields, place)
    exact, inexact = _decimals(BotConfig, fields, place, "")
    if mistakes or inexact:
        return mistakes + inexact
    try:
        config = msgspec.convert({"type": "bot_config", **exact}, BotConfig)
        # What the topic's readers will do with it: the same refusals, before it is sent.
        return msgspec.json.decode(encode(config), type=BotConfig)
    except msgspec.ValidationError as wrong:
        return [from_msgspec(str(wrong), place, BotConfig)]


def from_msgspec(text: str, place: str, struct: type[msgspec.Struct]) -> Mistake:
    """What msgspec refuses in a `struct`, with the field's path."""
    reason, _, path = text.partition(" - at `$")
    field = path.rstrip("`").lstrip(".")
    if reason.startswith("Object missing required field"):
        name = reason.split("`")[1]
        return Mistake(place, f"{field}.{name}" if field else name, "is missing")
    if form := next((words for pattern, words in _FORMS if pattern in reason), None):
        return Mistake(place, field, form)
    return Mistake(place, field, reason[:1].lower() + reason[1:] + _hint(reason, field, struct))


def _written(pattern: str) -> str:
    """A pattern as msgspec prints it."""
    return f"matching regex {pattern!r}"


_FORMS: Final = (
    (_written(DECIMAL_PATTERN), "expected a decimal such as 1.5: not negative, no exponent, at most 18 digits a side"),
    (_written(SYMBOL_PATTERN), "expected a venue symbol such as BTCUSDT: capital letters, digits, . _ : -"),
    (_written(ID_PATTERN), "expected an id such as btc-dip: letters, digits, . _ : @ -, first a letter or a digit"),
    (_written(INTERVAL_PATTERN), "expected an interval such as 1m, 15m, 4h, 1d, 1w"),
)  # fmt: skip
"""What people are told in place of a regular expression."""


def _hint(reason: str, field: str, struct: type[msgspec.Struct]) -> str:
    if "Expected `str`" in reason and ("`int`" in reason or "`bool`" in reason):
        return "; put it in quotes"
    if reason.startswith("Invalid enum value") and (choices := _choices(struct, field.split("."))):
        return f"; expected {', '.join(choices)}"
    return ""


def _choices(struct: type[msgspec.Struct], path: list[str]) -> list[str]:
    """What the field at `path` may be, where that is a list of words."""
    field = _known(struct).get(path[0].partition("[")[0])
    if field is None:
        return []
    if len(path) > 1:
        part = _part(field)
        return _choices(part, path[1:]) if part else []
    info = inspect.type_info(field.type)
    return [str(value) for value in info.values] if isinstance(info, inspect.LiteralType) else []


@cache
def _known(struct: type[msgspec.Struct]) -> dict[str, FieldInfo]:
    return {field.encode_name: field for field in structs.fields(struct)}


def strange_fields(
    struct: type[msgspec.Struct], fields: dict[str, Any], place: str, path: str = ""
) -> list[Mistake]:
    """Fields that `struct` does not have, each with the nearest one that it has."""
    known, mistakes = _known(struct), []
    for name, value in fields.items():
        if name not in known:
            near = difflib.get_close_matches(str(name), known, n=1, cutoff=0.5)
            hint = f"; did you mean {path}{near[0]}?" if near else f"; known are {', '.join(known)}"
            mistakes.append(Mistake(place, f"{path}{name}", f"unknown field{hint}"))
        elif part := _part(known[name]):
            for where, inner in _parts(value, f"{path}{name}"):
                mistakes += strange_fields(part, inner, place, f"{where}.")
    return mistakes


def _decimals(
    struct: type[msgspec.Struct], fields: dict[str, Any], place: str, path: str
) -> tuple[dict[str, Any], list[Mistake]]:
    """`fields` with whole numbers as decimal text, and every float where a decimal belongs."""
    exact, mistakes, known = dict(fields), list[Mistake](), _known(struct)
    for name, value in fields.items():
        field = known.get(name)
        if field is None:
            continue
        if part := _part(field):
            exact[name] = _exact_parts(part, value, place, f"{path}{name}", mistakes)
        elif _is_decimal(field):
            if isinstance(value, int) and not isinstance(value, bool):
                exact[name] = str(value)
            elif isinstance(value, float):
                mistakes.append(
                    Mistake(place, f"{path}{name}", f'{value} is a float, not exact; write "{value}"')
                )
    return exact, mistakes


def _exact_parts(
    part: type[msgspec.Struct], value: Any, place: str, path: str, mistakes: list[Mistake]
) -> Any:
    """A nested part, or a list of them, made exact; what is neither is left to msgspec to refuse."""
    if isinstance(value, list):
        return [
            _exact_parts(part, item, place, f"{path}[{i}]", mistakes) if isinstance(item, dict) else item
            for i, item in enumerate(value)
        ]
    if not isinstance(value, dict):
        return value
    exact, inner = _decimals(part, value, place, f"{path}.")
    mistakes += inner
    return exact


def _parts(value: Any, path: str) -> list[tuple[str, dict[str, Any]]]:
    """The objects that stand at `path`, each with its place: one, or those of a list."""
    if isinstance(value, dict):
        return [(path, value)]
    items = value if isinstance(value, list) else []
    return [(f"{path}[{i}]", item) for i, item in enumerate(items) if isinstance(item, dict)]


def _is_decimal(field: FieldInfo) -> bool:
    options = (field.type, *get_args(field.type))
    return any(option in (Decimals, SignedDecimals) for option in options)


def _part(field: FieldInfo) -> type[msgspec.Struct] | None:
    """The struct that the field holds, or that the items of its list are."""
    return _struct_in(field.type)


@cache
def _struct_in(kind: Any) -> type[msgspec.Struct] | None:
    info = inspect.type_info(kind)
    for option in info.types if isinstance(info, inspect.UnionType) else (info,):
        if isinstance(option, inspect.VarTupleType | inspect.ListType):
            option = option.item_type
        if isinstance(option, inspect.StructType):
            return option.cls
    return None


def _twice(path: Path, bots: list[BotConfig]) -> list[Mistake]:
    seen: set[str] = set()
    mistakes = []
    for bot in bots:
        if bot.bot_id in seen:
            mistakes.append(Mistake(str(path), "bot_id", f"{bot.bot_id} stands twice"))
        seen.add(bot.bot_id)
    return mistakes
