"""The same inputs through the same parts in one process, where nothing is ever interrupted."""

from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Engine, event

from sinks.database.engine import open_engine
from streams.cli.pipeline import Pipeline
from tests.chaos.scenario import Scenario
from topics.records import Record
from topics.registry import Topics


class Reference(NamedTuple):
    """Where it left its database, and what it wrote to the triggers topic."""

    database: str
    triggers: list[Record]
    dead_letters: int


async def run(
    scenario: Scenario, klines: Path, folder: Path, partitions: int, fed: int, announced: int
) -> Reference:
    """Feed the first `fed` segments, each after its changes, quiet before the next; then the changes `announced` beyond."""
    database = f"sqlite:///{folder / 'reference.db'}"
    pipeline = Pipeline(_careless(open_engine(database)), Topics(partitions=partitions))
    try:
        await pipeline.apply(*scenario.bots)
        for segment in range(announced):
            await pipeline.apply(*scenario.changes[segment])
            if segment < fed:
                await pipeline.feed(
                    scenario.klines(klines, segment).boundaries("file"), step=scenario.segment_minutes
                )
        triggers = list(pipeline.bus.records(pipeline.topics.triggers.name))
        return Reference(database, triggers, pipeline.dead_letters())
    finally:
        pipeline.close()


def _careless(engine: Engine) -> Engine:
    """Nobody pulls the plug here: commits need not wait for the disk."""

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA synchronous=OFF").close()

    return engine
