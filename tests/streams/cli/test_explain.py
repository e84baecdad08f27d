"""`strikeline explain`: from the topics of a pipeline to the answer."""

import asyncio
from pathlib import Path

import pytest

from schemas.alerts import AlertCommand
from streams.cli.pipeline import Pipeline
from tests.pipeline import START, Shape, bars, golden_bot
from tests.streams.cli.commandline import CommandLine

MINUTE = 60_000
ALERT = """
alert_id: dip
user_id: alice
symbol: BTCUSDT
condition: close < 100 and volume > 0
frequency: once_per_bar_close
"""


def play(pipeline: Pipeline, shapes: list[Shape]) -> None:
    asyncio.run(pipeline.apply(golden_bot()))
    asyncio.run(pipeline.feed_klines(bars(shapes)))


@pytest.fixture
def traded(strikeline: CommandLine, pipeline: Pipeline, tmp_path: Path) -> None:
    """A bot entered at the third bar, below which an alert fired at the fourth."""
    file = tmp_path / "alerts.yaml"
    file.write_text(ALERT)
    assert strikeline("alerts", "apply", str(file), "--effective-from", str(START)).code == 0
    play(pipeline, [102.0, 103.0, 100.5, 99.5, 99.0])


@pytest.mark.usefixtures("traded")
def test_a_users_alert(strikeline: CommandLine) -> None:
    fired = strikeline("explain", "dip", "--at", "2023-11-14T22:18", "--json").json
    assert (fired["fired"], fired["generation"], fired["bar"]["close"]) == (True, 0, 99.5)
    assert [part["text"] for part in fired["condition"]["parts"]] == ["close < 100", "volume > 0"]
    shown = strikeline("explain", "dip", "--at", str(START + 5 * MINUTE)).out
    assert "bar that closed 2023-11-14 22:19: O 99 H 99 L 99 C 99 V 1" in shown
    assert "true    close < 100   99 against 100" in shown
    assert "It did not fire: its condition was already true since 2023-11-14 22:18" in shown


@pytest.mark.usefixtures("traded")
def test_a_bots_member_with_the_generation_of_that_time(strikeline: CommandLine) -> None:
    name = "bot_golden_entry"
    entered = strikeline("explain", name, "--at", str(START + 3 * MINUTE), "--json").json
    assert (entered["fired"], entered["kind"], entered["generation"]) == (True, "member", 1)
    before = strikeline("explain", name, "--at", str(START + 2 * MINUTE)).out
    assert "It did not fire: its condition is false, close < 101 (103 against 101, 2 away)." in before
    ladder = strikeline("explain", "bot_golden_dca_1", "--at", str(START + 4 * MINUTE), "--json").json
    assert (ladder["fired"], ladder["generation"], ladder["condition"]["truth"]) == (False, 3, False)
    assert "not reached: the low was 99.5" in ladder["answer"]
    filled = strikeline("explain", "bot_golden_dca_1", "--at", str(START + 5 * MINUTE), "--json").json
    assert (filled["fired"], filled["generation"], filled["group_id"]) == (True, 3, ladder["group_id"])


@pytest.mark.usefixtures("traded")
def test_what_cannot_be_answered(strikeline: CommandLine, pipeline: Pipeline) -> None:
    unknown = strikeline("explain", "nobody", "--at", str(START))
    assert (unknown.code, "no alert nobody" in unknown.err) == (1, True)
    elsewhere = strikeline("explain", "dip", "--at", str(START), "--symbol", "ETHUSDT")
    assert (elsewhere.code, "no alert dip on ETHUSDT" in elsewhere.err) == (1, True)
    assert strikeline("explain", "dip", "--at", "noon").code == 2
    assert strikeline("explain", "dip").code == 2
    later = strikeline("explain", "dip", "--at", str(START + 60 * MINUTE)).out
    assert (
        "No bar of BTCUSDT has closed at or after 2023-11-14 23:14; the newest closed 2023-11-14 22:19."
        in later
    )


@pytest.mark.usefixtures("traded")
def test_a_command_that_only_the_table_still_has(strikeline: CommandLine, pipeline: Pipeline) -> None:
    """The topic of commands keeps 30 days."""
    topic = pipeline.topics.user_alerts.name
    for partition in range(pipeline.topics.partitions):
        pipeline.bus.truncate(topic, partition, pipeline.bus.end(topic, partition))
    assert not [m for m in pipeline.messages(pipeline.topics.user_alerts) if isinstance(m, AlertCommand)]
    assert strikeline("explain", "dip", "--at", str(START + 4 * MINUTE), "--json").json["fired"]


@pytest.mark.usefixtures("traded")
def test_where_the_first_candles_are_gone_it_says_so(strikeline: CommandLine, pipeline: Pipeline) -> None:
    topic = pipeline.topics.klines.name
    records = [record for record in pipeline.bus.records(topic) if record.key == b"BTCUSDT"]
    pipeline.bus.truncate(topic, records[0].partition, records[2].offset)
    told = strikeline("explain", "dip", "--at", str(START + 4 * MINUTE))
    assert "candles before 2023-11-14 22:15 are gone" in told.out
    assert "It fired" in told.out
