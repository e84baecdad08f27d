"""Which broker is chosen, and what is said when there is none."""

from contextlib import ExitStack
from pathlib import Path

import pytest

from topics.broker.choose import ADDRESS_VARIABLE, Kind, Start, choose
from topics.broker.errors import BrokerFailed, BrokerUnreachable, JarsMissing, NoBroker
from topics.broker.ports import free_ports


class Way:
    """A broker that would start at `answer`, or fail with it."""

    def __init__(self, answer: str | Exception) -> None:
        self.answer = answer
        self.stopped = False

    def __call__(self, folder: Path, owned: ExitStack) -> str:
        owned.callback(self.stop)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def stop(self) -> None:
        self.stopped = True


def ways(local: Start, container: Start) -> tuple[tuple[Kind, Start], ...]:
    return (("local", local), ("container", container))


def test_a_local_broker_comes_before_a_container(tmp_path: Path) -> None:
    local, container = Way("a:1"), Way("b:2")
    broker = choose(tmp_path, environ={}, ways=ways(local, container))
    assert (broker.bootstrap, broker.kind) == ("a:1", "local")
    broker.close()
    assert local.stopped
    assert not container.stopped


def test_a_container_serves_where_the_local_broker_cannot(tmp_path: Path) -> None:
    local, container = Way(JarsMissing("java is not installed")), Way("b:2")
    with choose(tmp_path, environ={}, ways=ways(local, container)) as broker:
        assert (broker.bootstrap, broker.kind) == ("b:2", "container")
        assert local.stopped
    assert container.stopped


def test_without_any_broker_the_message_names_every_way_and_its_reason(tmp_path: Path) -> None:
    nothing = ways(Way(JarsMissing("java is not installed")), Way(BrokerFailed("no Docker daemon answers")))
    with pytest.raises(NoBroker) as caught:
        choose(tmp_path, environ={}, ways=nothing)
    for part in ("address", ADDRESS_VARIABLE, "local: java is not installed", "container: no Docker daemon"):
        assert part in str(caught.value)


@pytest.mark.parametrize("given", ["argument", "variable"])
def test_an_address_that_does_not_answer_is_not_replaced_by_another_broker(
    tmp_path: Path, given: str
) -> None:
    address = f"127.0.0.1:{free_ports(1)[0]}"
    argument, environ = (address, {}) if given == "argument" else (None, {ADDRESS_VARIABLE: address})
    with pytest.raises(BrokerUnreachable, match=address):
        choose(tmp_path, argument, environ=environ, ways=ways(Way("a:1"), Way("b:2")), deadline=0.3)
