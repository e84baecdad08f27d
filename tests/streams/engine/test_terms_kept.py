"""A deal carries its costs in full, so that another default of a later version does not change one that is open."""

import msgspec
import pytest
from msgspec.structs import replace

from schemas.bots import BotConfig
from streams.engine.dca import Instrument
from streams.engine.dca.terms import terms_of
from streams.engine.grid.terms import terms_of as grid_terms_of
from tests.streams.engine.dca.support import GOLDEN
from tests.streams.engine.grid.support import FIVE, LONG

DEFAULT = BotConfig(bot_id="x", user_id="x").slippage


@pytest.mark.parametrize(
    "terms",
    [
        terms_of(replace(GOLDEN, slippage=DEFAULT), Instrument()),
        grid_terms_of(replace(LONG, slippage=DEFAULT), FIVE, Instrument()),
    ],
    ids=["dca", "grid"],
)
def test_costs_that_are_the_default_are_written_too(terms: msgspec.Struct) -> None:
    written = msgspec.json.decode(msgspec.json.encode(terms))
    assert (written["fee"], written["slippage"]) == (terms.fee, "0.05")  # type: ignore[attr-defined]
