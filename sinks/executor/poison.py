"""A record whose decision failed in a way nobody foresaw: a defect, which must not stop its partition.

The bot stays as it was. If the record is the trigger that an armed group waits for, the group is armed from
the bar's close as it is (decision 7): without an answer it would be held for ever.
"""

import logging

from msgspec.structs import replace

from schemas.bots import BotConfig
from schemas.orders import OrderReport
from schemas.triggers import StaleCommand, Trigger
from sinks.executor.decision import DeadReason, Decision, Kind, Noted, Rules, decided, event_time_ms
from sinks.executor.draft import Draft
from sinks.executor.edge import Incoming
from sinks.executor.state import Bot

_log = logging.getLogger("strikeline.executor")


def poisoned(bot: Bot | None, incoming: Incoming, error: Exception, rules: Rules) -> Decision:
    """A dead letter with the reason `Poison`, the bot's event, and an answer to a group that waits."""
    record, message = incoming.record, incoming.message
    _log.critical("%s cannot be decided: a defect", record.address, exc_info=error)
    dead = DeadReason("Poison", f"{type(error).__name__}: {error}"[:500])
    noted = Noted(_kind(incoming), incoming.bot_id, "dead", f"{dead.error_class}: {dead.reason}")
    if bot is None:
        return Decision(None, noted, dead=dead)
    draft = Draft(bot, event_time_ms(record), rules.base_interval)
    draft.tell(f"{record.address}:poison", "ignored", reason=f"a defect, see the dead letter: {dead.reason}")
    if isinstance(message, Trigger) and message.user_id == bot.user_id:
        _answer(draft, message)
    return decided(draft, noted)._replace(dead=dead)


def _answer(draft: Draft, trigger: Trigger) -> None:
    group = draft.bot.groups.get(trigger.group_id)
    if group is None or not group.armed or group.command.generation != trigger.generation:
        return
    from_ms = max(group.command.armed_from_ms, trigger.bar.close_time_ms)
    command = replace(group.command, armed_from_ms=from_ms)
    draft.arm(command.symbol, lambda generation: replace(command, generation=generation), group.end_at_ms)


def _kind(incoming: Incoming) -> Kind:
    match incoming.message:
        case Trigger():
            return "trigger"
        case StaleCommand():
            return "stale_command"
        case BotConfig():
            return "config"
        case OrderReport():
            return "report"
        case _:
            return "tombstone"
