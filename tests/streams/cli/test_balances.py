"""`strikeline positions balances`: what users with a balance have."""

from decimal import Decimal

from sinks.capital.store import seed
from streams.cli.pipeline import Pipeline
from tests.streams.cli.commandline import CommandLine


def test_balances_are_shown_as_a_table_and_as_json(strikeline: CommandLine, pipeline: Pipeline) -> None:
    with pipeline.engine.begin() as connection:
        seed(
            connection, {"alice": {"USDT": Decimal("1000.5"), "BTC": Decimal(1)}, "bob": {"USDT": Decimal(0)}}
        )
    found = strikeline("positions", "balances", "--user", "alice", "--json").json
    assert [(row["asset"], row["start"], row["held"], row["free"]) for row in found] == [
        ("BTC", "1", "0", "1"), ("USDT", "1000.5", "0", "1000.5"),
    ]  # fmt: skip
    table = strikeline("positions", "balances")
    assert table.code == 0
    assert "1000.5" in table.out.replace(",", "")
    assert "bob" in table.out
