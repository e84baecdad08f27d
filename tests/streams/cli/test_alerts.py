"""`strikeline alerts`: from a file to the evaluator's table and back."""

import asyncio
from pathlib import Path

import pytest
from msgspec.structs import replace

from schemas.alerts import AlertCommand
from streams.cli.alertrows import standing
from streams.cli.pipeline import Pipeline
from streams.rows import decode_row, encode_row, group_key
from tests.pipeline import START, Shape, bars
from tests.streams.cli.commandline import CommandLine
from topics.codec import encode
from topics.records import Outgoing

MINUTE = 60_000
DIP = """
alert_id: dip
user_id: alice
symbol: BTCUSDT
condition: close < 100
frequency: once_per_bar_close
message: cheap
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "alerts.yaml"
    path.write_text(DIP)
    return path


def produced(pipeline: Pipeline) -> list[AlertCommand]:
    return [m for m in pipeline.messages(pipeline.topics.user_alerts) if isinstance(m, AlertCommand)]


def feed(pipeline: Pipeline, shapes: list[Shape], symbol: str = "BTCUSDT", start_ms: int = START) -> None:
    asyncio.run(pipeline.feed_klines(bars(shapes, symbol, start_ms)))


def test_an_alert_is_in_force_from_the_newest_tick_or_its_first_candle(
    strikeline: CommandLine, pipeline: Pipeline, file: Path
) -> None:
    file.write_text(f"- {DIP.strip().replace(chr(10), chr(10) + '  ')}\n- {{alert_id: b, user_id: alice, "
                    "symbol: ETHUSDT, condition: {op: gt, left: {price: close}, right: 1}}")  # fmt: skip
    feed(pipeline, [200.0, 200.0])
    answer = strikeline("alerts", "apply", str(file), "--wait", "5", "--json")
    assert answer.code == 0
    assert [(row["alert_id"], row["effective_from_ms"], row["answer"]) for row in answer.json] == [
        ("dip", START + 2 * MINUTE, "armed"),
        ("b", 0, "warming"),
    ]
    assert [alert.effective_from_ms for alert in produced(pipeline)] == [START + 2 * MINUTE, 0]


def test_list_and_show_tell_how_it_stands(strikeline: CommandLine, pipeline: Pipeline, file: Path) -> None:
    strikeline("alerts", "apply", str(file), "--effective-from", str(START))
    feed(pipeline, [101.0, 99.0, 98.0, 101.0, 97.0])
    (row,) = strikeline("alerts", "list", "--json").json
    assert (row["alert_id"], row["state"], row["condition"]) == ("dip", "active", "close < 100")
    assert (row["armed"], row["fires"], row["last_fired_ms"]) == (False, 2, START + 5 * MINUTE)
    assert (row["generation"], row["armed_from_ms"]) == (0, START)
    shown = strikeline("alerts", "show", "dip", "--json").json
    assert [event["event"] for event in shown["events"]] == ["armed", "warming"]
    assert [one["bar"]["close"] for one in shown["fired"]] == [99.0, 97.0]
    table = strikeline("alerts", "list").out
    assert "close < 100" in table
    assert "2023-11-14 22:19" in table
    assert strikeline("alerts", "list", "--user", "bob", "--json").json == []
    assert strikeline("alerts", "list", "--symbol", "ETHUSDT", "--json").json == []


def test_the_same_file_again_sends_nothing(strikeline: CommandLine, pipeline: Pipeline, file: Path) -> None:
    strikeline("alerts", "apply", str(file))
    again = strikeline("alerts", "apply", str(file), "--json")
    assert [row["answer"] for row in again.json] == ["unchanged"]
    file.write_text(DIP.replace("< 100", "< 90"))
    assert [row["answer"] for row in strikeline("alerts", "apply", str(file), "--json").json] == ["sent"]
    assert [row["answer"] for row in strikeline("alerts", "apply", str(file), "--force", "--json").json] == [
        "sent"
    ]
    assert len(produced(pipeline)) == 3


def test_an_alert_that_fired_once_is_done_until_it_is_forced(
    strikeline: CommandLine, pipeline: Pipeline, file: Path
) -> None:
    file.write_text(DIP.replace("once_per_bar_close", "once"))
    strikeline("alerts", "apply", str(file))
    feed(pipeline, [99.0])
    assert strikeline("alerts", "list", "--json").json == []
    (done,) = strikeline("alerts", "list", "--all", "--json").json
    assert (done["state"], done["condition"], done["fires"]) == ("fired", "close < 100", 1)
    assert strikeline("alerts", "apply", str(file), "--json").json[0]["answer"] == "unchanged"
    assert "it is fired" in strikeline("alerts", "delete", "dip").err
    strikeline("alerts", "apply", str(file), "--force")
    assert strikeline("alerts", "list", "--json").json[0]["state"] == "active"


def test_one_that_expired_says_so(strikeline: CommandLine, pipeline: Pipeline, file: Path) -> None:
    file.write_text(f"{DIP}\nexpires_at_ms: {START + 2 * MINUTE}")
    strikeline("alerts", "apply", str(file), "--effective-from", str(START))
    feed(pipeline, [101.0, 101.0, 99.0])
    assert strikeline("alerts", "show", "dip", "--json").json["alert"]["state"] == "expired"


def test_an_alert_on_tick_is_in_force_from_the_bar_that_forms_now(
    strikeline: CommandLine, pipeline: Pipeline, file: Path
) -> None:
    """Its update tells when the bar before it closed, not when it will."""
    feed(pipeline, [101.0])
    topic, (opened, *_) = pipeline.topics.klines, bars([101.0, 99.0])[1:]
    update = Outgoing(topic.name, b"BTCUSDT", encode(replace(opened, closed=False)), opened.open_time_ms)
    pipeline.bus.append(update)
    file.write_text(DIP.replace("frequency: once_per_bar_close", "frequency: once_per_bar\non: tick"))
    applied = strikeline("alerts", "apply", str(file), "--wait", "5", "--json")
    assert [(row["answer"], row["effective_from_ms"]) for row in applied.json] == [("armed", START + MINUTE)]
    pipeline.bus.append(update)
    asyncio.run(pipeline.run_until_idle())
    assert "once_per_bar, on tick" in strikeline("alerts", "list").out
    (fired,) = strikeline("alerts", "show", "dip", "--json").json["fired"]
    assert (fired["provisional"], fired["bar"]["open_time_ms"]) == (True, START + MINUTE)
    told = strikeline("explain", "dip", "--at", str(START + 2 * MINUTE)).out
    assert "No bar of BTCUSDT has closed at or after 2023-11-14 22:16" in told
    feed(pipeline, [101.0], start_ms=START + MINUTE)
    told = strikeline("explain", "dip", "--at", str(START + 2 * MINUTE)).out
    assert "It fired before the bar closed, on an update with a last price of 99: close 99." in told


def test_delete(strikeline: CommandLine, pipeline: Pipeline, file: Path) -> None:
    feed(pipeline, [101.0])
    strikeline("alerts", "apply", str(file))
    deleted = strikeline("alerts", "delete", "dip", "--wait", "5", "--json")
    assert (deleted.code, deleted.json[0]["answer"]) == (0, "removed")
    feed(pipeline, [99.0], start_ms=START + MINUTE)
    assert list(pipeline.bus.records(pipeline.topics.fired.name)) == []
    again = strikeline("alerts", "delete", "dip")
    assert (again.code, again.err) == (1, "strikeline: no alert dip, it is deleted\n")
    unknown = strikeline("alerts", "delete", "nobody", "--json")
    assert (unknown.code, unknown.err) == (1, "strikeline: no alert nobody\n")
    assert strikeline("alerts", "show", "nobody").code == 1
    assert strikeline("alerts", "show", "dip", "--json").json["alert"]["state"] == "deleted"


def test_under_another_symbol_it_is_deleted_on_the_old_one_first(
    strikeline: CommandLine, pipeline: Pipeline, file: Path
) -> None:
    strikeline("alerts", "apply", str(file))
    file.write_text(DIP.replace("BTCUSDT", "ETHUSDT"))
    moved = strikeline("alerts", "apply", str(file), "--wait", "5", "--json")
    assert [(row["symbol"], row["state"], row["answer"]) for row in moved.json] == [
        ("BTCUSDT", "deleted", "removed"),
        ("ETHUSDT", "active", "warming"),
    ]
    assert [(row["symbol"], row["state"]) for row in strikeline("alerts", "list", "--json").json] == [
        ("ETHUSDT", "active")
    ]


def test_nobody_takes_over_another_users_alert(
    strikeline: CommandLine, pipeline: Pipeline, file: Path
) -> None:
    strikeline("alerts", "apply", str(file))
    for symbol in ("BTCUSDT", "ETHUSDT"):
        file.write_text(DIP.replace("alice", "mallory").replace("BTCUSDT", symbol))
        answer = strikeline("alerts", "apply", str(file))
        assert (answer.code, answer.err) == (1, "strikeline: alert dip on BTCUSDT belongs to alice\n")
    assert len(produced(pipeline)) == 1


def test_the_evaluators_refusal_is_a_problem(strikeline: CommandLine, pipeline: Pipeline, file: Path) -> None:
    """Its bars are of five minutes, which a file cannot know."""
    from schemas.market import Kline

    five = Kline(
        symbol="BTCUSDT",
        interval="5m",
        open_time_ms=1_700_000_100_000,
        open=1,
        high=1,
        low=1,
        close=1,
        volume=1,
    )
    asyncio.run(pipeline.feed_klines([five], interval="5m"))
    answer = strikeline("alerts", "apply", str(file), "--wait", "5", "--json")
    assert answer.code == 1
    assert [(row["answer"], row["field"]) for row in answer.json] == [("rejected", "timeframe")]
    (row,) = strikeline("alerts", "list", "--all", "--json").json
    assert row["state"] == "refused"


@pytest.mark.parametrize(
    "was, now, complaint",
    [
        ("frequency: once_per_bar_close", "frequenzy: once", "frequenzy: unknown field; did you mean frequency?"),
        ("condition: close < 100", "condition: close < ", "condition: column 8: expected"),
        ("condition: close < 100", "condition: {all: [{op: lt, left: {price: clos}, right: 1}]}",
         "condition.all[0].left.price: expected one of open"),
        ("condition: close < 100", "condition: rsi(0) < 30", "condition:"),
        ("condition: close < 100", "timeframe: 1m", "condition: column 1"),
        ("symbol: BTCUSDT", "symbol: btc", "symbol:"),
        ("user_id: alice", "user_id: 12", "user_id: expected `str`, got `int`; put it in quotes"),
        ("user_id: alice", "expires_at_ms: 1", "user_id: is missing"),
        ("once_per_bar_close", "twice", "frequency: invalid enum value 'twice'; expected every, once, "),
        ("message: cheap", "debounce_bars: 0", "debounce_bars: expected `int` >= 1"),
        ("message: cheap", "state: deleted", "state: a file holds alerts that are wanted"),
        ("message: cheap", "rearm_bars: 3", "rearm_bars: means nothing without rearm: after_bars"),
        ("frequency: once_per_bar_close", "rearm: on_false", "rearm: means nothing with frequency once"),
        ("message: cheap", "effective_from_ms: 60000\nexpires_at_ms: 60000", "expires_at_ms: is not after"),
        ("frequency: once_per_bar_close", "frequency: once_per_bar", "frequency: once_per_bar is for on: tick"),
        ("message: cheap", "on: tick", "frequency: on: tick fires once or once_per_bar, not once_per_bar_close"),
        ("message: cheap", "type: kline", "type: expected alert_command, or nothing"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_file_is_named_and_nothing_is_sent(
    strikeline: CommandLine, pipeline: Pipeline, file: Path, was: str, now: str, complaint: str
) -> None:
    assert was in DIP
    file.write_text(DIP.replace(was, now))
    answer = strikeline("alerts", "apply", str(file))
    assert answer.code == 2
    assert complaint in answer.err
    assert "Traceback" not in answer.err
    assert produced(pipeline) == []


def test_two_of_one_name_are_refused(strikeline: CommandLine, file: Path) -> None:
    file.write_text(f"{DIP}\n---\n{DIP}")
    answer = strikeline("alerts", "apply", str(file))
    assert (answer.code, "alert_id: dip stands twice" in answer.err) == (2, True)


def test_of_two_rows_the_newer_counts_not_the_later(
    strikeline: CommandLine, pipeline: Pipeline, file: Path
) -> None:
    """A worker that should have been dead writes an older row behind its successor's."""
    strikeline("alerts", "apply", str(file), "--effective-from", str(START))
    feed(pipeline, [101.0, 99.0])
    name = pipeline.topics.changelog("groups").name
    records = [r for r in pipeline.bus.records(name) if r.key == group_key("BTCUSDT", "dip")]
    entries = [decode_row("groups", r.key or b"", r.value or b"") for r in records]
    older = min(entries, key=lambda entry: entry.version)
    assert older.version < entries[-1].version
    newest = records[-1]
    pipeline.bus.append(Outgoing(name, newest.key, encode_row(older), 0, partition=newest.partition))
    (found,) = standing(pipeline.cluster, pipeline.topics)
    assert (found.fires, found.last_fired_ms) == (1, START + 2 * MINUTE)
