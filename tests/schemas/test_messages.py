"""What all messages promise, and the limits of the single ones."""

from typing import Any

import msgspec
import pytest

from schemas.alerts import GroupCommand, Member
from schemas.bots import BotConfig, StopLoss
from schemas.message import Message
from schemas.positions import Position
from tests.schemas.examples import EXAMPLES

every_message = pytest.mark.parametrize("message", EXAMPLES.values(), ids=EXAMPLES)


def raw(message: Message) -> dict[str, Any]:
    decoded: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(message))
    return decoded


def read(tag: str, /, **changes: Any) -> Message:
    message = EXAMPLES[tag]
    return msgspec.convert(raw(message) | changes, type(message), strict=True)


@every_message
def test_it_survives_the_wire(message: Message) -> None:
    assert msgspec.json.decode(msgspec.json.encode(message), type=type(message)) == message


@every_message
def test_it_says_its_type_first(message: Message) -> None:
    assert next(iter(raw(message).items())) == ("type", message.__struct_config__.tag)


@every_message
def test_it_is_frozen(message: Message) -> None:
    for field in message.__struct_fields__:
        with pytest.raises(AttributeError, match="immutable"):
            setattr(message, field, getattr(message, field))


@every_message
def test_unknown_fields_are_ignored_at_every_level(message: Message) -> None:
    def grown(value: Any) -> Any:
        if isinstance(value, list):
            return [grown(item) for item in value]
        if isinstance(value, dict):
            return {name: value[name] if name in FREE else grown(value[name]) for name in value} | {"new": 1}
        return value

    assert msgspec.convert(grown(raw(message)), type(message), strict=True) == message


FREE = {"condition", "detail", "trails", "values"}
"""Objects whose names are data, or where an unknown name is refused."""


@every_message
def test_every_required_field_is_required(message: Message) -> None:
    required = [field.name for field in msgspec.structs.fields(message) if field.required]
    assert required
    for name in required:
        partial = {field: value for field, value in raw(message).items() if field != name}
        with pytest.raises(msgspec.ValidationError, match=name):
            msgspec.convert(partial, type(message), strict=True)


@every_message
def test_another_type_is_refused(message: Message) -> None:
    with pytest.raises(msgspec.ValidationError, match="Invalid value 'other'"):
        msgspec.convert(raw(message) | {"type": "other"}, type(message), strict=True)


def test_defaults_take_no_room_on_the_wire() -> None:
    assert raw(BotConfig(bot_id="b", user_id="u")) == {"type": "bot_config", "bot_id": "b", "user_id": "u"}


@pytest.mark.parametrize("text", ["0", "1", "0.1", "15", "123456789012345678.123456789012345678"])
def test_a_decimal_is_a_plain_number(text: str) -> None:
    config = read("bot_config", base_order_volume=text)
    assert isinstance(config, BotConfig)
    assert config.base_order_volume == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".5",
        "5.",
        "01",
        "-1",
        "+1",
        "1e3",
        "1,5",
        " 1",
        "1\n",
        "NaN",
        "Infinity",
        "٣",
        "1234567890123456789",
    ],
)
def test_what_is_no_decimal_is_refused(text: str) -> None:
    with pytest.raises(msgspec.ValidationError, match="base_order_volume"):
        read("bot_config", base_order_volume=text)


@pytest.mark.parametrize("text", ["-1.25", "0", "12345678901234567890123456.5"])
def test_a_profit_may_be_negative(text: str) -> None:
    position = read("position", realized_profit=text)
    assert isinstance(position, Position)
    assert position.realized_profit == text


@pytest.mark.parametrize("number", [15, 15.0, None])
def test_money_is_never_a_number(number: object) -> None:
    with pytest.raises(msgspec.ValidationError, match="base_order_volume"):
        read("bot_config", base_order_volume=number)


@pytest.mark.parametrize("text", ["a", "btc-dip", "A.b_c:d@e-1", "0", "x" * 64])
def test_an_id_is_a_word(text: str) -> None:
    config = read("bot_config", bot_id=text)
    assert isinstance(config, BotConfig)
    assert config.bot_id == text


