"""Deciding a config: accept, refuse with every problem, or recognise what is already in force. Pure.

A config is accepted in the order of the topic. `revision` is the user's own count: one lower than the newest
is refused, an equal one must have the same content, 0 means not counted. The same content again changes
nothing and is answered by the same `accepted` event, under the same id. `effective_from_ms` says from which
bar on a config governs (see `timeline`); an open deal keeps the config it was opened under.

Deleted is a state: pairs, generations and open deals stay. `on_delete: keep` leaves the exits armed; `close`
arms each deal's group again from the same instant (law 7) with a member that closes it with the first bar that
opens at or after `effective_from_ms`. Not with the bar that closes at that instant: a trigger of that bar may be
read before or after the deletion, and the deal would be closed at one bar's price or at the next one's. A
tombstone deletes as the newest config's own `on_delete` says.
"""

from hashlib import sha256

import msgspec
from msgspec.structs import replace

from schemas.bots import BotConfig
from schemas.events import BotEvent
from sinks.executor.arming import arm_deal, refresh_entry
from sinks.executor.decision import Decision, Kind, Noted, Rules, decided, event_time_ms
from sinks.executor.draft import Draft, Told
from sinks.executor.refusals import Refusal, refusals
from sinks.executor.snapshot import snapshot
from sinks.executor.state import Accepted, Bot, HeldDeal, Pair
from sinks.executor.timeline import over, round_up, still_governing
from streams.engine import kinds
from streams.engine.kinds import Ending
from topics.records import Record


def decide_config(
    bot: Bot | None, config: BotConfig, record: Record, rules: Rules, bots_of_user: int = 0
) -> Decision:
    """The answer to one record of `bots.configs.v1`."""
    start = _start(config, record)
    found = refusals(bot, config, start, rules, bots_of_user)
    if found:
        return _rejected(bot, config, record, found)
    if config.state == "deleted":
        return _delete(bot, config, record, rules, "config")
    accepted = _accepted(bot, config, start, rules)
    if bot is not None and _same(bot.newest, accepted):
        return _repeated(bot, record, "config", rules)
    return _accept(bot, accepted, record, "config", rules)


def decide_tombstone(bot: Bot | None, bot_id: str, record: Record, rules: Rules) -> Decision:
    """The answer to a null value: the bot is deleted."""
    if bot is None:
        return _nothing_to_delete(bot_id, None, record, "tombstone")
    gone = replace(bot.newest.config, state="deleted", effective_from_ms=None)
    return _delete(bot, gone, record, rules, "tombstone")


def _delete(bot: Bot | None, config: BotConfig, record: Record, rules: Rules, kind: Kind) -> Decision:
    if bot is None:
        return _nothing_to_delete(config.bot_id, config.user_id, record, kind)
    start = _start(config, record)
    was = bot.newest
    body = replace(
        was.config,
        state="deleted",
        on_delete=config.on_delete,
        revision=config.revision or was.config.revision,
        effective_from_ms=config.effective_from_ms,
    )
    accepted = Accepted(was.seq + 1, body, start, round_up(start, rules.base_ms), was.signal, was.shape)
    if was.config.state == "deleted" and was.config.on_delete == config.on_delete:
        return _repeated(bot, record, kind, rules)
    return _accept(bot, accepted, record, kind, rules)


def _start(config: BotConfig, record: Record) -> int:
    return config.effective_from_ms if config.effective_from_ms is not None else event_time_ms(record)


def _accept(bot: Bot | None, accepted: Accepted, record: Record, kind: Kind, rules: Rules) -> Decision:
    config = accepted.config
    if bot is None:
        bot = Bot(config.bot_id, config.user_id, record.partition, 0, 0, 0, "0", (), {}, {}, {})
    draft = Draft(bot, event_time_ms(record), rules.base_interval)
    known = {pair: bot.pairs.get(pair) or Pair(pair, accepted.from_ms) for pair in config.pairs}
    configs = still_governing((*bot.configs, accepted), _earliest_needed(bot, accepted))
    draft.bot = replace(bot, configs=configs, pairs={**bot.pairs, **known})
    _tell_accepted(draft, accepted)
    ending: list[HeldDeal] = []
    if config.state == "deleted" and (end := kinds.deletion(config, accepted.from_ms + rules.base_ms)):
        ending = _ending_deals(draft, end)
    for symbol in sorted(draft.bot.pairs):
        refresh_entry(draft, symbol, answering=False)
    for held in ending:
        if not held.deal.terms.shared:  # the others are in the groups that were just refreshed
            arm_deal(draft, held, draft.bot.groups[kinds.deal_group_id(held.deal)].command.armed_from_ms)
    _tell_over(draft, accepted)
    snapshot(draft)
    return decided(draft, Noted(kind, bot.bot_id, "accepted", config_seq=accepted.seq), accepted)


