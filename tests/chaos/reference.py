"""The same inputs through the same parts in one process, where nothing is ever interrupted."""

from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from sinks.database.engine import open_engine
from streams.cli.pipeline import Pipeline
from tests.chaos.evidence import Evidence, Told, read_tables
from tests.chaos.scenario import Scenario
from topics.registry import Topics


async def run(
    scenario: Scenario, klines: Path, folder: Path, partitions: int, fed: int, announced: int
) -> Evidence:
    """Feed the first `fed` segments, each after its changes, quiet before the next.

    The changes of `announced` segments were published: possibly those of one more than was fed.
    """
    database = f"sqlite:///{folder / 'reference.db'}"
    pipeline = Pipeline(careless(open_engine(database)), Topics(partitions=partitions))
    try:
        await pipeline.apply(*scenario.bots)
        for segment in range(announced):
            await pipeline.apply(*scenario.changes[segment])
            if segment < fed:
                await pipeline.feed(
                    scenario.klines(klines, segment).boundaries("file"), step=scenario.segment_minutes
                )
        records = pipeline.bus.records(pipeline.topics.triggers.name)
        told = [Told(r.partition, r.offset, r.timestamp_ms, r.key, r.value, r.headers) for r in records]
        return Evidence({"triggers": told}, read_tables(database), dead={"all": pipeline.dead_letters()})
    finally:
        pipeline.close()


def careless(engine: Engine) -> Engine:
    """Nobody pulls the plug here: commits need not wait for the disk."""

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA synchronous=OFF").close()

    return engine
