"""What the client asks for, and how long it waits. A plan stands for aiokafka's; the real one is in tests/e2e."""

from types import SimpleNamespace
from typing import Any

from faust.types import TP

from streams.fetches import SHORT_MS, planned

KLINES, COMMANDS, CHANGELOG = TP("klines", 0), TP("alerts", 0), TP("changelog", 0)
ALL = frozenset({KLINES, COMMANDS, CHANGELOG})
LONG_MS = 1_500


class Client:
    """One fetch per broker of what is assigned, but what lies unread or is under way. `at`: the broker of each."""

    def __init__(self, **at: int) -> None:
        self.at = {tp: at.get(tp.topic, 1) for tp in ALL}
        self.unread: set[TP] = set()
        self.under_way: set[int] = set()

    def plan(self, assignment: Any) -> tuple[Any, ...]:
        requests = []
        for broker in sorted(set(self.at.values()) - self.under_way):
            asked = [tp for tp in sorted(assignment.tps - self.unread) if self.at[tp] == broker]
            if asked:
                topics = [(tp.topic, [(tp.partition, assignment.state_value(tp), 1)]) for tp in asked]
                requests.append((broker, SimpleNamespace(topics=topics, _max_wait_ms=LONG_MS)))
        return requests, {}, 0.2

    def fetches(self, taken: frozenset[TP]) -> dict[int, tuple[set[str], int]]:
        plan = planned(
            self.plan, self.at.__getitem__, taken.__contains__, frozenset({KLINES.topic, COMMANDS.topic})
        )
        requests, resets, timeout = plan(SimpleNamespace(tps=ALL, state_value=lambda tp: 7))
        assert (resets, timeout) == ({}, 0.2)
        return {broker: ({topic for topic, _ in one.topics}, one._max_wait_ms) for broker, one in requests}


def test_what_nobody_takes_is_not_asked_for() -> None:
    assert Client().fetches(ALL - {CHANGELOG}) == {1: ({"klines", "alerts"}, LONG_MS)}


def test_a_fetch_that_leaves_out_klines_that_lie_unread_is_short() -> None:
    client = Client()
    client.unread = {KLINES}
    assert client.fetches(ALL - {CHANGELOG}) == {1: ({"alerts"}, SHORT_MS)}


def test_so_is_one_that_leaves_out_a_source_because_it_is_not_taken_now() -> None:
    assert Client().fetches(frozenset({COMMANDS})) == {1: ({"alerts"}, SHORT_MS)}
    assert Client().fetches(frozenset({CHANGELOG})) == {1: ({"changelog"}, SHORT_MS)}


def test_a_changelog_that_lies_unread_makes_no_fetch_short() -> None:
    client = Client()
    client.unread = {CHANGELOG}
    assert client.fetches(ALL) == {1: ({"klines", "alerts"}, LONG_MS)}


def test_what_another_broker_leads_is_not_left_out() -> None:
    client = Client(alerts=2)
    assert client.fetches(ALL - {CHANGELOG}) == {1: ({"klines"}, LONG_MS), 2: ({"alerts"}, LONG_MS)}
    client.unread = {COMMANDS}
    assert client.fetches(ALL - {CHANGELOG}) == {1: ({"klines"}, LONG_MS)}
    client.unread, client.under_way = {KLINES}, {2}
    assert client.fetches(ALL) == {1: ({"changelog"}, SHORT_MS)}


def test_where_nothing_is_taken_nothing_is_asked_for() -> None:
    assert Client().fetches(frozenset()) == {}