@pytest.mark.parametrize("text", ["", "-a", "a b", "a/b", "é", "a\n", "a\x00", "x" * 65])
def test_what_is_no_id_is_refused(text: str) -> None:
    with pytest.raises(msgspec.ValidationError, match="bot_id"):
        read("bot_config", bot_id=text)


@pytest.mark.parametrize(
    "kind, changes",
    [
        ("bot_config", {"kind": "martingale"}),
        ("bot_config", {"state": "asleep"}),
        ("bot_config", {"side": "both"}),
        ("bot_config", {"timeframe": "1m\n"}),
        ("bot_config", {"pairs": ["btcusdt"]}),
        ("bot_config", {"pairs": ["BTCUSDT"] * 65}),
        ("bot_config", {"pairs": "BTCUSDT"}),
        ("bot_config", {"max_safety_orders": 101}),
        ("bot_config", {"max_safety_orders": 1.5}),
        ("bot_config", {"max_active_deals": 0}),
        ("bot_config", {"cooldown_s": -1}),
        ("bot_config", {"revision": 2**53 + 1}),
        ("bot_config", {"effective_from_ms": -1}),
        ("bot_config", {"entry": 7}),
        ("bot_config", {"take_profit": {"of": "base"}}),
        ("bot_config", {"take_profit": {"percent": "2", "of": "last"}}),
        ("bot_config", {"stop_loss": {"percent": "2", "from": "entry"}}),
        ("group_command", {"op": "disarm"}),
        ("group_command", {"generation": 0}),
        ("group_command", {"group_id": ""}),
        ("group_command", {"group_id": "g" * 257}),
        ("group_command", {"members": [{"alert_id": "a", "action": {"type": "notify"}, "condition": {}}]}),
        ("alert_command", {"frequency": "often"}),
        ("alert_command", {"rearm_bars": 0}),
        ("alert_command", {"debounce_bars": 5_001}),
        ("alert_command", {"message": "x" * 1_025}),
        ("event", {"event": "exploded"}),
        ("event", {"detail": {"nested": {}}}),
        ("trigger", {"values": {"rsi(14)": None}}),
        ("tick", {"time_ms": -60_000}),
    ],
)
def test_what_breaks_a_limit_is_refused(kind: str, changes: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        read(kind, **changes)


def test_a_group_has_at_most_256_members() -> None:
    command = EXAMPLES["group_command"]
    assert isinstance(command, GroupCommand)
    member = msgspec.to_builtins(command.members[0])
    full = read("group_command", members=[member] * 256)
    assert isinstance(full, GroupCommand)
    assert full.members == [msgspec.convert(member, Member)] * 256
    with pytest.raises(msgspec.ValidationError, match="members"):
        read("group_command", members=[member] * 257)


def test_a_stop_says_from_where_it_counts() -> None:
    assert msgspec.json.encode(StopLoss(percent="20", reference="last_level")) == (
        b'{"percent":"20","from":"last_level"}'
    )


def test_a_new_message_is_derived() -> None:
    config = EXAMPLES["bot_config"]
    assert isinstance(config, BotConfig)
    paused = msgspec.structs.replace(config, state="paused", revision=config.revision + 1)
    assert (paused.state, config.state) == ("paused", "active")


@pytest.mark.parametrize(
    "state",
    [
        {"active": True, "extreme": 0},
        {"active": True, "extreme": -1.5},
        {"active": True, "extreme": "105.5"},
        {"active": 1, "extreme": 105.5},
        {"active": False, "extreme": 105.5},
        {"extreme": 105.5},
    ],
)
def test_a_trail_that_is_no_state_is_refused_in_command_and_trigger(state: dict[str, Any]) -> None:
    member = raw(EXAMPLES["group_command"])["members"][0] | {"trail": state}
    with pytest.raises(msgspec.ValidationError, match=r"trail|extreme"):
        read("group_command", members=[member])
    with pytest.raises(msgspec.ValidationError, match=r"trails|extreme"):
        read("trigger", trails={"tp": state})
    with pytest.raises(msgspec.ValidationError):
        read("trigger", trails={"not an id!": {}})
