"""Answering `stale_command`: the evaluator holds a newer generation than the database gave out. Pure.

It happens after the database was restored from a backup. An answer to a command that was merely sent twice is
told by the generation: the database's is at least the evaluator's, the right command is on its way or was
obeyed.
"""

from msgspec.structs import replace

from schemas.triggers import StaleCommand
from sinks.executor.arming import rearm
from sinks.executor.decision import DeadReason, Decision, Noted, Rules, decided, event_time_ms
from sinks.executor.draft import Draft
from sinks.executor.state import Bot, Pair
from topics.records import Record


def decide_stale(bot: Bot | None, stale: StaleCommand, record: Record, rules: Rules) -> Decision:
    """Raise the counter above the evaluator's generation and arm anew, or remove anew."""
    if bot is None or stale.user_id != bot.user_id:
        reason = "no such bot" if bot is None else "the bot belongs to another user"
        return _dead(bot, stale, reason)
    if not stale.group_id.startswith(f"{bot.bot_id}/{stale.symbol}/"):
        return _dead(bot, stale, f"group {stale.group_id} is not of this bot on {stale.symbol}")
    draft = Draft(bot, event_time_ms(record), rules.base_interval)
    group = bot.groups.get(stale.group_id)
    if group is not None and group.command.generation >= stale.generation:
        reason = f"generation {group.command.generation} was sent since"
        draft.tell(
            f"{stale.group_id}:{stale.generation}:{stale.stale_generation}:ignored",
            "ignored",
            symbol=stale.symbol,
            group_id=stale.group_id,
            reason=reason,
        )
        return decided(
            draft, Noted("stale_command", bot.bot_id, "ignored", reason, config_seq=bot.newest.seq)
        )
    overtake(draft, stale.group_id, stale.symbol, stale.generation)
    draft.tell(
        f"{stale.group_id}:{stale.generation}:stale_command",
        "stale_command",
        symbol=stale.symbol,
        group_id=stale.group_id,
        reason=f"the evaluator held generation {stale.generation}: armed anew above it",
    )
    return decided(draft, Noted("stale_command", bot.bot_id, "applied", config_seq=bot.newest.seq))


def overtake(draft: Draft, group_id: str, symbol: str, generation: int) -> None:
    """Send the group's last command again above `generation`; a group nobody knows is removed."""
    pair = draft.bot.pairs.get(symbol) or Pair(symbol, draft.bot.newest.from_ms)
    draft.put_pair(replace(pair, generation=max(pair.generation, generation)))
    if group_id in draft.bot.groups:
        rearm(draft, group_id)
    else:
        draft.remove(group_id, symbol)


def _dead(bot: Bot | None, stale: StaleCommand, reason: str) -> Decision:
    noted = Noted("stale_command", stale.bot_id, "dead", f"Mismatch: {reason}")
    return Decision(bot, noted, dead=DeadReason("Mismatch", reason))
