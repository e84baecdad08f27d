"""The example of docs/grid.md is what the engine does."""

import re
from decimal import Decimal
from pathlib import Path

import msgspec
import yaml

from schemas.bots import BotConfig
from streams.engine.dca import Instrument, OrderFilled
from streams.engine.grid import Deal, RoundTrip, waiting
from tests.streams.engine.dca.support import bar
from tests.streams.engine.grid.support import run

DOCUMENT = (Path(__file__).parents[4] / "docs/grid.md").read_text()
STEPS = Instrument(Decimal("0.01"), Decimal("0.001"))


def _bot() -> BotConfig:
    found = re.search(r"```yaml\n(.*?)```", DOCUMENT, re.DOTALL)
    assert found is not None
    return msgspec.convert({"type": "bot_config", **yaml.safe_load(found[1])}, BotConfig)


def _rows() -> list[list[str]]:
    table = DOCUMENT[DOCUMENT.index("| open | high |") :].split("\n\n", 1)[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table]


def _orders(deal: Deal) -> str:
    prices = {"below": [], "above": []}  # type: dict[str, list[str]]
    for order in waiting(deal):
        prices[order.side].append(str(STEPS.price(order.ticks)))
    return ", ".join(" ".join(found) for found in prices.values())


def test_the_example_of_the_document() -> None:
    rows = _rows()
    assert len(rows) == 5
    candles = [bar(*map(float, row[:4]), number=number) for number, row in enumerate(rows)]
    settled = dict(run(_bot(), candles, instrument=STEPS))
    for number, (*_, level, side, price, fee, brings, holds, orders) in enumerate(rows):
        after = settled[number]
        fills = [event for event in after.events if isinstance(event, OrderFilled)]
        shown = [(f.level, f.side, str(f.price), str(f.fee)) for f in fills]
        assert shown == [(level, side, price, fee)]
        assert "".join(str(e.profit) for e in after.events if isinstance(e, RoundTrip)) == brings
        assert str(STEPS.quantity(after.deal.ledger.position)) == holds
        assert _orders(after.deal) == orders
    last = settled[4].deal
    assert f"brought {last.grid_profit}." in DOCUMENT
    assert f"fees so far: −{-last.profit}." in DOCUMENT
