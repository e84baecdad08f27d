"""Records of one user that name what is another's: flawless in form, made from what is really there."""

from collections.abc import Callable, Sequence
from random import Random
from typing import Any, NamedTuple

from msgspec.structs import replace

from schemas.alerts import AlertCommand, BotAction, GroupCommand, Member
from schemas.bots import BotConfig
from schemas.message import Message
from schemas.triggers import Bar, FiredMember, StaleCommand, Trigger
from tests.e2e.good_inputs import SYMBOLS, bot, minute
from tests.e2e.victims import INTRUDER, outgoing
from topics.records import Outgoing
from topics.registry import Topics
from topics.spec import TopicSpec


class Known(NamedTuple):
    """What there is of others: triggers that fired and commands that armed, alerts and bots."""

    triggers: Sequence[Trigger]
    groups: Sequence[GroupCommand]
    alerts: Sequence[AlertCommand]
    bots: Sequence[BotConfig]
    own_bot: str


class Trespass(NamedTuple):
    """`kind` names it; `field` of the event that answers it, where no dead letter does."""

    kind: str
    outgoing: Outgoing
    error_class: str | None
    field: str | None = None


Make = Callable[["Intruder"], Trespass]


class Intruder:
    """Mallory, who has a bot of her own and knows everything."""

    def __init__(self, topics: Topics, known: Known, seed: int) -> None:
        self.topics = topics
        self.known = known
        self.random = Random(seed)

    def next(self) -> Trespass:
        """One record, of a random kind, about a random victim."""
        return self.random.choice(KINDS)(self)

    def generation(self, near: int) -> int:
        """One that is older, equal, the next or far ahead."""
        return max(1, self.random.choice((near - 1, near, near + 1, near + 7, 2**40)))

    def bar(self) -> Bar:
        """A bar that was, or will be, far off the market."""
        opened = minute(self.random.randrange(200))
        return Bar(
            interval="1m", open_time_ms=opened, close_time_ms=opened + 60_000, open=1.0, high=2e6, low=0.5, close=1.0,
            volume=1.0,
        )  # fmt: skip

    def dead(self, kind: str, spec: TopicSpec, message: Message, error_class: str = "Mismatch") -> Trespass:
        return Trespass(kind, outgoing(spec, message), error_class)

    def told(self, kind: str, spec: TopicSpec, message: Message, field: str) -> Trespass:
        return Trespass(kind, outgoing(spec, message), None, field)


def _config(intruder: Intruder) -> Trespass:
    """A bot's name is taken: whatever the config wants."""
    random, victim = intruder.random, intruder.random.choice(intruder.known.bots)
    mine = bot(random.randrange(50), victim.bot_id, INTRUDER)
    changes: dict[str, Any] = random.choice(
        ({}, {"state": "paused"}, {"state": "deleted"}, {"state": "deleted", "on_delete": "close"}, {"revision": 99})
    )  # fmt: skip
    return intruder.told("config", intruder.topics.configs, replace(mine, **changes), "user_id")


def _alert(intruder: Intruder) -> Trespass:
    """An alert's name is taken on its symbol."""
    victim = intruder.random.choice(intruder.known.alerts)
    state = intruder.random.choice(("active", "deleted"))
    mine = replace(
        victim, user_id=INTRUDER, state=state, condition="close > 0", frequency="every", message="mine"
    )
    return intruder.told("alert", intruder.topics.user_alerts, mine, "alert_id")


def _trigger(intruder: Intruder) -> Trespass:
    """A trigger that was, or could be, in the name of who does not own the bot."""
    victim = intruder.random.choice(intruder.known.triggers)
    generation = intruder.generation(victim.generation)
    mine = replace(victim, user_id=INTRUDER, generation=generation, bar=intruder.bar())
    return intruder.dead("trigger", intruder.topics.triggers, mine)


