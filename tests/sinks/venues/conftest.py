"""The exchange double, and a closed loop that trades on it."""

from collections.abc import Iterator

import pytest

pytest.importorskip("ccxt", reason="the extra `live` is not installed")

from tests.sinks.venues.double import Double, exchange_double


@pytest.fixture
def double() -> Iterator[Double]:
    """A running exchange."""
    with exchange_double() as running:
        yield running
