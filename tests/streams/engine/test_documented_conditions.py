"""Every condition in docs/conditions.md is what the parser reads, and can be asked of a symbol."""

import re
from pathlib import Path

import pytest

from schemas.conditions import Condition, Node, condition_from_json, condition_to_json
from streams.engine.conditions.expression import parse, to_text
from streams.engine.conditions.resolve import resolve
from tests.streams.engine.desk import Desk, alert

DOCUMENT = (Path(__file__).parents[3] / "docs" / "conditions.md").read_text()


def table(heading: str) -> list[tuple[str, str]]:
    """(first cell, code of the last cell) of each row below `heading`."""
    section = DOCUMENT.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    rows = [line.strip("|").split(" | ") for line in section.splitlines() if line.startswith("| ")][1:]
    return [(row[0].strip(), row[-1].strip(" |`")) for row in rows]


TRADINGVIEW = table("TradingView's thirteen")
THREE_COMMAS = table("3Commas' start conditions")
MADE_OF = re.findall(r"^\| [a-z ]+ \| (`.*?)\| `", DOCUMENT, re.MULTILINE)


def test_the_tables_are_whole() -> None:
    assert len(TRADINGVIEW) == len({text for _, text in TRADINGVIEW}) == 13
    assert len(THREE_COMMAS) >= 14
    assert len(MADE_OF) == 10


@pytest.mark.parametrize("name, text", TRADINGVIEW + THREE_COMMAS)
def test_a_documented_condition_is_read_and_taken(name: str, text: str) -> None:
    condition: Condition = parse(text)
    assert parse(to_text(condition)) == condition
    assert condition_from_json(condition_to_json(resolve(condition, "1m"))) == resolve(condition, "1m")
    desk = Desk()
    desk.watch(alert(text))
    desk.close(1, 2)
    assert desk.events("rejected") == []
    assert desk.events("armed")


@pytest.mark.parametrize("cell", MADE_OF)
def test_what_a_condition_is_made_of_is_read(cell: str) -> None:
    texts = [code for code in re.findall(r"`([^`]*)`", cell) if "(" in code or " < " in code]
    assert texts
    trees: list[Node] = [resolve(parse(text), "1m") for text in texts]
    assert len(set(map(type, trees))) == 1
