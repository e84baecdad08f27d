"""Our indicators against other libraries: from which bar, and to what bound."""

from collections.abc import Sequence

import pytest

from streams.engine import indicators
from streams.engine.bars import BarArrays, Floats
from tests.streams.engine.indicators import references_recorded, references_talib
from tests.streams.engine.indicators.agreement import Agreement
from tests.streams.engine.indicators.conformance import ours
from tests.streams.engine.indicators.reference import Reference


def of_ours(references: Sequence[Reference]) -> list[Reference]:
    """Those whose indicator is there; another test says when one is not."""
    return [reference for reference in references if reference.name in indicators.names()]


def measured(reference: Reference, bars: BarArrays, theirs: Floats) -> Agreement:
    own = ours(reference.name, reference.params, reference.seed, bars.ohlcv, bars.open_time_ms)[
        reference.output
    ]
    return reference.compare(own, theirs)


def assert_agreed(reference: Reference, found: Agreement) -> None:
    assert found.from_bar is not None, f"{reference}: {found}"
    assert found.first_bar is not None
    assert found.from_bar <= max(reference.first, found.first_bar), f"{reference}: {found}"
    assert found.largest <= reference.bound


def test_every_reference_names_an_output_of_ours() -> None:
    for reference in (*references_talib.REFERENCES, *references_recorded.REFERENCES):
        assert reference.output in indicators.lookup(reference.name).outputs, str(reference)


@pytest.mark.parametrize("reference", of_ours(references_talib.REFERENCES), ids=str)
def test_talib(reference: Reference) -> None:
    found = measured(reference, references_talib.candles(), references_talib.theirs(reference.series))
    assert_agreed(reference, found)
    assert found.compared > 2_000
