"""Which partitions the client asks for, and how long the broker may let it wait.

aiokafka has one fetch under way per broker, and leaves out of it what it has fetched already and nobody has taken. Two
things follow that a stream cannot live with. Once the tables are recovered Faust takes no changelog any more, but the
client fetches what the checkpoint writes there, and waits 100 ms for each of them to be taken. And a fetch that leaves
out the klines waits on the broker for Faust's 1.5 s, for as long as nothing else comes: every stall of more than
100 ms in which klines lie unread becomes one of 1.6 s.
"""

from collections.abc import Callable
from typing import Any, Final, NamedTuple, TypeAlias

from faust.types import TP

SHORT_MS: Final = 50
"""What a fetch waits that leaves a source out: 20 a second while one lies unread, which is when there is much to do."""

Plan: TypeAlias = Callable[[Any], tuple[Any, ...]]


class Narrowed(NamedTuple):
    """Of aiokafka's assignment what its plan of fetches looks at."""

    tps: frozenset[TP]
    state_value: Callable[[TP], Any]


def plan_fetches(fetcher: Any, taken: Callable[[TP], bool], sources: frozenset[str]) -> None:
    """Have an aiokafka fetcher ask for what is `taken` only, and briefly where it leaves out a partition of `sources`.

    `taken` is asked in the consumer's thread, before every fetch.
    """
    fetcher._get_actions_per_node = planned(
        fetcher._get_actions_per_node, fetcher._select_read_replica, taken, sources
    )


def planned(
    plan: Plan, broker_of: Callable[[TP], int | None], taken: Callable[[TP], bool], sources: frozenset[str]
) -> Plan:
    """That plan, which gives (broker, request) pairs and more for an assignment, with both changes."""

    def plan_what_is_taken(assignment: Any) -> tuple[Any, ...]:
        tps = frozenset(assignment.tps)
        requests, *more = plan(Narrowed(frozenset(tp for tp in tps if taken(tp)), assignment.state_value))
        for broker, request in requests:
            asked = {(topic, partition) for topic, parts in request.topics for partition, *_ in parts}
            if any(tp.topic in sources and tp not in asked and broker_of(tp) == broker for tp in tps):
                request._max_wait_ms = min(request._max_wait_ms, SHORT_MS)
        return (requests, *more)

    return plan_what_is_taken
