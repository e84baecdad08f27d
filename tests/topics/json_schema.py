"""A validator for the part of JSON Schema that our contracts use; a keyword it does not know is an error."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

Schema = Mapping[str, Any] | bool
_SILENT: Final = {"$schema", "$defs", "title", "description", "default", "format"}
_TYPES: Final[dict[str, tuple[type, ...]]] = {
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "array": (list,),
    "object": (dict,),
    "null": (type(None),),
}


def accepts(schema: Schema, value: Any, root: Mapping[str, Any] | None = None) -> bool:
    """Whether `value` is valid. References (`#/…`) point into `root`, by default `schema` itself."""
    if isinstance(schema, bool):
        return schema
    base = schema if root is None else root
    return all(_holds(keyword, schema, value, base) for keyword in schema if keyword not in _SILENT)


def _holds(keyword: str, schema: Mapping[str, Any], value: Any, root: Mapping[str, Any]) -> bool:
    rule = schema[keyword]
    if keyword in _ANY:
        return _ANY[keyword](rule, value, root)
    if keyword in _OF:
        kind, holds = _OF[keyword]
        return not _is(kind, value) or holds(rule, value)
    members = {"properties", "patternProperties", "additionalProperties", "propertyNames"}
    assert keyword in {"items", *members}, f"unknown: {keyword}"
    if keyword == "items":
        return not isinstance(value, list) or all(accepts(rule, item, root) for item in value)
    return not isinstance(value, dict) or _members(keyword, schema, value, root)


def _members(keyword: str, schema: Mapping[str, Any], value: dict[str, Any], root: Mapping[str, Any]) -> bool:
    rule = schema[keyword]
    if keyword == "properties":
        return all(accepts(rule[name], value[name], root) for name in rule if name in value)
    if keyword == "propertyNames":
        return all(accepts(rule, name, root) for name in value)
    patterns = schema.get("patternProperties", {})
    if keyword == "patternProperties":
        return all(
            accepts(rule[p], value[name], root) for name in value for p in patterns if re.search(p, name)
        )
    named = set(schema.get("properties", {}))
    others = [n for n in value if n not in named and not any(re.search(p, n) for p in patterns)]
    return all(accepts(rule, value[name], root) for name in others)


def _is(kind: str, value: Any) -> bool:
    return isinstance(value, _TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool))


def _resolve(reference: str, value: Any, root: Mapping[str, Any]) -> bool:
    return accepts(resolve(reference, root), value, root)


def resolve(reference: str, root: Mapping[str, Any]) -> Any:
    """What `reference` (`#/a/b`) points to in `root`. Raises KeyError."""
    found: Any = root
    for step in reference.removeprefix("#/").split("/"):
        found = found[step]
    return found


def _type(kinds: str | list[str], value: Any, _: Mapping[str, Any]) -> bool:
    return any(_is(kind, value) for kind in ([kinds] if isinstance(kinds, str) else kinds))


def _count(choices: list[Schema], value: Any, root: Mapping[str, Any]) -> int:
    return sum(accepts(choice, value, root) for choice in choices)


_ANY: Final[dict[str, Callable[[Any, Any, Mapping[str, Any]], bool]]] = {
    "$ref": _resolve,
    "type": _type,
    "enum": lambda rule, value, _: value in rule,
    "const": lambda rule, value, _: value == rule,
    "anyOf": lambda rule, value, root: _count(rule, value, root) > 0,
    "oneOf": lambda rule, value, root: _count(rule, value, root) == 1,
    "not": lambda rule, value, root: not accepts(rule, value, root),
}
_OF: Final[dict[str, tuple[str, Callable[[Any, Any], bool]]]] = {
    "pattern": ("string", lambda rule, value: re.search(rule.replace("$", r"\Z"), value) is not None),
    "minLength": ("string", lambda rule, value: len(value) >= rule),
    "maxLength": ("string", lambda rule, value: len(value) <= rule),
    "minimum": ("number", lambda rule, value: value >= rule),
    "maximum": ("number", lambda rule, value: value <= rule),
    "exclusiveMinimum": ("number", lambda rule, value: value > rule),
    "minItems": ("array", lambda rule, value: len(value) >= rule),
    "maxItems": ("array", lambda rule, value: len(value) <= rule),
    "required": ("object", lambda rule, value: all(name in value for name in rule)),
}
