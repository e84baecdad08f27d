"""The outbox relay: publishes what the executor told, in row order, at least once (law 11).

One per owned partition, under the partition's epoch. Rows are deleted after the broker acknowledged them; a
crash in between sends them again, which is harmless: commands carry their generation, events and snapshots
their ids.
"""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Engine

from sinks.database.engine import reading
from sinks.executor import outbox, owned
from sinks.executor.owned import Claim
from topics.failpoints import failpoint
from topics.records import Outgoing, Publisher


class Waiting(NamedTuple):
    """A row of the outbox."""

    row_id: int
    message: Outgoing


class Relay:
    """Publishes the outbox of one claimed partition: `waiting`, `send`, the publisher's flush, `forget`."""

    def __init__(self, engine: Engine, claim: Claim, batch: int = 1_000) -> None:
        self.claim = claim
        self._engine = engine
        self._batch = batch

    async def run_once(self, publisher: Publisher) -> int:
        """Publish the next batch; how many rows it had. Raises DeliveryFailed and Fenced."""
        rows = self.waiting()
        if rows:
            self.send(publisher, rows)
            await publisher.flush()
            failpoint("relay.acknowledged")
            self.forget(rows)
        return len(rows)

    def waiting(self) -> list[Waiting]:
        """The rows to be published next. Raises Fenced: who lost the partition sends nothing more."""
        with reading(self._engine).begin() as connection:
            owned.check_epoch(connection, self.claim.partition, self.claim.epoch, lock=False)
            rows = outbox.waiting(connection, self.claim.partition, self._batch)
        failpoint("relay.read")
        return [Waiting(*row) for row in rows]

    def send(self, publisher: Publisher, rows: Sequence[Waiting]) -> None:
        """Hand the rows over, in order."""
        for row in rows:
            publisher.send(row.message)
            failpoint("relay.sent")

    def forget(self, rows: Sequence[Waiting]) -> None:
        """Delete rows that the broker acknowledged."""
        with self._engine.begin() as connection:
            owned.check_epoch(connection, self.claim.partition, self.claim.epoch)
            failpoint("relay.epoch_checked")
            outbox.forget(connection, self.claim.partition, [row.row_id for row in rows])
            failpoint("relay.forgotten")
        failpoint("relay.committed")
