"""Every record is in the files once, whatever dies in between."""

import random
from pathlib import Path

import polars as pl
import pytest

from sinks.archive.frames import KINDS, topic_of
from sinks.archive.store import Store, WrongArchive
from sinks.archive.writer import Writer
from tests.sinks.archive.records import MINUTE_MS, START_MS, TOPICS, bar, example, record, tick
from topics.failpoints import Died, armed
from topics.records import Record


def archived(root: Path, kind: str = "klines") -> pl.DataFrame:
    return pl.read_parquet(root / kind / "**" / "*.parquet").sort("partition", "offset")


def offsets(root: Path, kind: str = "klines") -> list[int]:
    return archived(root, kind)["offset"].to_list()


def write(root: Path, records: list[Record], most_rows: int = 100) -> Writer:
    with Store(root) as store:
        writer = Writer(store, TOPICS, most_rows, 60.0)
        for one in records:
            writer.add(one, 0.0)
        writer.flush(0.0, everything=True)
    return writer


def test_closed_bars_are_rows_and_nothing_else_is(tmp_path: Path) -> None:
    writer = write(
        tmp_path,
        [
            record(bar(0, close=10.25), 0), record(bar(1, closed=False), 1), record(tick(1), 2), record(b"{", 3),
            record(bar(1), 4),
        ],
    )  # fmt: skip
    rows = archived(tmp_path)
    assert rows["offset"].to_list() == [0, 4]
    first = rows.row(0, named=True)
    assert first == {
        "symbol": "BTCUSDT", "interval": "1m", "open_time": START_MS, "open": 10.0, "high": 11.0, "low": 9.0,
        "close": 10.25, "volume": 0.0, "feed": "test", "partition": 0, "offset": 0, "timestamp_ms": START_MS,
    }  # fmt: skip
    assert writer.counts == {"klines": 2, "not archived": 2, "NotJson": 1}
    assert writer.written()[TOPICS.klines.name, 0] == 5


def test_other_messages_keep_their_text(tmp_path: Path) -> None:
    triggers = [example("trigger", 0, TOPICS.triggers), example("stale_command", 1, TOPICS.triggers)]
    gone = Record(TOPICS.configs.name, 1, 8, START_MS, b"btc-dip", None)
    write(tmp_path, [*triggers, example("bot_config", 5, TOPICS.configs), gone])
    rows = archived(tmp_path, "triggers")
    assert rows["value"].to_list() == [(one.value or b"").decode() for one in triggers]
    assert rows["type"].to_list() == ["trigger", "stale_command"]
    assert rows["action_type"].to_list() == ["execute_entry", None]
    configs = archived(tmp_path, "configs")
    assert configs["key"].to_list() == ["btc-dip", "btc-dip"]
    assert configs["value"].is_null().to_list() == [False, True]  # a tombstone is one of the records


def test_a_new_day_begins_a_new_folder_and_what_comes_late_stays_with_its_neighbours(tmp_path: Path) -> None:
    write(tmp_path, [record(bar(minute), offset) for offset, minute in enumerate((3, 4, 5, 2, 6))])
    names = sorted(str(path.relative_to(tmp_path / "klines")) for path in tmp_path.glob("klines/*/*.parquet"))
    assert names == [
        f"date=2025-06-15/p00000-{0:020d}-{1:020d}.parquet",
        f"date=2025-06-16/p00000-{2:020d}-{4:020d}.parquet",
    ]


def test_a_hole_is_told_and_no_name_covers_it(tmp_path: Path) -> None:
    writer = write(tmp_path, [record(bar(0), 0), record(bar(1), 9)])
    assert writer.counts["holes"] == 1
    with Store(tmp_path) as store:
        assert [(one.first, one.last) for one in store.segments("klines", 0)] == [(0, 0), (9, 9)]


def test_a_topic_that_begins_later_than_the_folder_ends_is_a_hole_once(tmp_path: Path) -> None:
    write(tmp_path, [record(bar(0), 0)])
    with Store(tmp_path) as store:
        writer = Writer(store, TOPICS, 100, 60.0)
        begins = dict.fromkeys(writer.positions(), 0) | {
            (TOPICS.klines.name, 0): 7,
            (TOPICS.klines.name, 1): 7,
        }
        writer.lost(begins)
        assert writer.positions()[TOPICS.klines.name, 0] == 7
        writer.add(record(bar(7), 7), 0.0)
        writer.flush(0.0, everything=True)
        assert writer.counts["holes"] == 1  # partition 1 was never archived: nothing is missing there
    assert offsets(tmp_path) == [0, 7]


