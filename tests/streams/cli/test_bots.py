"""`strikeline bots`: from a file to the executor's answer."""

from pathlib import Path

import pytest

from schemas.bots import BotConfig
from streams.cli.pipeline import Pipeline
from tests.pipeline import START, bars
from tests.streams.cli.commandline import CommandLine

GOLDEN = """
bot_id: golden
user_id: alice
pairs: [BTCUSDT]
entry: close < 101
base_order_volume: "15"
safety_order_volume: 30
max_safety_orders: 5
price_deviation: "1"
step_scale: "1.5"
volume_scale: "1.5"
take_profit: {percent: "2", of: average}
fee: "0.1"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "bots.yaml"
    path.write_text(GOLDEN)
    return path


def produced(pipeline: Pipeline) -> list[BotConfig]:
    return [m for m in pipeline.messages(pipeline.topics.configs) if isinstance(m, BotConfig)]


def test_a_bot_is_in_force_from_its_first_candle_where_there_is_none_yet(
    strikeline: CommandLine, pipeline: Pipeline, file: Path
) -> None:
    answer = strikeline("bots", "apply", str(file), "--wait", "5", "--json")
    assert answer.code == 0
    assert [(row["bot_id"], row["revision"], row["answer"]) for row in answer.json] == [
        ("golden", 1, "accepted")
    ]
    assert [bot.effective_from_ms for bot in produced(pipeline)] == [0]


async def test_a_bot_is_in_force_from_the_newest_tick_of_its_symbol(
    strikeline: CommandLine, pipeline: Pipeline, file: Path
) -> None:
    await pipeline.feed_klines([*bars([200.0] * 3), *bars([9.0] * 3, "ETHUSDT", START + 180_000)])
    ends = START + 6 * 60_000  # ticks of BTCUSDT went on while only ETHUSDT had candles
    strikeline_in_thread(strikeline, "bots", "apply", str(file))
    assert [bot.effective_from_ms for bot in produced(pipeline)] == [ends]


def strikeline_in_thread(strikeline: CommandLine, *words: str) -> None:
    """A command has an event loop of its own, which the test's loop must not see."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(strikeline, *words).result().code == 0


def test_the_same_file_again_sends_nothing_and_a_changed_one_counts_up(
    strikeline: CommandLine, pipeline: Pipeline, file: Path
) -> None:
    strikeline("bots", "apply", str(file))
    again = strikeline("bots", "apply", str(file), "--json")
    assert [(row["answer"], row["revision"]) for row in again.json] == [("unchanged", 1)]
    file.write_text(GOLDEN.replace('"15"', '"20"'))
    changed = strikeline("bots", "apply", str(file), "--wait", "5", "--json")
    assert [(row["answer"], row["revision"]) for row in changed.json] == [("accepted", 2)]
    forced = strikeline("bots", "apply", str(file), "--force", "--json")
    assert [(row["answer"], row["revision"]) for row in forced.json] == [("sent", 3)]
    assert [bot.revision for bot in produced(pipeline)] == [1, 2, 3]


def test_effective_from_can_be_said(strikeline: CommandLine, pipeline: Pipeline, file: Path) -> None:
    strikeline("bots", "apply", str(file), "--effective-from", "2023-11-14T22:14:00Z")
    assert [bot.effective_from_ms for bot in produced(pipeline)] == [START]


