"""Commands that read and feed, on the in-process bus: what they print, and how they end."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
from sqlalchemy import update

from sinks.config import ExecutorSettings
from sinks.database.tables import bots
from streams.cli.app import app
from streams.cli.commands.processes import LogLevels, asked
from streams.cli.pipeline import Pipeline
from streams.config import WorkerSettings
from tests.pipeline import START, Shape, bars, golden_bot, run
from tests.streams.cli.commandline import CommandLine
from topics.dead_letters import dead_letter
from topics.records import Record

DIP: list[Shape] = [102.0, 100.0, (100.0, 100.0, 97.0, 97.2), (97.2, 101.0, 97.2, 100.9), 102.0]


@pytest.fixture
def traded(pipeline: Pipeline) -> None:
    """A dip was averaged and sold."""
    asyncio.run(run(pipeline, [golden_bot()], bars(DIP)))


def commands(command: object, path: tuple[str, ...] = ()) -> Iterator[tuple[str, object]]:
    below = getattr(command, "commands", None)
    if below is None:
        yield " ".join(path), command
        return
    for name, child in below.items():
        yield from commands(child, (*path, name))


ALL = dict(commands(typer.main.get_command(app)))


def test_the_commands_of_the_front_page_are_all_there() -> None:
    assert set(ALL) == {
        "demo", "up", "down", "status", "worker", "executor", "archive", "notifier test",
        "topics create", "topics list", "topics check", "feed file", "feed simulate", "feed binance",
        "bots apply", "bots list", "bots show", "bots delete", "bots preview",
        "alerts apply", "alerts list", "alerts show", "alerts delete",
        "explain", "triggers tail", "positions list", "positions balances", "condition parse", "dlq list", "dlq show",
        "indicators list", "indicators compute", "backtest", "sweep", "replay", "drift",
    }  # fmt: skip


@pytest.mark.parametrize("name", ALL)
def test_every_command_has_json_and_a_help_of_its_own(name: str, strikeline: CommandLine) -> None:
    answer = strikeline(*name.split(), "--help")
    assert answer.code == 0
    assert "--json" in answer.out


def test_the_front_page_loads_nothing_heavy_and_tells_the_exit_codes() -> None:
    # What makes help slow is what it imports; a stopwatch would measure the machine.
    program = (
        "import sys; from streams.cli import main; sys.argv = ['strikeline', '--help']\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print('loaded:', *sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    text, _, loaded = done.stdout.partition("loaded:")
    heavy = {
        "numba",
        "numpy",
        "polars",
        "faust",
        "aiokafka",
        "confluent_kafka",
        "sqlalchemy",
        "alembic",
        "ta",
    }
    assert heavy.isdisjoint(loaded.split())
    assert "Exit codes: 0 fine" in " ".join(text.split())


@pytest.mark.parametrize("words", [("status",), ("bots", "list"), ("triggers", "tail"), ("topics", "check")])
def test_a_broker_that_is_not_there_is_one_line_and_exit_code_3(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from typer.testing import CliRunner

    for module in ("streams.cli.kafka", "topics.admin"):  # how long it tries is not what is tested
        monkeypatch.setattr(f"{module}._TIMEOUT_S", 0.5)
    options = ["--dir", str(tmp_path), "--bootstrap", "127.0.0.1:1"]
    result = CliRunner().invoke(app, [*options, *words])
    assert result.exit_code == 3
    assert len(result.stderr.strip().splitlines()) == 1
    assert "127.0.0.1:1" in result.stderr


def test_a_topic_that_is_not_there_is_exit_code_3(tmp_path: Path) -> None:
    from streams.cli.cluster import MemoryCluster
    from topics.bus import MemoryBus

    answer = CommandLine(MemoryCluster(MemoryBus()), tmp_path)("triggers", "tail")
    assert (answer.code, "topics create" in answer.err) == (3, True)


@pytest.mark.parametrize(
    "words, told",
    [
        (("--namespace", "No Name", "bots", "list"), "namespace 'No Name'"),
        (("condition", "parse", "rsi(14) < "), "column"),
        (("condition", "parse", "inside(close, 5, 3)"), "high: is below low: nothing lies between"),
        (("feed", "simulate", "--speed", "fast"), "--speed: 'fast' is not max, live or a multiple"),
        (("feed", "simulate", "--minutes", "3", "--from", "noon"), "--from: 'noon' is no time"),
        (("feed", "simulate", "--symbols", "btc"), "--symbols: 'btc' is no symbol"),
        (("feed", "file", "nowhere.csv"), "nowhere.csv: is no file"),
        (("feed", "file", "nowhere.csv", "--speed", "0"), "--speed: '0'"),
        (("dlq", "show", "bots.positions.v1"), "no dead letters are kept for bots.positions.v1"),
    ],
)
def test_wrong_usage_is_one_clear_line_and_exit_code_2(
    strikeline: CommandLine, words: tuple[str, ...], told: str
) -> None:
    answer = strikeline(*words)
    assert (answer.code, told in answer.err) == (2, True), answer.err


def test_a_condition_is_shown_as_a_tree_and_its_mistakes_at_their_column(strikeline: CommandLine) -> None:
    tree = strikeline("condition", "parse", "rsi(14) < 30 and close > ema(200, '1h')", "--json").json
    assert [part["op"] for part in tree["all"]] == ["lt", "gt"]
    wrong = strikeline("condition", "parse", "close > emma(200)").err.splitlines()
    assert wrong[1][wrong[2].index("^") :].startswith("emma")


@pytest.mark.parametrize("kind", [WorkerSettings, ExecutorSettings])
def test_what_is_not_given_to_a_process_is_left_to_the_environment(
    kind: type[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STRIKELINE_METRICS_PORT", "9000")
    monkeypatch.setenv("STRIKELINE_LOG_LEVEL", "WARNING")
    from_outside, given = kind(**asked(None, None)), kind(**asked(LogLevels.DEBUG, 0))
    assert (from_outside.metrics_port, from_outside.log_level) == (9000, "WARNING")
    assert (given.metrics_port, given.log_level) == (0, "DEBUG")


@pytest.mark.usefixtures("traded")
def test_triggers_positions_and_status_of_a_bot_that_traded(
    strikeline: CommandLine, pipeline: Pipeline
) -> None:
    tail = strikeline("triggers", "tail", "--no-follow", "--last", "3")
    assert tail.code == 0
    assert len(tail.out.splitlines()) == 3
    lines = strikeline("triggers", "tail", "--no-follow", "--json").out.splitlines()
    assert '"action_type":"execute_entry"' in lines[0]
    assert strikeline("triggers", "tail", "--no-follow", "--bot", "other").out == ""
    position = strikeline("positions", "list", "--json").json[0]
    assert (position["bot_id"], position["closed_deals"]) == ("golden", 1)
    assert "golden" in strikeline("positions", "list").out
    healthy = strikeline("status", "--max-age", "0", "--json")
    assert healthy.code == 0
    assert healthy.json["problems"] == []
    assert healthy.json["newest_ms"] == {"BTCUSDT": START + 5 * 60_000}
    assert {reader["lag"] for reader in healthy.json["readers"]} == {0}
    assert healthy.json["deals"] == {"closed": 1}
    assert "all is well" in strikeline("status", "--max-age", "0").out


@pytest.mark.usefixtures("traded")
def test_status_says_what_does_not_agree_in_the_database(strikeline: CommandLine, pipeline: Pipeline) -> None:
    with pipeline.engine.begin() as connection:
        connection.execute(update(bots).values(realized_profit="1000"))
    answer = strikeline("status", "--max-age", "0", "--json")
    assert answer.code == 1
    (difference,) = answer.json["differences"]
    assert difference.startswith("bot_differs: golden: it counts 1 closed deals and 1000")
    assert answer.json["problems"] == [difference]
    assert f"problem: {difference}" in strikeline("status", "--max-age", "0").out


@pytest.mark.usefixtures("traded")
def test_status_calls_old_candles_a_lag_that_stays_and_dead_letters_problems(
    strikeline: CommandLine, pipeline: Pipeline
) -> None:
    name = pipeline.topics.klines.name
    pipeline.bus.append(dead_letter(Record(name, 0, 0, START, b"X", b"{", ()), "NotJson", "broken"))
    pipeline.bus.append(dead_letter(Record(name, 0, 1, START, b"X", None, ()), "NullValue", "empty"))
    answer = strikeline("status", "--watch", "0", "--json")
    assert answer.code == 1
    problems = " | ".join(answer.json["problems"])
    assert "BTCUSDT: nothing for" in problems
    assert f"2 dead letters on {name}.dlq" in problems
    assert strikeline("dlq", "list", "--json").json == [
        {"topic": f"{name}.dlq", "error_class": "NotJson", "count": 1},
        {"topic": f"{name}.dlq", "error_class": "NullValue", "count": 1},
    ]
    shown = strikeline("dlq", "show", "market.klines.v1", "--json").json
    assert [(letter["address"], letter["reason"]) for letter in shown] == [
        (f"{name}[0]@0", "broken"), (f"{name}[0]@1", "empty"),
    ]  # fmt: skip
    assert "NotJson" in strikeline("dlq", "show").out


def test_a_worker_that_does_not_read_is_a_problem(strikeline: CommandLine, pipeline: Pipeline) -> None:
    pipeline.evaluator.close()
    asyncio.run(_feed_only(pipeline))
    answer = strikeline("status", "--max-age", "0", "--watch", "0", "--json")
    assert answer.code == 1
    assert answer.json["problems"] == [
        "strikeline-evaluator stands still on market.klines.v1, 4 records behind"
    ]


async def _feed_only(pipeline: Pipeline) -> None:
    from streams.feeds.publish import Feed
    from streams.feeds.ticks import boundaries
    from topics.bus import MemoryPublisher

    await Feed(MemoryPublisher(pipeline.bus), pipeline.topics.klines.name, "test").run(
        boundaries(bars([1.0, 1.0]))
    )


def test_topics_are_listed_with_what_they_hold(strikeline: CommandLine) -> None:
    listed = {row["topic"]: row for row in strikeline("topics", "list", "--json").json}
    assert listed["market.klines.v1"] == {
        "topic": "market.klines.v1", "key": "symbol", "partitions": 4, "cleanup": "delete", "offsets": 0,
    }  # fmt: skip
    assert "market.klines.v1.dlq" in strikeline("topics", "list").out


def test_simulated_klines_are_published_and_called_so(strikeline: CommandLine, pipeline: Pipeline) -> None:
    words = (
        "feed",
        "simulate",
        "--minutes",
        "30",
        "--speed",
        "max",
        "--from",
        str(START),
        "--symbols",
        "A,B",
    )
    answer = strikeline(*words, "--json")
    assert answer.code == 0
    assert {key: answer.json[key] for key in ("klines", "ticks", "simulated", "feed")} == {
        "klines": 60, "ticks": 60, "simulated": True, "feed": "simulated",
    }  # fmt: skip
    assert len(pipeline.messages(pipeline.topics.klines)) == 120
    plain = strikeline(*words)
    assert "60 simulated klines" in plain.out
    assert "made up" in plain.err


def test_a_file_is_fed_and_its_broken_rows_are_told(strikeline: CommandLine, tmp_path: Path) -> None:
    path = tmp_path / "k.csv"
    rows = [f"BTCUSDT,{START + i * 60_000},1,2,0.5,1.5,1" for i in range(5)]
    path.write_text(
        "symbol,open_time,open,high,low,close,volume\n" + "\n".join([*rows, "BTCUSDT,x,1,2,0.5,1.5,1"])
    )
    answer = strikeline("feed", "file", str(path), "--json")
    assert (answer.code, answer.json["klines"], answer.json["broken_rows"]) == (1, 5, 1)
    assert "row 6, column open_time: x is no time" in answer.err
    part = strikeline(
        "feed", "file", str(path), "--to", str(START + 120_000), "--symbols", "BTCUSDT", "--json"
    )
    assert (part.code, part.json["klines"]) == (1, 2)
