"""JSON Schema of the condition tree: the same rules as `schemas.conditions`, for other languages.

What a schema cannot say (depth, number of nodes) stands in the description.
"""

from collections.abc import Callable
from typing import Any, Final, get_args

from schemas.conditions import (
    ANCHOR,
    ANCHOR_FROM_MS,
    ANCHORS,
    CRON_PATTERN,
    DECIMAL_PATTERN,
    MAX_BARS_AGO,
    MAX_BARS_BACK,
    MAX_CRON,
    MAX_DEPTH,
    MAX_MS,
    MAX_NODES,
    MAX_WINDOW,
    TZ_PATTERN,
    ArithmeticOp,
    ChannelOp,
    CompareOp,
    MovesOp,
    PriceField,
    Seed,
    Side,
)
from schemas.interval import INTERVAL_PATTERN

Schema = dict[str, Any]
Ref = Callable[[str], Schema]

_NAME: Final[Schema] = {"type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*$", "maxLength": 64}
_WINDOW: Final[Schema] = {"type": "integer", "minimum": 1, "maximum": MAX_WINDOW}
_POSITIVE: Final = r"^(?!0(\.0*)?$)(0|[1-9][0-9]*)(\.[0-9]+)?$"
_BELOW_100: Final = r"^(?!0(\.0*)?$)[1-9]?[0-9](\.[0-9]+)?$"
_ANCHOR: Final[Schema] = {
    "description": "When a sum that never forgets begins anew (UTC), or the instant from which on it counts.",
    "anyOf": [
        {"enum": list(ANCHORS)},
        {"type": "integer", "minimum": ANCHOR_FROM_MS, "maximum": MAX_MS},
    ],
}
_BARS: Final[Schema] = {"type": "integer", "minimum": 1, "maximum": MAX_BARS_BACK}
_KINDS: Final = (
    "All", "Any", "Not", "Compare", "Channel", "Moves", "Holds", "Sequence", "At", "Schedule", "Level",
)  # fmt: skip


def condition_schemas(ref: Ref) -> dict[str, Schema]:
    """Schemas by name, recursive through `ref` (which makes a reference out of a name)."""
    return {
        "Condition": {
            "title": "Condition",
            "description": f"A tree of at most {MAX_DEPTH} levels and {MAX_NODES} nodes, operands counted.",
            "oneOf": [ref("Part"), ref("Trail")],
        },
        "Part": {
            "title": "Part",
            "description": "What may be all of a condition, or a part of one.",
            "oneOf": [ref(name) for name in _KINDS],
        },
        "All": _object("Every one is true.", {"all": _conditions(ref)}),
        "Any": _object("At least one is true.", {"any": _conditions(ref)}),
        "Not": _object("It is false.", {"not": ref("Part")}),
        "At": _object(
            "The first bar close at or after this instant, epoch milliseconds.",
            {"at": {"type": "integer", "minimum": 0, "maximum": MAX_MS}},
        ),
        "Level": _object("The bar's path meets a price.", {"level": _level()}),
        "Trail": _object(
            "The bar's path comes back from its extreme by a percent.",
            {"trail": {"oneOf": [_trail("below", _BELOW_100), _trail("above", _POSITIVE)]}},
        ),
        "Compare": _object("Compares two operands.", _sides(CompareOp, ref))
        | {"not": _constants_only("left", "right")},
        "Channel": _object(
            "Where an operand stands to two others, or that it just came or went.",
            {"op": _choice(ChannelOp)} | {side: ref("Operand") for side in ("left", "low", "high")},
        )
        | {"not": _constants_only("left", "low", "high")},
        "Moves": _object(
            "By how much at least an operand moved against its own value some bars before.",
            {
                "op": _choice(MovesOp),
                "left": ref("Operand"),
                "right": {"type": "number", "exclusiveMinimum": 0},
                "bars": _BARS,
            },
        )
        | {"not": _constants_only("left")},
        "Holds": _object(
            "True at each of the last closes of its clock.", {"holds": ref("Part"), "bars": _BARS}
        ),
        "Sequence": _object(
            "Became true one after the other, the last one now.",
            {"sequence": _conditions(ref) | {"minItems": 2}, "within": _BARS},
        ),
        "Schedule": _object(
            "The first bar close at or after each instant of a crontab line in a time zone.",
            {"schedule": {"type": "string", "pattern": CRON_PATTERN, "maxLength": MAX_CRON}},
            {"tz": {"type": "string", "pattern": TZ_PATTERN, "default": "UTC"}},
        ),
        "Operand": {
            "title": "Operand",
            "description": "A number, or something that has one on every bar.",
            "anyOf": [{"type": "number"}, *(ref(name) for name in ("Price", "Indicator", "Arithmetic"))],
        },
        "Price": _object("A field of the bar.", {"price": _choice(PriceField)}, _seen_from()),
        "Indicator": _indicator(),
        "Arithmetic": _object("Two operands combined.", _sides(ArithmeticOp, ref)),
    }


def _object(description: str, required: Schema, optional: Schema | None = None) -> Schema:
    return {
        "description": description,
        "type": "object",
        "properties": required | (optional or {}),
        "required": list(required),
        "additionalProperties": False,
    }


def _conditions(ref: Ref) -> Schema:
    return {"type": "array", "items": ref("Part"), "minItems": 1}


def _level() -> Schema:
    price = {"type": "string", "pattern": DECIMAL_PATTERN, "maxLength": 40}
    return _object("A decimal string, met from or beyond `side`.", {"price": price, "side": _choice(Side)})


def _trail(side: Side, percent: str) -> Schema:
    price = {"type": ["string", "null"], "pattern": _POSITIVE, "maxLength": 40}
    return _object(
        "Follows the price from the start, or from when it touches `activate_at`.",
        {"percent": {"type": "string", "pattern": percent, "maxLength": 40}, "side": {"const": side}},
        {"activate_at": price},
    )


def _sides(ops: object, ref: Ref) -> Schema:
    return {"op": _choice(ops), "left": ref("Operand"), "right": ref("Operand")}


def _constants_only(*sides: str) -> Schema:
    return {"properties": {side: {"type": "number"} for side in sides}, "required": list(sides)}


def _choice(literal: object) -> Schema:
    return {"enum": list(get_args(literal))}


def _seen_from() -> Schema:
    return {
        "timeframe": {"type": ["string", "null"], "pattern": INTERVAL_PATTERN},
        "bars_ago": {"type": "integer", "minimum": 0, "maximum": MAX_BARS_AGO},
    }


def _indicator() -> Schema:
    schema = _object(
        "An indicator's output; its parameters stand beside its name and are numbers.",
        {"indicator": _NAME},
        {
            "output": _NAME | {"type": ["string", "null"]},
            "seed": _choice(Seed),
            "price": False,
            ANCHOR: _ANCHOR,
            "symbol": False,
        }
        | _seen_from(),
    )
    return schema | {
        "patternProperties": {"^(?!window_dev$).*window": _WINDOW},
        "additionalProperties": {"type": "number"},
    }
