"""What every test may ask for, the order in which the rooms are tested, and where property tests get their examples."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from topics.broker.choose import Broker, choose
from topics.broker.errors import NoBroker

# The machine may be busy: no example has a time limit. The same code gets the same examples everywhere, so that a test
# fails for what was changed and not by chance; `make explore` tries others.
settings.register_profile(
    "fixed", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("exploring", settings.get_profile("fixed"), derandomize=False, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fixed"))


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
