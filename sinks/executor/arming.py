"""Which groups a bot should have armed, and the commands that bring the evaluator there."""

from msgspec.structs import replace

from schemas.alerts import GroupCommand
from sinks.executor.draft import Draft
from sinks.executor.state import HeldDeal
from sinks.executor.timeline import Plan, plan_entry
from streams.engine import dca, kinds


def refresh_entry(draft: Draft, symbol: str, *, answering: bool) -> None:
    """Bring the pair's entry group to what the configs want.

    `answering`: a trigger of that group waits for an answer, so a command goes out in any case. Otherwise
    nothing is sent when the armed group is already the right one.
    """
    group_id = dca.entry_group_id(draft.bot.bot_id, symbol)
    group = draft.bot.groups.get(group_id)
    armed = group is not None and group.armed
    busy = draft.open_deal_on(symbol) is not None
    plan = None if busy else plan_entry(draft.bot.configs, draft.bot.pairs[symbol])
    if plan is None:
        if armed:
            draft.remove(group_id, symbol)
        if not busy:
            _idle(draft, symbol)
        return
    if group is not None and armed and not answering:
        same = _entry_command(draft, symbol, plan, group.command.generation) == group.command
        if same and group.end_at_ms == plan.end_at_ms:
            return
    draft.arm(symbol, lambda generation: _entry_command(draft, symbol, plan, generation), plan.end_at_ms)


def arm_deal(draft: Draft, held: HeldDeal, armed_from_ms: int) -> None:
    """Arm what is left of a deal: safety orders, target, stop, and the close if its bot was deleted."""

    def build(generation: int) -> GroupCommand:
        return kinds.deal_group(
            held.deal, generation=generation, armed_from_ms=armed_from_ms, close_at_ms=held.close_at_ms
        )

    draft.arm(held.deal.symbol, build)


def rearm(draft: Draft, group_id: str) -> None:
    """Send the group's last command again under the next generation: its bars are evaluated again."""
    group = draft.bot.groups[group_id]
    draft.arm(
        group.command.symbol,
        lambda generation: replace(group.command, generation=generation),
        group.end_at_ms,
    )


def _entry_command(draft: Draft, symbol: str, plan: Plan, generation: int) -> GroupCommand:
    return kinds.entry_group(
        plan.accepted.config,
        symbol,
        generation=generation,
        armed_from_ms=plan.armed_from_ms,
        when_true=plan.when_true,
        cooldown_until_ms=plan.cooldown_until_ms,
        end_at_ms=plan.end_at_ms,
        interval=draft.interval,
    )


def _idle(draft: Draft, symbol: str) -> None:
    """Nobody wants an entry here: what governed before the newest config can be forgotten."""
    pair, newest = draft.bot.pairs[symbol], draft.bot.newest
    if newest.from_ms > pair.free_from_ms:
        draft.put_pair(replace(pair, free_from_ms=newest.from_ms))