def _trigger_of_a_group(intruder: Intruder) -> Trespass:
    """Her own bot, with another's group."""
    known, random = intruder.known, intruder.random
    victim = random.choice(known.triggers)
    mine = replace(
        victim, user_id=INTRUDER, bot_id=known.own_bot, generation=intruder.generation(victim.generation)
    )
    return intruder.dead("trigger of a group", intruder.topics.triggers, mine)


def _trigger_id(intruder: Intruder) -> Trespass:
    """Her own bot and group, with the id that another's trigger will have: it must not be taken for a repeat."""
    known, random = intruder.known, intruder.random
    victim = random.choice(known.groups)
    opened = minute(random.randrange(200))
    trigger_id = f"{victim.group_id}:{victim.generation + random.randrange(3)}:{opened}:1"
    group_id = f"{known.own_bot}/{victim.symbol}/entry"
    fired = [FiredMember(alert_id="bot_own_entry", action=_enter(known.own_bot), price=1.0)]
    mine = Trigger(
        trigger_id=trigger_id, group_id=group_id, generation=1, bot_id=known.own_bot, user_id=INTRUDER,
        symbol=victim.symbol, bar=intruder.bar(), action=_enter(known.own_bot), fired=fired,
    )  # fmt: skip
    return intruder.dead("trigger_id", intruder.topics.triggers, mine)


def _stale(intruder: Intruder) -> Trespass:
    """An answer that would make the executor arm another's group anew."""
    known, random = intruder.known, intruder.random
    victim = random.choice(known.groups)
    bot_id = random.choice((victim.bot_id, known.own_bot))
    mine = StaleCommand(
        group_id=victim.group_id, generation=intruder.generation(victim.generation), bot_id=bot_id,
        user_id=INTRUDER, symbol=victim.symbol, stale_generation=1,
    )  # fmt: skip
    return intruder.dead("stale command", intruder.topics.triggers, mine)


def _group(intruder: Intruder) -> Trespass:
    """Another's group, armed with a member of hers, or removed."""
    known, random = intruder.known, intruder.random
    victim = random.choice(known.groups)
    bot_id = random.choice((victim.bot_id, known.own_bot))
    member = Member(alert_id="bot_own_entry", action=_enter(bot_id), condition={"at": minute(0)})
    op = random.choice(("arm", "remove"))
    mine = GroupCommand(
        op="arm" if op == "arm" else "remove", group_id=victim.group_id, bot_id=bot_id, user_id=INTRUDER,
        generation=intruder.generation(victim.generation), symbol=victim.symbol,
        members=[member] if op == "arm" else [],
    )  # fmt: skip
    return intruder.dead("group", intruder.topics.alerts, mine)


def _group_named_as_an_alert(intruder: Intruder) -> Trespass:
    """A group under the name of an alert: one register holds both."""
    victim = intruder.random.choice(intruder.known.alerts)
    mine = GroupCommand(
        op="remove", group_id=victim.alert_id, bot_id=intruder.known.own_bot, user_id=INTRUDER,
        generation=intruder.generation(1_000), symbol=victim.symbol,
    )  # fmt: skip
    return intruder.dead("group named as an alert", intruder.topics.alerts, mine)


def _member(intruder: Intruder) -> Trespass:
    """Her own group, with a member that fires another's bot."""
    known, random = intruder.known, intruder.random
    victim = random.choice(known.bots)
    symbol = random.choice(SYMBOLS)
    member = Member(alert_id="bot_own_entry", action=_enter(victim.bot_id), condition={"at": minute(0)})
    mine = GroupCommand(
        op="arm", group_id=f"{known.own_bot}/{symbol}/x{random.randrange(10**9)}", bot_id=known.own_bot,
        user_id=INTRUDER, generation=1, symbol=symbol, members=[member],
    )  # fmt: skip
    return intruder.told("member", intruder.topics.alerts, mine, "members[0].action.bot_id")


def _enter(bot_id: str) -> BotAction:
    return BotAction(bot_id=bot_id, action_type="execute_entry")


KINDS: Sequence[Make] = (
    _config, _alert, _trigger, _trigger_of_a_group, _trigger_id, _stale, _group, _group_named_as_an_alert, _member,
)  # fmt: skip
