"""YAML read strictly: no key twice, every mapping knows its line, and values are what they look like."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from streams.cli.errors import Invalid


class Entry(NamedTuple):
    """One mapping of a file: the line where it begins, and what it holds."""

    line: int
    fields: dict[str, Any]


class _Strict(yaml.SafeLoader):
    """Refuses a key that stands twice (YAML drops the first); dates, `on`, `off`, `yes`, `no` stay text."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    raise yaml.constructor.ConstructorError(
                        None, None, f"field {key.value!r} stands twice", key.start_mark
                    )
                seen.add(key.value)
        return super().construct_mapping(node, deep)


_BOOL, _TIME = "tag:yaml.org,2002:bool", "tag:yaml.org,2002:timestamp"
_Strict.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag not in {_BOOL, _TIME}]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Strict.add_implicit_resolver(_BOOL, re.compile("^(?:true|false)$"), list("tf"))


def entries(path: Path) -> list[Entry]:
    """The mappings of a file: one, several documents, or lists of them. Raises Invalid with the line."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        reason = problem.strerror if isinstance(problem, OSError) else "is not UTF-8"
        raise Invalid(f"{path}: {reason}") from None
    try:
        found = list(_entries(path, text))
    except yaml.MarkedYAMLError as problem:
        where = f", line {problem.problem_mark.line + 1}" if problem.problem_mark else ""
        raise Invalid(f"{path}{where}: {problem.problem}") from None
    except yaml.YAMLError as problem:
        raise Invalid(f"{path}: {' '.join(str(problem).split())}") from None
    except RecursionError:
        raise Invalid(f"{path}: nested too deeply") from None
    if not found:
        raise Invalid(f"{path}: holds nothing")
    return found


def _entries(path: Path, text: str) -> Iterator[Entry]:
    loader = _Strict(text)
    try:
        while loader.check_node():
            document: Any = loader.get_node()
            nodes: list[Any] = document.value if isinstance(document, yaml.SequenceNode) else [document]
            for node in nodes:
                line = node.start_mark.line + 1
                value = loader.construct_document(node)
                if value is None:
                    continue
                if not isinstance(value, dict):
                    raise Invalid(
                        f"{path}, line {line}: expected fields and their values, found {str(value)[:40]!r}"
                    )
                yield Entry(line, value)
    finally:
        loader.dispose()
