"""The order in which configs and triggers are read does not change what is dealt.

Generations, and the ids made from them, may differ: a config that is read before a trigger of an older bar arms the
group again, and the trigger comes again. What is bought and sold, when, and at what price may not.
"""

import asyncio
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import Engine, text

from sinks.database.engine import open_engine
from sinks.database.migrate import upgrade
from tests.sinks.conftest import Day
from tests.sinks.loop import Loop
from tests.sinks.scenario import play

_FILLS = text("""
    SELECT d.bot_id, d.symbol, d.opened_at_ms, f.position, f.level, f.at_ms, f.side, f.price, f.quantity, f.fee
    FROM fills f JOIN deals d ON d.deal_id = f.deal_id ORDER BY 1, 2, 3, 4
""")
_DEALS = text("""
    SELECT bot_id, symbol, opened_at_ms, closed_at_ms, close_reason, quantity, profit, config_seq
    FROM deals ORDER BY 1, 2, 3
""")


def dealt(engine: Engine) -> list[list[tuple[Any, ...]]]:
    """Deals and fills without what is made from a generation."""
    with engine.connect() as connection:
        return [[tuple(row) for row in connection.execute(query)] for query in (_DEALS, _FILLS)]


def run_at_random(loop: Loop, random: Random) -> None:
    """Both sides take turns of random length, one record at a time, until both are done."""
    idle = 0
    while idle < 2:
        evaluator_first = random.random() < 0.5
        handled = loop.evaluator.run() if evaluator_first else 0
        handled += asyncio.run(loop.worker.run_once())
        idle = 0 if handled or loop.evaluator.run() else idle + 1


def test_what_is_dealt_does_not_depend_on_who_is_read_first(tmp_path: Path, day: Day) -> None:
    found = []
    for seed in range(4):
        engine = open_engine(str(tmp_path / f"{seed}.db"))
        upgrade(engine)
        loop = Loop(engine, seed=seed, batch=1 + seed % 3)
        play(loop, partial(run_at_random, random=Random(seed)), racing=True)
        found.append(dealt(engine))
        assert {event.event for event in loop.events} >= {"ignored", "entry_refused", "closed", "rejected"}
        engine.dispose()
    assert len(found[0][0]) >= 6
    assert all(one == found[0] for one in found[1:])
