"""One record decided: given to what knows its kind. Pure."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from msgspec.structs import replace

from schemas.bots import BotConfig
from schemas.orders import OrderReport
from schemas.triggers import StaleCommand, Trigger
from sinks.capital.purse import Purses
from sinks.executor.configs import decide_config, decide_tombstone
from sinks.executor.decision import Decision, Noted, Rules
from sinks.executor.edge import Incoming
from sinks.executor.poison import poisoned
from sinks.executor.stale import decide_stale
from sinks.executor.state import Bot
from sinks.executor.triggers import decide_trigger
from sinks.orders.reports import decide_report

NO_USERS: Final[Mapping[str, Purses]] = MappingProxyType({})


class Known(NamedTuple):
    """What the database says beside the bot: ids of triggers and reports in the inbox, how many bots each user has,
    and their balances.
    """

    trigger_ids: set[str]
    bots_of: dict[str, int]
    purses: Mapping[str, Purses] = NO_USERS


def decide(bot: Bot | None, incoming: Incoming, known: Known, rules: Rules) -> Decision:
    """The decision for one record, given its bot as the records before left it.

    What nobody foresaw would happen again at every restart, for a decision is pure: it is a dead letter, and the
    partition goes on. Errors of the database or the machine are not among these.
    """
    try:
        return _decide(bot, incoming, known, rules)
    except (ArithmeticError, LookupError, ValueError) as error:
        return poisoned(bot, incoming, error, rules)


def _decide(bot: Bot | None, incoming: Incoming, known: Known, rules: Rules) -> Decision:
    record, message, refused = incoming
    if refused is not None:
        noted = Noted("undecodable", None, "dead", f"{refused.error_class}: {refused.reason}")
        return Decision(bot, noted, dead=refused)
    match message:
        case BotConfig():
            return decide_config(bot, message, record, rules, known.bots_of.get(message.user_id, 0))
        case Trigger():
            return decide_trigger(bot, message, message.trigger_id in known.trigger_ids, rules)
        case OrderReport():
            return decide_report(bot, message, message.report_id in known.trigger_ids, rules)
        case StaleCommand():
            return decide_stale(bot, message, record, rules)
        case _:
            return decide_tombstone(bot, incoming.bot_id or "", record, rules)


def decide_all(
    incoming: list[Incoming], before: Mapping[str, Bot], known: Known, rules: Rules
) -> tuple[dict[str, Bot], list[Decision], Mapping[str, Purses]]:
    """All records in order, each on what those before it left: the bots after them, the decisions, and the users'
    purses, which bots of one user share.
    """
    after, purses = dict(before), dict(known.purses)
    known = Known(set(known.trigger_ids), dict(known.bots_of))
    decisions: list[Decision] = []
    for item in incoming:
        bot = after.get(item.bot_id) if item.bot_id is not None else None
        if bot is not None and bot.user_id in purses:
            bot = replace(bot, purses=purses[bot.user_id])
        decision = decide(bot, item, known, rules)
        if decision.bot is not None:
            if decision.bot.purses:
                purses[decision.bot.user_id] = decision.bot.purses
            if bot is None:
                known.bots_of[decision.bot.user_id] = known.bots_of.get(decision.bot.user_id, 0) + 1
            after[decision.bot.bot_id] = decision.bot
        if decision.noted.trigger_id is not None:
            known.trigger_ids.add(decision.noted.trigger_id)
        decisions.append(decision)
    return after, decisions, purses