@pytest.mark.parametrize(
    "was, now, complaint",
    [
        ("step_scale", "step_scal", "step_scal: unknown field; did you mean step_scale?"),
        ("of: average", "off: average", "take_profit.off: unknown field; did you mean take_profit.of?"),
        (
            'price_deviation: "1"',
            "price_deviation: 1.5",
            'price_deviation: 1.5 is a float, not exact; write "1.5"',
        ),
        ('{percent: "2"', "{percent: 2.5", 'take_profit.percent: 2.5 is a float, not exact; write "2.5"'),
        ("bot_id: golden", "bot_id: 12", "bot_id: expected `str`, got `int`; put it in quotes"),
        ("user_id: alice", "name: x", "user_id: is missing"),
        ('fee: "0.1"', "fee: -1", "fee:"),
        ('fee: "0.1"', "side: up", "side: invalid enum value 'up'; expected long, neutral, short"),
        ("entry: close < 101", "entry: close < ", "entry: column"),
        ("max_safety_orders: 5", "max_safety_orders: 50", "safety order 10 of 50 deviates by 113.3301 %"),
        ("of: average", "of: mean", "take_profit.of: invalid enum value 'mean'; expected average, base"),
        ("user_id: alice", "user_id: alice\nuser_id: bob", "line 4: field 'user_id' stands twice"),
        ("[BTCUSDT]", "[BTCUSDT", "line"),
        ("user_id: alice", "user_id: alice\ntype: kline", "type: expected bot_config, or nothing"),
    ],
)
def test_what_is_wrong_with_a_file_is_named_and_nothing_is_sent(
    strikeline: CommandLine, pipeline: Pipeline, file: Path, was: str, now: str, complaint: str
) -> None:
    assert was in GOLDEN
    file.write_text(GOLDEN.replace(was, now))
    answer = strikeline("bots", "apply", str(file))
    assert answer.code == 2
    assert complaint in answer.err
    assert "Traceback" not in answer.err
    assert produced(pipeline) == []


def test_one_wrong_bot_of_several_stops_all_and_every_mistake_is_told(
    strikeline: CommandLine, pipeline: Pipeline, file: Path
) -> None:
    file.write_text(f"{GOLDEN}\n---\n- bot_id: b\n  usr_id: x\n- bot_id: c\n  pears: [A]\n---\n{GOLDEN}")
    answer = strikeline("bots", "apply", str(file))
    assert answer.code == 2
    for told in ("bot b: usr_id", "bot c: pears", "golden stands twice"):
        assert told in answer.err
    assert produced(pipeline) == []


@pytest.mark.parametrize("text", ["", "- 1", "just words", "\x00", "!!python/object:os.system {}"])
def test_a_file_without_bots_is_refused_in_one_line(strikeline: CommandLine, file: Path, text: str) -> None:
    file.write_text(text)
    answer = strikeline("bots", "apply", str(file))
    assert answer.code == 2
    assert len(answer.err.strip().splitlines()) == 1


def test_the_executors_refusal_is_a_problem(strikeline: CommandLine, file: Path) -> None:
    assert strikeline("bots", "apply", str(file)).code == 0
    file.write_text(GOLDEN.replace("alice", "mallory"))
    answer = strikeline("bots", "apply", str(file), "--wait", "5", "--json")
    assert answer.code == 1
    assert [(row["answer"], row["field"]) for row in answer.json] == [("rejected", "user_id")]


def test_list_show_and_delete(strikeline: CommandLine, pipeline: Pipeline, file: Path) -> None:
    strikeline("bots", "apply", str(file))
    listed = strikeline("bots", "list", "--json").json
    assert [(row["config"]["bot_id"], row["position"]["state"]) for row in listed] == [("golden", "active")]
    shown = strikeline("bots", "show", "golden", "--json").json
    assert [event["event"] for event in shown["events"]][:1] == ["accepted"]
    deleted = strikeline("bots", "delete", "golden", "--close", "--wait", "5", "--json")
    assert [(row["state"], row["revision"], row["answer"]) for row in deleted.json] == [
        ("deleted", 2, "accepted")
    ]
    assert [(bot.state, bot.on_delete) for bot in produced(pipeline)][-1] == ("deleted", "close")
    assert strikeline("bots", "delete", "golden").code == 1
    assert strikeline("bots", "show", "nobody").code == 1
    assert "golden" in strikeline("bots", "list").out


def test_the_preview_of_the_golden_ladder(strikeline: CommandLine, file: Path) -> None:
    ladder = strikeline("bots", "preview", str(file), "--json")
    assert ladder.code == 0
    last = ladder.json["orders"][-1]
    assert (last["order"], last["deviation_percent"], last["price"]) == (5, "13.1875", "86.8125")
    assert float(last["take_profit_price"]) == pytest.approx(93.6943, abs=5e-5)
    assert (ladder.json["required_capital"], ladder.json["problems"]) == ("410.625", [])
    assert "410.625" in strikeline("bots", "preview", str(file)).out


