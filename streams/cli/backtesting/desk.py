"""The executor's decisions with nothing around them: no topic, no database. What it keeps is in memory.

The code that decides is the live executor's (`sinks.executor.decide`), so a backtest cannot decide otherwise.
"""

from collections.abc import Iterable
from typing import Final

from msgspec.structs import replace

from schemas.alerts import GroupCommand
from schemas.bots import BotConfig
from schemas.events import BotEvent
from schemas.triggers import Trigger
from sinks.executor.decide import Known, decide
from sinks.executor.decision import Decision, Rules
from sinks.executor.edge import Incoming
from sinks.executor.state import Bot, Entry, Fill, HeldDeal
from topics.records import Record

_NOWHERE: Final = Record("backtest", 0, 0, 0, None, None)


class Refused(ValueError):
    """A bot that the executor would not accept, with every reason."""


class Desk:
    """Configs and triggers in, commands to the evaluator out; all that was decided is kept in the order of deciding.

    `deals` holds every deal ever opened, by its id, as it stands. `closings`: the trigger that closed a deal.
    """

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.bots: dict[str, Bot] = {}
        self.triggers: list[Trigger] = []
        self.outcomes: list[str] = []
        self.fills: list[Fill] = []
        self.ledger: list[Entry] = []
        self.events: list[BotEvent] = []
        self.deals: dict[str, HeldDeal] = {}

    def accept(self, config: BotConfig) -> list[GroupCommand]:
        """Put a bot in force from its `effective_from_ms`. Raises Refused."""
        record = _NOWHERE._replace(timestamp_ms=config.effective_from_ms or 0)
        decision = decide(
            self.bots.get(config.bot_id), Incoming(record, config), Known(set(), {}), self.rules
        )
        if decision.noted.outcome not in {"accepted", "repeated"}:
            raise Refused(f"{config.bot_id}: {decision.noted.reason}")
        return self._take(decision)

    def answer(self, trigger: Trigger) -> list[GroupCommand]:
        """What the executor answers to a trigger of the group's newest generation. Raises Refused for one that it would
        dead-letter: a defect of whoever made it.
        """
        bot = self.bots[trigger.bot_id]
        decision = decide(bot, Incoming(_NOWHERE, trigger), Known(set(), {}), self.rules)
        self.triggers.append(trigger)
        self.outcomes.append(decision.noted.outcome)
        if decision.dead is not None:
            raise Refused(f"{trigger.trigger_id}: {decision.dead.reason}")
        return self._take(decision)

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