def test_rows_wait_no_longer_than_they_may(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        writer = Writer(store, TOPICS, 100, 60.0)
        writer.add(record(bar(0), 0), 10.0)
        assert not writer.flush(69.9)
        assert writer.flush(70.0)
        assert offsets(tmp_path) == [0]


def test_many_small_segments_become_few(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        writer = Writer(store, TOPICS, 100, 60.0)
        for offset in range(100):
            writer.add(record(bar(offset % 4), offset), 0.0)
            writer.flush(0.0, everything=True)
        assert len(store.segments("klines", 0)) < 30
    assert offsets(tmp_path) == list(range(100))


def test_a_day_that_is_over_is_one_file(tmp_path: Path) -> None:
    write(tmp_path, [record(bar(min(offset, 4)), offset) for offset in range(40)], most_rows=7)
    write(tmp_path, [record(bar(5), 40)])
    write(tmp_path, [record(bar(1_445), 41), record(bar(1_446), 42)])
    assert len(list(tmp_path.glob("klines/date=2025-06-15/*.parquet"))) == 1
    assert offsets(tmp_path) == list(range(43))


POINTS = ("archive.begun", "archive.filled", "archive.renamed", "archive.merged")


def archive_until_it_dies(root: Path, stream: list[Record], dice: random.Random) -> None:
    """One life: begin where the folder ends, with a few records too many, and write now and then."""
    with Store(root) as store:
        writer = Writer(store, TOPICS, dice.randrange(1, 5), 60.0)
        begin = writer.positions()[TOPICS.klines.name, 0]
        for one in stream[max(0, begin - dice.randrange(3)) :]:
            writer.add(one, 0.0)
            writer.flush(0.0, everything=dice.random() < 0.6)
        writer.flush(0.0, everything=True)


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("seed", range(4))
def test_whatever_dies_and_is_read_again_every_record_is_there_once(
    tmp_path: Path, seed: int, point: str
) -> None:
    dice = random.Random(seed)
    stream = [record(bar(minute), minute) for minute in range(120)]
    deaths = 0
    for _ in range(30):
        try:
            with armed({point: dice.randrange(1, 6)} if deaths < 5 else {}):
                archive_until_it_dies(tmp_path, stream, dice)
            break
        except Died:
            deaths += 1
    assert deaths >= (1 if point == "archive.merged" else 5)
    rows = pl.concat([pl.read_parquet(path) for path in sorted(tmp_path.glob("klines/*/*.parquet"))])
    assert sorted(rows["offset"].to_list()) == list(range(120))
    assert (rows["open_time"] == START_MS + rows["offset"] * MINUTE_MS).all()
    assert not list(tmp_path.glob("**/*.unfinished"))


def test_one_process_at_a_time(tmp_path: Path) -> None:
    with Store(tmp_path), pytest.raises(WrongArchive, match="another archive writes to this folder"):
        Store(tmp_path)


def test_a_folder_stays_with_its_topics(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        store.settle({"a": "1", "b": "2"})
        store.settle({"a": "1"})
        with pytest.raises(WrongArchive, match=r"b has id 3, .* created anew"):
            store.settle({"a": "1", "b": "3"})


def test_a_folder_of_other_parquet_files_is_not_touched(tmp_path: Path) -> None:
    other = tmp_path / "klines" / "date=2025-01-01" / "mine.parquet"
    other.parent.mkdir(parents=True)
    other.write_bytes(b"")
    with Store(tmp_path) as store, pytest.raises(WrongArchive, match="not an archive of ours"):
        store.settle({"a": "1"})


def test_each_kind_has_a_topic() -> None:
    assert [topic_of(kind, TOPICS).name.removeprefix("archived.") for kind in KINDS] == [
        "market.klines.v1", "bots.triggers.v1", "bots.configs.v1", "alerts.user.v1"
    ]  # fmt: skip
