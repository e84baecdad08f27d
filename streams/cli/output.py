"""What commands print: a table for people, or JSON for programs; notes go to standard error."""

import sys
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, TypeAlias

import typer

JsonFlag: TypeAlias = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]


def print_json(value: object) -> None:
    """One indented JSON document on standard output."""
    from msgspec import json

    print(json.format(json.encode(value), indent=2).decode())


def print_json_line(value: object) -> None:
    """One JSON object per line, at once: for output that goes on."""
    from msgspec import json

    print(json.encode(value).decode(), flush=True)


def note(text: str) -> None:
    """A remark that is no result."""
    print(text, file=sys.stderr, flush=True)


def print_table(
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    title: str | None = None,
    right: Iterable[str] = (),
) -> None:
    """A table; `right` names the columns of numbers. Text is shown as it is, never read as markup."""
    console().print(table(columns, rows, title, right))


def table(
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    title: str | None = None,
    right: Iterable[str] = (),
) -> Any:
    """The rich table of `print_table`, for screens that put several together."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    made = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left", pad_edge=False)
    numbers = set(right)
    for name in columns:
        made.add_column(name, justify="right" if name in numbers else "left", overflow="fold")
    for row in rows:
        made.add_row(*(Text("–" if cell is None else str(cell)) for cell in row))
    return made


def console(*, stderr: bool = False) -> Any:
    """A rich console; where the output is no terminal its lines are wide enough for every table."""
    from rich.console import Console

    made = Console(stderr=stderr, highlight=False)
    if not made.is_terminal:
        made.width = 160
    return made
