"""Which groups a bot should have armed, and the commands that bring the evaluator there.

A deal has a group of its own, and while it is open its pair has no entry. Where several deals of a pair may be open, or
entries add to the deal, everything of the pair is one group, the entry's: two groups of a pair have no order between
them when the evaluator is ahead of the executor, one has (law 7).
"""

from msgspec.structs import replace

from schemas.alerts import GroupCommand, Member
from sinks.executor.draft import Draft
from sinks.executor.state import HeldDeal
from sinks.executor.timeline import Plan, governing, plan_entry
from streams.engine import dca, kinds


def refresh_entry(draft: Draft, symbol: str, *, answering: bool) -> None:
    """Bring the pair's entry group to what the configs and the deals in it want.

    `answering`: a trigger of that group waits for an answer, so a command goes out in any case. Otherwise
    nothing is sent when the armed group is already the right one.
    """
    group_id = dca.entry_group_id(draft.bot.bot_id, symbol)
    group = draft.bot.groups.get(group_id)
    armed = group is not None and group.armed
    standing, sharing = draft.standing(symbol), draft.sharing(symbol)
    plan = None if standing.alone else plan_entry(draft.bot.configs, draft.bot.pairs[symbol], standing)
    if plan is None and not any(members_of(held) for held in sharing):
        if armed:
            draft.remove(group_id, symbol)
        if not standing.here:
            _idle(draft, symbol)
        return
    if plan is not None and sharing:
        plan = _seen_by_all(plan, draft.bot.pairs[symbol].free_from_ms)
    end_at_ms = None if plan is None else plan.end_at_ms
    if group is not None and armed and not answering:
        same = _entry_command(draft, symbol, plan, sharing, group.command.generation) == group.command
        if same and group.end_at_ms == end_at_ms:
            return
    draft.arm(symbol, lambda generation: _entry_command(draft, symbol, plan, sharing, generation), end_at_ms)


def arm_deal(draft: Draft, held: HeldDeal, armed_from_ms: int) -> None:
    """Arm what is left of a deal with a group of its own: safety orders, targets, stop, its rules, and the close if its
    bot was deleted.
    """

    def build(generation: int) -> GroupCommand:
        return kinds.deal_group(
            held.deal, generation=generation, armed_from_ms=armed_from_ms, close_at_ms=held.close_at_ms
        )

    draft.arm(held.deal.symbol, build)


def members_of(held: HeldDeal) -> list[Member]:
    """Everything that a deal waits for."""
    return kinds.deal_members(held.deal, held.close_at_ms)


def rearm(draft: Draft, group_id: str) -> None:
    """Send the group's last command again under the next generation: its bars are evaluated again."""
    group = draft.bot.groups[group_id]
    draft.arm(
        group.command.symbol,
        lambda generation: replace(group.command, generation=generation),
        group.end_at_ms,
    )


def _seen_by_all(plan: Plan, free_from_ms: int) -> Plan:
    """The deals in the group see every bar from `free_from_ms` on: a later entry is armed at its instant."""
    if plan.armed_from_ms <= free_from_ms:
        return plan
    return plan._replace(armed_from_ms=free_from_ms, cooldown_until_ms=None, end_at_ms=plan.armed_from_ms)


def _entry_command(
    draft: Draft, symbol: str, plan: Plan | None, sharing: list[HeldDeal], generation: int
) -> GroupCommand:
    pair, configs = draft.bot.pairs[symbol], draft.bot.configs
    members = [member for held in sharing for member in members_of(held)]
    accepted = plan.accepted if plan is not None else governing(configs, pair.free_from_ms) or configs[-1]
    later = plan is not None and accepted.from_ms > plan.armed_from_ms
    command = kinds.entry_group(
        accepted.config,
        symbol,
        generation=generation,
        armed_from_ms=pair.free_from_ms if plan is None else plan.armed_from_ms,
        when_true="wait" if plan is None else plan.when_true,
        cooldown_until_ms=None if plan is None else plan.cooldown_until_ms,
        start_at_ms=None if plan is None else plan.start_at_ms,
        end_at_ms=None if plan is None else plan.end_at_ms,
        wanted=plan is not None and not later,
        deals=members,
        interval=draft.interval,
    )
    if not sharing:
        return command
    # Which way bars are walked is the deals' business: an entry has no levels.
    side, intrabar = kinds.walked(sharing[0].deal)
    return replace(command, side=side, intrabar=intrabar)


def _idle(draft: Draft, symbol: str) -> None:
    """Nobody wants an entry here: what governed before the newest config can be forgotten."""
    pair, newest = draft.bot.pairs[symbol], draft.bot.newest
    if newest.from_ms > pair.free_from_ms:
        draft.put_pair(replace(pair, free_from_ms=newest.from_ms))
