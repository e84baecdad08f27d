"""Bots, bars and triggers for the executor's tests."""

from typing import Any

from msgspec.structs import replace

from schemas.alerts import GroupCommand
from schemas.bots import BotConfig, StopLoss, TakeProfit
from schemas.triggers import Bar, FiredMember, Trigger
from topics.codec import encode
from topics.partitioner import partition_for
from topics.records import Outgoing, Record
from topics.registry import Topics

T0 = 1_700_000_040_000
"""A minute boundary: the open time of bar 0."""
MINUTE = 60_000
TOPICS = Topics(partitions=3)


def golden(bot_id: str = "dip", user_id: str = "alice", **changes: Any) -> BotConfig:
    """The golden vector's bot: enters below 101, five safety orders, target 2 % on average, effective at bar
    0.
    """
    config = BotConfig(
        bot_id=bot_id,
        user_id=user_id,
        pairs=["BTCUSDT"],
        entry="close < 101",
        base_order_volume="15",
        safety_order_volume="30",
        max_safety_orders=5,
        price_deviation="1",
        step_scale="1.5",
        volume_scale="1.5",
        take_profit=TakeProfit(percent="2"),
        stop_loss=StopLoss(percent="20"),
        slippage="0",
        effective_from_ms=T0,
    )
    return replace(config, **changes)


def bar(number: int, close: float, *, low: float | None = None, high: float | None = None,
        opened: float | None = None) -> Bar:  # fmt: skip
    """The `number`-th minute after T0. It opens at its close unless told otherwise."""
    start = close if opened is None else opened
    return Bar(
        interval="1m",
        open_time_ms=T0 + number * MINUTE,
        close_time_ms=T0 + (number + 1) * MINUTE,
        open=start,
        high=max(start, close, *([] if high is None else [high])),
        low=min(start, close, *([] if low is None else [low])),
        close=close,
        volume=1.0,
    )


def fire(command: GroupCommand, on: Bar, *actions: str) -> Trigger:
    """The trigger of an armed group on which the members with these actions fired; the first one if none is
    named.
    """
    wanted = actions or (command.members[0].action.action_type,)
    members = [member for member in command.members if member.action.action_type in wanted]
    fired = [FiredMember(alert_id=m.alert_id, action=m.action, price=on.close) for m in members]
    return Trigger(
        trigger_id=f"{command.group_id}:{command.generation}:{on.open_time_ms}:1",
        group_id=command.group_id,
        generation=command.generation,
        bot_id=command.bot_id,
        user_id=command.user_id,
        symbol=command.symbol,
        bar=on,
        action=fired[0].action,
        fired=fired,
    )


def config_out(config: BotConfig, topics: Topics = TOPICS, at_ms: int = T0) -> Outgoing:
    """A config to be produced."""
    return Outgoing(topics.configs.name, config.bot_id.encode(), encode(config), at_ms)


def record_of(outgoing: Outgoing, offset: int, topics: Topics = TOPICS) -> Record:
    """The record that `outgoing` becomes."""
    key = outgoing.key or b""
    partition = partition_for(key, topics.partitions)
    return Record(outgoing.topic, partition, offset, outgoing.timestamp_ms, outgoing.key, outgoing.value)
