"""The executor's database as commands read it: what is no database is named, and nothing is made by looking."""

from pathlib import Path

import pytest
from sqlalchemy import select

from streams.cli.database import query
from streams.cli.errors import Invalid, Unreachable


def test_looking_for_a_file_that_is_not_there_makes_none(tmp_path: Path) -> None:
    missing = tmp_path / "folder" / "strikline.db"
    for url in (str(missing), f"sqlite:///{missing}"):
        with pytest.raises(Unreachable, match=r"strikline\.db: there is no such file"):
            query(url, select(1))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("url", ["mysql://x", "sqlit:///x.db", "://", "postgresql+nodriver://x"])
def test_what_is_no_database_of_ours_is_refused_with_the_option(url: str) -> None:
    with pytest.raises(Invalid, match="--database: "):
        query(url, select(1))


def test_an_sqlite_database_in_memory_needs_no_file() -> None:
    assert query("sqlite://", select(1)) == [(1,)]
