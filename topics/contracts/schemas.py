"""JSON Schema (2020-12) of every message, out of the structs that decode it."""

from typing import Any, Final

import msgspec

from schemas.alerts import AlertCommand, Member
from schemas.bots import BotConfig, CloseRule, TakeProfit
from schemas.message import Message
from topics.contracts.conditions import Schema, condition_schemas
from topics.registry import Topics

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_CONDITION_FIELDS: Final = (
    (Member, "condition"),
    (AlertCommand, "condition"),
    (BotConfig, "entry"),
    (BotConfig, "safety_condition"),
    (CloseRule, "when"),
)
_ONE_OF_TWO: Final = {TakeProfit: ("percent", "steps")}
"""Structs that need one of two fields."""
_NEWLINE_GUARD: Final = r"(?!\n)"
"""Python's `$` also matches before a newline at the end, that of JSON Schema's patterns does not."""


def message_types(topics: Topics) -> list[type[Message]]:
    """Every message on the topics, once, in the registry's order."""
    return list(dict.fromkeys(value for spec in topics.messages() for value in spec.values))


def tag_of(message: type[Message]) -> str:
    """The message's `type` on the wire."""
    return str(message.__struct_config__.tag)


def message_schemas(topics: Topics) -> dict[str, Schema]:
    """A self-contained schema by `type` of the message, and `condition`."""
    found: dict[str, Schema] = {}
    for message in message_types(topics):
        needed = components([message], "#/$defs/{name}")
        found[tag_of(message)] = _document(message.__name__, needed)
    tree = condition_schemas(lambda name: {"$ref": f"#/$defs/{name}"})
    return found | {"condition": _document("Condition", _plain(tree))}


def components(messages: list[type[Message]], ref_template: str) -> dict[str, Schema]:
    """Schemas by struct name: `messages`, all they are made of, and conditions."""
    _, parts = msgspec.json.schema_components(messages, ref_template=ref_template)
    schemas: dict[str, Schema] = dict(parts)

    def ref(name: str) -> Schema:
        return {"$ref": ref_template.format(name=name)}

    for struct, field in _CONDITION_FIELDS:
        if (schema := schemas.get(struct.__name__)) is not None:
            properties = schema["properties"]
            properties[field] = _with_condition(properties[field], ref("Condition"))
            schemas |= condition_schemas(ref)
    for part, fields in _ONE_OF_TWO.items():
        if (schema := schemas.get(part.__name__)) is not None:
            schema["anyOf"] = [{"required": [field]} for field in fields]
    for message in messages:
        # A constant says more plainly than a list of one what a reader tells messages apart by.
        schemas[message.__name__]["properties"]["type"] = {"const": tag_of(message)}
    plain: dict[str, Schema] = _plain(schemas)
    return plain


def _document(name: str, parts: dict[str, Schema]) -> Schema:
    rest = {part: schema for part, schema in sorted(parts.items()) if part != name or name == "Condition"}
    head = {"$ref": "#/$defs/Condition"} if name == "Condition" else parts[name]
    return {"$schema": _DIALECT, "title": name} | head | ({"$defs": rest} if rest else {})


def _with_condition(schema: Schema, condition: Schema) -> Schema:
    """`schema` with its object of any shape replaced by a condition."""
    if schema.get("type") == "object":
        return condition
    if "anyOf" in schema:
        return schema | {"anyOf": [_with_condition(choice, condition) for choice in schema["anyOf"]]}
    return schema


def _plain(schema: Any) -> Any:
    """Docstrings on one line, patterns without the guard that only Python needs."""
    if isinstance(schema, list):
        return [_plain(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {name: _plain(value) for name, value in schema.items()}
    if isinstance(text := plain.get("description"), str):
        plain["description"] = " ".join(text.split())
    if isinstance(pattern := plain.get("pattern"), str):
        plain["pattern"] = pattern.removesuffix(_NEWLINE_GUARD)
    return plain
