"""The command line against the in-process bus: what a test types, and what comes back."""

import json
from pathlib import Path
from typing import Any, NamedTuple

from typer.testing import CliRunner

from streams.cli.app import app
from streams.cli.cluster import Cluster
from streams.cli.context import Place


class Answer(NamedTuple):
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as JSON."""
        return json.loads(self.out)


class CommandLine:
    """Runs commands as a user would, on `cluster`, with its state in `folder`."""

    def __init__(
        self, cluster: Cluster, folder: Path, partitions: int = 4, database: str | None = None
    ) -> None:
        self._place = Place(partitions=partitions, database=database, open_cluster=lambda _: cluster)
        self._folder = folder

    def __call__(self, *words: str) -> Answer:
        """`strikeline WORDS`."""
        result = CliRunner().invoke(app, ["--dir", str(self._folder), *words], obj=self._place)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Answer(result.exit_code, result.stdout, result.stderr)
