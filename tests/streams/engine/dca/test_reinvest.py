"""Profits put back to work: each number worked out by hand."""

import pytest
from msgspec.structs import replace

from schemas.bots import BotConfig, LadderStep
from streams.engine.dca import reinvested
from tests.streams.engine.dca.support import ROUND

HALF = replace(ROUND, reinvest_percent="50")  # 400 quote a deal
TABLE = replace(
    HALF,
    safety_order_volume="0",
    max_safety_orders=0,
    price_deviation="1",
    steps=(LadderStep(deviation="5", volume="100"), LadderStep(deviation="9", volume="200")),
)


def volumes(config: BotConfig) -> tuple[str, str, list[str]]:
    return config.base_order_volume, config.safety_order_volume, [step.volume for step in config.steps]


@pytest.mark.parametrize(
    "config, profit, expected",
    [
        (HALF, "40", ("105", "105", [])),  # 20 on 400
        (replace(HALF, max_active_deals=2), "40", ("102.5", "102.5", [])),  # 10 for each of two
        (replace(HALF, reinvest_percent="100"), "40", ("110", "110", [])),
        (HALF, "1", ("100.125", "100.125", [])),
        (HALF, "0.00000001", ("100", "100", [])),  # less than 1e-8 for an order
        (TABLE, "80", ("110", "0", ["110", "220"])),
        (replace(HALF, base_order_volume="3", max_safety_orders=0), "2", ("4", "133.33333333", [])),
        (HALF, "-40", ("100", "100", [])),
        (replace(HALF, reinvest_percent="0"), "40", ("100", "100", [])),
    ],
)
def test_volumes_grow_by_a_share_of_the_profit(
    config: BotConfig, profit: str, expected: tuple[str, str, list[str]]
) -> None:
    assert volumes(reinvested(config, profit)) == expected
