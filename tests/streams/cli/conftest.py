"""A whole pipeline without a broker, and the command line on it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.cli.cluster import MemoryCluster
from streams.cli.pipeline import Pipeline
from tests.streams.cli.commandline import CommandLine
from topics.bus import MemoryPublisher


class AnsweringCluster(MemoryCluster):
    """The bus of a pipeline whose parts do their work whenever something was published."""

    def __init__(self, pipeline: Pipeline) -> None:
        super().__init__(pipeline.bus)
        self._pipeline = pipeline

    def publisher(self) -> MemoryPublisher:
        return _Answered(self._pipeline)


class _Answered(MemoryPublisher):
    def __init__(self, pipeline: Pipeline) -> None:
        super().__init__(pipeline.bus)
        self._pipeline = pipeline

    async def flush(self) -> None:
        await super().flush()
        await self._pipeline.run_until_idle()


@pytest.fixture
def database(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'deals.db'}"


@pytest.fixture
def pipeline(database: str) -> Iterator[Pipeline]:
    made = Pipeline(database)
    yield made
    made.close()


@pytest.fixture
def strikeline(pipeline: Pipeline, tmp_path: Path, database: str) -> CommandLine:
    return CommandLine(AnsweringCluster(pipeline), tmp_path / "state", database=database)