@pytest.mark.parametrize(
    "words, code, told",
    [
        (("--price", "abc"), 2, "--price: 'abc' is no decimal number"),
        (("--price", "-1"), 2, "--price: -1 is not above 0"),
        (("--tick", "0.1"), 2, "--tick and --lot go together"),
        (("--bot", "other"), 2, "0 bots called other"),
        (("--price", "1e400"), 2, "--price: 1e400 is none that a venue has"),
        (
            ("--tick", "1e-12", "--lot", "1e-12"),
            2,
            "--tick, --lot: tick, lot: 1E-12 × 1E-12 has more than 18 decimals",
        ),
        (("--symbol", "ETHUSDT"), 2, "--symbol: ETHUSDT is none of the bot's pairs, BTCUSDT"),
        (("--instruments", "none.yaml"), 2, "none.yaml: No such file or directory"),
    ],
)
def test_a_preview_that_cannot_be_made(
    strikeline: CommandLine, file: Path, words: tuple[str, ...], code: int, told: str
) -> None:
    answer = strikeline("bots", "preview", str(file), *words)
    assert (answer.code, told in answer.err) == (code, True)


def test_a_preview_tells_problems_with_exit_code_1(strikeline: CommandLine, file: Path) -> None:
    file.write_text(GOLDEN.replace("max_safety_orders: 5", "max_safety_orders: 50"))
    answer = strikeline("bots", "preview", str(file), "--json")
    assert answer.code == 1
    assert answer.json["problems"]


def test_a_changed_file_shows_what_it_changes_field_by_field(
    strikeline: CommandLine, pipeline: Pipeline, file: Path
) -> None:
    assert "golden: new" in strikeline("bots", "apply", str(file)).out
    file.write_text(
        GOLDEN.replace('"15"', '"20"').replace(
            '{percent: "2", of: average}',
            '{steps: [{percent: "2", amount: "50"}, {percent: 4, amount: "50"}], trailing: "1"}',
        )
    )
    shown = [line.strip() for line in strikeline("bots", "apply", str(file)).out.splitlines()]
    assert shown[:8] == [
        "golden:",
        "base_order_volume: 15 → 20",
        "take_profit.percent: 2 → none",
        "take_profit.trailing: none → 1",
        "take_profit.steps[0].percent: none → 2",
        "take_profit.steps[0].amount: none → 50",
        "take_profit.steps[1].percent: none → 4",
        "take_profit.steps[1].amount: none → 50",
    ]
    file.write_text(GOLDEN.replace('"15"', '"20"'))
    (row,) = strikeline("bots", "apply", str(file), "--json").json
    assert {"field": "take_profit.trailing", "old": "1", "new": None} in row["changes"]
    assert [bot.revision for bot in produced(pipeline)] == [1, 2, 3]


@pytest.mark.parametrize(
    "now, complaint",
    [
        (
            '{steps: [{percent: "2", amount: "50"}, {percent: 2.5, amount: "50"}]}',
            "take_profit.steps[1].percent: 2.5 is a float, not exact",
        ),
        (
            '{steps: [{percent: "2", amout: "50"}]}',
            "take_profit.steps[0].amout: unknown field; did you mean take_profit.steps[0].amount?",
        ),
        ('{percent: "2", steps: [{percent: "2", amount: "100"}]}', "take_profit: percent and steps exclude each other"),
        ("{of: base}", "take_profit: expected percent or steps"),
        ('{steps: [{percent: "2", amount: "50"}]}', "take_profit.steps: the amounts add up to 50, not to 100"),
    ],
)  # fmt: skip
def test_what_is_wrong_within_a_table_is_named(
    strikeline: CommandLine, file: Path, now: str, complaint: str
) -> None:
    file.write_text(GOLDEN.replace('{percent: "2", of: average}', now))
    answer = strikeline("bots", "apply", str(file))
    assert answer.code == 2
    assert complaint in answer.err


