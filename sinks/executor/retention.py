"""When to take out what is over: by event time, as it passes, a little in a transaction that runs anyway."""

from collections.abc import Iterable
from typing import Final

from sqlalchemy import Connection

from schemas.triggers import Trigger
from sinks.database.pruning import prune
from sinks.executor.decision import Decision
from sinks.executor.edge import Incoming

_EVERY_MS: Final = 3_600_000
_ROWS: Final = 1_000


def newest_close_ms(incoming: Iterable[Incoming], decisions: Iterable[Decision]) -> int:
    """Event time as applied triggers tell it, 0 without one. Users stamp configs as they like."""
    return max(
        (
            item.message.bar.close_time_ms
            for item, decision in zip(incoming, decisions, strict=True)
            if isinstance(item.message, Trigger) and decision.noted.outcome == "applied"
        ),
        default=0,
    )


class Pruning:
    """Prunes each partition once per hour of event time, again at once while there is more to do.

    `keep_ms`: how long to keep what is over; None: for ever.
    """

    def __init__(self, keep_ms: int | None, rows: int = _ROWS) -> None:
        self._keep_ms = keep_ms
        self._rows = rows
        self._due_ms: dict[int, int] = {}

    def run(self, connection: Connection, partition: int, now_ms: int) -> int:
        """Prune if it is due; when it is due next (event time), to be told to `done` after the commit."""
        due_ms = self._due_ms.get(partition, 0)
        if self._keep_ms is None or now_ms <= max(due_ms, self._keep_ms):
            return due_ms
        more = prune(connection, partition, now_ms - self._keep_ms, self._rows)
        return due_ms if more else now_ms + _EVERY_MS

    def done(self, partition: int, due_ms: int) -> None:
        """The transaction was committed."""
        self._due_ms[partition] = due_ms
