"""A process that wants a partition: it claims, applies what is left, is fenced, claims again, until all is applied.

`python -m tests.sinks.claimant URL RECORDS OWNER`; RECORDS is a pickled list of records of one partition.
"""

import pickle
import sys
from functools import partial
from pathlib import Path

from sinks.database.engine import open_engine
from sinks.errors import Fenced
from sinks.executor.core import Executor
from sinks.executor.owned import Claim, Source
from sinks.patience import Patience
from tests.deadline import DEADLINE_S
from tests.sinks.bots import TOPICS
from tests.sinks.loop import RULES
from topics.records import Record

_BATCH = 3
SOURCES = [Source(name, name, 0, 10_000) for name in (TOPICS.configs.name, TOPICS.triggers.name)]


def left(records: list[Record], claim: Claim) -> list[Record]:
    """What the claim found not applied."""
    return [record for record in records if record.offset >= claim.next_offsets[record.topic]]


def main(url: str, path: str, owner: str) -> None:
    """Say `claimed` at each claim and how many times it was `fenced` at the end."""
    engine = open_engine(url)
    executor, patience = Executor(engine, TOPICS, RULES, owner), Patience(DEADLINE_S)
    records: list[Record] = pickle.loads(Path(path).read_bytes())
    partition = records[0].partition
    while True:
        claim = patience.run(partial(executor.claim, partition, SOURCES))
        print("claimed", claim.epoch, flush=True)
        waiting = left(records, claim)
        if not waiting:
            engine.dispose()
            return
        try:
            for start in range(0, len(waiting), _BATCH):
                patience.run(partial(executor.apply, claim, waiting[start : start + _BATCH]))
        except Fenced:
            continue


if __name__ == "__main__":
    main(*sys.argv[1:])
