"""All named fail-points, found in the source, so that a new one is never forgotten."""

import ast
from collections.abc import Iterator
from pathlib import Path

from topics.registry import TABLES

_ROOT = Path(__file__).parents[2]


def worker_points() -> list[str]:
    """Fail-points of the evaluator's process."""
    return _points("streams")


def executor_points() -> list[str]:
    """Fail-points of the executor's process."""
    return _points("sinks")


def _points(room: str) -> list[str]:
    trees = (ast.parse(path.read_text()) for path in sorted((_ROOT / room).rglob("*.py")))
    return sorted({name for tree in trees for node in ast.walk(tree) for name in _names(node)})


def _names(node: ast.AST) -> Iterator[str]:
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "failpoint"):
        return
    match node.args[0]:
        case ast.Constant(str(name)):
            yield name
        case ast.JoinedStr(values):
            text = "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in values)
            for table in TABLES:
                yield text.format(table)
        case other:
            raise ValueError(f"line {other.lineno}: a fail-point's name is text, or text with a table in it")
