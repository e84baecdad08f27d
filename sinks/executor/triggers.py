"""Deciding a trigger: apply it to an entry or a deal, or say why not. Pure.

Every trigger that reaches an armed group is answered (law 7): by the next generation from the bar's close, by
another group, or by a removal. One that does not (repeated, of an older generation, of a group that is gone)
is noted, reported `ignored` and never applied: its answer was sent when the generation was replaced. One that
contradicts the database goes to the dead letters, and its trigger_id stays free for the genuine one.
"""

from typing import NamedTuple

from msgspec.structs import replace

from schemas.triggers import Trigger
from sinks.executor.deals import settle_deal
from sinks.executor.decision import DeadReason, Decision, Noted, Outcome, Rules, decided
from sinks.executor.draft import Draft
from sinks.executor.entries import answer_entry
from sinks.executor.stale import overtake
from sinks.executor.state import Bot, Group
from sinks.executor.timeline import governing
from sinks.orders.rearming import bring_back


class Verdict(NamedTuple):
    """What became of a trigger."""

    outcome: Outcome
    reason: str = ""


def decide_trigger(bot: Bot | None, trigger: Trigger, repeated: bool, rules: Rules) -> Decision:
    """The answer to one trigger. `repeated`: its trigger_id is in the inbox already."""
    if bot is None:
        return _dead(None, trigger, "UnknownBot", f"no bot {trigger.bot_id} in the database")
    if reason := _mismatch(bot, trigger):
        return _dead(bot, trigger, "Mismatch", reason)
    draft = Draft(bot, trigger.bar.close_time_ms, rules.base_interval)
    if repeated:
        _ignore(draft, trigger, "duplicate", "this trigger was recorded before")
        return decided(draft, _noted(bot, trigger, Verdict("ignored", "duplicate"), claims=False))
    group = bot.groups.get(trigger.group_id)
    if group is None or trigger.generation != group.command.generation or not group.armed:
        verdict = _out_of_turn(draft, trigger, group, rules)
        return decided(draft, _noted(bot, trigger, verdict))
    members = {member.alert_id: member for member in group.command.members}
    if unknown := [fired.alert_id for fired in trigger.fired if fired.alert_id not in members]:
        return _dead(
            bot, trigger, "Mismatch", f"{unknown[0]} is no member of generation {trigger.generation}"
        )
    if reason := _impossible(trigger, group):
        return _dead(bot, trigger, "Mismatch", reason)
    # What a member asks for stands in the database; the trigger only tells which ones fired.
    fired = [replace(f, action=members[f.alert_id].action) for f in trigger.fired]
    verdict = _apply(draft, replace(trigger, fired=fired, action=fired[0].action), group, rules)
    return decided(draft, _noted(bot, trigger, verdict))


def _apply(draft: Draft, trigger: Trigger, group: Group, rules: Rules) -> Verdict:
    held = next(
        (h for h in draft.bot.deals.values() if trigger.group_id.endswith(f"/{h.deal.deal_id}")), None
    )
    if held is None:
        return Verdict(*answer_entry(draft, trigger, group, rules))
    return Verdict(*settle_deal(draft, held, trigger, rules))


def _out_of_turn(draft: Draft, trigger: Trigger, group: Group | None, rules: Rules) -> Verdict:
    known = 0 if group is None else group.command.generation
    if trigger.generation > known:
        reason = f"generation {trigger.generation} is ahead of the database's {known}: armed anew"
        if group is None:
            reason = "the group was never armed: it is removed"
        overtake(draft, trigger.group_id, trigger.symbol, trigger.generation)
    elif trigger.generation != known:
        reason = f"generation {trigger.generation} was replaced by {known}"
        if rules.venue.live and bring_back(draft, trigger):
            reason += ", after a report: its bar is armed again"
    else:
        reason = "the group was removed"
    _ignore(draft, trigger, "ignored", reason)
    return Verdict("ignored", reason)


def _ignore(draft: Draft, trigger: Trigger, suffix: str, reason: str) -> None:
    draft.tell(
        f"{trigger.trigger_id}:{suffix}",
        "ignored",
        symbol=trigger.symbol,
        group_id=trigger.group_id,
        reason=reason,
        detail={"trigger_id": trigger.trigger_id, "generation": trigger.generation},
    )


def _mismatch(bot: Bot, trigger: Trigger) -> str:
    if trigger.user_id != bot.user_id:
        return "the bot belongs to another user"
    if not trigger.group_id.startswith(f"{bot.bot_id}/{trigger.symbol}/"):
        return f"group {trigger.group_id} is not of this bot on {trigger.symbol}"
    if not trigger.trigger_id.startswith(f"{trigger.group_id}:"):
        # Noted in the inbox, it would be taken for a repeat when it comes from the group that it names.
        return f"trigger_id {trigger.trigger_id} is not of its group"
    return ""


def _impossible(trigger: Trigger, group: Group) -> str:
    """What the group could not have fired."""
    command, bar = group.command, trigger.bar
    if not trigger.fired:
        return "no member fired"
    if len({fired.alert_id for fired in trigger.fired}) < len(trigger.fired):
        return "a member fired twice"
    if bar.interval != command.interval:
        return f"its bar is of {bar.interval}, the group was armed on {command.interval}"
    if bar.open_time_ms < command.armed_from_ms:
        return "the group could not see the bar"
    return ""


def _noted(bot: Bot, trigger: Trigger, verdict: Verdict, *, claims: bool = True) -> Noted:
    accepted = governing(bot.configs, trigger.bar.open_time_ms) or bot.newest
    return Noted(
        "trigger",
        bot.bot_id,
        verdict.outcome,
        verdict.reason,
        trigger.trigger_id if claims else None,
        accepted.seq,
    )


def _dead(bot: Bot | None, trigger: Trigger, error_class: str, reason: str) -> Decision:
    noted = Noted("trigger", trigger.bot_id, "dead", f"{error_class}: {reason}")
    return Decision(bot, noted, dead=DeadReason(error_class, reason))
