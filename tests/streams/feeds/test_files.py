"""Kline files: what is read, in which order, and what is said of rows that are left out."""

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from streams.feeds.files import FileProblem, read_klines

START = 1_700_000_040_000
HEADER = "symbol,open_time,open,high,low,close,volume"
SOUND = f"B,{START},1,2,0.5,1.5,10"


def csv(folder: Path, *rows: str, header: str = HEADER) -> Path:
    path = folder / "klines.csv"
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


@pytest.mark.parametrize(
    "row, complaint",
    [
        (f",{START},1,2,0.5,1.5,10", "row 2, column symbol: is missing"),
        (f"btc,{START},1,2,0.5,1.5,10", "row 2, column symbol: btc is no symbol such as BTCUSDT"),
        ("A,,1,2,0.5,1.5,10", "row 2, column open_time: nothing is no time"),
        ("A,yesterday,1,2,0.5,1.5,10", "row 2, column open_time: yesterday is no time"),
        ("A,1700000040,1,2,0.5,1.5,10", "row 2, column open_time: 1700000040 looks like seconds"),
        ("A,-60000,1,2,0.5,1.5,10", "row 2, column open_time: -60000 is out of range"),
        (f"A,{START + 1},1,2,0.5,1.5,10", "is not on a boundary of 1 min"),
        (f"A,{START},abc,2,0.5,1.5,10", "row 2, column open: abc is no number"),
        (f"A,{START},,2,0.5,1.5,10", "row 2, column open: nothing is no number"),
        (f"A,{START},1,inf,0.5,1.5,10", "row 2, column high: inf is not finite"),
        (f"A,{START},1,2,0.5,NaN,10", "row 2, column close: NaN is not finite"),
        (f"A,{START},1,2,0,1.5,10", "row 2, column low: 0 is not a positive price"),
        (f"A,{START},1,2,5,1.5,10", "row 2, column high: 2 is below low"),
        (f"A,{START},0.1,2,0.5,1.5,10", "row 2, column open: 0.1 lies outside low..high"),
        (f"A,{START},1,2,0.5,2.5,10", "row 2, column close: 2.5 lies outside low..high"),
        (f"A,{START},1,2,0.5,1.5,-1", "row 2, column volume: -1 is negative"),
        (f"B,{START},1,2,0.5,1.6,10", f"row 2, column open_time: {START} came before for this symbol"),
    ],
)
def test_a_broken_row_is_named_and_left_out(tmp_path: Path, row: str, complaint: str) -> None:
    file = read_klines(csv(tmp_path, SOUND, row))
    assert len(file) == 1
    assert len(file.broken) == 1
    assert complaint in str(file.broken[0])


def test_a_sound_row_after_a_broken_twin_is_kept(tmp_path: Path) -> None:
    file = read_klines(csv(tmp_path, f"B,{START},1,2,0.5,x,10", SOUND))
    assert [broken.row for broken in file.broken] == [1]
    assert len(file) == 1


def test_rows_are_merged_in_event_time_order(tmp_path: Path) -> None:
    later = START + 60_000
    path = csv(tmp_path, f"B,{later},1,2,0.5,1.5,1", f"A,{later},1,2,0.5,1.5,1", SOUND)
    assert [(k.symbol, k.open_time_ms) for k in read_klines(path).klines()] == [
        ("B", START), ("A", later), ("B", later),
    ]  # fmt: skip


def test_symbols_and_times_select_rows_and_broken_ones_elsewhere_are_not_reported(tmp_path: Path) -> None:
    rows = [f"{symbol},{START + i * 60_000},1,2,0.5,1.5,1" for i in range(5) for symbol in "AB"]
    path = csv(tmp_path, *rows, f"A,{START},1,2,0.5,oops,1")
    file = read_klines(path, symbols=["B"], from_ms=START + 60_000, to_ms=START + 180_000)
    assert [k.open_time_ms for k in file.klines()] == [START + 60_000, START + 120_000]
    assert (file.symbols, file.broken) == (["B"], ())


@pytest.mark.parametrize(
    "written",
    [
        START,
        "2023-11-14 22:14:00",
        "2023-11-14T22:14:00Z",
        "2023-11-14T22:14:00.000+0000",
        "2023-11-14 22:14:00+00:00",
    ],
)
def test_times_are_milliseconds_or_iso(tmp_path: Path, written: object) -> None:
    file = read_klines(csv(tmp_path, f"A,{written},1,2,0.5,1.5,10"))
    assert next(file.klines()).open_time_ms == START


def test_parquet_with_datetimes_reads_like_milliseconds(tmp_path: Path) -> None:
    instant = datetime.fromtimestamp(START / 1_000, UTC)
    columns = {"open": [1.0], "high": [2.0], "low": [0.5], "close": [1.5], "volume": [10]}
    for name, time in [("datetime", instant), ("ms", START), ("float", float(START))]:
        path = tmp_path / f"{name}.parquet"
        pl.DataFrame({"symbol": ["A"], "open_time": [time], **columns}).write_parquet(path)
        assert next(read_klines(path).klines()).open_time_ms == START


@pytest.mark.parametrize(
    "header, rows, complaint",
    [
        ("symbol,open_time,open,high,low,close", [], "has no column volume"),
        (HEADER, [], "has no usable rows"),
        (HEADER, ["A,1,1,1,1,1,1"], "has no usable rows; the first: row 1, column open_time"),
        (HEADER, [SOUND + ",and,more"], "found more fields"),
        (HEADER, [SOUND, f"B,{START + 400 * 86_400_000},1,2,0.5,1.5,10"], "nothing for 400 days"),
    ],
)
def test_a_file_that_cannot_be_used_is_one_line(
    tmp_path: Path, header: str, rows: list[str], complaint: str
) -> None:
    with pytest.raises(FileProblem, match=complaint) as caught:
        read_klines(csv(tmp_path, *rows, header=header))
    assert "\n" not in str(caught.value)


def test_a_missing_file_an_unknown_ending_and_an_absent_symbol_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FileProblem, match="is no file"):
        read_klines(tmp_path / "none.csv")
    other = tmp_path / "klines.txt"
    other.write_text("hello")
    with pytest.raises(FileProblem, match=r"\.parquet and \.csv are read"):
        read_klines(other)
    broken = tmp_path / "klines.parquet"
    broken.write_text("hello")
    with pytest.raises(FileProblem, match="parquet"):
        read_klines(broken)
    with pytest.raises(FileProblem, match="has no usable rows of C, D"):
        read_klines(csv(tmp_path, SOUND), symbols=["B", "D", "C"])


def test_weeks_begin_on_monday(tmp_path: Path) -> None:
    monday, thursday = 1_699_833_600_000, 1_700_092_800_000
    path = csv(tmp_path, f"A,{monday},1,2,0.5,1.5,10", f"A,{thursday},1,2,0.5,1.5,10")
    file = read_klines(path, interval="1w")
    assert [kline.open_time_ms for kline in file.klines()] == [monday]
    assert "is not on a boundary of 10080 min" in str(file.broken[0])
