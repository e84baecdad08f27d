"""Progress of long work: a bar on a terminal, nothing otherwise."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from streams.cli.output import console

Tell = Callable[[float, str], None]
"""Takes what is done so far and a few words about it."""


@contextmanager
def progress(what: str, total: float | None, *, show: bool = True) -> Iterator[Tell]:
    """A bar on standard error for the time of the block; `total` None for work without an end."""
    if not (show and sys.stderr.isatty()):
        yield lambda done, words: None
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[words]}", markup=False),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total, words="")
        yield lambda done, words: bar.update(task, completed=done, words=words)
