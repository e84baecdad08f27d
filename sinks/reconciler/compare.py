"""The comparisons. Pure: rows of one moment in, differences out; none where all is well."""

from collections.abc import Iterator, Mapping
from typing import Final

from sinks.executor.arming import refresh_entry
from sinks.executor.draft import Draft
from sinks.executor.state import Bot, HeldDeal
from sinks.reconciler.books import Books, GroupState, TopicBounds
from sinks.reconciler.findings import Finding, Kind
from streams.engine import dca, kinds

_MOST_HOLES: Final = 20


def compare(
    books: Books, ends: Mapping[str, TopicBounds], positions: Mapping[str, int], interval: str
) -> Iterator[Finding]:
    """All differences that one look can see. `ends` by topic and `positions` (the newest published version of each bot)
    were read after the books; `interval` is a base bar's, where no group tells it.
    """
    yield from _groups(books)
    yield from _generations(books)
    yield from _bots(books, positions)
    for bot in books.closely.values():
        yield from _armed(bot, interval)
    yield from _places(books, ends)


def _groups(books: Books) -> Iterator[Finding]:
    """Groups of deals against open deals."""
    for group in books.groups:
        deal_id = group.group_id.removeprefix(f"{group.bot_id}/{group.symbol}/")
        if group.armed and deal_id != "entry" and deal_id not in books.open_deals:
            yield _of_group(
                "group_unexpected", group, books, "it is armed, and its deal is not open", deal_id
            )
    commanded = {group.group_id for group in books.groups}
    for deal_id, (bot_id, symbol, shared) in books.open_deals.items():
        group_id = f"{bot_id}/{symbol}/{deal_id}"
        waits_in = dca.entry_group_id(bot_id, symbol) if shared else group_id
        if waits_in not in commanded:
            yield Finding(
                "group_missing", bot_id, group_id, "the deal is open, and no group of it was ever armed",
                user_id=_user(books, bot_id), symbol=symbol, group_id=group_id, deal_id=deal_id,
            )  # fmt: skip


def _of_group(
    kind: Kind, group: GroupState, books: Books, reason: str, deal_id: str | None = None
) -> Finding:
    return Finding(
        kind, group.bot_id, f"{group.group_id}:{group.generation}", reason, {"generation": group.generation},
        user_id=_user(books, group.bot_id), symbol=group.symbol, group_id=group.group_id, deal_id=deal_id,
    )  # fmt: skip


def _generations(books: Books) -> Iterator[Finding]:
    counters = {(pair.bot_id, pair.symbol): pair.generation for pair in books.pairs}
    for group in books.groups:
        counter = counters.get((group.bot_id, group.symbol), 0)
        if group.generation > counter:
            reason = f"the pair has given out generation {counter}, the group has {group.generation}"
            yield _of_group("generation_behind", group, books, reason)


def _bots(books: Books, positions: Mapping[str, int]) -> Iterator[Finding]:
    for bot in books.bots.values():
        if bot.bot_id not in books.with_config:
            reason = "no config of it may govern a bar: its next record cannot be decided"
            yield Finding("config_missing", bot.bot_id, "config", reason, user_id=bot.user_id)
        published = positions.get(bot.bot_id, 0)
        if published < bot.version and bot.bot_id not in books.untold_positions:
            last = f"the last one published is {published}" if published else "none was ever published"
            yield Finding(
                "snapshot_missing", bot.bot_id, str(bot.version), f"snapshot {bot.version} is due, {last}",
                {"version": bot.version, "published": published}, user_id=bot.user_id,
            )  # fmt: skip


def _armed(bot: Bot, interval: str) -> Iterator[Finding]:
    """What a bot has armed against what the executor would command if it were asked now."""
    if not bot.configs:
        return
    for held in bot.deals.values():
        if held.open and not held.deal.terms.shared:
            yield from _deal_armed(bot, held)
    for symbol in bot.pairs:
        group_id = dca.entry_group_id(bot.bot_id, symbol)
        group = bot.groups.get(group_id)
        draft = Draft(bot, bot.as_of_ms, interval if group is None else group.command.interval)
        refresh_entry(draft, symbol, answering=False)
        if draft.told:
            is_armed = group is not None and group.armed
            wants = draft.bot.groups[group_id].armed
            reason = "armed, and no config wants it" if is_armed and not wants else "wanted, and not armed"
            if is_armed and wants:
                reason = "armed otherwise than the configs want it"
            yield Finding(
                "entry_differs", bot.bot_id, f"{group_id}:{bot.pairs[symbol].generation}", f"the entry is {reason}",
                user_id=bot.user_id, symbol=symbol, group_id=group_id,
            )  # fmt: skip


def _deal_armed(bot: Bot, held: HeldDeal) -> Iterator[Finding]:
    group_id = kinds.deal_group_id(held.deal)
    group = bot.groups.get(group_id)
    if group is not None and group.armed:
        return
    wanted = kinds.deal_group(held.deal, generation=1, armed_from_ms=0, close_at_ms=held.close_at_ms)
    if wanted.op == "arm":
        yield Finding(
            "group_missing", bot.bot_id, group_id,
            f"the deal waits for {len(wanted.members)} levels or instants, and no group of it is armed",
            user_id=bot.user_id, symbol=held.deal.symbol, group_id=group_id, deal_id=held.deal.deal_id,
        )  # fmt: skip


def _places(books: Books, ends: Mapping[str, TopicBounds]) -> Iterator[Finding]:
    subject = f"partition/{books.partition}"
    for place in books.places:
        at = f"{place.topic}[{books.partition}]"
        end = ends[place.topic].end if place.topic in ends else place.next_offset
        if place.next_offset > end:
            yield Finding(
                "offset_ahead", subject, f"{place.topic}@{place.next_offset}",
                f"{at} ends at {end}, and all before {place.next_offset} counts as applied",
                {"next_offset": place.next_offset, "end": end},
            )  # fmt: skip
        for first, last in place.holes[:_MOST_HOLES]:
            yield Finding(
                "trigger_without_row", subject, f"{place.topic}@{first}-{last}",
                f"{at}: offsets {first} to {last} count as applied, and the inbox has no row of them",
                {"first": first, "last": last},
            )  # fmt: skip


def _user(books: Books, bot_id: str) -> str | None:
    bot = books.bots.get(bot_id)
    return None if bot is None else bot.user_id
