"""Every story of a deal or a grid as one batch through a real broker and real processes, with each of two databases."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select

from sinks.database.tables import deals, fills
from streams.cli.applying import await_answers, ends, send
from tests.deadline import DEADLINE_S
from tests.e2e.stack import Stack, stack
from tests.sinks.postgres import Cluster, NoPostgres, cluster
from tests.stories import STORIES, grid_batch
from tests.stories.batch import bot_id, configs, ending, expected, instruments, klines, rows
from tests.streams.engine.grid.stories import STORIES as GRIDS
from topics.broker.choose import Broker

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


@pytest.fixture(scope="module")
def server() -> Iterator[Cluster]:
    try:
        with cluster() as running:
            yield running
    except NoPostgres as missing:
        pytest.skip(str(missing))


def _write(folder: Path) -> tuple[Path, Path]:
    """The candles and the instruments as users give them."""
    candles, filters = folder / "stories.csv", folder / "instruments.yaml"
    with candles.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("symbol", "open_time", "open", "high", "low", "close", "volume"))
        candles_of_all = [*klines(STORIES), *grid_batch.klines(GRIDS)]
        for k in sorted(candles_of_all, key=lambda kline: (kline.open_time_ms, kline.symbol)):
            writer.writerow((k.symbol, k.open_time_ms, k.open, k.high, k.low, k.close, k.volume))
    lines = [
        f'{symbol}: {{tick: "{one.tick}", lot: "{one.lot}", min_notional: "{one.min_notional}"}}\n'
        for symbol, one in (instruments(STORIES) | grid_batch.instruments(GRIDS)).items()
    ]
    filters.write_text("".join(lines))
    return candles, filters


def _play(real: Stack, folder: Path) -> None:
    candles, filters = _write(folder)
    real.start("worker")
    real.start("executor", "executor", "--instruments", str(filters))
    since = ends(real.cluster, real.topics.events.name)
    send(real.cluster, real.topics, [*configs(STORIES), *grid_batch.configs(GRIDS)])
    names = [bot_id(number) for number in range(len(STORIES))]
    names += [grid_batch.bot_id(number) for number in range(len(GRIDS))]
    answers = await_answers(real.cluster, real.topics, names, since, DEADLINE_S)
    assert {answer.event for answer in answers.values()} == {"accepted"}
    real.start("feed", "feed", "file", str(candles), "--speed", "max")
    assert real.wait_ended("feed") == 0, real.log("feed")
    real.wait_settled("worker", "executor")


def _booked(engine: Engine) -> tuple[dict[str, dict[str, Any]], list[dict[str, Any]]]:
    """The deal of every bot, and all fills in order."""
    with engine.connect() as connection:
        found = [dict(row._mapping) for row in connection.execute(select(deals))]
        filled = connection.execute(select(fills).order_by(fills.c.deal_id, fills.c.position))
        return {deal["bot_id"]: deal for deal in found}, [dict(row._mapping) for row in filled]


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_every_story_ends_as_it_is_told(
    kafka: Broker, database: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    url = None
    if database == "postgresql":
        server: Cluster = request.getfixturevalue("server")
        url = server.database()
    with stack(kafka, tmp_path, database=url) as real:
        _play(real, tmp_path)
        found, filled = _booked(real.engine)
    wrong = grid_batch.wrong(GRIDS, found.values(), filled)
    for number, story in enumerate(STORIES):
        deal = found.get(bot_id(number))
        mine = [fill for fill in filled if deal is not None and fill["deal_id"] == deal["deal_id"]]
        if deal is None or rows(mine) != story.rows or ending(deal) != expected(story):
            wrong.append(f"{story.title}: {deal and ending(deal)}, {rows(mine)}")
    assert wrong == []