def _tell_over(draft: Draft, accepted: Accepted) -> None:
    """A config that will never open a deal says so."""
    config = accepted.config
    if config.state != "active" or not kinds.starts_once(config):
        return
    for symbol in config.pairs:
        running = any(held.close_at_ms is None for held in draft.open_deals_on(symbol))
        reason = "it begins before the last grid ended, and starts none: apply it again"
        if running:
            reason = "a grid runs, with the settings it started with: to change it, delete the bot and apply it again"
        elif not over(accepted, draft.bot.pairs[symbol]):
            continue
        draft.tell(f"{draft.bot.bot_id}:config:{accepted.seq}:over", "ignored", symbol=symbol, reason=reason)


def _ending_deals(draft: Draft, end: Ending) -> list[HeldDeal]:
    """The open deals, which are to end then; those that were to end before anyway are not among them."""
    ending: list[HeldDeal] = []
    for deal_id in sorted(draft.bot.deals):
        held = draft.bot.deals[deal_id]
        if held.open and (held.close_at_ms is None or end.at_ms < held.close_at_ms):
            ending.append(replace(held, deal=kinds.ending(held.deal, end), close_at_ms=end.at_ms))
            draft.put_deal(ending[-1])
    return ending


def _earliest_needed(bot: Bot, accepted: Accepted) -> int:
    """No bar that opens before this will be asked about again."""
    alone = [held for held in bot.deals.values() if held.open and not held.deal.terms.shared]
    busy = {held.deal.symbol: held for held in alone}
    times = [pair.free_from_ms for symbol, pair in bot.pairs.items() if symbol not in busy]
    times += [bot.groups[kinds.deal_group_id(held.deal)].command.armed_from_ms for held in busy.values()]
    return min(times, default=accepted.from_ms)


def _accepted(bot: Bot | None, config: BotConfig, start: int, rules: Rules) -> Accepted:
    """`config` with its fingerprints: of the entry's conditions, and of all that an entry group shows."""
    group = kinds.entry_group(
        config, config.pairs[0], generation=1, armed_from_ms=0, when_true="fire", interval=rules.base_interval
    )
    signal = [member.condition for member in group.members]
    shape = [signal, group.interval, group.side, group.intrabar, len(config.pairs) > 1]
    seq = 1 if bot is None else bot.newest.seq + 1
    return Accepted(
        seq, config, start, round_up(start, rules.base_ms), _fingerprint(signal), _fingerprint(shape)
    )


def _fingerprint(data: object) -> str:
    return sha256(msgspec.json.encode(data)).hexdigest()[:32]


def _same(newest: Accepted, accepted: Accepted) -> bool:
    """Would accepting it change who governs any bar?"""
    mine = replace(newest.config, effective_from_ms=None)
    return mine == replace(accepted.config, effective_from_ms=None) and newest.from_ms <= accepted.from_ms


def _tell_accepted(draft: Draft, accepted: Accepted) -> None:
    config = accepted.config
    prefix = f"{config.bot_id}:config:{accepted.seq}"
    detail = {
        "seq": accepted.seq,
        "revision": config.revision,
        "state": config.state,
        "effective_from_ms": accepted.effective_from_ms,
        "from_ms": accepted.from_ms,
    }
    draft.tell(f"{prefix}:accepted", "accepted", detail=detail)
    if config.state != "active":
        draft.tell(f"{prefix}:{config.state}", config.state, detail=detail)


def _repeated(bot: Bot, record: Record, kind: Kind, rules: Rules) -> Decision:
    draft = Draft(bot, event_time_ms(record), rules.base_interval)
    _tell_accepted(draft, bot.newest)
    return decided(draft, Noted(kind, bot.bot_id, "repeated", config_seq=bot.newest.seq))


def _rejected(bot: Bot | None, config: BotConfig, record: Record, found: list[Refusal]) -> Decision:
    """One event with every problem; `field` and `reason` are the first's, `detail` holds all by field."""
    at_ms = event_time_ms(record)
    event = BotEvent(
        event_id=f"{record.address}:rejected",
        event="rejected",
        subject=config.bot_id,
        at_ms=at_ms,
        bot_id=config.bot_id,
        user_id=config.user_id,
        field=found[0].field,
        reason=found[0].reason,
        detail={refusal.field: refusal.reason for refusal in reversed(found)} | {"revision": config.revision},
    )
    reason = "; ".join(f"{refusal.field}: {refusal.reason}" for refusal in found)
    seq = None if bot is None else bot.newest.seq
    noted = Noted("config", config.bot_id, "rejected", reason, config_seq=seq)
    return Decision(bot, noted, (Told("events", event, event.event_id, at_ms),))


def _nothing_to_delete(bot_id: str, user_id: str | None, record: Record, kind: Kind) -> Decision:
    at_ms = event_time_ms(record)
    reason = "there is no such bot to delete"
    event = BotEvent(
        event_id=f"{record.address}:ignored",
        event="ignored",
        subject=bot_id,
        at_ms=at_ms,
        bot_id=bot_id,
        user_id=user_id,
        reason=reason,
    )
    return Decision(
        None, Noted(kind, bot_id, "ignored", reason), (Told("events", event, event.event_id, at_ms),)
    )
