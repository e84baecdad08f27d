"""`docs/ledger.md` is true: its tables are those there are, its queries run on both databases, its kinds are all."""

import re
from pathlib import Path

import pytest
from sqlalchemy import Engine, delete, text, update

from sinks.database.tables import groups, ledger, metadata
from sinks.reconciler.findings import MEANINGS
from tests.sinks.loop import Loop
from tests.sinks.scenario import play

DOCUMENT = (Path(__file__).parents[2] / "docs" / "ledger.md").read_text()
BLOCKS = re.findall(r"```sql\n(.*?)```", DOCUMENT, re.DOTALL)
QUERIES = [
    query.strip() for block in BLOCKS for query in re.sub(r"--[^\n]*", "", block).split(";") if query.strip()
]


@pytest.fixture
def traded(engine: Engine) -> Engine:
    """A busy day."""
    play(Loop(engine))
    return engine


def run(engine: Engine, query: str) -> list[tuple[object, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query.replace(":", r"\:")))]


def only(words: str) -> str:
    """The one query with these words."""
    (query,) = (query for query in QUERIES if words in query)
    return query


def test_every_query_runs(traded: Engine) -> None:
    assert len(QUERIES) > 20
    for query in QUERIES:
        run(traded, query)


def test_those_without_a_bots_name_find_something(traded: Engine) -> None:
    empty = {query for query in QUERIES if not run(traded, query)}
    about_one = {query for query in QUERIES if re.search(r"'(btc-dip|d1|dip/[^']*|Poison%)'", query)}
    healthy = {only("HAVING abs"), only("l.deal_id IS NULL"), only("g.group_id IS NULL"), only("FROM outbox")}
    assert empty - about_one == healthy | {only("timestamp_ms < 1700000000000")}


def test_the_books_that_do_not_balance_are_found(traded: Engine) -> None:
    with traded.begin() as connection:
        connection.execute(update(ledger).where(ledger.c.account == "fee").values(amount="-5"))
    assert run(traded, only("HAVING abs"))
    with traded.begin() as connection:
        connection.execute(delete(ledger).where(ledger.c.level == "base"))
    assert run(traded, only("l.deal_id IS NULL"))


def test_a_deal_without_its_group_is_found(traded: Engine) -> None:
    with traded.begin() as connection:
        connection.execute(update(groups).values(state="removed"))
    assert run(traded, only("g.group_id IS NULL"))


def test_the_tables_are_those_of_the_code() -> None:
    rows = re.findall(r"^\| `(\w+)` \| `([^`]*)`", DOCUMENT, re.MULTILINE)
    told = {name: key for name, key in rows if name in metadata.tables}
    assert set(told) == set(metadata.tables)
    for name, key in told.items():
        columns = [column.name for column in metadata.tables[name].primary_key]
        assert key.removesuffix(" = 1").split(", ") == columns


def test_every_difference_is_explained() -> None:
    section = DOCUMENT.partition("## The reconciler")[2].partition("\n## ")[0]
    cells = re.findall(r"^\| (`.*?) \|", section, re.MULTILINE)
    told = {kind for cell in cells for kind in re.findall(r"`(\w+)`", cell)}
    assert told == set(MEANINGS)
