"""What every test may ask for, and the order in which the rooms are tested."""

from collections.abc import Iterator

import pytest

from topics.broker.choose import Broker, choose
from topics.broker.errors import NoBroker


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Fast tests first: a broken rule shows before a broker is started."""
    items.sort(key=lambda item: sum(item.get_closest_marker(name) is not None for name in ("e2e", "slow")))


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A real broker for the whole session, started when a test first asks; topics on it need unique names."""
    try:
        broker = choose(tmp_path_factory.mktemp("kafka"))
    except NoBroker as missing:
        pytest.skip(str(missing))
    with broker:
        yield broker
