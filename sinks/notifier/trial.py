"""A test message to each of a user's channels."""

import asyncio
from typing import NamedTuple

from sinks.notifier.channel import Channel
from sinks.notifier.directory import User
from sinks.notifier.errors import ChannelFailed
from sinks.notifier.guard import Guard
from sinks.notifier.session import guarded_sessions


class Tried(NamedTuple):
    """`problem` None: the channel took it."""

    channel: str
    scheme: str
    problem: str | None


def try_out(user: User, *, allow_private: bool) -> list[Tried]:
    """Send the message once to each channel, all at the same time, under the guard that the notifier has."""
    with Guard(allow_private=allow_private).enforced(), guarded_sessions():
        return asyncio.run(_all(user))


async def _all(user: User) -> list[Tried]:
    return list(
        await asyncio.gather(*(_one(user.user_id, target.channel) for target in user.targets.values()))
    )


async def _one(user_id: str, channel: Channel) -> Tried:
    try:
        await channel.send("Strikeline", f"A test message for {user_id}: this channel works.")
    except ChannelFailed as failed:
        return Tried(channel.name, channel.scheme, failed.reason)
    return Tried(channel.name, channel.scheme, None)
