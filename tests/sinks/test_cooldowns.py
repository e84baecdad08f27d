"""Which config's cooldown a closed deal has."""

import pytest
from msgspec.structs import replace
from sqlalchemy import Engine

from tests.sinks.bots import MINUTE, T0, bar, golden
from tests.sinks.loop import Loop, rows


@pytest.mark.parametrize("read_before", [True, False])
def test_it_does_not_matter_when_the_config_is_read_that_begins_where_the_deal_ended(
    sqlite: Engine, read_before: bool
) -> None:
    """It is written in the last moment of the bar that meets the target, and read before or after its trigger."""
    loop = Loop(sqlite)
    bot = golden(cooldown_s=60)
    edited = replace(bot, cooldown_s=600, effective_from_ms=T0 + 3 * MINUTE)
    loop.put(bot)
    loop.feed("BTCUSDT", bar(0, 105.0), bar(1, 100.0))
    loop.run()
    if read_before:
        loop.put(edited)
        loop.run()
    loop.feed("BTCUSDT", bar(2, 103.0))
    loop.run()
    if not read_before:
        loop.put(edited)
    for number, close in enumerate([103.0, 103.0, 100.0], start=3):
        loop.feed("BTCUSDT", bar(number, close))
        loop.run()
    closed, opened = sorted(rows(sqlite, "deals")["deals"], key=lambda deal: int(deal[6]))
    assert (closed[4], closed[7]) == ("closed", T0 + 3 * MINUTE)
    assert (opened[4], opened[6]) == ("open", T0 + 6 * MINUTE)
