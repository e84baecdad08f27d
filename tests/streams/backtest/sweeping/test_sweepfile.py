"""A bot file with a `sweep`: what becomes of it, and what is wrong with it."""

from pathlib import Path

import pytest

from schemas.bots import BotConfig
from streams.cli.backtesting.sweeping.sweepfile import read_sweep
from streams.cli.errors import Invalid
from tests.streams.backtest.sweeping.files import DIP, write_sweep


def test_placeholders_and_field_paths_are_filled(tmp_path: Path) -> None:
    sweep = "  window: [7]\n  level: [30]\n  take_profit.percent: [0.5]\n  close: [{when: 'rsi({window}) > 70'}]\n"
    bot = read_sweep(write_sweep(tmp_path, sweep)).configuration
    made = bot((7, 30, "0.5", {"when": "rsi({window}) > 70"}))
    assert isinstance(made, BotConfig)
    assert made.entry == "rsi(7) < 30"
    assert made.take_profit is not None
    assert made.take_profit.percent == "0.5"
    assert made.close is not None
    assert made.close.when == "rsi(7) > 70"


def test_parts_of_lists_are_fields_too_and_parts_that_are_missing_are_made(tmp_path: Path) -> None:
    text = DIP.replace(
        'take_profit: {percent: "0.3"}', 'take_profit: {steps: [{percent: "1", amount: "100"}]}'
    )
    sweep = "  window: [7]\n  level: [30]\n  take_profit.steps.0.percent: [2]\n  close.when: ['close > 5']\n"
    made = read_sweep(write_sweep(tmp_path, sweep, text)).configuration((7, 30, 2, "close > 5"))
    assert isinstance(made, BotConfig)
    assert made.take_profit is not None
    assert made.take_profit.steps[0].percent == "2"
    assert made.close is not None


@pytest.mark.parametrize(
    "setting, told",
    [
        ((7, 30, 101), "max_safety_orders: expected `int` <= 100"),
        ((7, 30, "x"), "max_safety_orders: expected `int`"),
    ],
)
def test_a_configuration_that_a_bot_file_could_not_hold_says_why(
    tmp_path: Path, setting: tuple[object, ...], told: str
) -> None:
    file = read_sweep(write_sweep(tmp_path, "  window: [7]\n  level: [30]\n  max_safety_orders: [1]\n"))
    assert str(file.configuration(setting)).startswith(told)


@pytest.mark.parametrize(
    "sweep, told",
    [
        ("  window: [7]\n", "sweep.level: is missing: a condition has {level} in it"),
        ("  window: [7]\n  level: [30]\n  levle: [1]\n", "sweep.levle: is no field of a bot"),
        ("  window: [7]\n  level: [30]\n  price_deviaton: [1]\n", "did you mean price_deviation?"),
        ("  window: [7]\n  level: [30]\n  bot_id: [a]\n", "sweep.bot_id: is no setting"),
        (
            "  window: [7]\n  level: [30]\n  take_profit: [null]\n  take_profit.percent: [1]\n",
            "sweep.take_profit.percent: lies inside take_profit",
        ),
        ("  window: []\n  level: [30]\n", "sweep.window: has no values"),
    ],
)
def test_what_is_wrong_with_the_file_names_file_line_and_field(tmp_path: Path, sweep: str, told: str) -> None:
    place = write_sweep(tmp_path, sweep)
    with pytest.raises(Invalid) as refused:
        read_sweep(place)
    assert str(refused.value).startswith(f"{place}, line 2: sweep")
    assert told in str(refused.value)


def test_a_file_of_several_bots_or_of_none_to_vary_is_refused(tmp_path: Path) -> None:
    place = tmp_path / "bots.yaml"
    place.write_text("- {bot_id: a}\n- {bot_id: b}\n")
    with pytest.raises(Invalid, match="a sweep is of one bot, the file has 2"):
        read_sweep(place)
    place.write_text(DIP)
    with pytest.raises(Invalid, match="sweep: is missing"):
        read_sweep(place)
