"""YAML with the line of everything in it, read strictly: no key twice, no tags, no aliases that multiply."""

from pathlib import Path
from typing import Any, TypeAlias

import yaml

Place: TypeAlias = tuple[str | int, ...]


class BadYaml(ValueError):
    """The text is no YAML that we read. The message names the line."""


class Lined:
    """`data` as plain dicts, lists and scalars. `line` of a place counts from 1."""

    def __init__(self, text: str) -> None:
        """Raises BadYaml."""
        self._lines: dict[Place, int] = {}
        self._seen: set[int] = set()
        loader = yaml.SafeLoader(text)
        try:
            node = loader.get_single_node()
            self.data: Any = None if node is None else self._plain(loader, node, ())
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark
            raise BadYaml(f"line {mark.line + 1 if mark else 1}: {error.problem}") from None
        except (yaml.YAMLError, RecursionError, ValueError) as error:
            raise BadYaml(f"cannot be read: {type(error).__name__}") from None
        finally:
            loader.dispose()

    def line(self, place: Place) -> int:
        """Where `place`, or what it is missing from, stands."""
        while place not in self._lines and place:
            place = place[:-1]
        return self._lines.get(place, 1)

    def _plain(self, loader: yaml.SafeLoader, node: Any, place: Place) -> Any:
        if id(node) in self._seen:
            raise yaml.MarkedYAMLError(None, None, "aliases (*name) are not read here", node.start_mark)
        self._seen.add(id(node))
        self._lines[place] = node.start_mark.line + 1
        if isinstance(node, yaml.MappingNode):
            return self._mapping(loader, node, place)
        if isinstance(node, yaml.SequenceNode):
            return [self._plain(loader, item, (*place, index)) for index, item in enumerate(node.value)]
        return loader.construct_object(node)

    def _mapping(self, loader: yaml.SafeLoader, node: yaml.MappingNode, place: Place) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.MarkedYAMLError(None, None, "expected a name", key.start_mark)
            if key.value in found:
                raise yaml.MarkedYAMLError(None, None, f"{key.value!r} stands twice", key.start_mark)
            found[key.value] = self._plain(loader, value, (*place, key.value))
            self._lines[*place, key.value] = key.start_mark.line + 1
        return found


def lined(path: Path) -> Lined:
    """The file at `path`. Raises BadYaml."""
    try:
        return Lined(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        raise BadYaml("is not UTF-8") from None
    except OSError as error:
        raise BadYaml(f"cannot be read: {error.strerror}") from None
