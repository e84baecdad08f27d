"""The executor's decisions with nothing around them: no topic, no database. What it keeps is in memory.

The code that decides is the live executor's (`sinks.executor.decide`), so a backtest cannot decide otherwise.
"""

from collections.abc import Iterable
from typing import Final

from msgspec.structs import replace

from schemas.alerts import GroupCommand
from schemas.bots import BotConfig
from schemas.events import BotEvent
from schemas.triggers import StaleCommand, Trigger
from sinks.executor.decide import Known, decide
from sinks.executor.decision import Decision, Rules
from sinks.executor.edge import Incoming
from sinks.executor.state import Bot, Entry, Fill, Group, HeldDeal
from topics.records import Record

_NOWHERE: Final = Record("backtest", 0, 0, 0, None, None)
_NOBODY: Final = Known(set(), {})


class Refused(ValueError):
    """A bot that the executor would not accept, with every reason."""


class Desk:
    """Configs and triggers in, commands to the evaluator out; all that was decided is kept in the order of deciding.

    `deals` holds every deal ever opened, by its id, as it stands. `remembers`: groups that are gone stay known, for
    whoever gives it triggers of generations that were replaced.
    """

    def __init__(self, rules: Rules, *, remembers: bool = False) -> None:
        self.rules = rules
        self.bots: dict[str, Bot] = {}
        self.triggers: list[Trigger] = []
        self.outcomes: list[str] = []
        self.fills: list[Fill] = []
        self.ledger: list[Entry] = []
        self.events: list[BotEvent] = []
        self.deals: dict[str, HeldDeal] = {}
        self._gone: dict[str, Group] | None = {} if remembers else None

    def accept(self, config: BotConfig) -> list[GroupCommand]:
        """Put a bot in force from its `effective_from_ms`. Raises Refused."""
        record = _NOWHERE._replace(timestamp_ms=config.effective_from_ms or 0)
        return self.change(Incoming(record, config))

    def change(self, incoming: Incoming) -> list[GroupCommand]:
        """What a config, or a tombstone, changes. Raises Refused."""
        decision = self._decided(incoming, _NOBODY)
        if decision.noted.outcome not in {"accepted", "repeated"}:
            raise Refused(f"{incoming.bot_id}: {decision.noted.reason}")
        return self._take(decision)

    def answer(self, trigger: Trigger) -> list[GroupCommand]:
        """What the executor answers to a trigger of the group's newest generation. Raises Refused for one that it would
        dead-letter: a defect of whoever made it.
        """
        decision = self._decided(Incoming(_NOWHERE, trigger), _NOBODY)
        self.triggers.append(trigger)
        self.outcomes.append(decision.noted.outcome)
        if decision.dead is not None:
            raise Refused(f"{trigger.trigger_id}: {decision.dead.reason}")
        return self._take(decision)

    def apply(self, incoming: Incoming, known: Known) -> Decision:
        """Decide a record as it stands on its topic, whatever comes of it."""
        decision = self._decided(incoming, known)
        self._take(decision)
        return decision

    def _decided(self, incoming: Incoming, known: Known) -> Decision:
        bot = self.bots.get(incoming.bot_id) if incoming.bot_id is not None else None
        if bot is not None and self._gone and isinstance(incoming.message, Trigger | StaleCommand):
            group_id = incoming.message.group_id
            if group_id in self._gone and group_id not in bot.groups:
                bot = replace(bot, groups={**bot.groups, group_id: self._gone[group_id]})
        return decide(bot, incoming, known, self.rules)

    def _take(self, decision: Decision) -> list[GroupCommand]:
        self.fills += decision.fills
        self.ledger += decision.ledger
        commands: list[GroupCommand] = []
        for told in decision.told:
            if isinstance(told.message, GroupCommand):
                commands.append(told.message)
            elif isinstance(told.message, BotEvent):
                self.events.append(told.message)
        if decision.bot is not None:
            self.deals.update(decision.bot.deals)
            if self._gone is not None:
                self._gone |= {name: group for name, group in decision.bot.groups.items() if not group.armed}
            self.bots[decision.bot.bot_id] = _without_the_past(decision.bot)
        return commands


def _without_the_past(bot: Bot) -> Bot:
    """As the database would load it: without deals that are closed and groups that are gone."""
    deals = {name: held for name, held in bot.deals.items() if held.open}
    groups = {name: group for name, group in bot.groups.items() if group.armed}
    if len(deals) == len(bot.deals) and len(groups) == len(bot.groups):
        return bot
    return replace(bot, deals=deals, groups=groups)


def accept_all(desk: Desk, configs: Iterable[BotConfig]) -> list[GroupCommand]:
    """Commands of all bots, in their order. Raises Refused with the first that is refused."""
    return [command for config in configs for command in desk.accept(config)]
