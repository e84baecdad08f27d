"""The demo without a broker: the same parts on the in-process bus, in this process."""

import asyncio
from typing import Any, NamedTuple

from streams.cli.demo.found import fired_of
from streams.cli.demo.glance import Glance, glance
from streams.cli.demo.plan import Plan
from streams.cli.demo.view import View
from streams.cli.pipeline import Pipeline
from streams.feeds.publish import Published


class Ran(NamedTuple):
    """What there is after everything was fed."""

    last: Glance
    fired: list[dict[str, Any]]
    dead_letters: int


def run_in_process(plan: Plan, database: str, view: View) -> Ran:
    """Feed everything through the pipeline."""
    pipeline = Pipeline(database)
    try:
        last = asyncio.run(_run(pipeline, plan, database, view))
        return Ran(last, fired_of(pipeline.cluster, pipeline.topics), pipeline.dead_letters())
    finally:
        pipeline.close()


async def _run(pipeline: Pipeline, plan: Plan, database: str, view: View) -> Glance:
    await pipeline.apply(*plan.bots())
    await pipeline.apply_alerts(*plan.alerts())
    span = plan.last_ms - plan.first_ms

    def show(done: Published) -> None:
        seen = glance(pipeline.cluster, pipeline.topics, database)
        view.show(seen, ((done.last_ms or plan.first_ms) - plan.first_ms) / span)

    await pipeline.feed(plan.source(), plan.name, show)
    return glance(pipeline.cluster, pipeline.topics, database)