def test_the_preview_shows_every_target_and_stop_and_says_the_rest_in_words(
    strikeline: CommandLine, file: Path, tmp_path: Path
) -> None:
    file.write_text(
        GOLDEN.replace(
            '{percent: "2", of: average}',
            '{steps: [{percent: "2", amount: "50"}, {percent: "4", amount: "50"}], trailing: "1"}',
        )
        + 'stop_loss: {percent: "10", break_even: true}\nanchor: previous_order\nmax_active_safety_orders: 2\n'
        "close: {when: rsi(14) > 70, min_profit: 1}\n"
    )
    shown = strikeline("bots", "preview", str(file))
    assert shown.code == 0
    for words in (
        "target 1", "target 2", "stop", "break even", "2 of the safety orders wait at a time",
        "the targets sell 50, 50 %", "from the last target on the price is followed: it closes 1 % back",
        "closed when rsi(14) > 70, if that brings 1 % at least", "counted from the order before",
    ):  # fmt: skip
        assert words in shown.out, words
    filters = tmp_path / "instruments.yaml"
    filters.write_text('BTCUSDT: {tick: "0.5", lot: "0.001", min_notional: "5"}\n')
    found = strikeline("bots", "preview", str(file), "--json", "--instruments", str(filters)).json
    # 100·0.99, 99·0.985, 97.5·0.9775, each down to the half
    assert [row["price"] for row in found["orders"]][:4] == ["100", "99", "97.5", "95"]
    assert found["exits"][0]["take_profit_prices"] == ["102.5", "104.5"]
    assert found["exits"][0]["stop_loss_price"] == "90"
    assert found["exits"][0]["break_even_price"] == "100.5"
    assert found["warnings"] == []


def test_a_stop_above_the_ladder_is_a_warning(strikeline: CommandLine, file: Path) -> None:
    file.write_text(GOLDEN + 'stop_loss: {percent: "10"}\n')
    shown = strikeline("bots", "preview", str(file))
    assert shown.code == 0
    warning = "warning: stop_loss.percent: safety order 5 lies at or beyond the stop of 10 %: never bought"
    assert warning in shown.out


@pytest.mark.parametrize(
    "was, now, complaint",
    [
        ('fee: "0.1"', 'fee: "-0.1"', "fee: expected a decimal such as 1.5"),
        ('fee: "0.1"', 'fee: "nan"', "fee: expected a decimal such as 1.5"),
        ('fee: "0.1"', "pairs: [BTC/USDT]", "pairs[0]: expected a venue symbol such as BTCUSDT"),
        ('fee: "0.1"', "timeframe: 30s", "timeframe: expected an interval such as 1m"),
        ('fee: "0.1"', "close: {min_profit: 1}", "close.when: is missing"),
        ('fee: "0.1"', 'grid: {lower: "1", levels: 3, quantity: "1"}', "grid.upper: is missing"),
    ],
)
def test_what_is_wrong_is_told_in_words_with_its_whole_path(
    strikeline: CommandLine, file: Path, was: str, now: str, complaint: str
) -> None:
    kept = [line for line in GOLDEN.splitlines() if line.partition(":")[0] != now.partition(":")[0]]
    file.write_text("\n".join([*kept, now]) + "\n")
    answer = strikeline("bots", "preview", str(file))
    assert (answer.code, "regex" in answer.err) == (2, False)
    assert complaint in answer.err


def test_a_tick_or_a_lot_that_is_too_coarse_is_told_before_anything_is_armed(
    strikeline: CommandLine, file: Path
) -> None:
    coarse = strikeline("bots", "preview", str(file), "--price", "0.001", "--tick", "0.01", "--lot", "1")
    assert coarse.code == 1
    assert "problem: max_safety_orders: at 0.01 a safety order would lie below one tick, 0.01" in coarse.out
    large = strikeline("bots", "preview", str(file), "--tick", "0.01", "--lot", "10")
    assert large.code == 0
    assert (
        "warning: base_order_volume: 15 becomes 1000: the lot, 10, is too coarse at this price" in large.out
    )


def test_settings_of_safety_orders_that_are_not_there_are_a_warning(
    strikeline: CommandLine, file: Path
) -> None:
    file.write_text(GOLDEN.replace("max_safety_orders: 5", "max_safety_orders: 0") + "anchor: average\n")
    assert (
        "warning: anchor: means nothing without safety orders" in strikeline("bots", "preview", str(file)).out
    )
    file.write_text(GOLDEN + "max_active_safety_orders: 6\n")
    shown = strikeline("bots", "preview", str(file)).out
    assert "warning: max_active_safety_orders: is above the 5 that there are" in shown
